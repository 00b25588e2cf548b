// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"runtime"
	"strconv"
	"sync"
	"time"
)

// request is one line of the truth: what one end saw of one request. A server's happened on
// goroutine Goid, except what is marked as on another one.
type request struct {
	Side    string      `json:"side"` // server, client
	Pid     int         `json:"pid"`
	Goid    uint64      `json:"goid,omitempty"`
	Method  string      `json:"method"`
	Path    string      `json:"path"` // in no other request
	Status  int         `json:"status"`
	Remote  string      `json:"remote,omitempty"`
	Trace   string      `json:"trace,omitempty"`  // of the traceparent that was sent along
	Parent  string      `json:"parent,omitempty"` // likewise
	Start   span        `json:"start"`
	Sent    span        `json:"sent"`
	First   span        `json:"first"`
	End     span        `json:"end"`
	ReqLen  int64       `json:"request_bytes"`
	RespLen int64       `json:"response_bytes"`
	SQL     []statement `json:"sql,omitempty"`
	Out     []call      `json:"out,omitempty"`

	conn *conn
	x    *exchange
	mu   sync.Mutex // children of the handler add to SQL and Out
}

// statement is one SQL statement. Times are around the driver's call.
type statement struct {
	Text   string `json:"text"`  // as it must be shown: literals replaced
	Start  int64  `json:"start"` // BOOTTIME
	End    int64  `json:"end"`
	State  string `json:"sqlstate,omitempty"`
	Spread bool   `json:"spread,omitempty"` // sent by another goroutine than the handler's
}

// call is an outgoing HTTP request: its client's line has the rest.
type call struct {
	Path   string `json:"path"`
	Spread bool   `json:"spread,omitempty"`
}

// truth keeps all lines in memory: writing them would be work among the work.
type truth struct {
	mu       sync.Mutex
	requests []*request
	pairs    []clockPair
	stop     chan struct{}
	stopped  sync.WaitGroup
}

func newTruth() *truth {
	t := &truth{stop: make(chan struct{}), pairs: []clockPair{pairNow()}}
	t.stopped.Add(1)
	go func() {
		defer t.stopped.Done()
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-t.stop:
				return
			case <-tick.C:
				t.pairs = append(t.pairs, pairNow())
			}
		}
	}()
	return t
}

func (t *truth) add(r *request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.requests = append(t.requests, r)
}

// finish fills in what the connection saw.
func (r *request) finish() {
	if r.x == nil {
		return
	}
	x := r.conn.snapshot(r.x)
	r.Start, r.Sent, r.First, r.End = x.reqFirst, x.reqLast, x.respFirst, x.respLast
	r.ReqLen, r.RespLen = x.reqBytes, x.respBytes
}

// write puts it all into a file, when the work is over.
func (t *truth) write(path string) error {
	close(t.stop)
	t.stopped.Wait()
	t.pairs = append(t.pairs, pairNow())
	t.mu.Lock()
	defer t.mu.Unlock()
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(file)
	enc := json.NewEncoder(out)
	err = enc.Encode(map[string]interface{}{"side": "clock", "pid": os.Getpid(), "pairs": t.pairs})
	for _, r := range t.requests {
		r.finish()
		if err == nil {
			err = enc.Encode(r)
		}
	}
	if err == nil {
		err = enc.Encode(map[string]interface{}{"side": "end", "pid": os.Getpid(),
			"requests": len(t.requests)})
	}
	if err == nil {
		err = out.Flush()
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	return err
}

// goid reads the id of this goroutine from the only place where the runtime says it.
func goid() uint64 {
	var buf [64]byte
	fields := bytes.Fields(buf[:runtime.Stack(buf[:], false)])
	if len(fields) < 2 {
		return 0
	}
	n, err := strconv.ParseUint(string(fields[1]), 10, 64)
	if err != nil {
		return 0
	}
	return n
}
