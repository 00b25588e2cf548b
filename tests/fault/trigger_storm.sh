#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# 10,000 causes a second make one dump, one wake-up and an exact count. timeout: 300
. "$(dirname "$0")/../lib/recorder.sh"
. "$(dirname "$0")/../lib/trigger.sh"
need_root trigger_storm

count=20000
# a name that nobody else has: the counts are those of this storm
storm=fr_storm$$
cp "$build/tests/workload/storm" "$work/$storm"
recorder_start --ring-size 8M --codec none --redact off --post-window 300ms --filter-comm "$storm" \
	--trigger signal=off --trigger oom=off || { not_ok start; finish; }
switches() { # away from the CPU because there was nothing to do
	awk '/^voluntary_ctxt_switches/ { print $2 }' "/proc/$rec_pid/status"
}
# how many switches the dumper's start and end cost the daemon is not known: few they are
before=$(switches)
cause "$work/$storm" "$count" 10000
dump_of http-5xx '^500 on port' || not_ok "a dump comes"
sleep 0.5
after=$(switches)
echo "# $(cat "$work/cause.out"), the daemon ran $((after - before)) times"
check "all were sent" grep -q "^causes $count " "$work/cause.out"
check "one dump" [ "$(ls "$work"/dumps/*.frd | wc -l)" = 1 ]
check "each cause is counted once" [ "$(status_of http-5xx seen)" = "$count" ]
check "all but the first are suppressed" [ "$(status_of http-5xx suppressed)" = $((count - 1)) ]
check "the first one made the dump" [ "$(status_of http-5xx started)" = 1 ]
check "the daemon slept" [ $((after - before)) -lt 60 ]
caused "the cause is inside" http-5xx '^500 on port [0-9]+, pid [0-9]+ \('"$storm"'\)$' sock_send \
	'e.sock == t.sock_id' 'e.data.startswith(b"HTTP/1.1 500 ")'
# what the dump says was exact when its post-window ended
caused "the dump counts them, too" http-5xx '^500' sock_send 't.seen > 100' \
	't.suppressed == t.seen - 1' \
	'{c.name: c.value for c in d.loss.counters}["suppressed_http-5xx"] >= t.suppressed'
check "people are told" bash -c "'$build/flightrec' status --control '$work/control.sock' |
	grep -q 'http-5xx: seen $count, suppressed $((count - 1))'"
check "so is Prometheus" bash -c "'$build/flightrec' status --prometheus --control \
	'$work/control.sock' | grep -q 'name=\"http-5xx\",outcome=\"suppressed\"} $((count - 1))$'"
recorder_stop
finish
