#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Processes that end in every way: exit codes and fatal signals are recorded, once and of the right
# thread; signals that nobody died of are not.
. "$(dirname "$0")/../lib/recorder.sh"
. "$(dirname "$0")/../lib/truth.sh"
need_root truth_signals

recorder_start --codec none || exit 1
truth_begin "$build/tests/workload/truth_signals" || exit 1
truth_work "$work/truth.json" || exit 1
recorder_dump || exit 1
truth_end || not_ok workload
recorder_stop || not_ok stop
truth_judge signals "$work/truth.json" "$dump"
truth_tool "$dump"
truth_denies "a wrong signal is noticed" 's/"signal":11/"signal":7/' "$work/truth.json" \
	signals "$lie" "$dump"
finish
