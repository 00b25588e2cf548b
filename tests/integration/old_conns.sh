#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Connections older than the recorder: their offsets count from their start all the same, by what the
# kernel has counted, so that both ends of one agree.
. "$(dirname "$0")/../lib/recorder.sh"
need_root old_conns

for hooks in tracepoints syscalls; do
	rm -rf "$work/dumps"
	: >"$work/did"
	coproc conns { exec python3 "$root/tests/workload/old_conns.py" >"$work/did"; }
	kill_at_exit+=("$conns_PID")
	wait_line "$work/did" '^ready' 20 || { not_ok "ready_$hooks"; continue; }
	recorder_start --codec none --redact off --hooks "$hooks" || { not_ok "start_$hooks"; continue; }
	pid=$conns_PID
	echo >&"${conns[1]}"
	wait "$pid" || { not_ok "work_$hooks"; continue; }
	recorder_dump || { not_ok "dump_$hooks"; continue; }
	recorder_stop || not_ok "stop_$hooks"
	sed -n 2p "$work/did" >"$work/truth.json"
	PYTHONDONTWRITEBYTECODE=1 python3 "$root/tests/integration/check_old_conns.py" \
		"$work/truth.json" "$dump" | sed "s/^\(ok\|not ok\|skip\) \([a-z_0-9]*\)/\1 \2_$hooks/"
	[ "${PIPESTATUS[0]}" = 0 ] || failures=$((failures + 1))
done
finish
