#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# From starting the daemon to its line `ready`: every probe attached and recording. FR_RUNS (5).
. "$(dirname "$0")/../lib/recorder.sh"
need_root start

times=()
for ((i = 0; i < ${FR_RUNS:-5}; i++)); do
	before=$(date +%s%N)
	recorder_start || exit 1
	times+=($((($(date +%s%N) - before) / 1000000)))
	recorder_stop
done
printf '%s\n' "${times[@]}" | sort -n | awk '{ v[NR] = $1 } END {
	printf "start to ready: median %d ms of %d runs, to within 20 ms\n", v[int((NR + 1) / 2)], NR }'
