#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A thread that takes so long over its very end that the record of its exit is overwritten, while no
# list of threads has it any more and its last record is still to come: its switches have its name.
. "$(dirname "$0")/../lib/recorder.sh"
. "$(dirname "$0")/../lib/truth.sh"
need_root truth_late
command -v taskset >/dev/null || { skip truth_late "needs taskset (util-linux)"; exit 0; }

cpu=$(($(nproc) - 1))
allowed=$(taskset -cp $$ | sed 's/.*: //')
truth_begin "$build/tests/workload/truth_late" --cpu "$cpu" || exit 1
# who lives is told when recording begins: on the CPU that will soon overwrite it
taskset -cp "$cpu" $$ >/dev/null
recorder_start --codec none --redact off --ring-size 4M --post-window 100ms || exit 1
taskset -acp "$allowed" "$rec_pid" >/dev/null
taskset -cp "$allowed" $$ >/dev/null
truth_work "$work/late.json" 60 || exit 1

shown=
for ((i = 0; i < 12; i++)); do
	recorder_dump || exit 1
	PYTHONDONTWRITEBYTECODE=1 python3 "$root/tests/integration/check_late.py" --shows \
		"$work/late.json" "$dump" && shown=$dump && break
done
truth_end || not_ok "workload"
recorder_stop || not_ok "stop"
if [ -z "$shown" ]; then
	skip truth_late "the thread's end was over before its exit was overwritten"
	finish
fi
truth_judge late "$work/late.json" late "$shown"
truth_denies "a wrong name is noticed" 's/late-end/late-and/' "$work/late.json" \
	late "$lie" late "$shown"
truth_tool "$shown"
"$build/flightrec" convert "$shown" --to text -o "$work/late.txt" 2>"$work/late.err" ||
	not_ok "convert" "$(cat "$work/late.err")"
check "the text tells of its end" grep -q "proc_state .*comm=late-end .*flags=.*ended" "$work/late.txt"
check "the text has its name" grep -q "late-end/[0-9]* sched_switch" "$work/late.txt"
finish
