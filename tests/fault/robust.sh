#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What surrounds the recorder breaks: the reader of its log goes away, its dump directory is
# removed, it is killed while a dump is written. Recording goes on, or can begin again at once.
. "$(dirname "$0")/../lib/recorder.sh"
need_root robust

status() {
	python3 "$root/tests/lib/control.py" "$work/control.sock" status format=json |
		python3 -c "import json, sys; print(json.load(sys.stdin)['dumps']['$1'])"
}

# Functions that change variables of this shell, or wait for its children, cannot run under check.
good() { # NAME COMMAND...
	local name=$1
	shift
	if "$@" >"$work/good.out" 2>&1; then ok "$name"; else not_ok "$name" "$(cat "$work/good.out")"; fi
}

wait_status() { # KEY VALUE
	local tries=400
	until [ "$(status "$1")" = "$2" ]; do
		((tries-- > 0)) || return 1
		sleep 0.05
	done
}

# ---- nobody reads the log any more
mkdir -m 700 "$work/dumps"
mkfifo "$work/log.pipe"
head -c 1 "$work/log.pipe" >/dev/null &
reader=$!
"$build/flightrecd" --foreground --dump-dir "$work/dumps" --control "$work/control.sock" \
	"${triggers_off[@]}" --post-window 50ms >"$work/rec.out" 2>"$work/log.pipe" &
rec_pid=$!
wait_line "$work/rec.out" '^ready' 20 || not_ok start
kill -USR1 "$rec_pid" # two lines: the first is read, the second finds nobody
wait "$reader"
check dump_without_a_log wait_status written 1
kill -USR1 "$rec_pid"
check dump_after_broken_log wait_status written 2
good ends_well_without_a_log recorder_stop

# ---- the dump directory is removed
recorder_start --post-window 50ms || { not_ok start_again; finish; }
rm -r "$work/dumps"
kill -USR1 "$rec_pid"
check removed_directory_is_told wait_line "$work/rec.log" "directory was removed; make it again" 30
check removed_directory_is_counted wait_status failed 1
check recording_goes_on [ "$(status busy)" = False ]
recorder_stop || not_ok stop

# ---- killed while a dump is written
recorder_start --post-window 2s || { not_ok start_third; finish; }
kill -USR1 "$rec_pid"
wait_line "$work/rec.log" "usr1 started" 30
children=$(pgrep -P "$rec_pid")
check a_dumper_runs [ -n "$children" ]
kill -KILL "$rec_pid"
wait "$rec_pid" 2>/dev/null
rec_pid=
good starts_again_at_once recorder_start --post-window 50ms
left() { # those of the children that still run; a zombie waits for init only
	# shellcheck disable=SC2086 # they are words
	ps -o pid=,ppid=,stat=,wchan=,comm= -p "$(echo $children | tr ' ' ,)" | awk '$3 !~ /^Z/'
}
for _ in $(seq 500); do
	[ -n "$(left)" ] || break
	sleep 0.02
done
if [ -n "$(left)" ]; then
	not_ok no_child_is_left "$(left)"
else
	ok no_child_is_left
fi
good dump_after_all_that recorder_dump
good end recorder_stop
finish
