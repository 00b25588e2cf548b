// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
)

const queryMax = 4096 // bytes of one message of our own small dialogue

// runDB answers simple queries, each connection on its own goroutine.
func runDB(ln net.Listener) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			for answer(c) == nil {
			}
		}()
	}
}

// answer reads one Query message, header first like many servers do, and replies with
// CommandComplete and ReadyForQuery.
func answer(c net.Conn) error {
	kind, body, err := readMessage(c)
	if err != nil {
		return err
	}
	if kind != 'Q' || len(body) == 0 {
		return fmt.Errorf("message %q is not a query", kind)
	}
	text := string(body[:len(body)-1])
	request := 0
	fmt.Sscanf(text, "SELECT %d", &request)
	say(line{Role: "db", Pid: os.Getpid(), Goid: goid(), Local: c.LocalAddr().String(),
		Remote: c.RemoteAddr().String(), Request: request, Text: text})
	reply := message(nil, 'C', []byte("SELECT 1\x00"))
	reply = message(reply, 'Z', []byte{'I'})
	_, err = c.Write(reply)
	return err
}

func message(to []byte, kind byte, body []byte) []byte {
	to = append(to, kind, 0, 0, 0, 0)
	binary.BigEndian.PutUint32(to[len(to)-4:], uint32(len(body)+4))
	return append(to, body...)
}

func readMessage(r io.Reader) (byte, []byte, error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	n := binary.BigEndian.Uint32(head[1:])
	if n < 4 || n > queryMax {
		return 0, nil, fmt.Errorf("message of %d bytes", n)
	}
	body := make([]byte, n-4)
	_, err := io.ReadFull(r, body)
	return head[0], body, err
}

// pool holds the connections to the database; whoever takes one is alone on it.
type pool struct {
	free  chan net.Conn
	total int
}

func openPool(addr string, n int) *pool {
	p := &pool{free: make(chan net.Conn, n), total: n}
	for i := 0; i < n; i++ {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			fatal("cannot reach the database: %v", err)
		}
		p.free <- c
	}
	return p
}

// query runs one statement on the calling goroutine and says which connection it took.
func (p *pool) query(text string) (local, remote string, err error) {
	c := <-p.free
	defer func() { p.free <- c }()
	local, remote = c.LocalAddr().String(), c.RemoteAddr().String()
	if _, err = c.Write(message(nil, 'Q', append([]byte(text), 0))); err != nil {
		return
	}
	var kind byte
	for kind != 'Z' && err == nil {
		kind, _, err = readMessage(c)
	}
	return
}

// settle returns when no query is on its way.
func (p *pool) settle() {
	for i := 0; i < p.total; i++ {
		defer func(c net.Conn) { p.free <- c }(<-p.free)
	}
}
