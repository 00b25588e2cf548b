#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Records a real workload (a Go HTTP service, database/sql, PostgreSQL, a disk) under load, sends
# one SIGUSR1 to the recorder, converts the dump, and says where to look. Everything that it starts
# listens on loopback and is stopped at the end; what it leaves is in build/demo.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
out=${FR_DEMO_DIR:-$root/build/demo}
seconds=${FR_DEMO_SECONDS:-6}
connections=16

die() {
	echo "demo: $1" >&2
	exit 1
}

if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null ||
		die "recording needs root (or CAP_BPF and CAP_PERFMON), and there is no sudo: run it as root"
	echo "demo: recording needs root, asking sudo for it"
	exec sudo --preserve-env=PATH,GOPROXY,GOFLAGS,GOMODCACHE,FR_DEMO_DIR,FR_DEMO_SECONDS "$0" "$@"
fi
[ -r /sys/kernel/btf/vmlinux ] ||
	die "this kernel has no BTF (/sys/kernel/btf/vmlinux): flightrec cannot record here"

pids=()
pg=
stop_all() {
	local pid
	for pid in "${pids[@]}"; do
		kill -TERM "$pid" 2>/dev/null || true
	done
	for pid in "${pids[@]}"; do
		wait "$pid" 2>/dev/null || true
	done
	if [ -n "$pg" ]; then
		"$root/tests/workload/pg.sh" stop "$pg" >/dev/null 2>&1 || true
	fi
}
trap stop_all EXIT

# wait_line FILE PATTERN SECONDS: until a program has said so
wait_line() {
	local tries=$(($3 * 20))
	while ! grep -q "$2" "$1" 2>/dev/null; do
		((tries-- > 0)) || return 1
		sleep 0.05
	done
}

load() { # load FILE: requests for $seconds seconds
	wrk -t2 -c$connections -d"${seconds}s" "http://$service/hello?name=demo" >"$1"
}

rate() {
	awk '/^Requests\/sec:/ { print $2 }' "$1"
}

rm -rf "$out"
mkdir -p "$out/dumps"
chmod 700 "$out/dumps"

echo "demo: building the Go service, starting PostgreSQL"
(cd "$root/tests/workload/goservice" && go build -o "$out/goservice" .) >"$out/go.log" 2>&1 ||
	die "cannot build the Go service: $(tail -1 "$out/go.log")"
pg=$(mktemp -d /tmp/flightrec-demo-pg.XXXXXX)
DSN=
eval "$("$root/tests/workload/pg.sh" start "$pg")"
"$out/goservice" --listen 127.0.0.1:0 --dsn "$DSN" >"$out/service.log" 2>&1 &
pids+=($!)
wait_line "$out/service.log" '^ready ' 20 || die "the Go service did not start: see $out/service.log"
service=$(awk '/^ready / { print $2; exit }' "$out/service.log")

echo "demo: load without the recorder, ${seconds} s"
load "$out/wrk-bare.txt"

"$root/build/flightrecd" --foreground --dump-dir "$out/dumps" --control "$out/control.sock" \
	>"$out/flightrecd.out" 2>"$out/flightrecd.log" &
recorder=$!
pids+=("$recorder")
wait_line "$out/flightrecd.out" '^ready' 20 ||
	die "the recorder did not start: $(tail -3 "$out/flightrecd.log")"

cpu_ms() { # time on a CPU so far
	awk '{ print $1 / 1000000 }' "/proc/$recorder/schedstat"
}
cpu_start=$(cpu_ms)

echo "demo: the same load, recorded, ${seconds} s; then SIGUSR1"
load "$out/wrk-recorded.txt" &
loader=$!
sleep $((seconds - 1))
cpu_end=$(cpu_ms)
kill -USR1 "$recorder"
wait "$loader"
tries=200
while ! ls "$out"/dumps/*.frd >/dev/null 2>&1; do
	((tries-- > 0)) || die "no dump after SIGUSR1: see $out/flightrecd.log"
	sleep 0.05
done
dump=$(ls "$out"/dumps/*.frd | head -1)

"$root/build/flightrec" convert "$dump" --to chrome --from -1s --until +200ms -o "$out/trace.json" ||
	[ $? = 1 ] || die "converting failed"
"$root/build/flightrec" info "$dump" >"$out/info.txt" || [ $? = 1 ] || die "the dump is not readable"

echo
awk -v bare="$(rate "$out/wrk-bare.txt")" -v rec="$(rate "$out/wrk-recorded.txt")" \
	-v cpu="$(awk -v a="$cpu_end" -v b="$cpu_start" 'BEGIN { print a - b }')" \
	-v s=$((seconds - 1)) 'BEGIN {
	printf "cost:    %.0f requests/s bare, %.0f recorded (%.1f %%, one noisy pair: see make bench); ",
		bare, rec, 100 * rec / bare
	printf "the daemon itself: %.2f ms of CPU in %d s\n", cpu, s }'
grep -E '^(trigger|window|events|losses|threads)' "$out/info.txt" || true
echo "size:    $(stat -c %s "$dump") bytes of dump, $(stat -c %s "$out/trace.json") bytes of Chrome trace"
echo "dump:    $dump"
echo "trace:   $out/trace.json"
echo "look:    open the trace in https://ui.perfetto.dev or chrome://tracing;"
echo "         more: build/flightrec info, build/flightrec convert --to text (see README.md)"
