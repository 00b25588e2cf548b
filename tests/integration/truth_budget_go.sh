#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What goroutines waited for their own statements, one request at a time and 64 at once, among
# goroutines that burn all CPUs; and that none of those burners' time counts as a request's.
# timeout: 240 (the Go build may start with an empty cache)
. "$(dirname "$0")/../lib/recorder.sh"
. "$(dirname "$0")/../lib/truth.sh"
need_root truth_budget_go
command -v go >/dev/null || { skip truth_budget_go "no go in PATH"; exit 0; }

rounds=4
[ -z "${FR_LONG:-}" ] || rounds=20
next=0

(cd "$root/tests/workload/budget_go" && GOFLAGS='' GOWORK=off nice go build -p 2 -o "$work/budget_go" .) ||
	{ not_ok "the program builds"; exit 1; }

server_start() { # OPTION...
	rm -f "$work/end"
	mkfifo "$work/end"
	"$work/budget_go" server --pg "127.0.0.1:$PGPORT" "$@" <"$work/end" >"$work/server.out" 2>&1 &
	server=$!
	kill_at_exit+=("$server")
	exec {end_fd}>"$work/end"
	wait_line "$work/server.out" '^ready ' 20 || { cat "$work/server.out"; return 1; }
	addr=$(awk '/^ready / { print $2; exit }' "$work/server.out")
}

server_end() {
	exec {end_fd}>&-
	wait "$server"
}

load() { # WORKERS ROUNDS
	"$work/budget_go" client --to "$addr" --workers "$1" --rounds "$2" --first "$next" &
	client=$!
	wait "$client" || return
	next=$((next + $1 * $2 * 5))
}

# Until the recorder knows where this binary keeps the number of a goroutine.
go_warm() {
	local tries=8 pids
	server_start || return
	pids=$server
	while ((tries-- > 0)); do
		load 1 1 || return
		pids+="\|$client"
		wait_line "$work/rec.log" "process \($pids\): .*goroutine number at" 1 && break
	done
	server_end
	((tries >= 0))
}

go_run() { # NAME WORKERS ROUNDS [OPTION...]
	local name=$1 workers=$2 rounds=$3
	server_start "${@:4}" || { not_ok "$name"; return; }
	load "$workers" "$rounds" || { not_ok "$name: load"; return; }
	recorder_dump || { not_ok "$name: dump"; return; }
	server_end || not_ok "$name: the server ends"
	"$build/flightrec" convert "$dump" --to text -o "$work/spans.txt" 2>"$work/said"
	[ $? -le 1 ] || { not_ok "$name: convert" "$(cat "$work/said")"; return; }
	truth_judge budget_go "$name" "$work/server.out" "$work/spans.txt"
}

# errors and slow requests of others on this host shall not dump in the middle of it
quiet=(--trigger latency-p99=off --trigger http-5xx=off --trigger sql-error=off)
pg_start || exit 1
recorder_start --codec none --log-level debug "${quiet[@]}" || exit 1
go_warm || { not_ok "the recorder learns the binary" "$(tail -3 "$work/rec.log")"; finish; }
go_run "one at a time" 1 "$rounds"
truth_denies "a wait that never was is noticed" 's/"slept_ns":4/"slept_ns":9/' "$work/server.out" \
	budget_go lie "$lie" "$work/spans.txt"
go_run "sixty-four at once" 64 "$rounds"
go_run "sixty-four at once beside burners" 64 "$rounds" --burners 2
recorder_stop || not_ok stop
finish
