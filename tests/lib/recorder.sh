# SPDX-License-Identifier: BSD-2-Clause
# For test and bench scripts: a recorder, a database and a service of their own, in one temporary
# folder that goes with the script. Source it; then:
#
#   recorder_start [OPTION...]   $rec_pid; dumps go to $work/dumps. What workloads and the rest of
#                                the host do would make dumps in between: those triggers are off
#                                unless recorder_triggers is set, or an option switches one on
#   recorder_dump                SIGUSR1, waits; $dump is the new file
#   recorder_stop                SIGTERM, waits; returns its exit status
#   pg_start                     $DSN
#   free_port                    prints one, for servers that take no port 0
#   service_build [GOFLAGS...]   $work/goservice
#   service_start [OPTION...]    $service is its address
#   service_up [OPTION...]       all three, with a database
#   ok NAME / not_ok NAME [WHY] / skip NAME WHY / finish

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${O:-$root/build}
work=$(mktemp -d "${TMPDIR:-/tmp}/flightrec-test.XXXXXX")
failures=0
rec_pid=
recorder_triggers=
pg_dir=
kill_at_exit=()
groups_at_exit=()

ok() {
	echo "ok $1"
}

not_ok() {
	echo "not ok $1"
	[ -z "${2:-}" ] || printf '%s\n' "$2" | sed 's/^/# /'
	failures=$((failures + 1))
}

skip() {
	echo "skip $1 $2"
}

# check NAME COMMAND...: ok when the command succeeds; its output explains a failure
check() {
	local name=$1 text
	shift
	if text=$("$@" 2>&1); then
		ok "$name"
	else
		not_ok "$name" "$text"
	fi
}

finish() {
	[ "$failures" = 0 ]
	exit
}

cleanup() {
	local pid
	for pid in "${groups_at_exit[@]}"; do
		kill -TERM -- "-$pid" 2>/dev/null
	done
	for pid in "${kill_at_exit[@]}" $rec_pid; do
		kill -TERM "$pid" 2>/dev/null
	done
	for pid in "${kill_at_exit[@]}" $rec_pid; do
		wait "$pid" 2>/dev/null
	done
	[ -z "$pg_dir" ] || "$root/tests/workload/pg.sh" stop "$pg_dir" >/dev/null 2>&1
	[ -n "${FR_KEEP:-}" ] || rm -rf "$work"
}
trap cleanup EXIT

# load_start COMMAND...: in the background, quietly, with all that it forks; ends with the script or
# by load_stop
load_start() {
	setsid "$@" >/dev/null 2>&1 &
	groups_at_exit+=($!)
}

load_stop() {
	local pid
	for pid in "${groups_at_exit[@]}"; do
		kill -TERM -- "-$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	groups_at_exit=()
}

need_root() {
	[ "$(id -u)" = 0 ] && return
	skip "$1" "needs root"
	exit 0
}

# wait_line FILE PATTERN SECONDS
wait_line() {
	local tries=$(($3 * 50))
	until grep -q "$2" "$1" 2>/dev/null; do
		((tries-- > 0)) || return 1
		sleep 0.02
	done
}

triggers_off=()
for name in http-5xx sql-error latency-p99 signal oom; do
	triggers_off+=(--trigger "$name=off")
done

recorder_start() {
	local off=("${triggers_off[@]}")
	[ -z "$recorder_triggers" ] || off=()
	mkdir -p "$work/dumps"
	chmod 700 "$work/dumps"
	: >"$work/rec.out"
	"$build/flightrecd" --foreground --dump-dir "$work/dumps" --control "$work/control.sock" \
		"${off[@]}" "$@" \
		>"$work/rec.out" 2>"$work/rec.log" &
	rec_pid=$!
	wait_line "$work/rec.out" '^ready' 60 && return
	echo "# the recorder did not get ready:"
	sed 's/^/# /' "$work/rec.log"
	return 1
}

recorder_stop() {
	local pid=$rec_pid
	rec_pid=
	kill -TERM "$pid" 2>/dev/null
	wait "$pid"
}

recorder_dump() {
	local before after tries=1500
	before=$(ls "$work"/dumps/*.frd 2>/dev/null | wc -l)
	kill -USR1 "$rec_pid"
	while after=$(ls "$work"/dumps/*.frd 2>/dev/null | wc -l); [ "$after" -le "$before" ]; do
		((tries-- > 0)) || { echo "# no dump came"; tail -5 "$work/rec.log" | sed 's/^/# /'; return 1; }
		sleep 0.02
	done
	dump=$(ls -t "$work"/dumps/*.frd | head -1)
}

pg_start() {
	local settings
	pg_dir=$(mktemp -d /tmp/flightrec-pg.XXXXXX)
	settings=$("$root/tests/workload/pg.sh" start "$pg_dir") && eval "$settings"
}

# Nobody listens there now. Not one of those that the kernel gives to clients: between this and the
# server's start it would give it to one.
free_port() {
	local port
	while port=$((RANDOM % 20000 + 10240)); do
		(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
	done
}

service_build() {
	(cd "$root/tests/workload/goservice" && go build -o "$work/goservice" "$@" .)
}

service_start() {
	: >"$work/service.out" # a line of the service before this one would be believed
	"$work/goservice" --listen 127.0.0.1:0 "$@" >"$work/service.out" 2>&1 &
	service_pid=$!
	kill_at_exit+=("$service_pid")
	wait_line "$work/service.out" '^ready ' 60 || { cat "$work/service.out"; return 1; }
	service=$(awk '/^ready / { print $2; exit }' "$work/service.out")
}

service_up() {
	pg_start && service_build && service_start --dsn "$DSN" "$@"
}

# cpu_ms PID: time on a CPU so far; by the scheduler's count, as ticks of 10 ms are too coarse
cpu_ms() {
	awk '{ print $1 / 1000000 }' "/proc/$1/schedstat"
}
