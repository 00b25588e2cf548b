#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Filters: only the sockets of wanted processes are recorded, and what happens to those sockets by
# itself; scheduling stays whole; what is kept out is counted.
. "$(dirname "$0")/../lib/recorder.sh"
need_root filter

# others: a process that is not wanted, with the same workload
cp "$build/tests/workload/truth_sock" "$work/other_sock"

workload() {
	"$build/tests/workload/truth_sock" >/dev/null 2>&1
	"$work/other_sock" >/dev/null 2>&1
}

# lines EVENT COMM: how many records of an event a process of that name has in the text
lines() {
	grep -cE "\] $2/[0-9]+ $1 " "$work/text"
}

is() { # is WHAT NUMBER -gt|-eq NUMBER
	if test "$2" "$3" "$4"; then
		ok "filter: $1"
	else
		not_ok "filter: $1" "$2 $3 $4 does not hold"
	fi
}

recorder_start --filter-comm truth_sock --codec none || { not_ok "filter: starts"; finish; }
workload
recorder_dump || { not_ok "filter: dumps"; finish; }
recorder_stop
"$build/flightrec" convert "$dump" --to text --all -o "$work/text"

is "sends of the wanted are there" "$(lines sock_send truth_sock)" -gt 20
is "receives of the wanted are there" "$(lines sock_recv truth_sock)" -gt 20
is "no send of others" "$(grep ' sock_send ' "$work/text" | grep -vc '] truth_sock/')" -eq 0
is "no receive of others" "$(grep ' sock_recv ' "$work/text" | grep -vc '] truth_sock/')" -eq 0
is "switches of others are there" "$(lines sched_switch other_sock)" -gt 0
is "identity of others is there" "$(grep -c ' proc_exec .*other_sock' "$work/text")" -gt 0
is "states of wanted sockets are there" "$(grep -c ' sock_state ' "$work/text")" -gt 3

kept_out=$("$build/flightrec" info "$dump" --json | tr ',{}' '\n\n\n' |
	sed -n 's/^ *"filtered": *"\{0,1\}\([0-9]*\).*/\1/p' | head -1)
if [ -n "$kept_out" ]; then
	is "what is kept out is counted" "$kept_out" -gt 40
else
	check "filter: what is kept out is counted" grep -q filtered <("$build/flightrec" info "$dump")
fi
finish
