#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A real OpenTelemetry Collector takes what we send, and stores each span and log record as it was
# meant: as protobuf by --endpoint, plain and compressed, and as JSON lines. What it stored is compared:
# its answers alone say little.
# timeout: 1200 (the Collector is built from its modules)
. "$(dirname "$0")/../lib/recorder.sh"
. "$(dirname "$0")/../lib/truth_requests.sh"
. "$(dirname "$0")/../lib/otlp.sh"
need_root collector
for tool in go curl; do
	command -v $tool >/dev/null || { skip collector "no $tool: tests/deps.sh test"; exit 0; }
done
(cd "$root/tests/long/collector" && nice go build -p 2 -o "$work/collector" .) >"$work/go.log" 2>&1 ||
	{ skip collector "does not build (no Go modules to be had?): $(tail -n 1 "$work/go.log")"; exit 0; }
port=$((RANDOM % 20000 + 10240))

config() { # NAME
	cat <<-END
	receivers:
	  otlp:
	    protocols:
	      http:
	        endpoint: 127.0.0.1:$port
	exporters:
	  file/traces:
	    path: $work/$1.jsonl
	  file/logs:
	    path: $work/$1.logs.jsonl
	service:
	  telemetry:
	    metrics:
	      level: none
	  pipelines:
	    traces:
	      receivers: [otlp]
	      exporters: [file/traces]
	    logs:
	      receivers: [otlp]
	      exporters: [file/logs]
	END
}

# collect NAME COMMAND...: what the command sends is stored in $work/NAME.jsonl and NAME.logs.jsonl
collect() {
	local name=$1 pid tries=200
	shift
	config "$name" >"$work/$name.yaml"
	"$work/collector" --config "file:$work/$name.yaml" >"$work/$name.log" 2>&1 &
	pid=$!
	kill_at_exit+=("$pid")
	until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
		((tries-- > 0)) && kill -0 $pid || { not_ok "$name" "$(tail -n 5 "$work/$name.log")"; return 1; }
		sleep 0.05
	done
	check "$name: sent" "$@"
	kill -TERM $pid
	wait $pid || not_ok "$name: the collector ends" "$(tail -n 5 "$work/$name.log")"
}

# The answer to each line must be a full success.
post_json() {
	local signal line answer
	for signal in traces logs; do
		while IFS= read -r line; do
			answer=$(curl -sS --max-time 20 -H 'Content-Type: application/json' --data-binary @- \
				"http://127.0.0.1:$port/v1/$signal" <<<"$line") || return 1
			[ "$answer" = '{"partialSuccess":{}}' ] || { echo "$signal: $answer"; return 1; }
		done <"$work/o$([ $signal = traces ] || echo .logs).jsonl"
	done
}

otlp_some_dump
check "converts" otlp_convert
endpoint=("$build/flightrec" convert "$dump" --endpoint "http://127.0.0.1:$port" --retry-for 0)
collect protobuf "${endpoint[@]}"
collect gzip "${endpoint[@]}" --compression gzip
collect json post_json
for name in protobuf gzip json; do
	otlp_same "$name: traces stored" "$work/o.jsonl" "$work/$name.jsonl"
	otlp_same "$name: logs stored" "$work/o.logs.jsonl" "$work/$name.logs.jsonl"
done
finish
