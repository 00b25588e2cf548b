#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Records a real workload (a Go HTTP service, database/sql, PostgreSQL, a disk) under load and sends
# one SIGUSR1 to the recorder. Then one request among thousands fails, and the recorder dumps by
# itself. Converts both dumps and says where to look. Everything that it starts listens on loopback
# and is stopped at the end; what it leaves is in build/demo.
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

trace_id=4bf92f3577b34da6a3ce929d0e0e4736 # of the request that fails

# A client's request, as any tool sends it, with a trace of its own.
fail_once() {
	exec 3<>"/dev/tcp/${service%:*}/${service##*:}" || return 1
	printf 'GET /fail?kind=divide HTTP/1.1\r\nHost: %s\r\n' "$service" >&3
	printf 'traceparent: 00-%s-00f067aa0ba902b7-01\r\nConnection: close\r\n\r\n' $trace_id >&3
	head -1 <&3 | tr -d '\r'
	exec 3>&-
}

# wait_dump TRIGGER[|TRIGGER]: until there is a dump of one of them; $dump
wait_dump() {
	local tries=200
	while ! dump=$(find "$out/dumps" -name '*.frd' | grep -E -- "-($1)-[0-9]+\.frd$"); do
		((tries-- > 0)) || die "no dump by $1: see $out/flightrecd.log"
		sleep 0.05
	done
	dump=${dump%%$'\n'*}
}

# convert FORMAT FILE [OPTION...]: of $dump; status 1 says that something was lost
convert() {
	"$root/build/flightrec" convert "$dump" --to "$1" -o "$2" "${@:3}" 2>>"$out/convert.log" ||
		[ $? = 1 ] || die "converting failed: see $out/convert.log"
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

echo "demo: the same load, recorded, ${seconds} s; SIGUSR1, and one request that fails"
load "$out/wrk-recorded.txt" &
loader=$!
sleep $((seconds - 3))
cpu_end=$(cpu_ms)
kill -USR1 "$recorder"
wait_dump usr1
usr1=$dump
answer=$(fail_once) || die "the service does not answer"
wait "$loader"
wait_dump 'sql-error|http-5xx' # whichever was seen first
own=$dump

dump=$usr1
convert chrome "$out/trace.json" --from -1s --until +200ms
"$root/build/flightrec" info "$dump" >"$out/info.txt" || [ $? = 1 ] || die "the dump is not readable"
dump=$own
convert chrome "$out/failure.json" --from -1s --until +200ms
convert otlp-json "$out/failure.otlp.jsonl" --trace-id $trace_id
convert text "$out/failure.txt" --trace-id $trace_id

echo
awk -v bare="$(rate "$out/wrk-bare.txt")" -v rec="$(rate "$out/wrk-recorded.txt")" \
	-v cpu="$(awk -v a="$cpu_end" -v b="$cpu_start" 'BEGIN { print a - b }')" \
	-v s=$((seconds - 3)) 'BEGIN {
	printf "cost:    %.0f requests/s bare, %.0f recorded (%.1f %%, one noisy pair: see make bench); ",
		bare, rec, 100 * rec / bare
	printf "the daemon itself: %.2f ms of CPU in %d s\n", cpu, s }'
grep -E '^(window|events|losses)' "$out/info.txt" || true
echo "SIGUSR1: $usr1 ($(stat -c %s "$usr1") bytes)"
echo "         as a Chrome trace: $out/trace.json"
echo "failure: one request was answered \"$answer\"; the recorder dumped by itself: $own"
awk '/ \[---\] .* request side=/ { # who, what, and where the time went
	line = "        "
	for (i = 3; i <= NF; i++) {
		if ($i ~ /^(request|(local|remote|host|trace_id|span_id|parent_id|link|goid|name|database|marks)=.*)$/)
			continue
		if (split($i, part, "_ns=") == 2) {
			if (part[2] == 0)
				continue
			$i = sprintf("%s=%.2fms", part[1], part[2] / 1000000)
		}
		line = line " " $i
	}
	print line
}' "$out/failure.txt"
echo "         as a Chrome trace: $out/failure.json; as OpenTelemetry spans: $out/failure.otlp.jsonl"
echo "look:    open the traces in https://ui.perfetto.dev or chrome://tracing;"
echo "         more: build/flightrec info, build/flightrec convert --to text (see README.md)"
