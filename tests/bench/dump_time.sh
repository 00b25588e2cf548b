#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# From the trigger to the closed file, with a full 64 MiB ring and both CPUs saturated by the
# workload: the time after the post-window (bar <= 400 ms), the dumper's own CPU, what was overtaken,
# and how many bytes an event takes in the ring and in the dump.
#   FR_DUMPS (5), FR_CODEC (the default)
. "$(dirname "$0")/../lib/recorder.sh"
need_root dump_time

dumps=${FR_DUMPS:-5}
post_ms=500

field() { # field NAME FILE: a number out of info --json, as written
	tr ',{}' '\n\n\n' <"$2" | sed -n "s/^ *\"$1\": *\"\{0,1\}\([0-9]*\)\"\{0,1\}.*/\1/p" | head -1
}

recorder_start --ring-size 64M --post-window ${post_ms}ms ${FR_CODEC:+--codec $FR_CODEC} || exit 1
for ((i = 0; i < $(nproc); i++)); do # one pair per CPU: switches, wakings and some sockets
	load_start perf bench -f simple sched pipe -l 1000000000
done
until "$build/flightrec" status --control "$work/control.sock" --json 2>/dev/null |
	tr ',' '\n' | grep '"overwritten"' | grep -qv '"0"'; do # every CPU has lapped
	sleep 0.5
	((SECONDS < 120)) || break
done

times=()
for ((i = 0; i < dumps; i++)); do
	start=$(date +%s%N)
	dump=$("$build/flightrec" trigger --wait --reason bench --control "$work/control.sock") || exit 1
	end=$(date +%s%N)
	times+=($(((end - start) / 1000000 - post_ms)))
	"$build/flightrec" info --json "$dump" >"$work/info.json"
	stored=$(stat -c %s "$dump")
	awk -v ms="${times[-1]}" -v stored="$stored" -v raw="$(field raw "$work/info.json")" \
		-v sw="$(field sched_switch "$work/info.json")" \
		-v wk="$(field sched_waking "$work/info.json")" 'BEGIN {
		n = sw + wk
		printf "  %d ms after the post-window, %.1f MiB raw, %.1f MiB file, %d sched events, ",
			ms, raw / 1048576, stored / 1048576, n
		printf "%.2f B/event in the ring, %.2f in the dump\n", raw / n, stored / n }'
done
printf '%s\n' "${times[@]}" | sort -n | awk '{ v[NR] = $1 } END {
	m = v[int((NR + 1) / 2)]
	printf "dump of a full ring, CPUs saturated: median %d ms, worst %d ms after the post-window ",
		m, v[NR]
	printf "(bar <= 400 ms: %s)\n", (v[NR] <= 400 ? "met" : "missed") }'
jq -r '"overtaken in the last dump: \([.cpus[].overtaken | tonumber] | add) records"' "$work/info.json"
recorder_stop
