#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What recording costs a service: requests/s of the Go service with and without the recorder, in
# turn, as the ratio pair by pair. Bars: /hello (one INSERT) >= 97 %, /ping >= 95 % (it does nothing
# else per request).
#   FR_PAIRS (5), FR_SECONDS (4) of load each, FR_HOOKS (auto)
. "$(dirname "$0")/../lib/recorder.sh"
recorder_triggers=on # as by default
need_root service

pairs=${FR_PAIRS:-5}
seconds=${FR_SECONDS:-4}

pg_start || exit 1
service_build || exit 1
service_start --dsn "$DSN" || exit 1

rate() { # rate ROUTE: requests/s
	wrk -t1 -c16 -d"${seconds}s" "http://$service$1" | awk '/^Requests\/sec:/ { print $2 }'
}

median() {
	sort -n | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

bench() { # bench ROUTE BAR
	local i off on ratios=()
	rate "$1" >/dev/null # warm-up
	for ((i = 0; i < pairs; i++)); do
		off=$(rate "$1")
		recorder_start --hooks "${FR_HOOKS:-auto}" || exit 1
		on=$(rate "$1")
		recorder_stop
		ratios+=("$(awk -v a="$on" -v b="$off" 'BEGIN { printf "%.4f", 100 * a / b }')")
		printf '  %-8s off %8.0f/s  on %8.0f/s  %6.2f %%\n' "$1" "$off" "$on" "${ratios[-1]}"
	done
	printf '%s\n' "${ratios[@]}" | median | awk -v bar="$2" -v route="$1" '{
		printf "service %s on/off: median %.2f %% (bar >= %s %%: %s)\n", route, $1, bar,
			($1 >= bar ? "met" : "missed") }'
}

bench /hello 97
bench /ping 95
