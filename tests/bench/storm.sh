#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What causes cost a service beyond recording, when every reply is one: the same requests with the
# triggers that they hit switched on and off, in turn, the recorder running all the time. Each second
# of causes is held against the seconds before and after, in which they are none; "noise" is the same
# for seconds that are all alike. The dump of the first causes is written before; then the default
# cool-down lasts.
#
# Two services: Go and PostgreSQL, each request an SQL error and a 500 for it; and a server that does
# nothing but answer 500, on one CPU with its client: where they run would count for more than all
# else. Bars: throughput >= 99 %, 10,000 causes a second, every one counted as what it is.
#   FR_PAIRS (60), FR_SECONDS (0.5) of load each
. "$(dirname "$0")/../lib/recorder.sh"
recorder_triggers=on # as by default
need_root storm

pairs=${FR_PAIRS:-60}
seconds=${FR_SECONDS:-0.5}
cooldown_s=60

die() {
	echo "storm: $*" >&2
	exit 1
}

# The triggers, on or off; all else stays as it is.
arm() {
	printf "[trigger.%s]\nenabled = $1\n" http-5xx sql-error >"$work/storm.ini"
	[ -z "$rec_pid" ] || "$build/flightrec" reload --control "$work/control.sock" >/dev/null ||
		die "the recorder does not reload"
}

status() { # status PYTHON: of the status, s, and its triggers, t
	"$build/flightrec" status --json --control "$work/control.sock" | python3 -c "
import json, sys
s = json.load(sys.stdin)
t = {x['name']: {k: int(v) for k, v in x.items() if k != 'name'} for x in s['triggers']}
print($1)"
}

# ---- loads: $requests, all answered with 500, $rate a second -------------------------------------

go_load() { # SECONDS
	local text failed took
	text=$("$build/tests/workload/http_load" "$service" /fail "$1" 16) || die "no load"
	read -r _ requests _ failed _ took <<<"$text"
	[ "$requests" = "$failed" ] || die "of $requests requests $failed failed: all should"
	rate=$(awk -v n="$requests" -v s="$took" 'BEGIN { printf "%.1f", n / s }')
}

bare_per_s=10000
bare_load() { # SECONDS
	local text took
	text=$(taskset -c 0 "$build/tests/workload/storm" \
		"$(awk -v r="$bare_per_s" -v s="$1" 'BEGIN { printf "%d", r * s + 1 }')") || die "no load"
	read -r _ requests _ took <<<"$text"
	rate=$(awk -v n="$requests" -v s="$took" 'BEGIN { printf "%.1f", n / s }')
}

# ---- one life of the recorder, shorter than the cool-down ----------------------------------------

# The first causes and their dump.
settle() { # LOAD
	local tries=500
	arm on
	"$1" 0.02
	armed=$requests
	until [ "$(status "int(s['dumps']['written']) > 0 and not s['dumps']['busy']")" = True ]; do
		((tries-- > 0)) || die "no dump: $(tail -n 3 "$work/rec.log")"
		sleep 0.02
	done
	arm off
	dumps=$(status "s['dumps']['written']")
}

# What the load says it did, against what the recorder counted: each cause once, and suppressed but
# for the few that were told.
count_up() { # TRIGGER
	local seen suppressed told
	read -r seen suppressed told < <(status "t['$1']['seen'], t['$1']['suppressed'], \
		t['$1']['started'] + t['$1']['joined'] + t['$1']['queued']" | tr -d '(),')
	all_armed=$((all_armed + armed))
	all_seen=$((all_seen + seen))
	all_suppressed=$((all_suppressed + suppressed))
	all_told=$((all_told + told))
}

# ---- what the probe itself takes, which other load hardly touches --------------------------------

command -v bpftool >/dev/null || PATH=$PATH:/usr/sbin

send_stats() { # of the newest recorder's program for sends: its id, or of the id given, runs and ns
	bpftool prog show -j | jq -r --argjson id "${1:-0}" '[.[] | select(.name == "fr_sock_send")] |
		if $id == 0 then map(.id) | max
		else .[] | select(.id == $id) | "\(.run_cnt) \(.run_time_ns)" end'
}

# Four loads with the triggers off and on in turn; both ends send, so there are two runs a request.
probe_cost() {
	local id=$1 was before after which
	was=$(sysctl -n kernel.bpf_stats_enabled)
	: >"$work/probe"
	for which in off on off on; do
		arm "$which"
		sysctl -q -w kernel.bpf_stats_enabled=1
		before=$(send_stats "$id")
		bare_load "$seconds"
		after=$(send_stats "$id")
		sysctl -q -w kernel.bpf_stats_enabled="$was"
		[ "$which" = off ] || armed=$((armed + requests))
		echo "$which $before $after $rate" >>"$work/probe"
	done
	awk '{ runs[$1] += $4 - $2; ns[$1] += $5 - $3; rate += $6 }
		END {
			more = 2 * (ns["on"] / runs["on"] - ns["off"] / runs["off"])
			printf "storm bare probe: a cause takes %.0f ns more than a reply that is none, ", more
			printf "of %.0f ns for the request\n", 1e9 * NR / rate }' "$work/probe"
}

