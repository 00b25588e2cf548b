#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Two threads switch to and fro a known number of times: the dump has exactly those switches,
# wakings and run-queue waits.
. "$(dirname "$0")/../lib/recorder.sh"
. "$(dirname "$0")/../lib/truth.sh"
need_root truth_pipe

rounds=3000
[ -z "${FR_LONG:-}" ] || rounds=100000

recorder_start --codec none || exit 1
truth_begin "$build/tests/workload/truth_pipe" --rounds "$rounds" || exit 1
truth_work "$work/truth.json" || exit 1
recorder_dump || exit 1
truth_end || not_ok workload
recorder_stop || not_ok stop
truth_judge pipe "$work/truth.json" "$dump"
truth_tool "$dump"
truth_denies "a switch too many is noticed" 's/"switches":/"switches":1/' "$work/truth.json" \
	pipe "$lie" "$dump"
finish
