#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Unix and UDP sockets end unseen: a host that opens many of them, few at a time, must not run into
# the limit on sockets that are kept track of.
. "$(dirname "$0")/../lib/recorder.sh"
need_root socket_limit

counter() {
	python3 "$root/tests/lib/control.py" "$work/control.sock" status format=json |
		python3 -c "import json, sys; print(json.load(sys.stdin)['counters'].get('$1', 0))"
}

# a name that nobody else has, so that the sockets of the rest of the host do not count
python=$work/fr_py$$
cp "$(python3 -c 'import os, sys; print(os.path.realpath(sys.executable))')" "$python"
PYTHONHOME=$(python3 -c 'import sys; print(sys.base_prefix)')
export PYTHONHOME

recorder_start --max-sockets 8000 --filter-comm "fr_py$$" || { not_ok start; finish; }
"$python" - <<'PY'
import socket, time
for _ in range(4):
	for _ in range(2000): # half of the limit at a time: the host has others
		a, b = socket.socketpair()
		a.send(b"hello")
		b.recv(10)
		a.close()
		b.close()
	time.sleep(1.2)
PY
check all_were_kept_track_of [ "$(counter sock_created)" -ge 16000 ]
check none_was_without_state [ "$(counter sock_nostate)" = 0 ]
recorder_stop || not_ok stop

# more at a time than the limit: counted, and over when they are gone
recorder_start --max-sockets 200 --filter-comm "fr_py$$" || { not_ok start_again; finish; }
"$python" - <<'PY'
import socket, time
held = []
for _ in range(300):
	a, b = socket.socketpair()
	a.send(b"hello")
	held.append((a, b))
PY
none=$(counter sock_nostate)
check beyond_the_limit_is_counted [ "$none" -ge 100 ]
one_more() { # two sockets more, and nothing without state
	local none
	none=$(counter sock_nostate)
	"$python" -c '
import socket
a, b = socket.socketpair()
a.send(b"hello")'
	[ "$(counter sock_nostate)" = "$none" ]
}
# the first ones may come before those that are gone have been counted
room_again() {
	local tries=20
	until one_more; do
		((tries-- > 0)) || return 1
		sleep 0.5
	done
}
check room_again room_again
recorder_stop || not_ok stop_again
finish
