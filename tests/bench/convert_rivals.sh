#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Converting the same workload's scheduler events: flightrec to Chrome JSON and to text, beside
# `perf script` and `trace-cmd report` on files of their own recorders. Events per second of one
# core, output to /dev/null, and peak memory. Bar: >= 4 M events/s to Chrome JSON.
#   FR_LOOPS (300000) round trips of the workload
. "$(dirname "$0")/../lib/recorder.sh"
need_root convert_rivals

loops=${FR_LOOPS:-300000}
workload=(perf bench -f simple sched pipe -l "$loops")

timed() { # timed COMMAND...: seconds and peak KiB in $took and $peak
	/usr/bin/env time -f '%e %M' -o "$work/time" "$@" >/dev/null 2>"$work/err" || true
	read -r took peak < <(tail -1 "$work/time")
}

report() { # report NAME EVENTS [BAR]
	awk -v name="$1" -v n="$2" -v s="$took" -v kib="$peak" -v bar="${3:-}" 'BEGIN {
		rate = n / (s > 0 ? s : 0.001) / 1e6
		printf "%-22s %9d events in %6.2f s = %6.2f M/s, peak %5.1f MiB", name, n, s, rate, kib / 1024
		if (bar != "")
			printf " (bar >= %s M/s: %s)", bar, (rate >= bar ? "met" : "missed")
		printf "\n" }'
}

recorder_start --ring-size 128M --families sched,waking || exit 1
"${workload[@]}" >/dev/null 2>&1
recorder_dump || exit 1
recorder_stop
events=$("$build/flightrec" info "$dump" --json | tr ',{}' '\n\n\n' |
	sed -n 's/^ *"sched_\(switch\|waking\)": *"\([0-9]*\)".*/\2/p' | awk '{ n += $1 } END { print n }')
timed "$build/flightrec" convert "$dump" --to chrome --all -o /dev/null
report "flightrec chrome" "$events" 4
timed "$build/flightrec" convert "$dump" --to text --all -o /dev/null
report "flightrec text" "$events"

mountpoint -q /sys/kernel/tracing || mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null
if perf record -q -a -e sched:sched_switch -e sched:sched_waking -m 16M -o "$work/perf.data" \
	"${workload[@]}" >/dev/null 2>"$work/err"; then
	events=$(perf script -i "$work/perf.data" -F comm 2>/dev/null | wc -l)
	timed perf script -i "$work/perf.data"
	report "perf script" "${events:-0}"
else
	skip "perf script" "perf cannot record sched events here: $(tail -1 "$work/err")"
fi
if command -v trace-cmd >/dev/null && trace-cmd record -q -e sched:sched_switch \
	-e sched:sched_waking -b 65536 -o "$work/trace.dat" "${workload[@]}" >/dev/null 2>"$work/err"; then
	events=$(trace-cmd report -i "$work/trace.dat" 2>/dev/null | grep -c 'sched_')
	timed trace-cmd report -i "$work/trace.dat"
	report "trace-cmd report" "$events"
else
	skip "trace-cmd report" "trace-cmd cannot record here: $(tail -1 "$work/err" 2>/dev/null)"
fi
