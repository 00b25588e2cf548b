#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What each program takes in place, under the Go service doing INSERTs: runs a request and ns a run by
# the kernel's own statistics (kernel.bpf_stats_enabled), which add about 60 ns to each run here. What
# the kernel spends on calling a program is not in these numbers. FR_SECONDS (4).
. "$(dirname "$0")/../lib/recorder.sh"
recorder_triggers=on # as by default
need_root in_place
command -v bpftool >/dev/null || PATH=$PATH:/usr/sbin

snapshot() {
	bpftool prog show -j | jq -r '.[] | select((.name // "") | startswith("fr_"))
		| select(.run_cnt) | "\(.name) \(.run_cnt) \(.run_time_ns)"'
}

service_up || exit 1
recorder_start || exit 1
was=$(sysctl -n kernel.bpf_stats_enabled)
sysctl -q -w kernel.bpf_stats_enabled=1
snapshot >"$work/before"
requests=$(wrk -t1 -c16 -d"${FR_SECONDS:-4}s" "http://$service/hello" |
	awk '/requests in/ { print $1 }')
snapshot >"$work/after"
sysctl -q -w kernel.bpf_stats_enabled="$was"
recorder_stop
awk -v n="$requests" 'FNR == NR { cnt[$1] = $2; ns[$1] = $3; next }
	{
		runs = $2 - cnt[$1]
		time = $3 - ns[$1]
		if (runs * 10 < n)
			next
		printf "  %-18s %6.2f a request  %6.0f ns\n", $1, runs / n, time / runs
		all += time / n
	}
	END { printf "programs in place: %.1f us a request, statistics included\n", all / 1000 }' \
	"$work/before" "$work/after"