life() { # LOAD TRIGGER...: pairs until the cool-down is nearly over or there are enough
	local load=$1 off on next began trigger send_id before=0
	shift
	arm on
	recorder_start --config "$work/storm.ini" || exit 1
	send_id=$(send_stats 2>/dev/null)
	settle "$load"
	began=$SECONDS
	"$load" "$seconds"
	off=$rate
	while ((done_pairs < pairs)) && awk -v a=$((SECONDS - began)) -v s="$seconds" -v c=$cooldown_s \
		'BEGIN { exit !(a + 8 * s + 10 < c) }'; do
		arm on
		"$load" "$seconds"
		on=$rate
		armed=$((armed + requests))
		arm off
		"$load" "$seconds"
		next=$rate
		echo "$off $on $next $before" >>"$work/pairs"
		before=$off off=$next
		done_pairs=$((done_pairs + 1))
	done
	if [ "$load" = bare_load ] && [ -n "$send_id" ] && ((done_pairs >= pairs)); then
		probe_cost "$send_id" >"$work/probe.out"
	fi
	for trigger; do
		count_up "$trigger"
	done
	[ "$(status "s['dumps']['written']")" = "$dumps" ] ||
		echo "  more dumps than that of the first causes: $(sed -n 's/.*trigger \([a-z0-9-]* started\).*/\1/p' \
			"$work/rec.log" | sort | uniq -c | tr -s ' \n' ' ')"
	recorder_stop
}

# ---- what came of it ------------------------------------------------------------------------------

quartiles() { # quartiles NAME [BAR] <VALUES
	sort -n | awk -v name="$1" -v bar="${2:-}" '{ v[NR] = $1 }
		END {
			mid = NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2
			lo = int(NR / 2 - 0.98 * sqrt(NR))
			hi = int(NR / 2 + 1.5 + 0.98 * sqrt(NR))
			if (lo < 1)
				lo = 1
			if (hi > NR)
				hi = NR
			printf "%s: median %.2f %% (%.2f..%.2f, 19 of 20 times), half of all in %.2f..%.2f",
				name, mid, v[lo], v[hi],
				v[int((NR + 3) / 4)], v[int((3 * NR + 3) / 4)]
			if (bar)
				printf " (bar >= %s %%: %s)", bar, (mid >= bar ? "met" : "missed")
			print "" }'
}

storm() { # storm NAME LOAD TRIGGER...
	local name=$1 done_pairs=0 all_armed=0 all_seen=0 all_suppressed=0 all_told=0 verdict=missed
	shift
	: >"$work/pairs"
	while ((done_pairs < pairs)); do
		life "$@"
	done
	awk '{ printf "  off %8.0f/s  on %8.0f/s  %6.2f %%\n", $1, $2, 200 * $2 / ($1 + $3) }' "$work/pairs"
	awk '{ print 200 * $2 / ($1 + $3) }' "$work/pairs" | quartiles "storm $name on/off" 99
	awk '$4 { print 200 * $1 / ($4 + $3) }' "$work/pairs" | quartiles "storm $name noise, off/off"
	awk -v name="$name" -v kinds=$(($# - 1)) '{ n += $2 * kinds } END {
		printf "storm %s causes: %.0f a second ", name, n / NR
		printf "(bar >= 10000: %s)\n", (n / NR >= 10000 ? "met" : "missed") }' "$work/pairs"
	[ "$1" != bare_load ] || cat "$work/probe.out" 2>/dev/null ||
		echo "skip storm_probe needs bpftool and jq"
	if [ "$all_seen" = "$all_armed" ] && [ "$all_told" -gt 0 ] &&
		[ "$all_suppressed" = $((all_seen - all_told)) ]; then
		verdict=met
	fi
	echo "storm $name count: $all_seen seen of $all_armed, $all_told made or joined a dump," \
		"$all_suppressed suppressed (bar exact: $verdict)"
	[ "$all_seen" -le "$all_armed" ] || echo "  more than the load's: others on this host fail, too"
}

"$build/tests/workload/http_load" >/dev/null 2>&1
[ $? = 2 ] || die "tests/workload/http_load is not built: make test-bins"
bare_load 1
bare_per_s=${rate%.*}
storm bare bare_load http-5xx
service_up || exit 1
go_load "$seconds" # warm-up
storm service go_load http-5xx sql-error
