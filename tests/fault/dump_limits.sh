#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The disk's limits while dumping: the oldest dumps go, a full disk ends one dump with a line that
# says why and leaves nothing behind, and recording goes on.
. "$(dirname "$0")/../lib/recorder.sh"
need_root dump_limits

dumps() { # how many there are, finished ones
	find "$work/dumps" -name 'flightrec-*.frd' | wc -l
}

dump_again() { # one more dump, however it ends
	local before
	before=$(grep -c '^flightrecd: dump [0-9]' "$work/rec.log")
	kill -USR1 "$rec_pid"
	local tries=500
	until [ "$(grep -c '^flightrecd: dump [0-9]' "$work/rec.log")" -gt "$before" ]; do
		((tries-- > 0)) || return 1
		sleep 0.02
	done
}

fill() { # some MiB of records
	"$build/tests/workload/truth_pipe" --rounds 60000 >/dev/null
}

# ---- a number of files
recorder_start --post-window 50ms --dump-max-files 2 || { not_ok start; finish; }
touch "$work/dumps/flightrec-notes.frd" "$work/dumps/mine.txt"
for _ in 1 2 3 4; do dump_again; done
check two_files_are_kept [ "$(find "$work/dumps" -name 'flightrec-2*.frd' | wc -l)" = 2 ]
check the_newest_is_kept test -e "$(echo "$work"/dumps/flightrec-2*-usr1-4.frd)"
check what_is_not_ours_is_kept test -e "$work/dumps/mine.txt" -a -e "$work/dumps/flightrec-notes.frd"
recorder_stop || not_ok stop
rm -r "$work/dumps"

# ---- a quota that one dump exceeds
recorder_start --post-window 50ms --dump-quota 1M --codec none || { not_ok start_quota; finish; }
fill
dump_again
check quota_is_told grep -q "not written: it would exceed dump_quota; raise dump_quota" "$work/rec.log"
check quota_leaves_nothing [ -z "$(find "$work/dumps" -name '*frd*' ! -name '*.lock')" ]
check quota_recording_goes_on kill -0 "$rec_pid"
recorder_stop || not_ok stop_quota
rm -r "$work/dumps"

# ---- a file system that gets full
mkdir -p "$work/dumps"
if ! mount -t tmpfs -o size=256k,mode=700 none "$work/dumps" 2>/dev/null; then
	skip full_disk "cannot mount here"
	finish
fi
trap 'cleanup; umount -l "$work/dumps" 2>/dev/null; rm -rf "$work"' EXIT
head -c 1M /dev/zero >"$work/dumps/filler" 2>/dev/null # as much as fits
truncate -s 192K "$work/dumps/filler"
recorder_start --post-window 200ms --dump-min-free 0 --codec none || { not_ok start_full; finish; }
fill
dump_again
check full_disk_is_told grep -q "not written: the disk is full" "$work/rec.log"
check full_disk_leaves_nothing [ -z "$(find "$work/dumps" -name '*frd*' ! -name '*.lock')" ]
rm "$work/dumps/filler"
mount -o remount,size=64m "$work/dumps"
dump_again
check dumps_again_when_there_is_room [ "$(dumps)" = 1 ]
dump=$(find "$work/dumps" -name 'flightrec-*.frd')
check that_dump_is_sound "$build/flightrec" verify "$dump"

# ---- what must stay free
recorder_stop || not_ok stop_full
recorder_start --post-window 50ms --dump-min-free 90 || { not_ok start_free; finish; }
head -c 20M /dev/zero >"$work/dumps/filler"
dump_again
check min_free_is_told grep -q "less than dump_min_free of it would stay free" "$work/rec.log"
check older_dumps_do_not_go_for_nothing [ "$(dumps)" = 1 ]
rm "$work/dumps/filler"
recorder_stop || not_ok stop_free
recorder_start --post-window 50ms --dump-min-free 95 || { not_ok start_again; finish; }
dump_again
check older_dumps_go_when_it_helps [ ! -e "$dump" ]
check that_made_room_for_one [ "$(dumps)" = 1 ]
recorder_stop || not_ok stop_again
umount "$work/dumps"
finish
