#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Each request of a Go service, as its own truth has it, is a span: found, right, with its SQL under
# it. Keep-alive clients, one and eight at a time; two instances that call each other, over lib/pq
# and pgx. tests/long/truth_requests_long.sh has 64 at a time and other programs.
# timeout: 600 (the Go build may start with an empty cache)
. "$(dirname "$0")/../lib/recorder.sh"
. "$(dirname "$0")/../lib/truth_requests.sh"
need_root truth_requests
command -v go >/dev/null || { skip truth_requests "no go in PATH"; exit 0; }
truthsvc_build || exit 0

pg_start || exit 1
requests_recorder --ring-size 128M --codec none --log-level debug || exit 1
truthsvc_start || exit 1
truthsvc_warm || exit 1
truthsvc_load one 1 0 3 || exit 1
truthsvc_load eight 8 150 4 || exit 1
recorder_dump || exit 1
truthsvc_end || not_ok "the servers end"
recorder_stop || not_ok stop

requests_convert spans || finish
spans=$work/spans.jsonl
# without the last: the load that counts
truths=("$work/truth.warmup" "$work/truth.pq" "$work/truth.pgx")
# the hand-over to the goroutine that writes shows nothing when another thread takes part in it
requests_judge "one at a time" "$spans" --linked 80 "${truths[@]}" "$work"/truth.{eight,one}
requests_judge "eight at a time" "$spans" "${truths[@]}" "$work"/truth.{one,eight}

# the judge itself: what it says of a truth that is not true
lied=("${truths[@]}" "$work/truth.one" "$work/lie")
requests_deny "a wrong status" "sed '0,/\"status\":200/s//\"status\":201/'" "$work/truth.eight" \
	"status and method" "$spans" "${lied[@]}"
requests_deny "a request that never was" "sed 20d" "$work/truth.eight" \
	"none invented" "$spans" "${lied[@]}"
requests_deny "times rounded to a millisecond" \
	"sed -E 's/\"start\":\[([0-9]+)[0-9]{6},[0-9]+\]/\"start\":[\1000000,\1000000]/'" \
	"$work/truth.eight" "times of the client" "$spans" "${lied[@]}"
lied=("$work/truth.warmup" "$work/lie" "$work/truth.pgx" "$work"/truth.{one,eight})
requests_deny "another statement" "sed 's/ORDER BY id DESC/ORDER BY id/'" "$work/truth.pq" \
	"SQL statements under their requests" "$spans" "${lied[@]}"
# each one's calls given to the next one
shift_calls='jq -cs '\''map(select(.out) | .out) as $o | ($o[1:] + $o[:1]) as $next |
	foreach .[] as $r (-1; if $r.out then . + 1 else . end; $r + if $r.out then {out: $next[.]} else {} end)'\'
requests_deny "another caller" "$shift_calls" "$work/truth.pq" \
	"no outgoing call under another request" "$spans" "${lied[@]}"
finish
