#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# on_dump and on_dump_endpoint: what runs after each dump, with which rights; what goes wrong is told
# and counted; nothing of it is recorded, and nothing outlives the daemon.
# timeout: 300
. "$(dirname "$0")/../lib/recorder.sh"
recorder_triggers=on # by its own files
need_root on_dump
server=$root/tests/lib/otlp_server.py
for name in $(env | grep -o '^OTEL_[A-Z_]*'); do unset "$name"; done
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY

# Only SIGUSR1 and requests make dumps here: others on this host have troubles of their own.
"$build/flightrecd" --check-config --dump-dir "$work/dumps" --config /dev/null |
	sed -n 's/^\[\(trigger\..*\)\]$/\1/p' | grep -v 'usr1$\|manual$' |
	while read -r name; do printf '[%s]\nenabled = off\n' "$name"; done >"$work/triggers.ini"

# start SETTINGS [OPTION...]
start() {
	printf 'post_window = 50ms\n%s\n' "$1" | cat - "$work/triggers.ini" >"$work/flightrec.ini"
	shift
	recorder_start --config "$work/flightrec.ini" "$@" || { not_ok start; finish; }
}

value() { # EXPRESSION: of the status
	"$build/flightrec" status --json --control "$work/control.sock" |
		python3 -c "import json, sys; s = json.load(sys.stdin); d = s['on_dump']; print($1)"
}

until_value() { # EXPRESSION WANT SECONDS
	local tries=$(($3 * 20))
	until [ "$(value "$1")" = "$2" ]; do
		((tries-- > 0)) || { value "$1"; tail -5 "$work/rec.log"; return 1; }
		sleep 0.05
	done
}

gone() { # PATTERN SECONDS: no process with this command line
	local tries=$(($2 * 20))
	while pgrep -f -- "$1" >/dev/null; do
		((tries-- > 0)) || { pgrep -af -- "$1"; return 1; }
		sleep 0.05
	done
}

usr1() { # a dump, and what comes after it
	local before
	before=$(value "int(d['done']) + int(d['failed'])")
	recorder_dump
	until_value "int(d['done']) + int(d['failed'])" $((before + 1)) 60
}

# ---- a command
cat >"$work/look.sh" <<'SH'
#!/bin/sh
{
	echo "dump $FLIGHTREC_DUMP"
	echo "trigger $FLIGHTREC_TRIGGER"
	echo "reason $FLIGHTREC_REASON"
	echo "arguments $*"
	grep -E '^(Cap(Prm|Eff|Bnd|Amb)|NoNewPrivs|SigBlk|SigIgn)' /proc/self/status
	echo "nice $(ps -o ni= -p $$)"
	echo "foreign descriptors $(readlink /proc/$$/fd/* | grep -c 'anon_inode\|socket\|dumps')"
	echo "events $("$TOOL" info "$FLIGHTREC_DUMP" | grep -c sched_switch)"
} >"$1"
echo looked
SH
chmod 755 "$work/look.sh"
secret=on-dump-secret-$$
nap=7776.$$ # seconds; of this run alone, as all processes of the host are looked at
TOOL=$build/flightrec start "on_dump = $work/look.sh $work/seen '$secret two' three\\ four"
launcher=$(pgrep -x -P "$rec_pid" flightrecd-run)
check launcher_holds_nothing [ "$(ls "/proc/$launcher/fd" | wc -l)" -le 5 ]
check launcher_is_small [ "$(awk '/^RssAnon/ { print $2 }' "/proc/$launcher/status")" -lt 1024 ]
usr1 || not_ok command_runs
check command_gets_the_dump grep -q "^dump $dump$" "$work/seen"
check command_gets_the_trigger grep -q "^trigger usr1$" "$work/seen"
check command_gets_the_reason grep -q "^reason SIGUSR1 from process" "$work/seen"
check command_gets_words grep -q "^arguments $work/seen $secret two three four$" "$work/seen"
check command_reads_the_dump grep -q "^events 1$" "$work/seen"
check command_without_capabilities [ "$(grep -cE '^Cap(Prm|Eff|Amb):.0+$' "$work/seen")" = 3 ]
check command_cannot_gain_any grep -q '^NoNewPrivs:.1$' "$work/seen"
usual_signals() {
	grep -E '^Sig(Blk|Ign):' "$work/seen"
	[ "$(grep -cE '^Sig(Blk|Ign):.0+$' "$work/seen")" = 2 ]
}
check command_has_usual_signals usual_signals
check command_has_usual_priority grep -q '^nice *0$' "$work/seen"
check command_has_no_descriptors grep -q '^foreign descriptors 0$' "$work/seen"
check outcome_is_logged grep -q "on_dump for .*-usr1-1.frd ended with status 0 after .*: looked" \
	"$work/rec.log"
