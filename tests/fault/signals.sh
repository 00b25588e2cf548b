#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Signals and requests at bad moments: a trigger is told of in a dump or counted, never lost; a
# wrong configuration changes nothing; hostile clients get an answer or the door.
. "$(dirname "$0")/../lib/recorder.sh"
need_root signals

ask() {
	python3 "$root/tests/lib/control.py" "$work/control.sock" "$@"
}

# value EXPRESSION: of the status, as Python sees it
value() {
	ask status format=json | python3 -c "import json, sys; s = json.load(sys.stdin); print($1)"
}

# until_value EXPRESSION WANT
until_value() {
	local tries=300
	until [ "$(value "$1")" = "$2" ]; do
		((tries-- > 0)) || { echo "$1 is $(value "$1"), not $2"; return 1; }
		sleep 0.05
	done
}

idle() {
	until_value "s['dumps']['busy']" False
}

# The same signal twice before the daemon has taken the first is one signal.
usr1() {
	local before
	before=$(value "$seen_usr1")
	kill -USR1 "$rec_pid"
	until_value "$seen_usr1" $((before + 1))
}
seen_usr1="sum(int(t[k]) for t in s['triggers'] if t['name'] == 'usr1'
	for k in ('started', 'joined', 'queued', 'suppressed', 'failed'))"

outcomes() { # of trigger usr1: started joined queued suppressed failed
	value "' '.join([t[k] for t in s['triggers'] if t['name'] == 'usr1'
		for k in ('started', 'joined', 'queued', 'suppressed', 'failed')])"
}

cat >"$work/flightrec.ini" <<TEXT
post_window = 2s
TEXT
recorder_start --config "$work/flightrec.ini" || { not_ok start; finish; }

# ---- SIGUSR1 while dumping
kill -USR1 "$rec_pid"
wait_line "$work/rec.log" "usr1 started" 20
kill -USR1 "$rec_pid"
wait_line "$work/rec.log" "usr1 joined" 20
check usr1_in_post_window_joins [ "$(outcomes)" = "1 1 0 0 0" ]
check dumps_come idle
check one_dump_for_both [ "$(value "s['dumps']['written']")" = 1 ]
sed -i 's/2s/300ms/' "$work/flightrec.ini"
check shorter_window ask reload
for _ in $(seq 12); do # over more than one dump: each one is accounted for
	usr1 || not_ok usr1_is_counted
done
check dumps_come_again idle
read -r started joined queued suppressed failed <<<"$(outcomes)"
check usr1_never_lost [ "$((started + joined + queued)) $suppressed $failed" = "14 0 0" ]
check each_start_is_a_dump [ "$(value "s['dumps']['written']")" = "$((started + queued))" ]

# ---- a dumper that dies
unfinished() {
	find "$work/dumps" -name '.*.frd*'
}
sed -i 's/300ms/2s/' "$work/flightrec.ini"
check longer_window ask reload
failed_before=$(value "s['dumps']['failed']")
kill -USR1 "$rec_pid"
for _ in $(seq 500); do # until it writes
	[ -z "$(unfinished)" ] || break
	sleep 0.02
done
pkill -KILL -P "$rec_pid"
until_value "s['dumps']['failed']" $((failed_before + 1)) >"$work/out"
check dead_dumper_is_counted [ "$(value "s['dumps']['failed']")" = "$((failed_before + 1))" ]
check dead_dumper_leaves_its_file [ "$(unfinished | wc -l)" = 1 ]
find "$work/dumps" -name '.*.frd*' -delete
check dead_dumper_is_told grep -q "ended by signal 9" "$work/rec.log"
written_before=$(value "s['dumps']['written']")
kill -USR1 "$rec_pid"
check dump_after_that until_value "s['dumps']['written']" $((written_before + 1))
check recording_goes_on [ "$(value "s['dumps']['last_error']")" = "" ]

# ---- SIGHUP: all or nothing
printf 'post_window = 700ms\ncodec = nonsense\n' >"$work/flightrec.ini"
kill -HUP "$rec_pid"
check bad_reload_is_told wait_line "$work/rec.log" "flightrec.ini:2: codec" 20
check bad_reload_keeps_the_old wait_line "$work/rec.log" "not taken over" 20
check bad_reload_by_request bash -c "! python3 '$root/tests/lib/control.py' \
	'$work/control.sock' reload"
