// SPDX-License-Identifier: BSD-2-Clause

// goid is a small Go program without dependencies that knows which goroutine did what on which
// socket: an HTTP service, a "database" that speaks just enough of PostgreSQL's protocol, and
// clients that load the service. For each side of each exchange it prints the goroutine's id as
// one JSON line: recorded ids are checked against these, for every Go release.
//
// A request is read, its statement sent, the reply received and the response written on one
// goroutine. Connections to the database are shared, so one socket carries many goroutines; the
// text of each message names its request (/r/17, SELECT 17). Each client opens a new connection
// every few requests, so goroutines end and the runtime reuses their memory under new ids.
//
// Lines: "ready ADDR" first, then JSON objects:
//
//	{"role":"start","go":..,"pid":..,"db_pid":..,"listen":..,"db":..}
//	{"role":"client"|"server"|"db","pid":..,"goid":..,"local":..,"remote":..,"request":N,
//	 "text":"first line sent or received",..}   (server lines have db_local, db_remote, too)
//	{"role":"end","requests":N,"failed":N}
//
// --server nethttp (default) is net/http; raw is a reader and writer of its own, where no
// other goroutine ever touches the connection. --db-process puts the database into a second
// process. --hold waits for a line on stdin after "ready", and again after the last line.
// With --requests 0 it only serves, until SIGTERM.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// line is one line of truth; the same goroutine did all that it tells.
type line struct {
	Role     string `json:"role"`
	Pid      int    `json:"pid"`
	Goid     uint64 `json:"goid,omitempty"`
	Local    string `json:"local,omitempty"`
	Remote   string `json:"remote,omitempty"`
	Request  int    `json:"request"`
	Text     string `json:"text,omitempty"`
	DBLocal  string `json:"db_local,omitempty"`
	DBRemote string `json:"db_remote,omitempty"`
}

var outMu sync.Mutex

// say prints one object as one line, in one write.
func say(v interface{}) {
	b, err := json.Marshal(v)
	if err != nil {
		fatal("cannot print the truth: %v", err)
	}
	outMu.Lock()
	defer outMu.Unlock()
	if _, err = os.Stdout.Write(append(b, '\n')); err != nil {
		fatal("cannot print the truth: %v", err)
	}
}

func fatal(format string, args ...interface{}) {
	fmt.Fprintf(os.Stderr, "goid: "+format+"\n", args...)
	os.Exit(1)
}

// goid reads the id of this goroutine from the only place where the runtime says it.
func goid() uint64 {
	var buf [64]byte
	fields := strings.Fields(string(buf[:runtime.Stack(buf[:], false)]))
	n, err := strconv.ParseUint(fields[1], 10, 64)
	if err != nil {
		fatal("runtime.Stack says %q: %v", fields, err)
	}
	return n
}

func listenOn(addr string) net.Listener {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		fatal("%v; give another address", err)
	}
	return ln
}

// dbProcess starts this program again as the database. It writes its lines to our stdout itself,
// and its address to an extra pipe; it ends when its stdin does, so also when we are killed.
func dbProcess() (cmd *exec.Cmd, addr string, stop func()) {
	exe, err := os.Executable()
	if err != nil {
		fatal("cannot find myself: %v", err)
	}
	cmd = exec.Command(exe, "--db-only")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		fatal("cannot start the database: %v", err)
	}
	r, w, err := os.Pipe()
	if err == nil {
		cmd.ExtraFiles = []*os.File{w}
		err = cmd.Start()
	}
	if err != nil {
		fatal("cannot start the database: %v", err)
	}
	w.Close()
	addr, err = bufio.NewReader(r).ReadString('\n')
	if err != nil {
		fatal("the database did not start: %v", err)
	}
	stop = func() {
		in.Close()
		cmd.Wait()
	}
	return cmd, strings.TrimSpace(addr), stop
}

// serveDB is the other side of dbProcess.
func serveDB(stdin *bufio.Reader) {
	ln := listenOn("127.0.0.1:0")
	go runDB(ln)
	w := os.NewFile(3, "address")
	if _, err := fmt.Fprintf(w, "%s\n", ln.Addr()); err != nil {
		fatal("--db-only is for this program's own use: %v", err)
	}
	w.Close()
	io.Copy(io.Discard, stdin)
}

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "`ADDR` to serve on")
	server := flag.String("server", "nethttp", "nethttp or raw")
	requests := flag.Int("requests", 100, "requests in all; 0: serve until SIGTERM")
	clients := flag.Int("clients", 4, "connections at a time")
	perConn := flag.Int("per-conn", 5, "requests on one connection")
	dbConns := flag.Int("db-conns", 2, "connections to the database")
	separate := flag.Bool("db-process", false, "the database is a process of its own")
	dbOnly := flag.Bool("db-only", false, "for its own use (--db-process)")
	hold := flag.Bool("hold", false, "wait for a line on stdin before and after")
	flag.Parse()
	stdin := bufio.NewReader(os.Stdin)
	if flag.NArg() != 0 || (*server != "nethttp" && *server != "raw") || *clients < 1 ||
		*perConn < 1 || *dbConns < 1 || *requests < 0 {
		fmt.Fprintln(os.Stderr, "goid: wrong use; see --help")
		os.Exit(2)
	}
	if *dbOnly {
		serveDB(stdin)
		return
	}

	dbAddr, dbPid := "", os.Getpid()
	if *separate {
		cmd, addr, stop := dbProcess()
		dbAddr, dbPid = addr, cmd.Process.Pid
		defer stop()
	} else {
		ln := listenOn("127.0.0.1:0")
		dbAddr = ln.Addr().String()
		go runDB(ln)
	}
	ln := listenOn(*listen)
	s := &service{pool: openPool(dbAddr, *dbConns)}
	fmt.Printf("ready %s\n", ln.Addr())
	say(map[string]interface{}{"role": "start", "go": runtime.Version(), "pid": os.Getpid(),
		"db_pid": dbPid, "listen": ln.Addr().String(), "db": dbAddr, "server": *server,
		"arch": runtime.GOARCH})
	if *hold {
		stdin.ReadString('\n')
	}
	if *server == "raw" {
		go s.runRaw(ln)
	} else {
		go s.runNetHTTP(ln)
	}
	if *requests == 0 {
		sig := make(chan os.Signal, 1)
		signal.Notify(sig, syscall.SIGTERM, syscall.SIGINT)
		<-sig
		return
	}
	failed := load(ln.Addr().String(), *requests, *clients, *perConn)
	s.pool.settle()
	say(map[string]interface{}{"role": "end", "requests": *requests, "failed": failed})
	if *hold {
		stdin.ReadString('\n')
	}
	if failed != 0 {
		fatal("%d requests failed", failed)
	}
}
