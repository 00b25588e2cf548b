#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What recording costs a service: requests/s of the Go service with and without the recorder, as wrk
# gets them, which costs next to nothing itself. Bars: /hello (one INSERT) >= 97 %, /ping >= 95 % (it
# does nothing else per request).
#   FR_PAIRS (25), FR_SECONDS (1) of load each, FR_HOOKS (auto)
. "$(dirname "$0")/../lib/recorder.sh"
. "$(dirname "$0")/../lib/on_off.sh"
. "$(dirname "$0")/../lib/loads.sh"
recorder_triggers=on # as by default
need_root service

service_up || exit 1

on_off /hello 97 by_wrk /hello
on_off /ping 95 by_wrk /ping
