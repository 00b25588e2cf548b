#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Rare things on sockets, signals and disks that were told wrongly once.
. "$(dirname "$0")/../lib/recorder.sh"
need_root corners

for hooks in tracepoints syscalls; do
	rm -rf "$work/dumps"
	recorder_start --codec none --redact off --hooks "$hooks" || { not_ok "start_$hooks"; continue; }
	if ! taskset -c 0 python3 "$root/tests/workload/corners.py" >"$work/truth.json"; then
		not_ok "work_$hooks"
		continue
	fi
	recorder_dump || { not_ok "dump_$hooks"; continue; }
	first=$dump
	recorder_dump || { not_ok "second_dump_$hooks"; continue; }
	recorder_stop || not_ok "stop_$hooks"
	PYTHONDONTWRITEBYTECODE=1 python3 "$root/tests/integration/check_corners.py" \
		"$work/truth.json" "$first" "$dump" | sed "s/^\(ok\|not ok\|skip\) \([a-z_0-9]*\)/\1 \2_$hooks/"
	[ "${PIPESTATUS[0]}" = 0 ] || failures=$((failures + 1))
done
finish
