#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What each part of recording costs the service of service.sh: families alone, and all of them
# without the bytes. The least that is measured is one per cent or so: FR_PAIRS (25) pairs each.
. "$(dirname "$0")/../lib/recorder.sh"
. "$(dirname "$0")/../lib/on_off.sh"
. "$(dirname "$0")/../lib/loads.sh"
recorder_triggers=on # as by default
need_root service_parts

service_up || exit 1
no_bytes=(--capture-request-bytes 0 --capture-response-bytes 0)

on_off "all" "" by_wrk /hello
on_off_options=("${no_bytes[@]}")
on_off "all but bytes" "" by_wrk /hello
on_off_options=(--families sock "${no_bytes[@]}")
on_off "sock, no bytes" "" by_wrk /hello
for families in sched waking sched,waking tcp; do
	on_off_options=(--families "$families")
	on_off "$families" "" by_wrk /hello
done
