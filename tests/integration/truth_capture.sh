#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Messages split over iovecs, in memory that is unmapped or not there yet, larger than the limit,
# peeked at: what is captured of them is right, what is not is marked. With both kinds of hooks.
. "$(dirname "$0")/../lib/recorder.sh"
. "$(dirname "$0")/../lib/truth.sh"
need_root truth_capture

for hooks in tracepoints syscalls; do
	recorder_start --codec none --redact off --hooks $hooks || exit 1
	for kind in tcp unix; do
		truth_begin "$build/tests/workload/truth_capture" --kind $kind || exit 1
		truth_work "$work/truth-$hooks-$kind.json" || exit 1
		recorder_dump || exit 1
		mv "$dump" "$work/$hooks-$kind.frd"
		truth_end || not_ok workload
	done
	recorder_stop || not_ok "$hooks stop"
	for kind in tcp unix; do
		truth_judge capture "$work/truth-$hooks-$kind.json" "$work/$hooks-$kind.frd" $hooks
		truth_denies "$kind $hooks a wrong byte is noticed" 's/"data":"../"data":"00/' \
			"$work/truth-$hooks-$kind.json" capture "$lie" "$work/$hooks-$kind.frd" $hooks
	done
done
finish
