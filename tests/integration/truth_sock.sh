#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Known transfers through every kind of call, over TCP, unix streams and UDP: the dump has each of
# them with its direction, size or error, stream offset and bytes. Hooks: tracepoints.
. "$(dirname "$0")/../lib/recorder.sh"
. "$(dirname "$0")/../lib/truth.sh"
need_root truth_sock

recorder_start --codec none --redact off --hooks tracepoints || exit 1
truth_begin "$build/tests/workload/truth_sock" || exit 1
truth_work "$work/truth.json" || exit 1
recorder_dump || exit 1
truth_end || not_ok workload
recorder_stop || not_ok stop
truth_judge sock "$work/truth.json" "$dump" tracepoints
truth_tool "$dump"
truth_denies "a byte too many is noticed" 's/"result":300/"result":301/' "$work/truth.json" \
	sock "$lie" "$dump" tracepoints
truth_denies "a wrong byte is noticed" 's/"head":"../"head":"00/' "$work/truth.json" \
	sock "$lie" "$dump" tracepoints
finish
