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

recorder_start --max-sockets 8000 || { not_ok start; finish; }
python3 - <<'PY'
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
recorder_start --max-sockets 200 || { not_ok start_again; finish; }
python3 - <<'PY'
import socket, time
held = []
for _ in range(300):
	a, b = socket.socketpair()
	a.send(b"hello")
	held.append((a, b))
PY
none=$(counter sock_nostate)
check beyond_the_limit_is_counted [ "$none" -ge 100 ]
sleep 1.2
python3 - <<'PY'
import socket, time
for _ in range(2): # the first ones may come before the count
	a, b = socket.socketpair()
	a.send(b"hello")
	time.sleep(0.5)
PY
none=$(counter sock_nostate)
python3 -c "
import socket
a, b = socket.socketpair()
a.send(b'hello')"
check room_again [ "$(counter sock_nostate)" = "$none" ]
recorder_stop || not_ok stop_again
finish
