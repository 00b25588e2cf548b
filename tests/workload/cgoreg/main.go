// SPDX-License-Identifier: BSD-2-Clause

//go:build amd64 && cgo
// +build amd64,cgo

// cgoreg is a Go program whose C code sends with values of its own in r14, the register in which
// Go code keeps its goroutine. None of those sends may be taken for a goroutine's, whatever lies
// there: rubbish, zero, an address that is mapped, the g of a goroutine that lives, or the word at
// which the runtime itself keeps g. Sends by Go code in between are the control: they have goids.
//
// Built with -tags cgotls, a variable of C moves the runtime's own word away from where a recorder
// looks for it (control lines: fs_word is not g): then a goid may be missing, but never wrong.
//
// For each send it prints one JSON line: n, case, pid, tid, goid (0: none may be claimed),
// thread (go, c: of Go's own or made by C), r14, g (of the calling goroutine), fs_word (at
// fsbase - 8), local, remote, text (what was sent), result. "ready ADDR" comes first.
// With --hold it waits for a line on stdin after "ready", and again after the last line.
package main

/*
#cgo CFLAGS: -O1 -std=gnu11
#cgo cgotls CFLAGS: -DCGOREG_TLS_ALIGN=64
#cgo LDFLAGS: -lpthread
#include <stdlib.h>
#include "send.h"
*/
import "C"

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"unsafe"

	"flightrec/tests/workload/cgoreg/greg"
)

type line struct {
	N      int    `json:"n"`
	Case   string `json:"case"`
	Pid    int    `json:"pid"`
	Tid    int    `json:"tid,omitempty"`
	Goid   uint64 `json:"goid"`
	Thread string `json:"thread"`
	R14    string `json:"r14,omitempty"`
	G      string `json:"g"`
	FSWord string `json:"fs_word,omitempty"`
	Local  string `json:"local"`
	Remote string `json:"remote"`
	Text   string `json:"text"`
	Result int    `json:"result"`
}

func fatal(format string, args ...interface{}) {
	fmt.Fprintf(os.Stderr, "cgoreg: "+format+"\n", args...)
	os.Exit(1)
}

func say(l line) {
	b, err := json.Marshal(l)
	if err == nil {
		_, err = os.Stdout.Write(append(b, '\n'))
	}
	if err != nil {
		fatal("cannot print the truth: %v", err)
	}
}

func goid() uint64 {
	var buf [64]byte
	fields := strings.Fields(string(buf[:runtime.Stack(buf[:], false)]))
	n, err := strconv.ParseUint(fields[1], 10, 64)
	if err != nil {
		fatal("runtime.Stack says %q: %v", fields, err)
	}
	return n
}

// pair is a connection, both ends ours.
type pair struct {
	client, server *net.TCPConn
}

func newPair(ln net.Listener) pair {
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		fatal("cannot connect: %v", err)
	}
	s, err := ln.Accept()
	if err != nil {
		fatal("cannot accept: %v", err)
	}
	return pair{c.(*net.TCPConn), s.(*net.TCPConn)}
}

// answer reads what was sent and sends a byte back, so that the next send starts a message.
func (p pair) answer(text string) {
	buf := make([]byte, len(text))
	if _, err := io.ReadFull(p.server, buf); err != nil || string(buf) != text {
		fatal("%q arrived as %q: %v", text, buf, err)
	}
	if _, err := p.server.Write([]byte("k")); err != nil {
		fatal("no answer to %q: %v", text, err)
	}
	if _, err := io.ReadFull(p.client, buf[:1]); err != nil {
		fatal("no answer to %q: %v", text, err)
	}
}

func hex(v uint64) string {
	return fmt.Sprintf("0x%x", v)
}

