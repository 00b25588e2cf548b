#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# As service.sh, under k6: 16 users who ask for one INSERT after another, all on this host. A user's
# work is most of what the CPUs do then, as it is where services are compared so. Bar: >= 98 %.
#   FR_PAIRS (25), FR_SECONDS (2) of load each, FR_HOOKS (auto)
. "$(dirname "$0")/../lib/recorder.sh"
. "$(dirname "$0")/../lib/on_off.sh"
. "$(dirname "$0")/../lib/loads.sh"
recorder_triggers=on # as by default
need_root service_k6
k6_there || exit 0

service_up || exit 1

on_off /hello 98 by_k6 /hello
