#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What recording costs a service: requests/s of the Go service with and without the recorder, in
# turn. Each second with it is held against the seconds before and after without it: a host that
# gets slower or faster meanwhile moves all three. Bars: /hello (one INSERT) >= 97 %, /ping >= 95 %
# (it does nothing else per request).
#   FR_PAIRS (25), FR_SECONDS (1) of load each, FR_HOOKS (auto)
. "$(dirname "$0")/../lib/recorder.sh"
recorder_triggers=on # as by default
need_root service

pairs=${FR_PAIRS:-25}
seconds=${FR_SECONDS:-1}

pg_start || exit 1
service_build || exit 1
service_start --dsn "$DSN" || exit 1

rate() { # rate ROUTE: requests/s
	wrk -t1 -c16 -d"${seconds}s" "http://$service$1" | awk '/^Requests\/sec:/ { print $2 }'
}

bench() { # bench ROUTE BAR
	local i off on next ratios=()
	rate "$1" >/dev/null # warm-up
	off=$(rate "$1")
	for ((i = 0; i < pairs; i++)); do
		recorder_start --hooks "${FR_HOOKS:-auto}" || exit 1
		on=$(rate "$1")
		recorder_stop
		next=$(rate "$1")
		ratios+=("$(awk -v a="$on" -v b="$off" -v c="$next" \
			'BEGIN { printf "%.4f", 200 * a / (b + c) }')")
		printf '  %-8s off %8.0f/s  on %8.0f/s  %6.2f %%\n' "$1" "$off" "$on" "${ratios[-1]}"
		off=$next
	done
	printf '%s\n' "${ratios[@]}" | sort -n | awk -v bar="$2" -v route="$1" '{ v[NR] = $1 }
		END {
			mid = v[int((NR + 1) / 2)]
			printf "service %s on/off: median %.2f %%, half of all in %.1f..%.1f ", route, mid,
				v[int((NR + 3) / 4)], v[int((3 * NR + 3) / 4)]
			printf "(bar >= %s %%: %s)\n", bar, (mid >= bar ? "met" : "missed") }'
}

bench /hello 97
bench /ping 95