printf 'post_window = 100ms\nring_size = 32M\n' >"$work/flightrec.ini"
kill -HUP "$rec_pid"
check reload wait_line "$work/rec.log" "read again, 1 settings changed" 20
check reload_by_request_tells [ "$(ask reload)" = "0 settings changed" ]
check reload_names_what_needs_restart grep -q "ring-size = 32M takes a restart" "$work/rec.log"
printf 'post_window = 100ms\n[trigger.usr1]\nenabled = off\n[trigger.manual]\ncooldown = 1h\n' \
	>"$work/flightrec.ini"
check reload_by_request ask reload
kill -USR1 "$rec_pid"
check switched_off_is_counted wait_line "$work/rec.log" "usr1 suppressed: .*switched off" 20
check trigger_answers_path bash -c "python3 '$root/tests/lib/control.py' '$work/control.sock' \
	trigger reason=a%20test wait=1 | grep -q '^$work/dumps/.*manual.*frd\$'"
code=0
ask trigger >"$work/out" || code=$?
check cooldown [ "$code" = 1 ]
check cooldown_is_told grep -q "cools down" "$work/out"

# ---- statistics
kill -USR2 "$rec_pid"
check usr2_logs wait_line "$work/rec.log" "history: " 20
check status_text bash -c "python3 '$root/tests/lib/control.py' '$work/control.sock' status |
	grep -q '^families: '"
check status_prometheus bash -c "python3 '$root/tests/lib/control.py' '$work/control.sock' \
	status format=prometheus | grep -q '^flightrec_events_total{cpu=\"0\"} [0-9]'"
check list bash -c "[ \$(python3 '$root/tests/lib/control.py' '$work/control.sock' list |
	grep -c '\.frd\$') = \$(ls '$work'/dumps/*.frd | wc -l) ]"

# ---- clients
hostile() { # NAME CODE PATTERN: the request on stdin
	local code=0
	python3 "$root/tests/lib/control.py" "$work/control.sock" >"$work/out" || code=$?
	[ "$code" = "$2" ] && grep -q "$3" "$work/out" && ok "$1" && return
	not_ok "$1" "exit code $code, $(head -c 300 "$work/out")"
}
printf 'fly me\n' | hostile verb_unknown 2 "unknown verb .*'fly'"
printf 'status colour=red\n' | hostile key_unknown 2 "no key 'colour'"
printf 'trigger reason=%%zz\n' | hostile escape_bad 2 "bad value"
head -c 4000 /dev/zero | tr '\0' x | hostile line_too_long 2 "longer than"
printf '\n' | hostile line_empty 2 "unknown verb"
printf '\033[31m\200\n' | hostile line_of_garbage 2 "unknown verb .*'?\[31m?'"
python3 - "$work/control.sock" <<'PY' && ok slow_clients_do_not_block || not_ok slow_clients_do_not_block
import socket, sys, time
idle = []
begin = time.time()
for _ in range(16):
	s = socket.socket(socket.AF_UNIX)
	s.connect(sys.argv[1])
	s.send(b"sta")  # and no more
	idle.append(s)
late = socket.socket(socket.AF_UNIX)
late.settimeout(20)
late.connect(sys.argv[1])
assert b"too many" in late.recv(100), "the 17th is turned away"
for s in idle:
	s.settimeout(20)
	assert s.recv(100) == b"", "dropped without an answer"
assert 4.9 < time.time() - begin < 20, "after the deadline of 5 s"
PY
check answers_after_that ask status
chmod 755 "$work"
chmod 666 "$work/control.sock" # so that only the check of the peer is in the way
code=0
python3 - "$work/control.sock" stop >"$work/out" 2>&1 <<PY || code=$?
import os, socket, sys
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
$(cat "$root/tests/lib/control.py")
PY
if [ "$code" = 3 ]; then
	ok stranger_is_refused
else
	not_ok stranger_is_refused "exit code $code: $(cat "$work/out")"
fi
check stranger_stops_nothing ask status

# ---- SIGTERM while dumping: the dump is finished first
printf 'post_window = 2s\n' >"$work/flightrec.ini"
check window_for_the_end ask reload
count=$(ls "$work"/dumps/*.frd | wc -l)
check dump_begins usr1
if recorder_stop; then
	ok term_while_dumping_ends_well
else
	not_ok term_while_dumping_ends_well "$(tail -5 "$work/rec.log")"
fi
check term_while_dumping_keeps_it [ "$(ls "$work"/dumps/*.frd | wc -l)" = $((count + 1)) ]
check no_unfinished_file [ -z "$(unfinished)" ]
finish
