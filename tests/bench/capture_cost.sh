#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What capturing costs a request of the Go service (one INSERT): time in the socket programs with
# the default capture and with none, by the kernel's own statistics, which add the same to both.
#   FR_SECONDS (3), FR_ROUNDS (3)
. "$(dirname "$0")/../lib/recorder.sh"
need_root capture_cost
command -v bpftool >/dev/null || PATH=$PATH:/usr/sbin

snapshot() {
	bpftool prog show -j | jq -r '.[] | select((.name // "") | startswith("fr_sock_"))
		| select(.run_cnt) | "\(.run_time_ns)"' | awk '{ n += $1 } END { print n + 0 }'
}

# cost OPTION...: ns a request in the socket programs
cost() {
	local before requests
	recorder_start "$@" || exit 1
	before=$(snapshot)
	requests=$(wrk -t1 -c16 -d"${FR_SECONDS:-3}s" "http://$service/hello" |
		awk '/requests in/ { print $1 }')
	awk -v a="$before" -v b="$(snapshot)" -v n="$requests" 'BEGIN { printf "%.0f\n", (b - a) / n }'
	recorder_stop
}

median() {
	sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

service_up || exit 1
was=$(sysctl -n kernel.bpf_stats_enabled)
sysctl -q -w kernel.bpf_stats_enabled=1
for ((i = 0; i < ${FR_ROUNDS:-3}; i++)); do
	cost >>"$work/with"
	cost --capture-request-bytes 0 --capture-response-bytes 0 >>"$work/without"
done
sysctl -q -w kernel.bpf_stats_enabled="$was"
awk -v a="$(median <"$work/with")" -v b="$(median <"$work/without")" 'BEGIN {
	printf "socket programs: %d ns a request with the default capture, %d without: %.2fx; ", a, b, a / b
	printf "capture and goroutine: %d ns for 12 ends of transfers\n", a - b }'
