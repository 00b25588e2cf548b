// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/lib/pq"
)

const schema = `
CREATE TABLE IF NOT EXISTS fr_items (id bigserial PRIMARY KEY, name text NOT NULL,
	cents bigint NOT NULL, at timestamptz NOT NULL DEFAULT now());
CREATE TABLE IF NOT EXISTS fr_unique (id int PRIMARY KEY);
INSERT INTO fr_unique VALUES (1) ON CONFLICT DO NOTHING`

// query is a statement, and how it must look with its literals replaced.
type query struct {
	sql, shown string
}

func same(sql string) query { return query{sql, sql} }

var (
	qRecent = same("SELECT id, cents FROM fr_items ORDER BY id DESC LIMIT $1")
	qInsert = same("INSERT INTO fr_items (name, cents) VALUES ($1, $2)")
	qCount  = same("SELECT count(*) FROM fr_items WHERE cents > $1")
	qSleep  = query{"SELECT pg_sleep(0.045)", "SELECT pg_sleep(?)"}
	qPlain  = query{
		"SELECT id, name FROM fr_items WHERE name = 'it''s secret' AND cents > 12.5 LIMIT 3",
		"SELECT id, name FROM fr_items WHERE name = ? AND cents > ? LIMIT ?"}
	qEscaped = query{
		`SELECT E'a\'b', $$c 'd'$$, 31::text, -7, name FROM fr_items WHERE id IN (1, 2)`,
		`SELECT ?, ?, ?::text, ?, name FROM fr_items WHERE id IN (?, ?)`}
	qComment = query{"SELECT 1 /* who: nobody */ FROM fr_unique -- the end",
		"SELECT ?  FROM fr_unique "}
	qNoTable  = query{"SELECT id FROM fr_absent WHERE id = 42", "SELECT id FROM fr_absent WHERE id = ?"}
	qDivide   = query{"SELECT 1 / (count(*) * 0) FROM fr_unique", "SELECT ? / (count(*) * ?) FROM fr_unique"}
	qConflict = query{"INSERT INTO fr_unique VALUES (1)", "INSERT INTO fr_unique VALUES (?)"}
)

// named is a statement that no other request sends: n is in its text, and not as a literal. It is sent
// as a simple query (see plainly): who prepares thousands of statements is another story.
func named(n int64) query {
	return query{
		fmt.Sprintf("SELECT id AS item_%d FROM fr_unique WHERE id < 9", n),
		fmt.Sprintf("SELECT id AS item_%d FROM fr_unique WHERE id < ?", n)}
}

// oneOfMany is one of a hundred statements, as many services have on each connection.
func oneOfMany(n int64) query {
	return same(fmt.Sprintf("SELECT id AS kind_%d, cents FROM fr_items WHERE id > $1", n%100))
}

// store is the database. What a driver sends for a transaction's ends is its own affair.
type store struct {
	*sql.DB
	begin, commit string
	plainly       []interface{} // arguments that make the driver prepare nothing
}

func openStore(driver, dsn string, conns int) (*store, error) {
	st := &store{begin: "BEGIN READ WRITE", commit: "COMMIT"}
	name := "postgres"
	switch driver {
	case "pq":
	case "pgx":
		name = "pgx"
		st.begin, st.commit = "begin", "commit"
		st.plainly = []interface{}{pgx.QueryExecModeSimpleProtocol}
	default:
		return nil, fmt.Errorf("unknown --driver %q: pq or pgx", driver)
	}
	db, err := sql.Open(name, dsn)
	if err != nil {
		return nil, fmt.Errorf("bad --dsn: %w", err)
	}
	// as many idle as open, and all of them open before the work
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	st.DB = db
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if _, err = db.ExecContext(ctx, schema); err != nil {
		db.Close()
		return nil, fmt.Errorf("cannot set up the database: %w", err)
	}
	var all sync.WaitGroup
	for i := 0; i < conns; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			db.ExecContext(ctx, "SELECT pg_sleep(0.3)")
		}()
	}
	all.Wait()
	return st, nil
}

// sqlstate is the code of a database's error; empty for none and for others.
func sqlstate(err error) string {
	var byPq *pq.Error
	var byPgx *pgconn.PgError
	switch {
	case errors.As(err, &byPq):
		return string(byPq.Code)
	case errors.As(err, &byPgx):
		return byPgx.Code
	}
	return ""
}

// did notes a statement that began at start and has just ended.
func (r *request) did(shown string, start int64, err error, spread bool) {
	s := statement{Text: shown, Start: start, End: bootNow(), State: sqlstate(err), Spread: spread}
	r.mu.Lock()
	r.SQL = append(r.SQL, s)
	r.mu.Unlock()
}

// querier is a database or a transaction.
type querier interface {
	QueryContext(ctx context.Context, text string, args ...interface{}) (*sql.Rows, error)
	ExecContext(ctx context.Context, text string, args ...interface{}) (sql.Result, error)
}

func exec(ctx context.Context, on querier, r *request, q query, args ...interface{}) error {
	start := bootNow()
	_, err := on.ExecContext(ctx, q.sql, args...)
	r.did(q.shown, start, err, false)
	return err
}

// read reads all rows of a query, on goroutine of the caller.
func read(ctx context.Context, on querier, r *request, spread bool, q query, args ...interface{}) error {
	start := bootNow()
	rows, err := on.QueryContext(ctx, q.sql, args...)
	if err == nil {
		for rows.Next() {
		}
		err = rows.Err()
		rows.Close()
	}
	r.did(q.shown, start, err, spread)
	return err
}

// order is a transaction of four statements.
func (st *store) order(ctx context.Context, r *request) error {
	start := bootNow()
	tx, err := st.BeginTx(ctx, nil)
	r.did(st.begin, start, err, false)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err = read(ctx, tx, r, false, qRecent, 7); err != nil {
		return err
	}
	if err = exec(ctx, tx, r, qInsert, "an order", 4200); err != nil {
		return err
	}
	start = bootNow()
	err = tx.Commit()
	r.did(st.commit, start, err, false)
	return err
}
