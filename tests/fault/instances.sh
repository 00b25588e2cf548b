#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# One daemon a dump directory, nothing left behind by kill -9, a restart that works at once, and
# going into the background.
. "$(dirname "$0")/../lib/recorder.sh"
need_root instances

flightrecd=$build/flightrecd

# Ids of the BPF programs that a process holds.
programs_of() {
	cat /proc/"$1"/fdinfo/* 2>/dev/null | awk '$1 == "prog_id:" { print $2 }' | sort -un
}

# How many of the programs listed in a file are still there.
programs_alive() {
	local id alive=0
	while read -r id; do
		bpftool prog show id "$id" >/dev/null 2>&1 && alive=$((alive + 1))
	done <"$1"
	echo "$alive"
}

# The kernel frees programs after a grace period.
programs_gone() {
	local tries=400
	while [ "$(programs_alive "$1")" != 0 ]; do
		((tries-- > 0)) || { echo "$(programs_alive "$1") programs are still loaded"; return 1; }
		sleep 0.05
	done
}

# did NAME COMMAND...: like check, in this shell
did() {
	local name=$1
	shift
	if "$@"; then
		ok "$name"
	else
		not_ok "$name"
	fi
}

# second NAME PATTERN OPTION...
second() {
	local name=$1 pattern=$2 code=0
	shift 2
	timeout 60 "$flightrecd" --foreground "$@" >"$work/out2" 2>"$work/err2" || code=$?
	[ "$code" = 5 ] && grep -q "$pattern" "$work/err2" && ok "$name" && return
	not_ok "$name" "exit code $code: $(cat "$work/err2")"
}

recorder_start || { not_ok start; finish; }
second second_on_directory "in use by another flightrecd (pid $rec_pid)" \
	--dump-dir "$work/dumps" --control off
second second_on_socket "in use by another flightrecd" \
	--dump-dir "$work/other" --control "$work/control.sock"
check first_still_answers python3 "$root/tests/lib/control.py" "$work/control.sock" status

if command -v bpftool >/dev/null; then
	programs_of "$rec_pid" >"$work/programs"
	check programs_are_loaded [ "$(programs_alive "$work/programs")" -ge 10 ]
	kill -KILL "$rec_pid"
	wait "$rec_pid" 2>/dev/null
	rec_pid=
	# at once: the lock of the dead one and its socket must not be in the way
	did restart_after_kill recorder_start
	check kill_leaves_nothing programs_gone "$work/programs"
	programs_of "$rec_pid" >"$work/programs"
	did end_is_clean recorder_stop
	check end_leaves_nothing programs_gone "$work/programs"
else
	skip kill_leaves_nothing "bpftool is not installed"
	recorder_stop
fi
check socket_is_removed [ ! -e "$work/control.sock" ]

# kill -9 while a dump is being made: its child must not keep anything attached either
if command -v bpftool >/dev/null && recorder_start --post-window 5s; then
	programs_of "$rec_pid" >"$work/programs"
	kill -USR1 "$rec_pid"
	wait_line "$work/rec.log" "usr1 started" 20
	kill -KILL "$rec_pid"
	wait "$rec_pid" 2>/dev/null
	rec_pid=
	did restart_after_kill_while_dumping recorder_start
	recorder_stop
	links_gone() { # its dumper is ended by the kernel, but not before it runs again
		local tries=400 left
		while left=$(bpftool link list 2>/dev/null | sed -n 's/^[0-9]*: .*  prog \([0-9]*\) .*/\1/p' |
			grep -xFf "$work/programs"); do
			((tries-- > 0)) || { echo "attached: $left"; return 1; }
			sleep 0.05
		done
	}
	check kill_while_dumping_leaves_nothing links_gone
fi

# systemd's protocol: told when recording has begun, and when it ends
mkfifo "$work/told"
python3 - "$work/notify" >"$work/told" <<'PY' &
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.settimeout(60)
s.bind(sys.argv[1])
print("bound", flush=True)
for _ in range(2):
	print(s.recv(4096).decode().split("\n")[0], flush=True)
PY
kill_at_exit+=("$!")
exec 4<"$work/told"
read -rt 30 word <&4
NOTIFY_SOCKET=$work/notify
export NOTIFY_SOCKET
if recorder_start; then
	unset NOTIFY_SOCKET
	read -rt 30 word <&4
	check service_manager_is_told [ "$word" = READY=1 ]
	recorder_stop
	read -rt 30 word <&4
	check service_manager_is_told_of_the_end [ "$word" = STOPPING=1 ]
fi
exec 4<&-

# in the background: the command comes back when recording has begun
code=0
"$flightrecd" --dump-dir "$work/dumps" --control "$work/control.sock" --pid-file "$work/pid" \
	>"$work/out" 2>"$work/err" || code=$?
rec_pid=$(cat "$work/pid" 2>/dev/null)
check background_returns_0 [ "$code" = 0 ]
check background_is_ready grep -q "^ready .*pid=$rec_pid\$" "$work/out"
check background_answers python3 "$root/tests/lib/control.py" "$work/control.sock" status
check background_has_no_terminal [ "$(ps -o tty= -p "$rec_pid" | tr -d ' ')" = '?' ]
check background_is_no_session_leader [ "$(ps -o sid= -p "$rec_pid" | tr -d ' ')" != "$rec_pid" ]
code=0
"$flightrecd" --dump-dir "$work/dumps" --control off >"$work/out" 2>"$work/err" || code=$?
check background_tells_failure [ "$code" = 5 ]
check background_tells_why grep -q "pid $rec_pid" "$work/err"
python3 "$root/tests/lib/control.py" "$work/control.sock" stop
tries=400
while kill -0 "$rec_pid" 2>/dev/null && ((tries-- > 0)); do
	sleep 0.05
done
check background_stops [ ! -d "/proc/$rec_pid" ]
rec_pid=
check pid_file_is_removed [ ! -e "$work/pid" ]
finish
