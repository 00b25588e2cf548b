// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"sync"
	"time"
)

// request is one line of the truth. All of it happened on goroutine Goid, except what the
// database and the called server did. End is when the handler returned: net/http sends a short
// response after that, on the same goroutine. A request that /nested sends is written by
// another goroutine of the HTTP client, which is why Out carries no goid.
type request struct {
	Goid        uint64      `json:"goid"`
	Pid         int         `json:"pid"`
	Method      string      `json:"method"`
	Route       string      `json:"route"`
	URI         string      `json:"uri"`
	Status      int         `json:"status"`
	Remote      string      `json:"remote"` // the client's address and port
	Traceparent string      `json:"traceparent,omitempty"`
	Start       int64       `json:"start_unix_ns"`
	End         int64       `json:"end_unix_ns"`
	CPU         int64       `json:"cpu_ns,omitempty"` // /work: thread CPU time burnt, exactly
	SQL         []statement `json:"sql"`
	Out         []call      `json:"out,omitempty"`
}

// statement is one SQL statement as the driver sends it (its text, without its values).
type statement struct {
	Text  string `json:"text"`
	Start int64  `json:"start"`
	End   int64  `json:"end"`
	Err   string `json:"err"`
}

// call is one outgoing HTTP request.
type call struct {
	URL    string `json:"url"`
	Status int    `json:"status"`
	Start  int64  `json:"start"`
	End    int64  `json:"end"`
	Err    string `json:"err"`
}

type truth struct {
	mu   sync.Mutex
	file *os.File
}

func openTruth(path string) (*truth, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	return &truth{file: f}, nil
}

// goid reads the id of this goroutine from the only place where the runtime says it.
func goid() uint64 {
	var buf [64]byte
	text := buf[:runtime.Stack(buf[:], false)]
	fields := bytes.Fields(text)
	if len(fields) < 2 {
		return 0
	}
	n, err := strconv.ParseUint(string(fields[1]), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// begin starts the truth of a request; nil when no truth is kept. All methods of request take a
// nil receiver, so that a service without truth does no work for it.
func (t *truth) begin(route string, r *http.Request) *request {
	if t == nil {
		return nil
	}
	return &request{
		Goid: goid(), Pid: os.Getpid(), Method: r.Method, Route: route, URI: r.RequestURI,
		Remote: r.RemoteAddr, Traceparent: r.Header.Get("traceparent"),
		Start: time.Now().UnixNano(), SQL: []statement{},
	}
}

func (t *truth) end(q *request, status int) {
	if t == nil {
		return
	}
	q.Status = status
	q.End = time.Now().UnixNano()
	line, err := json.Marshal(q)
	if err == nil {
		t.mu.Lock()
		// one write a line: whole lines only, even after kill -9
		_, err = t.file.Write(append(line, '\n'))
		t.mu.Unlock()
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "goservice: a request is missing from the truth: %v\n", err)
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// sql notes a statement that began at start and has just ended.
func (q *request) sql(stmt string, start int64, err error) {
	if q != nil {
		q.SQL = append(q.SQL, statement{stmt, start, time.Now().UnixNano(), text(err)})
	}
}

func (q *request) out(url string, status int, start int64, err error) {
	if q != nil {
		q.Out = append(q.Out, call{url, status, start, time.Now().UnixNano(), text(err)})
	}
}

// now is the start of a statement; the clock is read only when a truth is kept.
func (q *request) now() int64 {
	if q == nil {
		return 0
	}
	return time.Now().UnixNano()
}
