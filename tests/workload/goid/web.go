// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
)

type service struct {
	pool *pool
}

// serve does the work of request n on the calling goroutine and notes the truth.
func (s *service) serve(n int, local, remote string) (int, string) {
	dbLocal, dbRemote, err := s.pool.query(fmt.Sprintf("SELECT %d", n))
	if err != nil {
		return 500, err.Error()
	}
	say(line{Role: "server", Pid: os.Getpid(), Goid: goid(), Local: local, Remote: remote,
		Request: n, Text: fmt.Sprintf("GET /r/%d HTTP/1.1", n), DBLocal: dbLocal,
		DBRemote: dbRemote})
	return 200, fmt.Sprintf("done %d\n", n)
}

func number(path string) (int, error) {
	var n int
	_, err := fmt.Sscanf(path, "/r/%d", &n)
	return n, err
}

func (s *service) runNetHTTP(ln net.Listener) {
	http.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := number(r.URL.Path)
		if err != nil {
			http.Error(w, "only /r/N is known", 404)
			return
		}
		local := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
		status, body := s.serve(n, local.String(), r.RemoteAddr)
		w.WriteHeader(status)
		io.WriteString(w, body)
	}))
}

func (s *service) runRaw(ln net.Listener) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		go s.rawConn(c)
	}
}

// rawConn serves one connection; nothing but this goroutine reads or writes it.
func (s *service) rawConn(c net.Conn) {
	defer c.Close()
	in := bufio.NewReader(c)
	for {
		first, err := readHead(in)
		if err != nil {
			return
		}
		status, body := 404, "only /r/N is known\n"
		if fields := strings.Fields(first); len(fields) == 3 {
			if n, err := number(fields[1]); err == nil {
				status, body = s.serve(n, c.LocalAddr().String(), c.RemoteAddr().String())
			}
		}
		_, err = fmt.Fprintf(c, "HTTP/1.1 %d %s\r\nContent-Length: %d\r\n\r\n%s", status,
			http.StatusText(status), len(body), body)
		if err != nil {
			return
		}
	}
}

// readHead reads up to the empty line and returns the first one.
func readHead(in *bufio.Reader) (string, error) {
	first := ""
	for {
		text, err := in.ReadString('\n')
		if err != nil {
			return "", err
		}
		text = strings.TrimRight(text, "\r\n")
		if text == "" {
			return first, nil
		}
		if first == "" {
			first = text
		}
	}
}

// load sends the requests 1..total from several goroutines; it returns how many failed.
func load(addr string, total, clients, perConn int) int {
	var next, failed int64
	var all sync.WaitGroup
	for i := 0; i < clients; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for atomic.LoadInt64(&next) < int64(total) {
				if err := clientConn(addr, &next, int64(total), perConn); err != nil {
					fmt.Fprintf(os.Stderr, "goid: a request failed: %v\n", err)
					atomic.AddInt64(&failed, 1)
				}
			}
		}()
	}
	all.Wait()
	return int(failed)
}

// clientConn runs up to perConn requests on a new connection.
func clientConn(addr string, next *int64, total int64, perConn int) error {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer c.Close()
	in := bufio.NewReader(c)
	for i := 0; i < perConn; i++ {
		n := atomic.AddInt64(next, 1)
		if n > total {
			return nil
		}
		text := fmt.Sprintf("GET /r/%d HTTP/1.1", n)
		if _, err = fmt.Fprintf(c, "%s\r\nHost: %s\r\n\r\n", text, addr); err != nil {
			return err
		}
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			return err
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != 200 || string(body) != fmt.Sprintf("done %d\n", n) {
			return fmt.Errorf("request %d: status %d, %q, %v", n, resp.StatusCode, body, err)
		}
		say(line{Role: "client", Pid: os.Getpid(), Goid: goid(), Local: c.LocalAddr().String(),
			Remote: c.RemoteAddr().String(), Request: int(n), Text: text})
	}
	return nil
}
