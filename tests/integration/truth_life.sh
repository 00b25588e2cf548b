#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Short lives while the ring overwrites itself: processes, threads that exec while not the leader,
# renames, connections that end well, are reset or refused. One CPU is busy while the other idles.
# Inside the common window of each dump every thread has its right name, every socket its addresses.
# timeout: 900
. "$(dirname "$0")/../lib/recorder.sh"
. "$(dirname "$0")/../lib/truth.sh"
need_root truth_life

procs=3000 conns=8000 dumps=3
[ -z "${FR_LONG:-}" ] || { procs=20000 conns=20000 dumps=12; }

# life NAME OPTION...
life() {
	local name=$1 files i
	shift
	recorder_start --codec none --redact off --ring-size 2M --post-window 100ms || exit 1
	truth_begin "$build/tests/workload/truth_life" --truth "$work/$name.life" --procs $procs \
		--conns $conns "$@" || exit 1
	truth_go
	for ((i = 1; i < dumps; i++)); do
		sleep 0.3
		recorder_dump || exit 1
	done
	truth_rest "$work/$name.json" 300 || exit 1
	recorder_dump || exit 1
	truth_end || not_ok "$name workload"
	recorder_stop || not_ok "$name stop"
	mkdir "$work/$name.dumps"
	mv "$work"/dumps/*.frd "$work/$name.dumps"
	files=("$work/$name.dumps"/*.frd)
	truth_judge life "$work/$name.life" "$name" 5 "${files[@]}"
	for i in "${files[@]}"; do
		truth_tool "$i"
	done
	truth_denies "$name a wrong name is noticed" 's/"thr-/"thx-/' "$work/$name.life" \
		life "$lie" "$name" 5 "${files[@]}"
	truth_denies "$name a wrong port is noticed" 's/"client_port":./"client_port":9/' \
		"$work/$name.life" life "$lie" "$name" 5 "${files[@]}"
	[ -n "${FR_KEEP:-}" ] || rm -f "${files[@]}"
}

life busy --cpu "$(($(nproc) - 1))"
[ -z "${FR_LONG:-}" ] || life all
finish
