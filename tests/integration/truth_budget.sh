#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Where the time of a C server's requests went, against the kernel's own counts: CPU burnt, pg_sleep,
# synchronous writes, a lock that another thread holds, a CPU that another thread wants; one at a
# time, and eight.
# timeout: 300
. "$(dirname "$0")/../lib/recorder.sh"
. "$(dirname "$0")/../lib/truth.sh"
need_root truth_budget

rounds=2
ring=64M
[ -z "${FR_LONG:-}" ] || { rounds=10; ring=256M; } # it holds all of it on a busy machine, too
server=$build/tests/workload/budget_server

budget_text() { # FILE
	"$build/flightrec" convert "$dump" --to text -o "$1" 2>"$work/said"
	[ $? -le 1 ] && return # 1: something was lost, as may be on a busy machine
	not_ok convert "$(cat "$work/said")"
	return 1
}

# Until the recorder knows that this program is not Go's: before, nobody knows whose its threads are.
budget_warm() {
	local tries=5
	while ((tries-- > 0)); do
		"$server" --rounds 1 --ms 1 --blocks 1 --dir "$work" >/dev/null 2>"$work/warm.err" || return
		recorder_dump && budget_text "$work/warm.txt" || return 1
		if grep -q "^[^ ]* \[---\] budget_server/.* request side=server .*on_cpu_ns=" \
			"$work/warm.txt"; then
			return 0
		fi
	done
	not_ok "the recorder learns what the program is" "$(tail -3 "$work/rec.log")"
	return 1
}

budget_run() { # THREADS NAME
	truth_begin "$server" --threads "$1" --rounds "$rounds" --dir "$work" --pg-port "$PGPORT" ||
		{ not_ok "$2"; return; }
	truth_work "$work/truth.json" 100 || { not_ok "$2 workload"; return; }
	recorder_dump || { not_ok "$2 dump"; return; }
	truth_end || not_ok "$2 workload"
	budget_text "$work/spans.txt" || return
	truth_judge budget "$2" "$work/truth.json" "$work/spans.txt" "$(not_seen)"
}

not_seen() { # switches that the recorder knows of but was not shown
	"$build/flightrec" info --json "$dump" 2>/dev/null | python3 -c '
import json, sys
print(json.load(sys.stdin)["counters"].get("switches_not_seen", 0))'
}

a_fifth_more() { # ROUTE PART
	python3 -c '
import json, sys
route, part = sys.argv[1:]
truth = json.load(sys.stdin)
told = [r for r in truth["requests"] if r["route"] == route]
[r.update({part: r[part] * 6 // 5}) for r in told]
print(json.dumps(truth))' "$@" <"$work/truth.json"
}

# errors and slow requests of others on this host shall not dump in the middle of it
quiet=(--trigger latency-p99=off --trigger http-5xx=off --trigger sql-error=off)
pg_start || exit 1
recorder_start --codec none --ring-size "$ring" "${quiet[@]}" || exit 1
budget_warm
case $? in
0) ;;
77) skip truth_budget "$(sed -n 's/.*SKIP: //p' "$work/warm.err")"; exit 0 ;;
*) not_ok "the server can be recorded" "$(cat "$work/warm.err")"; finish ;;
esac
budget_run 1 "one thread"
for part in cpu:cpu_ns sql:network_ns disk:disk_ns lock:other_ns hog:delay_ns; do
	a_fifth_more "${part%:*}" "${part#*:}" >"$work/more.json"
	truth_denies "a fifth more of ${part%:*} is noticed" 's/$/ /' "$work/more.json" \
		budget lie "$lie" "$work/spans.txt" "$(not_seen)"
done
budget_run 8 "eight threads"
recorder_stop || not_ok stop
finish
