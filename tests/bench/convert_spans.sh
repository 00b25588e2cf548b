#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Converting requests to OTLP, all else that was recorded with them passed over: spans per second of
# one core (CPU time, output to /dev/null, the best of five) and peak memory, from dumps of two
# sizes. Bars: >= 200,000 spans/s, <= 64 MiB whatever the dump's size.
. "$(dirname "$0")/../lib/recorder.sh"
need_root convert_spans

record() { # record SECONDS: a dump of the service answering; $dump and $spans
	recorder_start --ring-size 128M --redact off || exit 1
	wrk -t1 -c16 -d"$1s" "http://$service/ping" >/dev/null
	recorder_dump || exit 1
	recorder_stop
	spans=$("$build/flightrec" convert "$dump" --to otlp-json -o - 2>/dev/null |
		grep -o '"spanId":"[0-9a-f]*","\(parentSpanId\|name\|traceState\|flags\)' | wc -l)
}

bench() { # bench SECONDS FORMAT
	local i best=
	for ((i = 0; i < 5; i++)); do
		/usr/bin/env time -f '%U %S %M' -o "$work/time" "$build/flightrec" convert "$dump" \
			--to "$2" -o /dev/null 2>/dev/null || true
		best+="$(tail -1 "$work/time")"$'\n'
	done
	awk -v n="$spans" -v what="$2" 'NF == 3 {
			s = $1 + $2
			if (!best || s < best)
				best = s
			if ($3 > peak)
				peak = $3
		}
		END {
			rate = n / (best > 0 ? best : 0.001)
			printf "%-10s %8d spans %6.2f s CPU %8.0f spans/s", what, n, best, rate
			if (what == "otlp")
				printf " (bar >= 200000 spans/s: %s)", (rate >= 200000 ? "met" : "missed")
			printf "\n%-10s peak %5.1f MiB (bar <= 64 MiB: %s)\n", "", peak / 1024,
				(peak <= 65536 ? "met" : "missed")
		}' <<<"$best"
}

service_build || exit 1
service_start || exit 1
for seconds in 1 4; do
	record "$seconds"
	bench "$seconds" otlp
	bench "$seconds" otlp-json
done
