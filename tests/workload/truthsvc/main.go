// SPDX-License-Identifier: BSD-2-Clause

// truthsvc is a Go web service over PostgreSQL, and the client that loads it, which both keep the
// truth of each request in memory and write it down when the work is over: which system calls
// carried it and when, on which goroutine it was served, which statements it sent, whom it called.
//
//	truthsvc server --dsn DSN --driver pq|pgx --truth FILE
//	truthsvc client --to URL,URL --workers N --seconds S --truth FILE
//
// A server prints "ready ADDR" on stdout and serves until SIGTERM; a line "next URL" on stdin tells
// it of another instance to call. A client prints "done N" after N requests. See server.go for the
// routes, client.go for how often each is called.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func fatal(format string, args ...interface{}) {
	fmt.Fprintf(os.Stderr, "truthsvc: "+format+"\n", args...)
	os.Exit(1)
}

func server(args []string) {
	f := flag.NewFlagSet("server", flag.ExitOnError)
	dsn := f.String("dsn", "", "PostgreSQL `DSN`")
	driver := f.String("driver", "pq", "database driver: pq or pgx")
	conns := f.Int("db-conns", 8, "connections to the database")
	file := f.String("truth", "", "`FILE` for the truth, written at the end")
	f.Parse(args)

	db, err := openStore(*driver, *dsn, *conns)
	if err != nil {
		fatal("%v; start a database and give its DSN with --dsn", err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fatal("%v", err)
	}
	t := newTruth()
	s := &service{db: db, truth: t, calls: newCaller(t, 64)}
	fmt.Printf("ready %s\n", ln.Addr())
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "next ") {
		fatal("no line \"next URL\" on standard input: %q, %v", line, err)
	}
	s.next = strings.TrimSpace(line[5:])

	srv := &http.Server{Handler: s.serve(s.handlers()), ConnContext: withConn}
	go srv.Serve(listener{ln})
	sig := make(chan os.Signal, 1)
	signal.Notify(sig, syscall.SIGTERM, syscall.SIGINT)
	<-sig
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	srv.Shutdown(ctx)
	if err = t.write(*file); err != nil {
		fatal("cannot write the truth: %v", err)
	}
}

func client(args []string) {
	f := flag.NewFlagSet("client", flag.ExitOnError)
	to := f.String("to", "", "base `URLs`, with commas")
	workers := f.Int("workers", 1, "requests at a time")
	rate := f.Float64("rate", 0, "requests a second; 0 = as many as there can be")
	seconds := f.Float64("seconds", 5, "how long")
	first := f.Int64("first", 1000000, "number of the first request")
	mix := f.String("mix", defaultMix, "what to ask for, and how often: `ROUTE:SHARE`,...")
	file := f.String("truth", "", "`FILE` for the truth, written at the end")
	f.Parse(args)

	routes, err := parseMix(*mix)
	if err != nil {
		fatal("%v", err)
	}
	t := newTruth()
	l := &load{bases: strings.Split(*to, ","), routes: routes, workers: *workers, rate: *rate, first: *first,
		until: time.Now().Add(time.Duration(*seconds * float64(time.Second)))}
	n, err := l.run(t)
	if err != nil {
		fatal("%v", err)
	}
	if err = t.write(*file); err != nil {
		fatal("cannot write the truth: %v", err)
	}
	fmt.Printf("done %d\n", n)
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "server" {
		server(os.Args[2:])
	} else if len(os.Args) > 1 && os.Args[1] == "client" {
		client(os.Args[2:])
	} else {
		fmt.Fprintln(os.Stderr, "usage: truthsvc server|client [--help]")
		os.Exit(2)
	}
}
