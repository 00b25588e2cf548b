#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What made a dump is a log record in the trace of the request that it tells of: a real 500 with the
# SQL error below it, a slow query, a program that crashes while it serves. timeout: 600
. "$(dirname "$0")/../lib/recorder.sh"
. "$(dirname "$0")/../lib/trigger.sh"
need_root otlp_triggers

pg_start || { not_ok database; finish; }
service_build || { not_ok service_build; finish; }
service_start --dsn "$DSN" || { not_ok service; finish; }
pg_port=${DSN#*127.0.0.1:}
pg_port=${pg_port%%/*}
ulimit -c 0

start() { # NAMES [OPTION...]: a recorder that looks for these only
	local names=$1 name off=()
	shift
	for name in http-5xx sql-error latency latency-p99 signal oom; do
		[[ " $names " = *" $name "* ]] || off+=(--trigger "$name=off")
	done
	recorder_start --ring-size 4M --post-window 200ms --cooldown 0s --max-per-day 1000 \
		--log-level debug "${off[@]}" "$@" ||
		{ not_ok "start $*"; finish; }
}

get() { # STATUS PATH
	[ "$(curl -s -o /dev/null -w '%{http_code}' "http://$service$2")" = "$1" ]
}

# Until the recorder knows the binary, and has seen each database connection from a message's start.
warm_up() {
	local tries=400 i
	until get 200 /ping && grep -q "process $service_pid: .*goroutine number at" "$work/rec.log"; do
		((tries-- > 0)) || return
		sleep 0.05
	done
	for ((i = 0; i < 20; i++)); do
		get 200 "/slow?ms=1"
	done
}

told() { # CHECK TRIGGER REASON EVENT TEST [SPANTEST...]
	local name=$1 text
	if ! dump_of "$2" "$3"; then
		not_ok "$name" "no dump of $2: $(tail -20 "$work/rec.log"; cat "$work/cause.out")"
		return
	fi
	"$build/flightrec" convert "$dump" --all --to otlp-json -o "$work/t.jsonl" 2>"$work/err"
	if text=$(PYTHONDONTWRITEBYTECODE=1 python3 "$root/tests/integration/check_otlp.py" "$work/t" \
		"${@:4}" 2>&1); then
		ok "$name"
	else
		not_ok "$name" "$text"
	fi
}

start "http-5xx sql-error"
warm_up
cause get 500 "/fail?kind=table"
told "a 500 is in its request's trace" http-5xx ".* pid $service_pid " flightrec.trigger \
	'a["flightrec.trigger.name"] == "http-5xx"' 's.kind == 2 and s.pid == '"$service_pid" \
	's.get("http.response.status_code") == 500 and s.path == "/fail"' \
	'any(c.parent == s.id and c.get("db.response.status_code") == "42P01" for c in spans)'
sleep 0.3
cause get 500 "/fail?kind=divide"
told "an SQL error is in the query's trace" sql-error ".* 22012 by postgresql on port $pg_port" flightrec.trigger \
	'a["flightrec.trigger.name"] == "sql-error" and "22012" in body' \
	's.get("error.type") == "22012" and s.kind == 2 and "postgres" in s.resource["service.name"]' \
	'any(p.get("http.response.status_code") == 500 and p.kind == 2 for p in spans)'
recorder_stop

start latency --latency-limit 250ms
warm_up
cause get 200 "/slow?ms=400"
told "a slow query is in its trace" latency ".* by postgresql.* on port $pg_port" flightrec.trigger \
	'a["flightrec.trigger.name"] == "latency" and "postgresql" in body' \
	's.get("db.system.name") == "postgresql" and s.end - s.start > 350e6' \
	's.get("flightrec.time.unattributed_ns", 0) < (s.end - s.start) / 10'
recorder_stop

start signal
python3 "$root/tests/lib/crash_server.py" >"$work/port" 2>/dev/null &
crash_pid=$!
kill_at_exit+=("$crash_pid")
wait_line "$work/port" '^[0-9]' 20
crash=127.0.0.1:$(cat "$work/port")
curl -s "http://$crash/ok"
cause curl -s "http://$crash/crash"
told "a crash is in the trace of what was served" signal ".*\(fr_crash\)" flightrec.signal \
	'a["flightrec.signal.name"] == "SIGSEGV" and r["process.pid"] == '"$crash_pid" \
	's.path == "/crash" and s.kind == 2 and "end_unseen" in s.get("flightrec.marks", [])'
told "its trigger, too" signal ".*\(fr_crash\)" flightrec.trigger 'a["flightrec.trigger.name"] == "signal"' \
	's.path == "/crash"'
# the checker itself
told_not() { # CHECK ARGUMENT...
	PYTHONDONTWRITEBYTECODE=1 python3 "$root/tests/integration/check_otlp.py" "$work/t" "${@:2}" \
		>"$work/lie.out" 2>&1
	check "$1" grep -q '^wrong: ' "$work/lie.out"
}
told_not "another request is noticed" flightrec.signal 'True' 's.path == "/ok"'
told_not "another cause is noticed" flightrec.trigger '"SIGABRT" in body'
recorder_stop
finish
