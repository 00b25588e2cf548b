#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What the kernel takes for itself: the service of service.sh and service_k6.sh with programs on the
# recorder's hooks that do nothing, that only read the clock, that write 24 bytes, and that tell of each
# transfer on a socket what no request can be made without, or its bytes of sends only. No recorder of
# these events costs less than the first.
#   FR_ROUNDS (150) of 1.4 seconds each
. "$(dirname "$0")/../lib/recorder.sh"
. "$(dirname "$0")/../lib/loads.sh"
need_root service_floor
rounds=${FR_ROUNDS:-150}

service_up --count "$work/count" || exit 1
for load in by_wrk by_k6; do
	[ $load = by_wrk ] || k6_there || break
	set -m # the load in a process group of its own
	FR_SECONDS=$((rounds * 2 + 20)) $load /hello >/dev/null &
	set +m
	groups_at_exit+=($!)
	sleep 2
	echo "$load:"
	"$build/tests/bench/service_floor" "$work/count" "$rounds" "$service_pid" || exit 1
	load_stop
done
