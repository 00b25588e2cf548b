#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# How fast dumps are converted, without a recorder: synthetic scheduler events to /dev/null, events
# per second of one core (best of FR_RUNS, 3), peak memory, bytes per event of the output.
# Bars: >= 4 M events/s to Chrome JSON, and never more than 64 MiB.
#   FR_EVENTS (4000000) events of the large dump
set -u
export LC_ALL=C
root=$(cd "$(dirname "$0")/../.." && pwd)
O=${O:-$root/build}
events=${FR_EVENTS:-4000000}
runs=${FR_RUNS:-3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

[ -x "$O/tests/bench/convert_speed" ] ||
	{ echo "skip convert_speed: $O/tests/bench/convert_speed is not built"; exit 0; }
[ -x /usr/bin/time ] || { echo "skip convert_speed: /usr/bin/time is missing"; exit 0; }

# measure NAME DUMP EVENTS RATE_BAR CONVERT_OPTION...
measure() {
	local name=$1 dump=$2 n=$3 bar=$4 best=999 peak=0 took kib i
	shift 4
	for ((i = 0; i < runs; i++)); do
		/usr/bin/time -f '%U %S %M' -o "$work/time" \
			"$O/flightrec" convert "$dump" "$@" -o - >/dev/null 2>"$work/err" ||
			{ echo "not ok $name"; cat "$work/err"; status=1; return; }
		read -r took sys kib <"$work/time"
		took=$(awk "BEGIN { print $took + $sys }")
		best=$(awk "BEGIN { print ($took < $best ? $took : $best) }")
		((kib > peak)) && peak=$kib
	done
	awk -v name="$name" -v n="$n" -v s="$best" -v kib="$peak" -v bar="$bar" 'BEGIN {
		rate = n / (s > 0 ? s : 0.001) / 1e6
		printf "%-22s %8d events %5.2f s CPU %6.2f M/s", name, n, s, rate
		if (bar)
			printf " (bar >= " bar " M/s: %s)", (rate >= bar ? "met" : "missed")
		printf "\n%-22s peak %5.1f MiB (bar <= 64 MiB: %s)\n", "", kib / 1024,
			(kib <= 65536 ? "met" : "missed") }'
}

make_dump() { # NAME EVENTS CPUS THREADS CODEC
	"$O/tests/bench/convert_speed" "$work/$1.frd" "${@:2}" >"$work/made" || exit 1
}

make_dump two "$events" 2 64 lz4
measure "chrome, 2 CPUs, lz4" "$work/two.frd" "$events" 4 --to chrome
measure "text, 2 CPUs, lz4" "$work/two.frd" "$events" 0 --to text
rm "$work/two.frd"
make_dump two "$events" 2 64 zstd
measure "chrome, 2 CPUs, zstd" "$work/two.frd" "$events" 4 --to chrome
"$O/flightrec" convert "$work/two.frd" --to chrome -o - 2>/dev/null | wc -c |
	awk -v n="$events" '{ printf "output: %.1f bytes of Chrome JSON an event\n", $1 / n }'
rm "$work/two.frd"
make_dump many $((events / 2)) 512 8192 lz4
measure "chrome, 512 CPUs" "$work/many.frd" $((events / 2)) 0 --to chrome
rm "$work/many.frd"
make_dump very_many $((events / 2)) 4096 65536 lz4
for format in chrome text otlp otlp-json perfetto; do
	measure "$format, 4096 CPUs" "$work/very_many.frd" $((events / 2)) 0 --to $format
done
exit $status
