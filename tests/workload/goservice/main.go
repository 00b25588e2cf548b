// SPDX-License-Identifier: BSD-2-Clause

// goservice is an ordinary Go web service over PostgreSQL that, on request, writes down the truth
// about each request it served: which goroutine, which statements, when.
//
// Routes:
//
//	/ping            no database
//	/hello?name=X    one INSERT
//	/orders?n=K      a transaction: one SELECT, one INSERT (BEGIN and COMMIT around them)
//	/slow?ms=N       SELECT pg_sleep (default 100 ms)
//	/fail?kind=K     an SQL error, answered with 500; K: table (default), divide, unique
//	/work?ms=N       N ms (default 10) of CPU time of one thread
//	/nested          an outgoing HTTP call to its own /ping
//
// It prints "ready ADDR" on stdout when it serves, and ends cleanly on SIGTERM and SIGINT.
// Without --dsn the routes with a database answer 503.
//
// With --truth FILE each request appends one JSON line (see truth.go).
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func fatal(format string, args ...interface{}) {
	fmt.Fprintf(os.Stderr, "goservice: "+format+"\n", args...)
	os.Exit(1)
}

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "`ADDR` to serve on; port 0 takes a free one")
	dsn := flag.String("dsn", "", "PostgreSQL `DSN`; empty: no database")
	driver := flag.String("driver", "pq", "database driver: pq or pgx")
	conns := flag.Int("db-conns", 8, "connections to the database at most")
	truthFile := flag.String("truth", "", "append the truth of each request to `FILE`")
	countFile := flag.String("count", "", "count requests in the first word of `FILE`, mapped")
	flag.Parse()
	if flag.NArg() != 0 {
		fmt.Fprintf(os.Stderr, "goservice: unexpected argument %q; see --help\n", flag.Arg(0))
		os.Exit(2)
	}

	s := &service{}
	var err error
	if *truthFile != "" {
		if s.truth, err = openTruth(*truthFile); err != nil {
			fatal("cannot write the truth: %v; give another --truth file", err)
		}
	}
	if *countFile != "" {
		if s.count, err = openCount(*countFile); err != nil {
			fatal("cannot count: %v; give another --count file", err)
		}
	}
	if *dsn != "" {
		if s.db, err = openStore(*driver, *dsn, *conns); err != nil {
			fatal("%v; start a database and give its DSN with --dsn (pg.sh start DIR prints one)",
				err)
		}
	}
	ln, err := net.Listen("tcp", *listen)
	if err != nil {
		fatal("%v; give another --listen address", err)
	}
	s.self = "http://" + ln.Addr().String()

	srv := &http.Server{Handler: s.routes()}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ln) }()
	fmt.Printf("ready %s\n", ln.Addr())

	sig := make(chan os.Signal, 1)
	signal.Notify(sig, syscall.SIGTERM, syscall.SIGINT)
	select {
	case err = <-done:
		fatal("serving %s: %v", ln.Addr(), err)
	case <-sig:
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err = srv.Shutdown(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "goservice: some requests did not end in 5s: %v\n", err)
	}
	s.close()
}
