#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A real recording, dumped twice: each dump and both together convert to Chrome traces that the
# strict checker takes; what both hold comes once; each event of the dumps is in the text; filters
# and ranges keep what they should; the control commands do what they say.
. "$(dirname "$0")/../lib/recorder.sh"
need_root convert
tool=$build/flightrec
strict=$root/tests/golden/check_chrome.py

talk() { # a few connections over loopback, and short-lived processes
	python3 - <<-'PY'
	import socket, threading
	server = socket.socket()
	server.bind(("127.0.0.1", 0))
	server.listen()
	def serve():
	    for _ in range(20):
	        peer, _ = server.accept()
	        peer.recv(1000)
	        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	        peer.close()
	thread = threading.Thread(target=serve)
	thread.start()
	for _ in range(20):
	    s = socket.create_connection(server.getsockname())
	    s.send(b"GET /x HTTP/1.1\r\n\r\n")
	    s.recv(1000)
	    s.close()
	thread.join()
	PY
	for _ in $(seq 30); do /bin/true; done
	dd if=/dev/zero of="$work/disk" bs=64k count=4 oflag=direct 2>/dev/null
}

events_of() { # DUMP: how many, by info
	"$tool" info "$1" --json 2>/dev/null | python3 -c '
import json, sys
print(sum(int(n) for n in json.load(sys.stdin)["events"].values()))'
}

lines_of() { # FILE: events in a text; a request's line is none
	grep -vcE '^#| request side=(server|client) protocol=' "$1"
}

recorder_start --redact off --post-window 50ms || exit 1
talk
first=$("$tool" trigger --reason "one & two" --wait --control "$work/control.sock")
check trigger_names_the_dump test -f "$first"
talk
recorder_dump || exit 1
second=$dump
check status_is_json sh -c "'$tool' status --json --control '$work/control.sock' | python3 -m json.tool"
listed=$("$tool" list --control "$work/control.sock")
check list_names_the_first grep -qF "$(basename "$first")" <<<"$listed"
check list_names_the_second grep -qF "$(basename "$second")" <<<"$listed"
check stop "$tool" stop --control "$work/control.sock"
wait "$rec_pid"
check stopped_cleanly test $? = 0
rec_pid=

check info_keeps_the_reason sh -c "'$tool' info '$first' | grep -q 'manual.*one & two'"
for name in first second; do
	check "${name}_is_sound" "$tool" verify "${!name}"
	check "${name}_converts" "$tool" convert "${!name}" --to chrome --all -o "$work/$name.json"
	check "${name}_is_strict" python3 "$strict" "$work/$name.json"
	"$tool" convert "${!name}" --to text --all -o "$work/$name.txt"
	check "${name}_text_has_every_event" test "$(lines_of "$work/$name.txt")" = "$(events_of "${!name}")"
done

check both_convert "$tool" convert "$work/dumps" --to chrome --all -o "$work/both.json"
check both_are_strict python3 "$strict" "$work/both.json"
"$tool" convert "$second" "$first" --to text --all -o "$work/both.txt"
# nothing was overwritten: the second dump holds all of the first, but for the wall clock's last digits
duplicates=$(grep -o '"duplicates":"[0-9]*"' "$work/both.json" | tr -dc 0-9)
check what_both_hold_was_seen_twice test "$duplicates" = "$(lines_of "$work/first.txt")"
bare() { grep -v '^#' "$1" | cut -d' ' -f2-; }
check what_both_hold_comes_once cmp <(bare "$work/both.txt") <(bare "$work/second.txt")

"$tool" convert "$second" --to chrome --all -o "$work/again.json"
check same_dump_same_bytes cmp "$work/second.json" "$work/again.json"
"$tool" convert "$second" --to text --comm python3 --all -o "$work/python.txt"
check filter_keeps_the_thread sh -c "grep -q 'python3/[0-9]* sock_recv' '$work/python.txt'"
check filter_drops_the_others sh -c "! grep -q 'true/[0-9]* proc_exit' '$work/python.txt'"
says() { # PATTERN OPTION...: what convert says on standard error
	"$tool" convert "$second" --to text -o /dev/null "${@:2}" 2>&1 | grep -q -- "$1"
}
silent() { # OPTION...
	[ -z "$("$tool" convert "$second" --to text -o /dev/null "$@" 2>&1 | grep 'no thread\|no process\|none of')" ]
}
check nobody_of_that_name says "no thread in the dump is called 'nosuch'" --comm nosuch
check nobody_of_that_number says "no process in the dump has the number 4194303" --pid 4194303
check no_request_that_long says "none of the .* requests" --min-duration 23h
check filters_that_fit_are_silent silent --comm python3
"$tool" convert "$second" --to text --from -100ms --until +0ms -o "$work/range.txt" 2>/dev/null
check range_is_part test "$(lines_of "$work/range.txt")" -le "$(lines_of "$work/second.txt")"
finish
