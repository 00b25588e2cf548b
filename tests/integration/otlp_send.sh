#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# convert --endpoint against a receiver that answers by a script: what is sent, what becomes of each
# span, the exit status; time and memory stay bounded whatever the other side does. Loopback only.
# timeout: 600
. "$(dirname "$0")/../lib/recorder.sh"
tool=$build/flightrec
server=$root/tests/lib/otlp_server.py
for name in $(env | grep -o '^OTEL_[A-Z_]*'); do unset "$name"; done
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY

FR_FIXTURE_OUT=$work/x.frd "$build/tests/unit/test_dump_fixture" >"$work/log" 2>&1 ||
	{ not_ok fixture "$(cat "$work/log")"; finish; }
"$tool" convert "$work/x.frd" --to otlp-json --all -o "$work/x.jsonl" 2>"$work/err"
spans=$(grep -o '"spanId"' "$work/x.jsonl" | wc -l)
logs=$(grep -o '"severityNumber"' "$work/x.logs.jsonl" | wc -l)
check fixture_has_what_to_send [ "$spans" -ge 20 -a "$logs" -ge 2 ]

# ---- a receiver
server_pid=
# What is bounded below would otherwise take the minute for which it is tried again, or for ever: 20 s
# are far from both, and enough for a busy machine.
serve() { # [OPTION...] ANSWER...
	[ -z "$server_pid" ] || { kill "$server_pid"; wait "$server_pid"; } 2>/dev/null
	: >"$work/requests"
	PYTHONDONTWRITEBYTECODE=1 python3 "$server" "$@" >"$work/requests" 2>"$work/server.err" &
	server_pid=$!
	kill_at_exit=("$server_pid")
	wait_line "$work/requests" '^ready' 60 || { not_ok server "$(cat "$work/server.err")"; finish; }
	port=$(awk '/^ready/ { print $2; exit }' "$work/requests")
	url=http://127.0.0.1:$port
}

# send [OPTION...]: converts to $url; $code, $took (ms), $peak (KiB), the messages in $work/err
send() {
	local from=${EPOCHREALTIME/./}
	code=0
	PYTHONDONTWRITEBYTECODE=1 python3 - "$work/peak" "$tool" convert "$work/x.frd" --all \
		--endpoint "$url" "$@" >"$work/out" 2>"$work/err" <<-'PY' || code=$?
		import resource, subprocess, sys
		code = subprocess.call(sys.argv[2:])
		open(sys.argv[1], "w").write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
		sys.exit(code)
	PY
	took=$(((${EPOCHREALTIME/./} - from) / 1000))
	peak=$(cat "$work/peak")
}

# said SENT REJECTED DROPPED [CODE]: of spans, in the last line; logs are as the case may be
said() {
	local last
	last=$(tail -n 1 "$work/err")
	[[ $last == *"sent $1 span"*"rejected $2 span"*"dropped $3 span"* ]] || { cat "$work/err"; return 1; }
	[ "$code" = "${4:-0}" ] || { echo "exit status $code, not ${4:-0}"; cat "$work/err"; return 1; }
}

# asked EXPRESSION: about the requests r, as Python sees them
asked() {
	grep -v '^ready' "$work/requests" >"$work/asked"
	PYTHONDONTWRITEBYTECODE=1 python3 - "$work/asked" "$spans" "$logs" "$1" <<-'PY'
		import json, sys
		r = [json.loads(line) for line in open(sys.argv[1])]
		spans, logs = int(sys.argv[2]), int(sys.argv[3])
		if not eval("(" + sys.argv[4] + ")"):
		    print("not so:", sys.argv[4])
		    for x in r:
		        print({key: value for key, value in x.items() if key != "ids"})
		    sys.exit(1)
	PY
}

text() { # PATTERN
	grep -qE -- "$1" "$work/err" || { cat "$work/err"; return 1; }
}

# ---- taken
serve 200
send
check taken said "$spans" 0 0
check taken_nothing_missing asked "sum(x['items'] for x in r if x['path'] == '/v1/traces') == spans and
	sum(x['items'] for x in r if x['path'] == '/v1/logs') == logs"