check outcome_is_counted [ "$(value "d['done'] + d['failed'] + d['dropped'] + d['under_way']")" = 1000 ]
check outcome_for_people sh -c "'$build/flightrec' status --control '$work/control.sock' |
	grep -q 'on_dump: 1 done, 0 failed'"
check outcome_for_prometheus sh -c "'$build/flightrec' status --prometheus \
	--control '$work/control.sock' | grep -q 'on_dump_total{outcome=\"done\"} 1'"
"$build/flightrec" convert "$dump" --to text --all -o "$work/text" 2>/dev/null
sed -i "s/^on_dump = .*/on_dump = sh -c '$secret'/" "$work/flightrec.ini"
kill -HUP "$rec_pid"
check change_takes_a_restart wait_line "$work/rec.log" "on-dump = (not shown) takes a restart" 20
check settings_stay_out_of_the_log sh -c "! grep -q '$secret' '$work/rec.log'"
check settings_stay_out_of_the_dump sh -c "! grep -qa '$secret' '$work/text' &&
	! '$build/flightrec' info '$dump' --json | grep -q '$secret'"
recorder_stop || not_ok stop "exit status $?"

# ---- failures
start "on_dump = sh -c 'echo \"went wrong: \$FLIGHTREC_TRIGGER\" >&2; exit 7'"
usr1
check failure_is_logged grep -q "ended with status 7 after .*: went wrong: usr1" "$work/rec.log"
check failure_is_counted [ "$(value "d['failed']")" = 1 ]
usr1 || not_ok recording_goes_on
kill -KILL "$(pgrep -x -P "$rec_pid" flightrecd-run)"
check dead_launcher_is_told wait_line "$work/rec.log" "launcher of on_dump .* has ended" 20
check dead_launcher_is_in_the_status until_value "d['on']" False 20
recorder_dump
check dead_launcher_counts until_value "d['dropped']" 1 20
recorder_stop || not_ok stop "exit status $?"

# ---- a command that crashes is no trouble of the host
sed -i '/^\[trigger.signal\]/,/enabled/d' "$work/triggers.ini"
victim=$work/fr_die$$ # a name that no other process of the host has
cp "$(command -v bash)" "$victim"
start "on_dump = $victim -c '$victim -c \"kill -SEGV \\\$\\\$\"; kill -SEGV \$\$'"
usr1
check crash_is_told grep -q "was ended by signal 11" "$work/rec.log"
"$victim" -c 'kill -SEGV $$' 2>/dev/null # one of somebody else's is; so this can be seen
check other_crash_triggers wait_line "$work/rec.log" "seen: signal: .*(fr_die$$)" 20
check crash_triggers_nothing [ "$(grep -c "seen: signal: .*(fr_die$$)" "$work/rec.log")" = 1 ]
recorder_stop || not_ok stop "exit status $?"
printf '[trigger.signal]\nenabled = off\n' >>"$work/triggers.ini"

# ---- too long, with all that it forks
start "on_dump = sh -c 'trap \"\" TERM; sleep $nap & sleep $nap; sleep $nap'
on_dump_timeout = 1s"
usr1
check too_long_is_told grep -q "took longer than on_dump_timeout" "$work/rec.log"
check too_long_is_killed gone "^sleep $nap" 20
# a second dump, and the end while its command runs
recorder_dump
from=${EPOCHREALTIME/./}
recorder_stop || not_ok stop "exit status $?"
check end_waits_not_for_ever [ "$((${EPOCHREALTIME/./} - from))" -lt 10000000 ]
check end_leaves_nothing gone "^sleep $nap" 20

# ---- the end lets a command finish
start "on_dump = sh -c 'sleep 1; echo \$FLIGHTREC_TRIGGER >$work/finished'"
kill -USR1 "$rec_pid"
wait_line "$work/rec.log" "usr1 started" 20
recorder_stop || not_ok stop "exit status $?"
check end_lets_it_finish grep -q usr1 "$work/finished"

