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
	umount -l "$work/fuse" 2>/dev/null
	cleanup
}
trap unmount EXIT

recorder_start || { not_ok start; finish; }
# its first page holds the names that lazy binding would look up
mkdir "$work/fuse"
LD_BIND_NOW=1 "$build/tests/workload/hang_memory" "$work/fuse" >"$work/hang.out" 2>"$work/hang.err" &
hang_pid=$!
kill_at_exit+=("$hang_pid")
if ! wait_line "$work/hang.out" ready 5; then
	kill -KILL "$hang_pid" 2>/dev/null
	wait "$hang_pid"
	[ $? = 77 ] && skip hanging_memory "$(cat "$work/hang.err")" && finish
	not_ok hang_memory_runs "$(cat "$work/hang.err")"
	finish
fi
sleep 0.5
check answers_meanwhile python3 - "$work/control.sock" <<'PY'
import socket, sys, time
peer = socket.socket(socket.AF_UNIX)
begin = time.time()
peer.connect(sys.argv[1])
peer.sendall(b"status\n")
assert peer.recv(3) == b"ok\n"
assert time.time() - begin < 1, "less than the deadline of the reader"
PY
check is_given_up wait_line "$work/rec.log" "process $hang_pid: .*no answer in time" 10
programs() {
	ask status format=json | python3 -c \
		"import json, sys; p = json.load(sys.stdin)['programs']; print(p['$1'])"
}
check failed_is_counted [ "$(programs failed)" -ge 1 ]
before=$(programs answered)
python3 - <<'PY'
import os, shutil, socket, subprocess, sys, tempfile
# a program that nobody knows yet: a copy of the interpreter
with tempfile.TemporaryDirectory() as folder:
	copy = os.path.join(folder, "copy")
	shutil.copy(os.path.realpath(sys.executable), copy)
	subprocess.run([copy, "-c", """
import socket, time
a, b = socket.socketpair()
for _ in range(20):
	a.send(b'hello'); b.recv(9); b.send(b'hello'); a.recv(9)
	time.sleep(0.05)
"""], env={**os.environ, "PYTHONHOME": sys.prefix})
PY
check others_are_looked_at [ "$(programs answered)" -gt "$before" ]
# a dump tries to read its command line as well
check dump_in_spite_of_it recorder_dump
# the reader itself may be beyond signals, in a read that FUSE has passed on
check readers_left [ "$(pgrep -P "$rec_pid" | wc -l)" -le 2 ]
recorder_stop && ok end || not_ok end
kill -KILL "$hang_pid"
finish