check taken_each_span_once asked "len({i for x in r for i in x['ids']}) == spans"
check headers asked "all(x['headers']['content-type'] == 'application/x-protobuf' and
	x['headers']['user-agent'].startswith('flightrec/') and 'expect' not in x['headers'] and
	'content-encoding' not in x['headers'] for x in r)"
serve 200:json
send --compression gzip --header 'Authorization=Bearer a=b%20c' --header X-Empty=
check gzip said "$spans" 0 0
check gzip_is_smaller asked "all(x['headers']['content-encoding'] == 'gzip' for x in r) and
	sum(x['items'] for x in r if x['path'] == '/v1/traces') == spans"
check header_option asked "all(x['headers']['authorization'] == 'Bearer a=b%20c' and
	x['headers']['x-empty'] == '' for x in r)"

# ---- by the environment
serve 200
endpoint=$url
export OTEL_EXPORTER_OTLP_ENDPOINT=$endpoint/base OTEL_EXPORTER_OTLP_HEADERS='a=x%20y,b=1' \
	OTEL_EXPORTER_OTLP_COMPRESSION=gzip OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=$endpoint/as/it/is \
	OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf OTEL_EXPORTER_OTLP_TIMEOUT=9000
url='env'
send --header b=2
check environment said "$spans" 0 0
check environment_paths asked "{x['path'] for x in r} == {'/base/v1/traces', '/as/it/is'}"
check environment_headers asked "all(x['headers']['a'] == 'x y' and x['headers']['b'] == '2' and
	x['headers']['content-encoding'] == 'gzip' for x in r)"
export OTEL_EXPORTER_OTLP_PROTOCOL=grpc
send
check grpc_is_refused [ "$code" = 2 ]
check grpc_is_named text "OTEL_EXPORTER_OTLP_PROTOCOL is 'grpc'.*http/protobuf"
for name in $(env | grep -o '^OTEL_[A-Z_]*'); do unset "$name"; done

# ---- refused
serve 200:partial=3:too-old 200
send
check partial said "$((spans - 3))" 3 0 1
check partial_is_told text "rejects 3 of $spans spans: too-old"
check partial_is_not_repeated asked "len([x for x in r if x['path'] == '/v1/traces']) == 1"
serve 200:partial=0:be-gentle
send
check remark said "$spans" 0 0
check remark_is_told text "takes all, and remarks: be-gentle"
serve '400:bad trace id'
send
check refused said 0 "$spans" 0 1
check refused_is_told text "rejects $spans spans with status 400: bad trace id"
check refused_is_not_repeated asked "len(r) == 2"
serve 500
send
check error_500_is_final said 0 "$spans" 0 1
serve 401
send
check who_are_you text "status 401.*--header"
serve 302
send
check redirect said 0 "$spans" 0 1
check redirect_is_told text "moved to http://127.0.0.1:$port/elsewhere"
check redirect_is_not_followed asked "all(x['path'].startswith('/v1/') for x in r)"
serve 200:html
send
check no_receiver said "$spans" 0 0 1
check no_receiver_is_told text "text/html, which is not what an OTLP receiver says"
serve 413:items=5
send
check split said "$spans" 0 0
check split_nothing_twice asked "len([i for x in r if x['items'] <= 5 for i in x['ids']]) == spans and
	len({i for x in r if x['items'] <= 5 for i in x['ids']}) == spans"
serve 413:items=0
send
check too_large_alone said 0 "$spans" 0 1

