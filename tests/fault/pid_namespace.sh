#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# As process 1 of a pid namespace (a container), the recorder knows its own work from that of the
# host's services, which are children of the process 1 outside; and says what it cannot see.
. "$(dirname "$0")/../lib/recorder.sh"
need_root pid_namespace
unshare -pf --mount-proc true 2>/dev/null || { skip pid_namespace "no pid namespaces here"; exit 0; }

mkdir -m 700 "$work/dumps"
unshare -pf --mount-proc bash -c "exec '$build/flightrecd' --foreground --dump-dir '$work/dumps' \
	--control '$work/control.sock' --codec none" >"$work/rec.out" 2>"$work/rec.log" &
unshare_pid=$!
wait_line "$work/rec.out" '^ready' 60 || { not_ok start "$(cat "$work/rec.log")"; finish; }
check is_process_1 grep -q ' pid=1$' "$work/rec.out"
check hidden_threads_are_told grep -q 'degraded: runs in a pid namespace' "$work/rec.log"
rec_pid=$(pgrep -P "$unshare_pid")

# an orphan that sends something: a child of process 1
cat >"$work/orphan.py" <<'PY'
import os, socket, sys, time
while os.getppid() not in (0, 1):
	time.sleep(0.01)
a, b = socket.socketpair()
for _ in range(100):
	a.send(b"hello")
	b.recv(10)
open(sys.argv[1], "w").write("%d\n" % os.getpid())
PY
setsid python3 -c "
import os, sys
if os.fork() == 0:
	os.execvp('python3', ['python3', sys.argv[1], sys.argv[2]])" "$work/orphan.py" "$work/orphan2.pid"
if ! wait_line "$work/orphan2.pid" '[0-9]' 30; then
	skip orphan "orphans go to another process than 1"
	finish
fi
python3 "$root/tests/lib/control.py" "$work/control.sock" status >/dev/null
if recorder_dump; then ok dump; else not_ok dump; finish; fi
check orphan_is_recorded python3 - "$root/tests/lib" "$dump" "$(cat "$work/orphan2.pid")" <<'PY'
import sys
sys.path.insert(0, sys.argv[1])
import frd
d = frd.Dump(sys.argv[2])
tid = int(sys.argv[3])
sends = [e for e in d.events("sock_send") if e.tid == tid]
assert len(sends) == 100, "%d of 100 sends" % len(sends)
own = {c.name: c.value for c in d.loss.counters}.get("self", 0)
assert own, "the answer on the control socket was not kept out"
PY
kill -TERM "$rec_pid"
rec_pid=
wait "$unshare_pid" && ok stop || not_ok stop
finish
