#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# How fast requests become OTLP spans, without a recorder: a synthetic dump of HTTP requests with one
# SQL query each, to /dev/null; spans per second of one core (best of FR_RUNS, 3), peak memory, bytes
# of a span. Bars: >= 200,000 spans/s, and never more than 64 MiB, into any format, also where many
# CPUs and many connections meet.
#   FR_REQUESTS (200000)
set -u
export LC_ALL=C
root=$(cd "$(dirname "$0")/../.." && pwd)
O=${O:-$root/build}
requests=${FR_REQUESTS:-200000}
runs=${FR_RUNS:-3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

[ -x "$O/tests/bench/otlp_speed" ] ||
	{ echo "skip otlp_speed: $O/tests/bench/otlp_speed is not built"; exit 0; }
[ -x /usr/bin/time ] || { echo "skip otlp_speed: /usr/bin/time is missing"; exit 0; }

convert() { # DUMP FORMAT FILE
	"$O/flightrec" convert "$1" --to "$2" -o "$3" 2>"$work/err" ||
		{ echo "not ok $2"; cat "$work/err"; status=1; return 1; }
}

measure() { # NAME DUMP FORMAT
	local name=$1 best=999 peak=0 user sys kib i
	for ((i = 0; i < runs; i++)); do
		/usr/bin/time -f '%U %S %M' -o "$work/time" \
			"$O/flightrec" convert "$2" --to "$3" -o /dev/null 2>"$work/err" ||
			{ echo "not ok $name"; cat "$work/err"; status=1; return; }
		read -r user sys kib <"$work/time"
		best=$(awk "BEGIN { t = $user + $sys; print (t < $best ? t : $best) }")
		((kib > peak)) && peak=$kib
	done
	awk -v name="$name" -v n="$spans" -v s="$best" -v kib="$peak" 'BEGIN {
		rate = n / (s > 0 ? s : 0.001) / 1e3
		printf "%-26s %7d spans %5.2f s CPU %5.0f k/s (bar >= 200 k/s: %s)\n", name, n, s, rate,
			(rate >= 200 ? "met" : "missed")
		printf "%-26s peak %5.1f MiB (bar <= 64 MiB: %s)\n", "", kib / 1024,
			(kib <= 65536 ? "met" : "missed") }'
}

memory() { # NAME DUMP FORMAT
	/usr/bin/time -f %M -o "$work/time" "$O/flightrec" convert "$2" --to "$3" -o /dev/null \
		2>"$work/err" || [ $? = 1 ] || { echo "not ok $1"; cat "$work/err"; status=1; return; }
	awk -v name="$1" -v kib="$(tail -n 1 "$work/time")" 'BEGIN {
		printf "%-44s peak %5.1f MiB (bar <= 64 MiB: %s)\n", name, kib / 1024,
			(kib <= 65536 ? "met" : "missed") }'
}

for connections in 64 4000; do
	"$O/tests/bench/otlp_speed" "$work/x.frd" "$requests" $connections || exit 1
	convert "$work/x.frd" otlp-json "$work/x.jsonl" || exit 1
	# what is measured is what it should be: all spans, each query under its request
	spans=$(grep -o '"spanId"' "$work/x.jsonl" | wc -l)
	linked=$(grep -o '"stringValue":"line"' "$work/x.jsonl" | wc -l)
	if [ "$spans" != $((requests * 2)) ] || [ "$linked" != "$requests" ]; then
		echo "not ok: $requests requests gave $spans spans, $linked queries have a parent"
		status=1
		continue
	fi
	measure "otlp, $connections connections" "$work/x.frd" otlp
	measure "otlp-json, $connections connections" "$work/x.frd" otlp-json
	convert "$work/x.frd" otlp "$work/x.pb" || exit 1
	stat -c %s "$work/x.pb" "$work/x.jsonl" | xargs |
		awk -v n="$spans" '{ printf "bytes of a span: protobuf %.0f, JSON %.0f\n", $1 / n, $2 / n }'
	rm "$work"/x.*
done
for connections in 4000 10000; do
	"$O/tests/bench/otlp_speed" "$work/x.frd" "$requests" $connections 4096 || exit 1
	for format in chrome perfetto text otlp; do
		memory "$format, $connections connections, 4096 CPUs" "$work/x.frd" $format
	done
	rm "$work/x.frd"
done
exit $status
