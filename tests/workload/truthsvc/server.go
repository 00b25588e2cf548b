// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
)

type connKey struct{}

type service struct {
	db    *store
	truth *truth
	calls *caller
	next  string // another instance
}

// handler answers with a status and a body.
type handler func(ctx context.Context, r *request, n int64) (int, string)

var bigBody = strings.Repeat("0123456789abcdef", 6400)

func (s *service) handlers() map[string]handler {
	text := func(status int, body string) handler {
		return func(context.Context, *request, int64) (int, string) { return status, body }
	}
	return map[string]handler{
		"ping": text(200, "pong"), "absent": text(404, "no such thing"),
		"broken": text(500, "broken"), "busy": text(503, "busy"), "big": text(200, bigBody),
		"get": s.get, "plain": s.plain, "tx": s.tx, "many": s.many, "slow": s.slow,
		"post": s.post, "sqlerr": s.sqlerr, "aside": s.aside,
		"nested": s.nested, "fan": s.fan, "leaf": s.leaf,
	}
}

// ServeHTTP: paths are /ROUTE/NUMBER, and no number comes twice.
func (s *service) serve(routes map[string]handler) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		c, _ := req.Context().Value(connKey{}).(*conn)
		parts := strings.SplitN(req.URL.Path, "/", 4)
		r := &request{Side: "server", Pid: os.Getpid(), Goid: goid(), Method: req.Method,
			Path: req.URL.Path, Remote: req.RemoteAddr, conn: c, x: c.current()}
		if tp := strings.Split(req.Header.Get("traceparent"), "-"); len(tp) == 4 {
			r.Trace, r.Parent = tp[1], tp[2]
		}
		io.Copy(io.Discard, req.Body)
		status, body := 404, "no such route"
		if len(parts) == 3 && routes[parts[1]] != nil {
			n, _ := strconv.ParseInt(parts[2], 10, 64)
			status, body = routes[parts[1]](req.Context(), r, n)
		}
		r.Status = status
		s.truth.add(r)
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(status)
		io.WriteString(w, body+"\n")
	}
}

func answer(err error) (int, string) {
	if err != nil {
		return 500, err.Error()
	}
	return 200, "done"
}

func (s *service) get(ctx context.Context, r *request, n int64) (int, string) {
	return answer(read(ctx, s.db, r, false, oneOfMany(n), n%20))
}

func (s *service) plain(ctx context.Context, r *request, n int64) (int, string) {
	err := read(ctx, s.db, r, false, qPlain)
	if err == nil {
		err = read(ctx, s.db, r, false, qEscaped)
	}
	if err == nil {
		err = exec(ctx, s.db, r, qComment)
	}
	return answer(err)
}

func (s *service) tx(ctx context.Context, r *request, n int64) (int, string) {
	return answer(s.db.order(ctx, r))
}

func (s *service) many(ctx context.Context, r *request, n int64) (int, string) {
	for i := 0; i < 3; i++ {
		if err := read(ctx, s.db, r, false, qCount, i*100); err != nil {
			return answer(err)
		}
	}
	if err := exec(ctx, s.db, r, named(n), s.db.plainly...); err != nil {
		return answer(err)
	}
	return answer(exec(ctx, s.db, r, qInsert, "one of many", n%1000))
}

func (s *service) slow(ctx context.Context, r *request, n int64) (int, string) {
	return answer(exec(ctx, s.db, r, qSleep))
}

func (s *service) post(ctx context.Context, r *request, n int64) (int, string) {
	return answer(exec(ctx, s.db, r, qInsert, "from a body", n%100))
}

func (s *service) sqlerr(ctx context.Context, r *request, n int64) (int, string) {
	q := []query{qNoTable, qDivide, qConflict}[n%3]
	if n%2 == 0 {
		return answer(read(ctx, s.db, r, false, q))
	}
	return answer(exec(ctx, s.db, r, q))
}

// aside: the statement is another goroutine's work, which nobody can see from outside.
func (s *service) aside(ctx context.Context, r *request, n int64) (int, string) {
	done := make(chan error)
	go func() { done <- read(ctx, s.db, r, true, named(n), s.db.plainly...) }()
	return answer(<-done)
}

func (s *service) leaf(ctx context.Context, r *request, n int64) (int, string) {
	return answer(read(ctx, s.db, r, false, qCount, n%1000))
}

// nested: a statement, a call of the other instance, a statement.
func (s *service) nested(ctx context.Context, r *request, n int64) (int, string) {
	if err := read(ctx, s.db, r, false, qRecent, 1); err != nil {
		return answer(err)
	}
	if err := s.call(ctx, r, n, false); err != nil {
		return 502, err.Error()
	}
	return answer(read(ctx, s.db, r, false, named(n), s.db.plainly...))
}

// fan: two calls at once, each by a goroutine of its own.
func (s *service) fan(ctx context.Context, r *request, n int64) (int, string) {
	var both sync.WaitGroup
	var errs [2]error
	for i := range errs {
		both.Add(1)
		go func(i int) {
			defer both.Done()
			errs[i] = s.call(ctx, r, 2*n+int64(i), true)
		}(i)
	}
	both.Wait()
	if errs[0] != nil {
		return 502, errs[0].Error()
	}
	return answer(errs[1])
}

// call asks the other instance's /leaf; every second one hands on the trace.
func (s *service) call(ctx context.Context, r *request, n int64, spread bool) error {
	kind := 10
	if spread {
		kind = 20
	}
	path := fmt.Sprintf("/leaf/%d%d", n, kind)
	parent := ""
	if r.Trace != "" && n%2 == 0 {
		parent = fmt.Sprintf("00-%s-%016x-01", r.Trace, n+1)
	}
	r.mu.Lock()
	r.Out = append(r.Out, call{path, spread})
	r.mu.Unlock()
	_, err := s.calls.do(ctx, "GET", s.next, path, parent, 0)
	return err
}

func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}
