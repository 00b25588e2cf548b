// SPDX-License-Identifier: BSD-2-Clause

package main

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/lib/pq"
)

const schema = `
CREATE TABLE IF NOT EXISTS fr_hello (id bigserial PRIMARY KEY, name text NOT NULL,
	at timestamptz NOT NULL DEFAULT now());
CREATE TABLE IF NOT EXISTS fr_orders (id bigserial PRIMARY KEY, customer text NOT NULL,
	cents bigint NOT NULL, at timestamptz NOT NULL DEFAULT now());
CREATE TABLE IF NOT EXISTS fr_unique (id int PRIMARY KEY);
INSERT INTO fr_unique VALUES (1) ON CONFLICT DO NOTHING`

const (
	sqlHello    = "INSERT INTO fr_hello (name) VALUES ($1)"
	sqlRecent   = "SELECT id, cents FROM fr_orders ORDER BY id DESC LIMIT $1"
	sqlOrder    = "INSERT INTO fr_orders (customer, cents) VALUES ($1, $2)"
	sqlSleep    = "SELECT pg_sleep($1)"
	sqlNoTable  = "SELECT id FROM fr_no_such_table WHERE id = 42"
	sqlDivide   = "SELECT 1 / (random() * 0)::int"
	sqlConflict = "INSERT INTO fr_unique VALUES (1)"
)

// store is the database. What a driver sends for a transaction's ends is its own affair.
type store struct {
	*sql.DB
	begin, commit string
}

func openStore(driver, dsn string, conns int) (*store, error) {
	st := &store{begin: "BEGIN", commit: "COMMIT"}
	name := "postgres"
	switch driver {
	case "pq":
	case "pgx":
		name = "pgx"
		st.begin, st.commit = "begin", "commit"
	default:
		return nil, fmt.Errorf("unknown --driver %q: pq or pgx", driver)
	}
	if conns < 1 {
		return nil, fmt.Errorf("--db-conns %d: at least 1 is needed", conns)
	}
	db, err := sql.Open(name, dsn)
	if err != nil {
		return nil, fmt.Errorf("bad --dsn: %w", err)
	}
	// as many idle as open: otherwise connections come and go under load
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if _, err = db.ExecContext(ctx, schema); err != nil {
		db.Close()
		return nil, fmt.Errorf("cannot set up the database: %w", err)
	}
	st.DB = db
	return st, nil
}

func (st *store) exec(ctx context.Context, q *request, stmt string, args ...interface{}) error {
	start := q.now()
	_, err := st.ExecContext(ctx, stmt, args...)
	q.sql(stmt, start, err)
	return err
}

// order reads the latest n orders and adds one, in one transaction; it returns their sum.
func (st *store) order(ctx context.Context, q *request, n int, customer string) (int64, error) {
	start := q.now()
	tx, err := st.BeginTx(ctx, nil)
	q.sql(st.begin, start, err)
	if err != nil {
		return 0, err
	}
	defer tx.Rollback()

	start = q.now()
	sum, err := recent(ctx, tx, n)
	q.sql(sqlRecent, start, err)
	if err != nil {
		return 0, err
	}
	start = q.now()
	_, err = tx.ExecContext(ctx, sqlOrder, customer, sum%1000+int64(n))
	q.sql(sqlOrder, start, err)
	if err != nil {
		return 0, err
	}
	start = q.now()
	err = tx.Commit()
	q.sql(st.commit, start, err)
	return sum, err
}

func recent(ctx context.Context, tx *sql.Tx, n int) (int64, error) {
	rows, err := tx.QueryContext(ctx, sqlRecent, n)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	var sum int64
	for rows.Next() {
		var id, cents int64
		if err = rows.Scan(&id, &cents); err != nil {
			return 0, err
		}
		sum += cents
	}
	return sum, rows.Err()
}
