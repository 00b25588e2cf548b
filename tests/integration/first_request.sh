#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Programs that run when recording begins are looked at then: the first request of a Go service that
# nobody has talked to has its goroutine already.
. "$(dirname "$0")/../lib/recorder.sh"
need_root first_request

service_build || { not_ok service; finish; }
service_start || { not_ok service; finish; }
recorder_start || { not_ok start; finish; }
programs() {
	python3 "$root/tests/lib/control.py" "$work/control.sock" status format=json |
		python3 -c "import json, sys; print(json.load(sys.stdin)['programs']['$1'])"
}
looked_at() {
	local tries=200
	until [ "$(programs go)" -ge 1 ]; do
		((tries-- > 0)) || return 1
		sleep 0.05
	done
}
check is_looked_at_without_a_message looked_at
curl -s -o /dev/null "http://$service/nested"
recorder_dump || { not_ok dump; finish; }
"$build/flightrec" convert "$dump" --to text --pid "$service_pid" -o "$work/text" 2>"$work/err"
requests() { # PATTERN: requests of the service that were seen and look so
	grep -cE "goservice/[0-9]+ request $1" "$work/text"
}
check both_requests_are_there [ "$(requests 'side=server protocol=http name=GET')" = 2 ]
check each_has_its_goroutine [ "$(requests 'side=server .* goid=[0-9]+')" = 2 ]
recorder_stop && ok end || not_ok end
finish
