#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A process whose memory hangs its reader: the daemon goes on, gives that program up after its
# deadline, and others are still looked at.
. "$(dirname "$0")/../lib/recorder.sh"
need_root hanging_memory

ask() {
	python3 "$root/tests/lib/control.py" "$work/control.sock" "$@"
}

unmount() {
	umount -l "$work/fuse" "$work/fuse2" 2>/dev/null
	cleanup
}
trap unmount EXIT

recorder_start --codec none || { not_ok start; finish; }
# its first page holds the names that lazy binding would look up
mkdir "$work/fuse" "$work/fuse2"
LD_BIND_NOW=1 "$build/tests/workload/hang_memory" "$work/fuse" >"$work/hang.out" 2>"$work/hang.err" &
hang_pid=$!
kill_at_exit+=("$hang_pid")
if ! wait_line "$work/hang.out" ready 20; then
	kill -KILL "$hang_pid" 2>/dev/null
	wait "$hang_pid"
	[ $? = 77 ] && skip hanging_memory "$(cat "$work/hang.err")" && finish
	not_ok hang_memory_runs "$(cat "$work/hang.err")"
	finish
fi
for _ in $(seq 500); do # until somebody is reading it
	[ -z "$(pgrep -P "$rec_pid")" ] || break
	sleep 0.02
done
check answers_meanwhile python3 - "$work/control.sock" <<'PY'
import socket, sys, time
peer = socket.socket(socket.AF_UNIX)
begin = time.time()
peer.connect(sys.argv[1])
peer.sendall(b"status\n")
assert peer.recv(3) == b"ok\n"
assert time.time() - begin < 1.5, "less than the deadline of the reader, 2 s"
PY
check is_given_up wait_line "$work/rec.log" "process $hang_pid: .*no answer in time" 30
programs() {
	ask status format=json | python3 -c \
		"import json, sys; p = json.load(sys.stdin)['programs']; print(p['$1'])"
}
check failed_is_counted [ "$(programs failed)" -ge 1 ]
before=$(programs answered)
# a program that nobody knows yet: a copy of the interpreter
cp "$(python3 -c 'import os, sys; print(os.path.realpath(sys.executable))')" "$work/copy"
PYTHONHOME=$(python3 -c 'import sys; print(sys.base_prefix)') "$work/copy" - <<'PY' &
import socket, time
a, b = socket.socketpair()
while True:
	a.send(b'hello'); b.recv(9); b.send(b'hello'); a.recv(9)
	time.sleep(0.05)
PY
kill_at_exit+=($!)
others() {
	local tries=200
	until [ "$(programs answered)" -gt "$before" ]; do
		((tries-- > 0)) || return 1
		sleep 0.05
	done
}
check others_are_looked_at others
# a dump reads command lines and environments, too: one reader is lost to this one, no other process
env -i LD_BIND_NOW=1 HANG_PADDING="$(printf '%09000d' 0)" "$build/tests/workload/hang_memory" \
	"$work/fuse2" >"$work/hang2.out" 2>&1 &
env_pid=$!
kill_at_exit+=("$env_pid")
check its_environment_hangs wait_line "$work/hang2.out" ready 20
sleep 300 & # asked after it, as its number is higher
after_pid=$!
kill_at_exit+=("$after_pid")
recorder_dump && ok dump_in_spite_of_it || not_ok dump_in_spite_of_it
command_lines() {
	PYTHONDONTWRITEBYTECODE=1 python3 - "$root/tests/lib" "$dump" "$env_pid" "$after_pid" $$ <<'PY'
import sys
sys.path.insert(0, sys.argv[1])
import frd
d = frd.Dump(sys.argv[2])
hangs, after, shell = (next(p for p in d.processes if p.tgid == int(x)) for x in sys.argv[3:])
assert "did not answer in time" in hangs.note and not hangs.args, hangs
assert not after.note and after.args, after
assert not shell.note and shell.args, shell
late = [p for p in d.processes if "in time" in p.note and p.tgid != hangs.tgid]
assert not late, late
failed = {c.name: c.value for c in d.loss.counters}["command_lines_failed"]
assert failed >= 1, failed
PY
}
check one_is_noted_others_are_read command_lines
# the reader itself may be beyond signals, in a read that FUSE has passed on
check readers_left [ "$(pgrep -P "$rec_pid" | wc -l)" -le 2 ]
recorder_stop && ok end || not_ok end
kill -KILL "$hang_pid"
finish
