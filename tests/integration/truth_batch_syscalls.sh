#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Datagrams by sendmmsg and recvmmsg: each has its own bytes in the dump, or none and says so; also
# where a call is under way as the recorder starts. Hooks: syscalls.
. "$(dirname "$0")/../lib/recorder.sh"
. "$(dirname "$0")/../lib/truth.sh"
need_root truth_batch_syscalls

truth_begin "$build/tests/workload/truth_batch" || exit 1
recorder_start --codec none --redact off --families proc,sock --hooks syscalls || exit 1
truth_work "$work/truth.json" || exit 1
recorder_dump || exit 1
truth_end || not_ok workload
recorder_stop || not_ok stop
truth_judge batch "$work/truth.json" "$dump" syscalls
truth_denies "another message's bytes are noticed" 's/"data":"3030303030303130/"data":"3030303030303139/g' \
	"$work/truth.json" batch "$lie" "$dump" syscalls
finish