# ---- again
serve 503 502 200
send
check again said "$spans" 0 0
check again_is_told text "answers 503; trying again for up to 1 min"
check again_is_the_same asked "r[0]['ids'] == r[1]['ids'] == r[2]['ids']"
check again_waits asked "r[1]['at'] - r[0]['at'] > 0.24 and r[2]['at'] - r[1]['at'] > 0.49"
serve 429:after=2 200
send
check after_seconds said "$spans" 0 0
check after_seconds_waits asked "2 <= r[1]['at'] - r[0]['at'] < 10"
serve 429:date=2 200
send
check after_date said "$spans" 0 0
check after_date_waits asked "2 <= r[1]['at'] - r[0]['at'] < 10"
serve 503:after=3600
send
check after_an_hour said 0 0 "$spans" 5
check after_an_hour_is_not_waited_for [ "$took" -lt 20000 ]
serve close cut 200
send
check hang_up said "$spans" 0 0
check hang_up_is_told text "is not reached: .*; trying again"
serve cut
send --retry-for 1s
check hang_up_always said 0 0 "$spans" 5
check hang_up_always_is_bounded [ "$took" -lt 20000 ]
serve never
send --timeout 500ms --retry-for 2s
check never_answers said 0 0 "$spans" 5
check never_answers_is_bounded [ "$took" -ge 500 -a "$took" -lt 20000 ]
serve slow
send --timeout 1500ms --retry-for 0
check slow said 0 0 "$spans" 5
check slow_is_bounded [ "$took" -ge 1500 -a "$took" -lt 20000 ]
check slow_once asked "len(r) == 1"
kill "$server_pid"
wait "$server_pid" 2>/dev/null
server_pid=
send --retry-for 1s
check nobody_there said 0 0 "$spans" 5
check nobody_there_is_bounded [ "$took" -lt 20000 ]

# ---- hostile
serve 200
send
usual_peak=$peak
serve big
send
check big_answer said 0 0 "$spans" 5
check big_answer_is_told text "more than 4 MiB"
check big_answer_is_not_kept [ "$((peak - usual_peak))" -lt 2048 ]
serve bigheader
send --timeout 5s
check endless_headers said 0 0 "$spans" 5
check endless_headers_are_not_kept [ "$((peak - usual_peak))" -lt 4096 ]
serve "400:$(printf 'a\033[2Jb')"
send
check answer_cannot_paint [ "$(grep -c $'\033' "$work/err")" = 0 ]

# ---- interrupted
interrupted() { # NAME SERVER-ANSWER SIGNAL
	serve "$2"
	# a shell's background job ignores SIGINT
	env --default-signal=INT "$tool" convert "$work/x.frd" --all --endpoint "$url" --timeout 60s \
		>"$work/out" 2>"$work/err" &
	local pid=$!
	wait_line "$work/requests" '"path"' 60
	sleep 0.3 # into the wait, where there is one
	kill -"$3" "$pid"
	code=0
	wait "$pid" || code=$?
	check "$1" said 0 0 "$spans" 5
	check "$1_is_told" text interrupted
}
interrupted interrupted_transfer never INT
interrupted interrupted_wait 503:after=50 TERM

# ---- TLS
key() { # NAME SUBJECT [CA]
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
		-keyout "$work/$1.key" -out "$work/$1.pem" -subj "/CN=$2" \
		-addext "subjectAltName=IP:$3" >"$work/openssl" 2>&1 || cat "$work/openssl"
}
key good localhost 127.0.0.1
key other elsewhere 127.0.0.9
key client client 127.0.0.1
key stranger stranger 127.0.0.1
serve --cert "$work/good.pem" --key "$work/good.key" 200
url=https://127.0.0.1:$port
send --certificate "$work/good.pem"
check tls said "$spans" 0 0
send
check tls_unknown_certificate said 0 0 "$spans" 5
check tls_unknown_certificate_at_once [ "$took" -lt 20000 ]
check tls_unknown_certificate_is_told text "certificate"
send --certificate "$work/other.pem"
check tls_other_certificate said 0 0 "$spans" 5
url=http://127.0.0.1:$port
send --retry-for 1s
check tls_spoken_to_plainly said 0 0 "$spans" 5
send --certificate "$work/no-such-file"
check no_such_certificate [ "$code" = 2 ]
check no_such_certificate_is_named text "certificate $work/no-such-file cannot be read"
serve --cert "$work/other.pem" --key "$work/other.key" 200
url=https://127.0.0.1:$port
send --certificate "$work/other.pem"
check tls_of_another_host said 0 0 "$spans" 5
serve --cert "$work/good.pem" --key "$work/good.key" --client-ca "$work/client.pem" 200
url=https://127.0.0.1:$port
send --certificate "$work/good.pem" --client-certificate "$work/client.pem" \
	--client-key "$work/client.key"
