#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What takes too long makes dumps by itself: a thread that waits for its CPU, a disk that really is
# slow (a loop device over a FUSE file system that delays), pressure. The cause is inside. timeout: 300
. "$(dirname "$0")/../lib/recorder.sh"
. "$(dirname "$0")/../lib/trigger.sh"
need_root trigger_waits

start() {
	recorder_start --ring-size 4M --codec none --redact off --post-window 100ms --cooldown 0s \
		--max-per-day 1000 --trigger http-5xx=off --trigger sql-error=off --trigger latency-p99=off \
		--config "$work/flightrec.ini" || { not_ok "start"; finish; }
}

# ---- waiting for a CPU: one thread with a real-time priority keeps another from it. The other one has
# a lower one of the kind: of all that wait for that CPU it is the first to get it, and what the rest of
# a busy host waits for comes later than its notice (there is one in 100 ms).
starve() {
	python3 - <<'PY'
import os, time
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
child = os.fork()
name = "fr_starved" if not child else "fr_hog"
open("/proc/self/comm", "w").write(name)
if child:
	os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
	for _ in range(4):
		time.sleep(0.25)
		busy = time.monotonic() + 0.35
		while time.monotonic() < busy:
			pass
	os.kill(child, 9)
	os.wait()
else:
	os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
	while True:
		time.sleep(0.02)
PY
}
if python3 -c 'import os; os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))' 2>"$work/err"; then
	printf '[trigger.runqueue]\nlimit = 250ms\n' >"$work/flightrec.ini"
	start
	cause starve
	caused "a thread that waits for a CPU" runqueue \
		'^waited ([2-9][0-9]{2} ms|[0-9.]+ s) for a CPU, limit 250 ms, pid [0-9]+ \(fr_starved\)$' \
		sched_switch 'e.next == t.tid' \
		'wait_of(d.events("sched_switch", "sched_waking"), t.tid, e.time) > 2.4 * 10 ** 8'
	not_caused "another thread is noticed" runqueue '^waited .*fr_starved' sched_switch \
		'e.next == t.tid + (1 << 21)'
	printf '[trigger.runqueue]\nlimit = off\n' >"$work/flightrec.ini"
	kill -HUP "$rec_pid"
	wait_line "$work/rec.log" "read again" 20
	cause starve
	quiet "without a limit it is no cause" runqueue '.*'
	recorder_stop
else
	skip "a thread that waits for a CPU" "no real-time priority: $(tail -1 "$work/err")"
fi

# ---- a slow disk
slow_disk_start() { # DELAY_MS
	mkdir -p "$work/slow"
	"$build/tests/workload/slow_disk" "$work/slow" 16 "$1" >"$work/slow.out" 2>"$work/slow.err" &
	slow_pid=$!
	wait_line "$work/slow.out" ready 20 || return 1
	loop=$(losetup -f --show "$work/slow/disk" 2>>"$work/slow.err") && return
	umount -l "$work/slow"
	return 1
}
slow_disk_stop() {
	losetup -d "$loop"
	umount -l "$work/slow" # who else looks at new disks may still have this one open
	wait "$slow_pid"
}
write_to_it() {
	dd if=/dev/zero of="$loop" bs=4k count=1 oflag=direct
}
if slow_disk_start 400; then
	dev=$((16#$(stat -c %t "$loop"))):$((16#$(stat -c %T "$loop")))
	printf '[trigger.block]\nlimit = 300ms\n' >"$work/flightrec.ini"
	start
	cause write_to_it
	caused "a slow disk" block "^$from_400_ms for a request to disk $dev, limit 300 ms, pid [0-9]+" \
		block_complete "e.dev == ${dev%:*} << 20 | ${dev#*:}" 'e.latency > 3 * 10 ** 8' 'e.op == 1'
	not_caused "another disk is noticed" block "^.*to disk $dev" block_complete 'e.dev == 1'
	recorder_stop
	printf '[trigger.block]\nlimit = 2s\n' >"$work/flightrec.ini"
	start
	cause write_to_it
	quiet "a disk within its limit is no cause" block ".* to disk $dev"
	recorder_stop
	slow_disk_stop
else
	skip "a slow disk" "no loop device over FUSE: $(tail -1 "$work/slow.err")"
fi

# ---- pressure: more threads than CPUs want to run
burn() {
	local pids=()
	for _ in $(seq $(($(nproc) + 2))); do
		timeout 3 sh -c 'while :; do :; done' &
		pids+=($!)
	done
	wait "${pids[@]}"
}
if [ -w /proc/pressure/cpu ] && cat /proc/pressure/cpu >/dev/null 2>"$work/err"; then
	printf '[trigger.psi]\ncpu = 20%%\n' >"$work/flightrec.ini"
	start
	cause burn
	caused "pressure on CPUs" psi '^pressure on cpu: tasks were stalled for over 20% of 2 s \(some avg10=' \
		sched_switch 'e.preempt or not e.state'
	recorder_stop
	printf '[trigger.psi]\nmemory = 90%%\n' >"$work/flightrec.ini"
	start
	cause burn
	quiet "pressure on something else is no cause" psi '.*'
	check "memory is watched" [ -z "$(grep "cannot watch" "$work/rec.log")" ]
	recorder_stop
else
	skip "pressure on CPUs" "no /proc/pressure: $(tail -1 "$work/err")"
fi
finish