# ---- a daemon that is killed
start "on_dump = sleep 1$nap"
recorder_dump
until_value "d['under_way']" 1 20
launcher=$(pgrep -x -P "$rec_pid" flightrecd-run)
kill -KILL "$rec_pid"
{ wait "$rec_pid"; } 2>/dev/null
rec_pid=
check killed_daemon_takes_all_along gone "^sleep 1$nap" 20
ended() { # PID SECONDS: gone, or waiting for init to take note
	local tries=$(($2 * 20))
	while grep -qs '^State:.[^Z]' "/proc/$1/status"; do
		((tries-- > 0)) || return 1
		sleep 0.05
	done
}
check killed_daemon_takes_its_launcher ended "$launcher" 20

# ---- more dumps than it can take
start "on_dump = sh -c 'sleep 100'
on_dump_timeout = 1h
dump_max_files = 100"
for _ in $(seq 11); do recorder_dump; done
check queue_is_bounded until_value "d['dropped'] + ' ' + d['under_way']" "3 8" 20
kill -TERM "$rec_pid" # asked twice, it does not wait
recorder_stop || not_ok stop "exit status $?"

# ---- an endpoint, then a command
PYTHONDONTWRITEBYTECODE=1 python3 "$server" 200 >"$work/requests" 2>"$work/server.err" &
kill_at_exit+=($!)
receiver=$!
wait_line "$work/requests" '^ready' 60 || { not_ok server "$(cat "$work/server.err")"; finish; }
port=$(awk '/^ready/ { print $2; exit }' "$work/requests")
OTEL_EXPORTER_OTLP_HEADERS="x-key=$secret" OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://127.0.0.1:9 \
	start "on_dump_endpoint = http://127.0.0.1:$port/base
on_dump_timeout = 15s
on_dump = sh -c 'echo then'"
python3 - <<-'PY'
	import socket, threading
	server = socket.create_server(("127.0.0.1", 0))
	def serve():
	    peer, _ = server.accept()
	    for _ in range(50):
	        peer.recv(1000)
	        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	    peer.close()
	thread = threading.Thread(target=serve)
	thread.start()
	s = socket.create_connection(server.getsockname())
	for _ in range(50):
	    s.send(b"GET /hello HTTP/1.1\r\n\r\n")
	    s.recv(1000)
	s.close()
	thread.join()
PY
recorder_dump
check both_run until_value "d['done']" 2 60
check endpoint_gets_spans sh -c "grep -q '\"path\": \"/base/v1/traces\"' '$work/requests'"
check endpoint_gets_headers grep -q "\"x-key\": \"$secret\"" "$work/requests"
check endpoint_counts_are_logged grep -q "on_dump_endpoint for .*: flightrec: sent [1-9][0-9]* spans" \
	"$work/rec.log"
check endpoint_comes_first sh -c "grep -o 'on_dump[a-z_]* for' '$work/rec.log' | tr '\n' ' ' |
	grep -q '^on_dump_endpoint for on_dump for'"
# what it sent was not recorded, though it went through a socket of this host
recorder_dump
"$build/flightrec" convert "$dump" --to text --all -o "$work/text" 2>/dev/null
check receivers_side_is_recorded grep -qE "python3.*:$port\b" "$work/text"
check own_work_is_not_recorded sh -c "! grep -E 'flightrec.*:$port\b' '$work/text' | grep -v python3"
until_value "d['under_way']" 0 60
kill "$receiver"
wait "$receiver" 2>/dev/null # it shall not answer any more
recorder_dump
check endpoint_that_is_gone until_value "d['failed'] + ' ' + d['under_way']" "1 0" 60
check endpoint_that_is_gone_is_told grep -q \
	"on_dump_endpoint for .* ended with status 5 after .*dropped [1-9][0-9]* spans" "$work/rec.log"
recorder_stop || not_ok stop "exit status $?"

# ---- wrong use
wrong() { # NAME PATTERN OPTION...
	local name=$1 pattern=$2 code=0
	shift 2
	"$build/flightrecd" --check-config --config /dev/null --dump-dir "$work/dumps" "$@" \
		>"$work/out" 2>"$work/err" || code=$?
	[ "$code" = 2 ] && grep -qE -- "$pattern" "$work/err" && ok "$name" && return
	not_ok "$name" "exit status $code: $(cat "$work/err")"
}
cp "$work/look.sh" "$work/open.sh"
chmod 757 "$work/open.sh"
wrong no_such_program "no program 'no-such'" --on-dump 'no-such program'
wrong relative_program 'the whole path' --on-dump './x'
wrong open_program 'anybody may change' --on-dump "$work/open.sh"
wrong open_quote 'no other end' --on-dump "sh -c 'x"
wrong no_url 'http://HOST:4318' --on-dump-endpoint localhost:4318
wrong short_timeout 'on-dump-timeout' --on-dump-timeout 1ms
finish
