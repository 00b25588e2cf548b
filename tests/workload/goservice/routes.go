// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

type service struct {
	db    *store
	truth *truth
	count *count
	self  string // URL of this service
}

// handler answers one request with a status and a text; q is nil when no truth is kept.
type handler func(r *http.Request, q *request) (int, string)

func (s *service) close() {
	if s.db != nil {
		s.db.Close()
	}
	if s.truth != nil {
		s.truth.file.Close()
	}
}

func (s *service) routes() http.Handler {
	mux := http.NewServeMux()
	add := func(route string, needsDB bool, h handler) {
		mux.HandleFunc(route, func(w http.ResponseWriter, r *http.Request) {
			q := s.truth.begin(route, r)
			status, body := http.StatusServiceUnavailable, "no database: started without --dsn"
			if !needsDB || s.db != nil {
				status, body = h(r, q)
			}
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			w.WriteHeader(status)
			io.WriteString(w, body+"\n")
			s.truth.end(q, status)
			s.count.add()
		})
	}
	add("/ping", false, func(*http.Request, *request) (int, string) { return 200, "pong" })
	add("/hello", true, s.hello)
	add("/orders", true, s.orders)
	add("/slow", true, s.slow)
	add("/fail", true, s.fail)
	add("/work", false, work)
	add("/nested", false, s.nested)
	return mux
}

// number reads the query parameter name, def when it is missing or not in 0..max.
func number(r *http.Request, name string, def, max int) int {
	n, err := strconv.Atoi(r.URL.Query().Get(name))
	if err != nil || n < 0 || n > max {
		return def
	}
	return n
}

func (s *service) hello(r *http.Request, q *request) (int, string) {
	name := r.URL.Query().Get("name")
	if name == "" {
		name = "world"
	}
	if err := s.db.exec(r.Context(), q, sqlHello, name); err != nil {
		return 500, err.Error()
	}
	return 200, "hello, " + name
}

func (s *service) orders(r *http.Request, q *request) (int, string) {
	sum, err := s.db.order(r.Context(), q, number(r, "n", 10, 1000), "customer-7")
	if err != nil {
		return 500, err.Error()
	}
	return 200, fmt.Sprintf("sum %d", sum)
}

func (s *service) slow(r *http.Request, q *request) (int, string) {
	ms := number(r, "ms", 100, 60000)
	if err := s.db.exec(r.Context(), q, sqlSleep, float64(ms)/1000); err != nil {
		return 500, err.Error()
	}
	return 200, fmt.Sprintf("slept %d ms", ms)
}

func (s *service) fail(r *http.Request, q *request) (int, string) {
	stmt := sqlNoTable
	switch r.URL.Query().Get("kind") {
	case "divide":
		stmt = sqlDivide
	case "unique":
		stmt = sqlConflict
	}
	if err := s.db.exec(r.Context(), q, stmt); err != nil {
		return 500, err.Error()
	}
	return 200, "the statement did not fail"
}

// threadCPU is the CPU time of the calling thread, ns.
func threadCPU() int64 {
	const clockThreadCPU = 3 // CLOCK_THREAD_CPUTIME_ID
	var ts syscall.Timespec
	syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clockThreadCPU, uintptr(unsafe.Pointer(&ts)), 0)
	return ts.Nano()
}

// work burns CPU time of one thread; locked to it, as only so the time is known exactly.
func work(r *http.Request, q *request) (int, string) {
	ms := number(r, "ms", 10, 60000)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	start, used, x := threadCPU(), int64(0), uint64(1)
	for used < int64(ms)*int64(time.Millisecond) {
		for i := 0; i < 2000; i++ {
			x = x*6364136223846793005 + 1442695040888963407
		}
		used = threadCPU() - start
	}
	if q != nil {
		q.CPU = used
	}
	return 200, fmt.Sprintf("worked %d ms, %d", ms, x&1)
}

func (s *service) nested(r *http.Request, q *request) (int, string) {
	url := s.self + "/ping"
	start := q.now()
	req, err := http.NewRequestWithContext(r.Context(), "GET", url, nil)
	if err != nil {
		return 500, err.Error()
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		q.out(url, 0, start, err)
		return 502, err.Error()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
	q.out(url, resp.StatusCode, start, err)
	if err != nil {
		return 502, err.Error()
	}
	return 200, "nested " + strings.TrimSpace(string(body))
}
