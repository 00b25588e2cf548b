#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Requests that fail or take long make dumps by themselves, with the cause inside: a real 500, real
# SQL errors, a really slow query, a Redis error. Both kinds of socket hooks. timeout: 600
. "$(dirname "$0")/../lib/recorder.sh"
. "$(dirname "$0")/../lib/trigger.sh"
need_root trigger_requests

pg_start || { not_ok database; finish; }
service_build || { not_ok service_build; finish; }
service_start --dsn "$DSN" || { not_ok service; finish; }
pg_port=${DSN#*127.0.0.1:}
pg_port=${pg_port%%/*}
port=${service##*:}


start() { # HOOKS NAMES [OPTION...]: a recorder that looks for these only
	local hooks=$1 names=$2 name off=()
	shift 2
	for name in http-5xx sql-error latency latency-p99 signal oom; do
		[[ " $names " = *" $name "* ]] || off+=(--trigger "$name=off")
	done
	recorder_start --hooks "$hooks" --ring-size 4M --codec none --redact off --post-window 100ms --cooldown 0s \
		--max-per-day 1000 --log-level debug "${off[@]}" "$@" || { not_ok "start $hooks $*"; finish; }
}

get() { # STATUS PATH
	[ "$("${curl:-curl}" -s -o /dev/null -w '%{http_code}' "http://$service$2")" = "$1" ]
}

many() { # PATH COUNT
	curl -s -o /dev/null "http://$service$1&i=[1-$2]"
}

sql() {
	psql "$DSN" -qc "$1" >/dev/null
}

# The recorder asks once what a program is: then its goroutines have numbers.
warm_up() {
	local tries=400
	until get 200 /ping && grep -q "process $service_pid: .*goroutine number at" "$work/rec.log"; do
		((tries-- > 0)) || return
		sleep 0.05
	done
}

sent='e.kind == "sock_send" and e.sock == t.sock_id and e.tid == t.tid and e.goid == t.goid'
at="on port $port, pid $service_pid"
at_pg="on port $pg_port"
for hooks in tracepoints syscalls; do
	start "$hooks" http-5xx
	warm_up
	cause get 200 /ping
	quiet "$hooks: a 200 is no cause" http-5xx ".* $at"
	cause get 500 "/fail?kind=table"
	caused "$hooks: a 500" http-5xx "^500 $at \(goservice\)$" sock_send "$sent" \
		'e.data.startswith(b"HTTP/1.1 500 ")' 't.goid'
	not_caused "$hooks: another status is noticed" http-5xx "^503" sock_send "$sent"
	not_caused "$hooks: another event is noticed" http-5xx "^500 $at" sock_send "$sent" \
		'e.data.startswith(b"HTTP/1.1 200 ")'
	recorder_stop

	start "$hooks" sql-error
	cause get 500 "/fail?kind=unique"
	quiet "$hooks: a unique violation is no cause" sql-error ".* $at_pg"
	cause sql 'SELECT 1 / 0'
	caused "$hooks: an SQL error, simple protocol" sql-error \
		"^ERROR 22012 by postgresql $at_pg, pid [0-9]+ \(postgres\)$" sock_send "$sent" \
		'e.data.startswith(b"E") and b"C22012" in e.data'
	sleep 0.2
	cause get 500 "/fail?kind=divide" # a statement that is prepared: other messages come first
	caused "$hooks: an SQL error, extended protocol" sql-error "^ERROR 22012 by postgresql $at_pg" \
		sock_send "$sent" 'b"C22012" in e.data'
	sleep 0.2
	cause sql 'SELECT pg_terminate_backend(pg_backend_pid())'
	caused "$hooks: FATAL" sql-error "^FATAL 57P01 by postgresql $at_pg" sock_send "$sent"
	recorder_stop

	start "$hooks" latency --latency-limit 390ms
	cause get 200 "/slow?ms=20"
	quiet "$hooks: a short query is no cause" latency ".* ($at_pg|$at)"
	cause get 200 "/slow?ms=400"
	caused "$hooks: a slow query" latency \
		"^$from_400_ms for a request by postgresql, limit 390 ms $at_pg, " sock_send "$sent"
	sleep 0.1
	check "$hooks: the query and its request are two causes" [ "$(status_of latency seen)" -ge 2 ]
	recorder_stop

	# on a busy machine quick ones may take 100 ms, the default: even three of these 300
	printf '[trigger.latency-p99]\nlimit = 500ms\nfactor = 3\n' >"$work/flightrec.ini"
	start "$hooks" latency-p99 --config "$work/flightrec.ini"
	cause get 200 "/slow?ms=1500"
	quiet "$hooks: nothing is usual yet" latency-p99 ".* ($at_pg|$at)"
	cause many "/hello?name=x" 300
	quiet "$hooks: quick requests are no cause" latency-p99 ".* ($at_pg|$at)"
	cause get 200 "/slow?ms=1500"
	caused "$hooks: an unusually slow query" latency-p99 \
		"^[0-9.]+ s for a request by (postgresql|http), far beyond the usual ($at_pg|$at)" \
		sock_send "$sent"
	recorder_stop
done

# ---- both ends of a connection are one cause
# Of names that nobody else has: then the counts are exact. With a filter nobody can tell from the
# addresses alone that the other end is seen as well.
kill "$service_pid"
wait "$service_pid"
ends_svc=fr_svc$$
ends_curl=fr_curl$$
mv "$work/goservice" "$work/$ends_svc"
: >"$work/service.out"
"$work/$ends_svc" --listen 127.0.0.1:0 --dsn "$DSN" >"$work/service.out" 2>&1 &
service_pid=$!
kill_at_exit+=("$service_pid")
wait_line "$work/service.out" '^ready ' 60 || { not_ok "the service again"; finish; }
service=$(awk '/^ready / { print $2; exit }' "$work/service.out")
cp "$(command -v curl)" "$work/$ends_curl"
curl=$work/$ends_curl
five() {
	for _ in 1 2 3 4 5; do
		get 500 "/fail?kind=table"
	done
}
ends() { # CHECK FILTER
	start tracepoints http-5xx --cooldown 1h --filter-comm "$2"
	cause five
	dump_of http-5xx "^500" || not_ok "$1: a dump" "$(tail -20 "$work/rec.log")"
	check "$1" [ "$(status_of http-5xx seen) $(status_of http-5xx suppressed)" = "5 4" ]
	recorder_stop
}
ends "both ends are recorded: one cause" "$ends_svc,$ends_curl"
ends "the serving end alone" "$ends_svc"
ends "the asking end alone" "$ends_curl"
curl=

# ---- Redis
if command -v redis-server >/dev/null; then
	redis_port=$(free_port)
	redis-server --port "$redis_port" --bind 127.0.0.1 --save '' --dir "$work" >"$work/redis.log" 2>&1 &
	kill_at_exit+=($!)
	wait_line "$work/redis.log" "Ready to accept" 20 ||
		{ not_ok "Redis starts" "$(cat "$work/redis.log")"; finish; }
	start tracepoints redis-error --trigger redis-error=on
	redis-cli -p "$redis_port" SET word secretvalue >/dev/null
	cause redis-cli -p "$redis_port" GET word
	quiet "a Redis reply is no cause" redis-error ".* on port $redis_port"
	cause redis-cli -p "$redis_port" LPUSH word x
	caused "a Redis error" redis-error "^WRONGTYP on port $redis_port" sock_send "$sent" \
		'e.data.startswith(b"-WRONGTYPE")'
	recorder_stop
	start tracepoints latency --latency-limit 250ms
	cause redis-cli -p "$redis_port" BLPOP nothing_comes 0.5
	quiet "a Redis command that waits is no cause" latency ".* on port $redis_port"
	cause redis-cli -p "$redis_port" EVAL 'local t = redis.call("TIME") local e = t[1] * 1000000 + t[2] + 400000
		repeat t = redis.call("TIME") until t[1] * 1000000 + t[2] > e' 0
	caused "a slow Redis command" latency \
		"^$from_400_ms for a request by redis, limit 250 ms on port $redis_port" sock_send "$sent"
	recorder_stop
else
	skip "a Redis error" "no redis-server: tests/deps.sh test"
fi

# ---- reload
at="on port ${service##*:}, pid $service_pid"
printf '[trigger.http-5xx]\nenabled = off\n' >"$work/flightrec.ini"
recorder_start --config "$work/flightrec.ini" --ring-size 4M --codec none --redact off --post-window 100ms \
	--cooldown 0s || { not_ok "start with a file"; finish; }
cause get 500 "/fail?kind=table"
quiet "switched off" http-5xx ".* $at"
printf '[trigger.sql-error]\nonly = 23\nignore =\n' >"$work/flightrec.ini"
kill -HUP "$rec_pid"
wait_line "$work/rec.log" "read again" 20
check "a reload switches it on" [ "$(status_of http-5xx on)" = True ]
cause get 500 "/fail?kind=table"
caused "a 500 after a reload" http-5xx "^500 $at" sock_send "$sent"
sleep 0.2
quiet "another class of SQL errors is no cause" sql-error ".* $at_pg"
cause get 500 "/fail?kind=unique"
caused "a unique violation that is asked for" sql-error "^ERROR 23505 by postgresql $at_pg" sock_send \
	"$sent"
recorder_stop
finish
