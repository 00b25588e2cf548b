#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A recorder that was started at a terminal tells what it has to tell in the system's log, also after
# that was started anew; and says so on the terminal where there is none.
. "$(dirname "$0")/../lib/recorder.sh"
need_root background_log
unshare -m true 2>/dev/null || { skip background_log "no mount namespaces here"; exit 0; }
command -v script >/dev/null || { skip background_log "needs script (bsdutils)"; exit 0; }

cat >"$work/log.py" <<'PY'
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
if os.path.exists(sys.argv[1]):
	os.unlink(sys.argv[1])
s.bind(sys.argv[1])
out = open(sys.argv[2], "ab", 0)
out.write(b"listening\n")
while True:
	out.write(s.recv(8192) + b"\n")
PY

# at_terminal FOLDER: starts the recorder where /dev is FOLDER, with a terminal for all its output;
# then rec_pid is to be set
at_terminal() {
	cat >"$work/start.sh" <<-SH
		mount --bind /dev/null '$1/null' && mount --rbind '$1' /dev || exit 99
		exec '$build/flightrecd' --dump-dir '$work/dumps' --control '$work/control.sock' \
			--pid-file '$work/rec.pid' ${triggers_off[*]}
	SH
	script -qec "unshare -m bash '$work/start.sh'" "$work/terminal" </dev/null >/dev/null
}

# no child of ours: nothing to wait for but its end
stop() {
	local tries=1500
	kill -TERM "$rec_pid"
	while kill -0 "$rec_pid" 2>/dev/null; do
		((tries-- > 0)) || { not_ok stop "it does not end"; finish; }
		sleep 0.02
	done
	rec_pid=
}

listen_at() {
	: >"$work/log"
	python3 "$work/log.py" "$work/dev/log" "$work/log" &
	listener=$!
	kill_at_exit+=("$listener")
	wait_line "$work/log" '^listening' 30
}

mkdir -m 700 "$work/dumps"
mkdir "$work/dev" "$work/bare"
touch "$work/dev/null" "$work/bare/null"
listen_at
check starts_at_a_terminal at_terminal "$work/dev"
rec_pid=$(cat "$work/rec.pid") || finish
check a_dump recorder_dump
told='^<30>flightrecd\[[0-9]*\]: .*\.frd'
check it_is_told_in_the_log wait_line "$work/log" "$told" 30
check by_its_own_number grep -q "flightrecd\[$rec_pid\]: " "$work/log"
kill "$listener"
wait "$listener" 2>/dev/null
check a_dump_without_a_log recorder_dump
listen_at
check a_dump_for_the_next_log recorder_dump
check the_next_log_is_told wait_line "$work/log" "$told" 30
check from_the_first_line_on grep -q '^<30>flightrecd\[[0-9]*\]: trigger usr1 started' "$work/log"
stop
check no_complaint_at_the_terminal bash -c "! grep -q 'not kept' '$work/terminal'"

check starts_without_a_log at_terminal "$work/bare"
rec_pid=$(cat "$work/rec.pid") || finish
check that_is_said grep -q 'flightrecd: /dev/log: No such file .* not kept from here on' \
	"$work/terminal"
check it_dumps_all_the_same recorder_dump
stop
finish
