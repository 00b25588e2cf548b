// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
)

// exchange is what one end of a connection saw of one request and its reply. Times are of the
// system calls themselves, so that an outside observer of those can be held against them.
type exchange struct {
	reqFirst, reqLast   span // calls that carried the first and the last bytes of the request
	respFirst, respLast span
	reqBytes, respBytes int64
	replied             bool
}

// conn makes its system calls by itself, and notes when. A server's conn begins a new exchange with
// the first bytes that come after a reply; a client's when it is told to.
type conn struct {
	net.Conn
	raw    syscall.RawConn
	server bool

	mu  sync.Mutex
	cur *exchange
}

func wrap(c net.Conn, server bool) (*conn, error) {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return nil, errors.New("this connection has no file descriptor")
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c, raw: raw, server: server}, nil
}

// begin starts an exchange of a client.
func (c *conn) begin() *exchange {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cur = &exchange{}
	return c.cur
}

// current is the exchange that goes on; what it says may still change.
func (c *conn) current() *exchange {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cur
}

// snapshot copies an exchange of this connection.
func (c *conn) snapshot(x *exchange) exchange {
	c.mu.Lock()
	defer c.mu.Unlock()
	return *x
}

// note adds a call to an exchange; nil is the current one, or the next.
func (c *conn) note(x *exchange, request bool, when span, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if x == nil && (c.cur == nil || (c.server && request && c.cur.replied)) {
		c.cur = &exchange{}
	}
	if x == nil {
		x = c.cur
	}
	first, last, bytes := &x.reqFirst, &x.reqLast, &x.reqBytes
	if !request {
		first, last, bytes = &x.respFirst, &x.respLast, &x.respBytes
		x.replied = true
	}
	if *bytes == 0 {
		*first = when
	}
	*last = when
	*bytes += int64(n)
}

func (c *conn) Read(b []byte) (n int, err error) {
	var when span
	var callErr error
	if len(b) == 0 {
		return 0, nil
	}
	err = c.raw.Read(func(fd uintptr) bool {
		for {
			when[0] = bootNow()
			n, callErr = syscall.Read(int(fd), b)
			when[1] = bootNow()
			if callErr != syscall.EINTR {
				return callErr != syscall.EAGAIN
			}
		}
	})
	if err == nil {
		err = callErr
	}
	if err != nil {
		return 0, err
	}
	if n == 0 {
		return 0, io.EOF
	}
	c.note(nil, c.server, when, n)
	return n, nil
}

// answers: the peer may ask again as soon as a reply's bytes are on their way, before the call that
// sent them returns.
func (c *conn) answers() *exchange {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.server && c.cur != nil {
		c.cur.replied = true
	}
	return c.cur
}

func (c *conn) Write(b []byte) (int, error) {
	done := 0
	x := c.answers()
	for done < len(b) {
		var when span
		var n int
		var callErr error
		err := c.raw.Write(func(fd uintptr) bool {
			for {
				when[0] = bootNow()
				n, callErr = syscall.Write(int(fd), b[done:])
				when[1] = bootNow()
				if callErr != syscall.EINTR {
					return callErr != syscall.EAGAIN
				}
			}
		})
		if err == nil {
			err = callErr
		}
		if err != nil {
			return done, err
		}
		c.note(x, !c.server, when, n)
		done += n
	}
	return done, nil
}

// listener hands out connections that note their times.
type listener struct{ net.Listener }

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return wrap(c, true)
}
