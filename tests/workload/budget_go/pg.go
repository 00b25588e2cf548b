// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
)

// A connection that speaks PostgreSQL's simple protocol, as far as this needs it.
type pgConn struct {
	net.Conn
	buf [8192]byte
}

// ready reads until the server is ready for the next statement.
func (c *pgConn) ready() {
	have := 0
	for {
		n, err := c.Read(c.buf[have:])
		if err != nil {
			panic(err)
		}
		have += n
		if have >= 6 && bytes.Equal(c.buf[have-6:have], []byte{'Z', 0, 0, 0, 5, 'I'}) {
			break
		}
		if have == len(c.buf) {
			panic("the database says too much")
		}
	}
	if c.buf[0] == 'E' {
		panic(fmt.Sprintf("the database refuses: %q", c.buf[:have]))
	}
}

func (c *pgConn) send(msg []byte) {
	if _, err := c.Write(msg); err != nil {
		panic(err)
	}
}

func be32(n int) []byte {
	b := make([]byte, 4)
	binary.BigEndian.PutUint32(b, uint32(n))
	return b
}

// ask sends a message and waits until the server is ready again.
func (c *pgConn) ask(msg []byte, sum *wait) {
	before := bootNs()
	c.send(msg)
	after := bootNs()
	c.ready()
	end := bootNs()
	sum.ns += end - after
	sum.mostNs += end - before
}

func pgDial(addr string, sum *wait) *pgConn {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		panic(err)
	}
	c := &pgConn{Conn: conn}
	who := "user\x00postgres\x00database\x00postgres\x00\x00"
	c.ask(append(append(be32(8+len(who)), be32(3<<16)...), who...), sum)
	return c
}

func (c *pgConn) sleep(ms int, sum *wait) {
	text := fmt.Sprintf("select pg_sleep(%d.%03d)\x00", ms/1000, ms%1000)
	c.ask(append(append([]byte{'Q'}, be32(4+len(text))...), text...), sum)
	sum.sleptNs += int64(ms) * 1000000
}