// fromC sends by C code; thread is "go" (the one we are on) or "c" (a new one).
func (p pair) fromC(n int, name, thread string, r14 uint64, fromFS bool) {
	raw, err := p.client.SyscallConn()
	if err != nil {
		fatal("no file descriptor: %v", err)
	}
	text := fmt.Sprintf("GET /cgo/%d/%s HTTP/1.1\r\n\r\n", n, name)
	s := (*C.struct_cgoreg_send)(C.calloc(1, C.size_t(unsafe.Sizeof(C.struct_cgoreg_send{}))))
	defer C.free(unsafe.Pointer(s))
	s.text = C.CString(text)
	defer C.free(unsafe.Pointer(s.text))
	s.r14 = C.uint64_t(r14)
	if fromFS {
		s.r14_from_fs = 1
	}
	failed := C.int(0)
	err = raw.Control(func(fd uintptr) {
		s.fd = C.int(fd)
		if thread == "c" {
			failed = C.cgoreg_on_c_thread(s)
		} else {
			failed = C.cgoreg_on_this_thread(s)
		}
	})
	if err != nil || failed != 0 || int(s.result) != len(text) {
		fatal("the send of case %s failed: %v, %d, %d", name, err, failed, s.result)
	}
	p.answer(text)
	say(line{N: n, Case: name, Pid: os.Getpid(), Tid: int(s.tid), Thread: thread,
		R14: hex(uint64(s.r14)), G: hex(uint64(greg.G())), FSWord: hex(uint64(s.fs_word)),
		Local: p.client.LocalAddr().String(), Remote: p.client.RemoteAddr().String(),
		Text: text, Result: int(s.result)})
}

// fromGo is the control: the same by Go code.
func (p pair) fromGo(n int) {
	text := fmt.Sprintf("GET /go/%d/control HTTP/1.1\r\n\r\n", n)
	if _, err := p.client.Write([]byte(text)); err != nil {
		fatal("the control send failed: %v", err)
	}
	p.answer(text)
	say(line{N: n, Case: "control", Pid: os.Getpid(), Goid: goid(), Thread: "go",
		G: hex(uint64(greg.G())), FSWord: hex(uint64(greg.FSWord())),
		Local: p.client.LocalAddr().String(), Remote: p.client.RemoteAddr().String(),
		Text: text, Result: len(text)})
}

func main() {
	hold := flag.Bool("hold", false, "wait for a line on stdin before and after")
	repeat := flag.Int("repeat", 1, "times all of it")
	flag.Parse()
	if flag.NArg() != 0 || *repeat < 1 {
		fmt.Fprintln(os.Stderr, "cgoreg: wrong use; see --help")
		os.Exit(2)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fatal("cannot listen: %v", err)
	}
	fmt.Printf("ready %s\n", ln.Addr())
	stdin := bufio.NewReader(os.Stdin)
	if *hold {
		stdin.ReadString('\n')
	}

	// another goroutine that lives all the time: its g is a true one, but not ours
	other, stop := make(chan uint64), make(chan bool)
	go func() {
		other <- uint64(greg.G())
		<-stop
	}()
	otherG := <-other
	mapped := new([4096]byte) // looks like a g, holds zeros

	n := 0
	p := newPair(ln)
	for i := 0; i < *repeat; i++ {
		for _, thread := range []string{"c", "go"} {
			p.fromGo(n)
			p.fromC(n+1, "zero", thread, 0, false)
			p.fromC(n+2, "rubbish", thread, 0xdeadbeefcafef00d, false)
			p.fromC(n+3, "kernel_address", thread, 0xffffffff81000000, false)
			p.fromC(n+4, "mapped", thread, uint64(uintptr(unsafe.Pointer(mapped))), false)
			p.fromC(n+5, "own_g", thread, uint64(greg.G()), false)
			p.fromC(n+6, "other_g", thread, otherG, false)
			p.fromC(n+7, "fs_word", thread, 0, true)
			p.fromGo(n + 8)
			n += 9
		}
	}
	close(stop)
	runtime.KeepAlive(mapped)
	if *hold {
		stdin.ReadString('\n')
	}
}
