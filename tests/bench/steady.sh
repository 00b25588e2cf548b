#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What the daemon itself uses in steady state, at a high event rate: its CPU time (bar <= 10 ms a
# minute), and its memory beside the ring. And what a switch-heavy program pays: perf bench sched
# pipe with the recorder on against off.
#   FR_SECONDS (20) for the CPU time, FR_PAIRS (5)
. "$(dirname "$0")/../lib/recorder.sh"
recorder_triggers=on # as by default
need_root steady

seconds=${FR_SECONDS:-20}

pipe_seconds() { # time of a fixed number of switches, on one CPU: its neighbours choose no place
	taskset -c 0 perf bench -f simple sched pipe -l "${FR_LOOPS:-200000}" 2>/dev/null | tail -1
}

median() {
	sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

busy_ms() { # all CPUs, all but idle and waiting for I/O
	awk -v hz="$(getconf CLK_TCK)" '/^cpu / { print ($2 + $3 + $4 + $7 + $8) * 1000 / hz }' /proc/stat
}

# system_cpu: what the whole machine uses for a fixed amount of work
system_cpu() {
	local before
	before=$(busy_ms)
	taskset -c 0 perf bench -f simple sched pipe -l "${FR_LOOPS:-200000}" >/dev/null 2>&1
	awk -v a="$(busy_ms)" -v b="$before" 'BEGIN { print a - b }'
}

ratios=()
for ((i = 0; i < ${FR_PAIRS:-5}; i++)); do
	off=$(pipe_seconds)
	recorder_start || exit 1
	on=$(pipe_seconds)
	recorder_stop
	ratios+=("$(awk -v a="$on" -v b="$off" 'BEGIN { printf "%.3f", a / b }')")
done
printf 'sched pipe on/off: median time ratio %s of %s\n' \
	"$(printf '%s\n' "${ratios[@]}" | median)" "${ratios[*]}"

ratios=()
for ((i = 0; i < ${FR_PAIRS:-5}; i++)); do
	off=$(system_cpu)
	recorder_start || exit 1
	on=$(system_cpu)
	recorder_stop
	ratios+=("$(awk -v a="$on" -v b="$off" 'BEGIN { printf "%.3f", a / b }')")
done
printf 'CPU of the whole machine for the same switches, on/off: median ratio %s of %s\n' \
	"$(printf '%s\n' "${ratios[@]}" | median)" "${ratios[*]}"

recorder_start || exit 1
before=$(cpu_ms "$rec_pid")
load_start perf bench -f simple sched pipe -l 100000000
sleep "$seconds"
after=$(cpu_ms "$rec_pid")
load_stop
awk -v a="$after" -v b="$before" -v s="$seconds" 'BEGIN {
	m = (a - b) * 60 / s
	printf "daemon: %.2f ms of CPU in %d s = %.1f ms a minute (bar <= 10: %s)\n", a - b, s, m,
		(m <= 10 ? "met" : "missed") }'
grep -E '^(VmRSS|RssAnon|RssShmem|RssFile)' "/proc/$rec_pid/status" | tr '\n' ' '
echo
recorder_stop