check tls_client said "$spans" 0 0
# its refusal may get lost behind a reset of the connection: then it is tried again
send --certificate "$work/good.pem" --retry-for 2s
check tls_client_missing said 0 0 "$spans" 5
check tls_client_missing_is_bounded [ "$took" -lt 20000 ]
send --certificate "$work/good.pem" --client-certificate "$work/stranger.pem" \
	--client-key "$work/stranger.key" --retry-for 2s
check tls_client_stranger said 0 0 "$spans" 5
check tls_client_stranger_is_bounded [ "$took" -lt 20000 ]
send --certificate "$work/good.pem" --client-certificate "$work/client.pem" \
	--client-key "$work/stranger.key"
check tls_client_wrong_key said 0 0 "$spans" 5

# ---- a real recording: several requests, each span in one of them
many() {
	recorder_start --post-window 50ms || { not_ok start; finish; }
	python3 - <<-'PY'
		import socket, threading
		server = socket.create_server(("127.0.0.1", 0))
		def serve():
		    peer, _ = server.accept()
		    for _ in range(1500):
		        peer.recv(1000)
		        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		    peer.close()
		thread = threading.Thread(target=serve)
		thread.start()
		s = socket.create_connection(server.getsockname())
		for i in range(1500):
		    s.send(b"GET /x/%d HTTP/1.1\r\nHost: a\r\n\r\n" % i)
		    s.recv(1000)
		s.close()
		thread.join()
	PY
	recorder_dump || { not_ok dump; finish; }
	recorder_stop
	cp "$dump" "$work/x.frd"
	"$tool" convert "$work/x.frd" --to otlp-json --all -o "$work/x.jsonl" 2>"$work/err"
	spans=$(grep -o '"spanId"' "$work/x.jsonl" | wc -l)
	logs=$(grep -o '"severityNumber"' "$work/x.logs.jsonl" | wc -l)
	check many_spans [ "$spans" -ge 2900 ]
	serve 200
	send
	check many_taken said "$spans" 0 0 "$code"
	check many_in_several_requests asked "len([x for x in r if x['path'] == '/v1/traces']) >= 3"
	check many_each_once asked "len({i for x in r for i in x['ids']}) == spans and
		sum(x['items'] for x in r if x['path'] == '/v1/traces') == spans"
	check many_are_small asked "all(x['bytes'] < 1.2 * (1 << 20) for x in r)"
	check many_in_bounded_memory [ "$peak" -lt 65536 ]
	serve 200 503:after=3600
	send
	check many_given_up_once asked "len(r) == 2"
	check many_given_up_counted text "sent [1-9][0-9]* spans.*dropped [1-9][0-9]* spans"
	check many_given_up_code [ "$code" = 5 ]
}
if [ "$(id -u)" = 0 ]; then
	many
else
	skip many "recording needs root"
fi

# ---- wrong use
wrong() { # NAME PATTERN OPTION...
	local name=$1 pattern=$2 code=0
	shift 2
	"$tool" convert "$work/x.frd" "$@" >"$work/out" 2>"$work/err" || code=$?
	[ "$code" = 2 ] && grep -qE -- "$pattern" "$work/err" && ok "$name" && return
	not_ok "$name" "exit status $code: $(cat "$work/err")"
}
wrong endpoint_without_scheme 'http://HOST:4318' --endpoint 127.0.0.1:1
wrong endpoint_not_for_chrome 'OTLP in protobuf' --endpoint http://127.0.0.1:1 --to chrome
wrong endpoint_and_output 'two outputs' --endpoint http://127.0.0.1:1 -o "$work/o"
wrong sending_needs_endpoint '--timeout is about sending' --to otlp -o "$work/o" --timeout 1s
wrong header_without_value 'name=value' --endpoint http://127.0.0.1:1 --header x
wrong header_of_ours 'content-type' --endpoint http://127.0.0.1:1 --header content-type=x
wrong compression_unknown 'gzip or none' --endpoint http://127.0.0.1:1 --compression zstd
wrong timeout_without_unit '1ms to 1h' --endpoint http://127.0.0.1:1 --timeout 10
finish
