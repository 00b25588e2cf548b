// SPDX-License-Identifier: BSD-2-Clause

// budget_go: an HTTP server whose requests wait for PostgreSQL, sleep and burn, and a client for it.
//
//	budget_go server --pg HOST:PORT [--burners N]   prints "ready HOST:PORT"; the end of stdin ends
//	                                                it: it prints its truth, one JSON object a line
//	budget_go client --to HOST:PORT --workers N --rounds N --first ID
//
//	GET /sql/MS/ID     one statement that takes so long
//	GET /two/MS/ID     two of them, and a millisecond of work in between
//	GET /nap/MS/ID     sleeps, without a call of its own
//	GET /burn/MS/ID    burns so much CPU time (of its thread, which it keeps meanwhile)
//	GET /hand/MS/ID    has another goroutine burn so much, mostly on the same thread
//
// The truth of a request: route, id, start_ns and end_ns of its handler (CLOCK_BOOTTIME); how long it
// waited for the replies to its statements: slept_ns (what the database slept), sql_ns (from behind
// each write to behind the read of its reply), sql_most_ns (from before the write); cpu_ns of /burn,
// by getrusage. Burners are goroutines that never pause: what they use is nobody's.
package main

import (
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

func bootNs() int64 {
	var ts syscall.Timespec
	syscall.Syscall(syscall.SYS_CLOCK_GETTIME, 7, uintptr(unsafe.Pointer(&ts)), 0)
	return ts.Nano()
}

func threadCPU() time.Duration {
	var u syscall.Rusage
	const thread = 1
	if err := syscall.Getrusage(thread, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

type truth struct {
	sync.Mutex
	lines []string
}

type job struct {
	ms   int
	done chan bool
}

type server struct {
	pool    chan *pgConn
	helpers chan job
	addr    string
	truth   truth
}

func (s *server) help() {
	for j := range s.helpers {
		for end := time.Now().Add(time.Duration(j.ms) * time.Millisecond); time.Now().Before(end); {
			work(1000)
		}
		j.done <- true
	}
}

// wait is how long a request waited for its statements, and for the database to greet it.
type wait struct {
	sleptNs, ns, mostNs int64
}

func (s *server) statement(ms int, sum *wait) {
	var c *pgConn
	select {
	case c = <-s.pool:
	default:
		c = pgDial(s.addr, sum)
	}
	c.sleep(ms, sum)
	s.pool <- c
}

var sink uint64

func work(n int) {
	x := uint64(n)
	for i := 0; i < n; i++ {
		x = x*6364136223846793005 + 1442695040888963407
	}
	sink += x & 1
}

func burn(ms int) int64 {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	start := threadCPU()
	for threadCPU()-start < time.Duration(ms)*time.Millisecond {
		work(20000)
	}
	return int64(threadCPU() - start)
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var sql wait
	var cpuNs int64
	start := bootNs()
	parts := strings.Split(r.URL.Path, "/")
	ms, err := strconv.Atoi(parts[2])
	if err != nil {
		panic(err)
	}
	switch parts[1] {
	case "sql":
		s.statement(ms, &sql)
	case "two":
		s.statement(ms, &sql)
		work(1000000)
		s.statement(ms, &sql)
	case "nap":
		time.Sleep(time.Duration(ms) * time.Millisecond)
	case "burn":
		cpuNs = burn(ms)
	case "hand":
		done := make(chan bool)
		s.helpers <- job{ms, done}
		<-done
	}
	end := bootNs()
	s.truth.Lock()
	s.truth.lines = append(s.truth.lines, fmt.Sprintf(
		`{"route":"%s","id":"%s","start_ns":%d,"end_ns":%d,"slept_ns":%d,"sql_ns":%d,`+
			`"sql_most_ns":%d,"cpu_ns":%d}`,
		parts[1], parts[3], start, end, sql.sleptNs, sql.ns, sql.mostNs, cpuNs))
	s.truth.Unlock()
	io.WriteString(w, "ok\n")
}

func serve(args []string) {
	f := flag.NewFlagSet("server", flag.ExitOnError)
	pg := f.String("pg", "", "PostgreSQL")
	burners := f.Int("burners", 0, "goroutines that never pause")
	f.Parse(args)
	s := &server{pool: make(chan *pgConn, 100), helpers: make(chan job), addr: *pg}
	for i := 0; i < 16; i++ {
		go s.help()
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	for i := 0; i < *burners; i++ {
		go func() {
			for {
				work(1000)
			}
		}()
	}
	go http.Serve(l, s)
	fmt.Println("ready", l.Addr())
	io.Copy(io.Discard, os.Stdin)
	s.truth.Lock()
	for _, line := range s.truth.lines {
		fmt.Println(line)
	}
}

func get(c *http.Client, to, route string, ms, id int) {
	r, err := c.Get(fmt.Sprintf("http://%s/%s/%d/g%d", to, route, ms, id))
	if err != nil {
		panic(err)
	}
	body, err := io.ReadAll(r.Body)
	r.Body.Close()
	if err != nil || r.StatusCode != 200 || string(body) != "ok\n" {
		panic(fmt.Sprint("wrong answer: ", r.Status, err))
	}
}

func ask(args []string) {
	f := flag.NewFlagSet("client", flag.ExitOnError)
	to := f.String("to", "", "server")
	workers := f.Int("workers", 1, "at once")
	rounds := f.Int("rounds", 1, "of all routes by each of them")
	first := f.Int("first", 0, "number of the first request")
	ms := f.Int("ms", 40, "of each kind")
	f.Parse(args)
	var all sync.WaitGroup
	for i := 0; i < *workers; i++ {
		all.Add(1)
		go func(id int) {
			defer all.Done()
			c := &http.Client{Transport: &http.Transport{}}
			for n := 0; n < *rounds; n++ {
				for k, route := range []string{"sql", "two", "nap", "burn", "hand"} {
					amount := *ms
					if route == "burn" || route == "hand" {
						amount = 5
					}
					get(c, *to, route, amount, id+n*5+k)
				}
			}
		}(*first + i**rounds*5)
	}
	all.Wait()
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "server" {
		serve(os.Args[2:])
	} else if len(os.Args) > 1 && os.Args[1] == "client" {
		ask(os.Args[2:])
	} else {
		fmt.Fprintln(os.Stderr, "usage: budget_go server|client ...")
		os.Exit(2)
	}
}
