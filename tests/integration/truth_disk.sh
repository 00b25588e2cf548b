#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Blocks written and read with O_DIRECT: the dump has each sector of them, issued and completed.
. "$(dirname "$0")/../lib/recorder.sh"
. "$(dirname "$0")/../lib/truth.sh"
need_root truth_disk

count=32
[ -z "${FR_LONG:-}" ] || count=1000

recorder_start --codec none || exit 1
truth_begin "$build/tests/workload/truth_disk" --dir "$work" --count $count
status=$?
if [ $status = 77 ]; then
	skip truth_disk "$(sed 's/.*SKIP: //' "$work/truth.err")"
	exit 0
fi
[ $status = 0 ] || exit 1
truth_work "$work/truth.json" || exit 1
recorder_dump || exit 1
truth_end || not_ok workload
recorder_stop || not_ok stop
truth_judge disk "$work/truth.json" "$dump"
truth_tool "$dump"
truth_denies "a wrong sector is noticed" 's/"sector":\([0-9]\)/"sector":9\1/' "$work/truth.json" \
	disk "$lie" "$dump"
finish
