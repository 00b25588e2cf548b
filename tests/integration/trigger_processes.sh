#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Processes that die make dumps by themselves: a real SIGSEGV, a real OOM kill in a memory cgroup, a
# watched process that ends. The cause is inside. timeout: 300
. "$(dirname "$0")/../lib/recorder.sh"
. "$(dirname "$0")/../lib/trigger.sh"
need_root trigger_processes

start() {
	recorder_start --ring-size 4M --codec none --redact off --post-window 100ms --cooldown 0s \
		--max-per-day 1000 \
		--trigger http-5xx=off --trigger sql-error=off --trigger latency-p99=off "$@" ||
		{ not_ok "start $*"; finish; }
}

# A program of a name that nobody else has.
named() { # NAME PROGRAM
	cp "$(type -P "$2")" "$work/$1"
}

ulimit -c 0
its='e.tgid == t.tgid and e.tid == t.tid'
start
cause python3 -c 'import ctypes; open("/proc/self/comm", "w").write("fr_segv"); ctypes.string_at(0)'
caused "SIGSEGV" signal '^SIGSEGV, pid [0-9]+ \(fr_segv\)$' proc_signal "$its" 'e.sig == 11' \
	'e.comm == "fr_segv"'
not_caused "another signal is noticed" signal '^SIGSEGV.*fr_segv' proc_signal "$its" 'e.sig == 6'
sleep 0.2
cause python3 -c 'import os; open("/proc/self/comm", "w").write("fr_abrt"); os.abort()'
caused "SIGABRT" signal '^SIGABRT, pid [0-9]+ \(fr_abrt\)$' proc_signal "$its" 'e.sig == 6'
cause python3 -c 'import os; open("/proc/self/comm", "w").write("fr_term"); os.kill(os.getpid(), 15)'
quiet "SIGTERM is no cause" signal '.*\(fr_term\)'
cause python3 -c '
import os, signal, sys
open("/proc/self/comm", "w").write("fr_handled")
signal.signal(signal.SIGSEGV, lambda *a: sys.exit(0))
os.kill(os.getpid(), signal.SIGSEGV)'
quiet "a signal that is handled is no cause" signal '.*\(fr_handled\)'

# ---- out of memory, in a cgroup of its own
group=/sys/fs/cgroup/memory/fr_trigger.$$
limit=memory.limit_in_bytes
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
	group=/sys/fs/cgroup/fr_trigger.$$
	limit=memory.max
	echo +memory >/sys/fs/cgroup/cgroup.subtree_control 2>/dev/null
fi
eat() {
	bash -c 'echo $$ >"$1/cgroup.procs" && exec python3 -c "
open(\"/proc/self/comm\", \"w\").write(\"fr_oom\")
x = [bytearray(1 << 20) for _ in range(4096)]"' eat "$group"
}
if mkdir "$group" 2>"$work/err" && echo $((64 << 20)) 2>"$work/err" >"$group/$limit"; then
	cause eat
	caused "an OOM kill" oom '^out of memory, victim chosen, pid [0-9]+ \(fr_oom\)$' proc_oom "$its" \
		'e.comm == "fr_oom"'
	rmdir "$group"
else
	skip "an OOM kill" "no memory cgroup can be made: $(tail -1 "$work/err")"
fi
recorder_stop

# ---- ends of processes
named fr_ends_well true
named fr_ends_ill false
named fr_other false
printf '[trigger.exit]\nprocess = fr_ends_well, fr_ends_ill\nstatus = failure\n' >"$work/flightrec.ini"
start --config "$work/flightrec.ini"
cause "$work/fr_ends_well"
quiet "a good end is no cause" exit '.*\(fr_ends_well\)'
cause "$work/fr_other"
quiet "the end of another process is no cause" exit '.*\(fr_other\)'
cause "$work/fr_ends_ill"
caused "a process that fails" exit '^ended with status 1, pid [0-9]+ \(fr_ends_ill\)$' proc_exit "$its" \
	'e.exit_code == 256' 'e.flags & 1'
printf '[trigger.exit]\nprocess = fr_ends_well\n' >"$work/flightrec.ini"
kill -HUP "$rec_pid"
wait_line "$work/rec.log" "read again" 20
cause "$work/fr_ends_well"
caused "a process that ends" exit '^ended with status 0, pid [0-9]+ \(fr_ends_well\)$' proc_exit "$its" \
	'e.exit_code == 0'
recorder_stop
check "no dump of the recorder's own doing" \
	[ -z "$(grep -E 'seen: .*\(flightrecd\)' "$work/rec.log")" ]
finish
