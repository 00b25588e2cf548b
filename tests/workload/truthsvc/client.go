// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"context"
	"fmt"
	"io"
	"math/rand"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// caller sends requests over keep-alive connections, and notes what they were.
type caller struct {
	http  *http.Client
	truth *truth
}

func newCaller(t *truth, conns int) *caller {
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		var d net.Dialer
		c, err := d.DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return wrap(c, false)
	}
	return &caller{truth: t, http: &http.Client{Transport: &http.Transport{
		DialContext: dial, MaxIdleConnsPerHost: conns, DisableCompression: true}}}
}

// do sends one request and reads all of its reply.
func (c *caller) do(ctx context.Context, method, base, path, parent string, body int) (int, error) {
	r := &request{Side: "client", Pid: os.Getpid(), Method: method, Path: path}
	trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		r.conn, _ = info.Conn.(*conn)
		r.x = r.conn.begin()
	}}
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, trace), method, base+path,
		strings.NewReader(strings.Repeat("b", body)))
	if err != nil {
		return 0, err
	}
	if body == 0 {
		req.Body = nil
	}
	if parent != "" {
		req.Header.Set("traceparent", parent)
		r.Trace, r.Parent = parent[3:35], parent[36:52]
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if _, err = io.Copy(io.Discard, resp.Body); err != nil {
		return 0, err
	}
	r.Status = resp.StatusCode
	r.x = c.freeze(r)
	c.truth.add(r)
	return resp.StatusCode, nil
}

// freeze: the connection may serve somebody else from now on.
func (c *caller) freeze(r *request) *exchange {
	x := r.conn.snapshot(r.x)
	return &x
}

// defaultMix: how many of a hundred requests go where.
const defaultMix = "ping:20,get:15,plain:12,nested:12,tx:10,many:8,fan:4,post:4,big:3,aside:3," +
	"absent:2,slow:2,sqlerr:2,broken:2,busy:1"

// parseMix has each route as often as its share says.
func parseMix(text string) ([]string, error) {
	var routes []string
	for _, part := range strings.Split(text, ",") {
		route, share, _ := strings.Cut(part, ":")
		n, err := strconv.Atoi(share)
		if err != nil || n < 1 || route == "" {
			return nil, fmt.Errorf("--mix: %q is no ROUTE:SHARE", part)
		}
		for ; n > 0; n-- {
			routes = append(routes, route)
		}
	}
	return routes, nil
}

type load struct {
	bases   []string
	routes  []string
	workers int
	rate    float64 // a second, all workers together; 0 = as fast as replies come
	until   time.Time
	first   int64
}

// run returns how many requests there were, and the first thing that went wrong.
func (l *load) run(t *truth) (int64, error) {
	var all sync.WaitGroup
	var mu sync.Mutex
	var failed error
	next := l.first
	for w := 0; w < l.workers; w++ {
		all.Add(1)
		go func(w int) {
			defer all.Done()
			c := newCaller(t, 1)
			rnd := rand.New(rand.NewSource(int64(w) + l.first))
			for time.Now().Before(l.until) {
				mu.Lock()
				n := next
				next++
				mu.Unlock()
				if err := l.one(c, rnd, n); err != nil {
					mu.Lock()
					failed = err
					mu.Unlock()
					return
				}
				if l.rate > 0 {
					mean := float64(l.workers) / l.rate * float64(time.Second)
					time.Sleep(time.Duration(mean * (0.5 + rnd.Float64())))
				}
			}
		}(w)
	}
	all.Wait()
	return next - l.first, failed
}

func (l *load) one(c *caller, rnd *rand.Rand, n int64) error {
	route, method, body, parent := l.routes[rnd.Intn(len(l.routes))], "GET", 0, ""
	switch {
	case route == "post":
		method, body = "POST", 3000
	case route == "ping" && n%5 == 0:
		method = "HEAD"
	}
	if n%2 == 0 {
		parent = fmt.Sprintf("00-%016x%016x-%016x-01", rnd.Uint64()|1, n, n|1)
	}
	path := fmt.Sprintf("/%s/%d", route, n)
	_, err := c.do(context.Background(), method, l.bases[n%int64(len(l.bases))], path, parent, body)
	return err
}
