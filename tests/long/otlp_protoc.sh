#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# protoc with OpenTelemetry's own schema reads what we write as protobuf, knows each field of it, and
# what it shows is what our JSON says. The schema comes with the Go module that OpenTelemetry makes.
# timeout: 600
. "$(dirname "$0")/../lib/recorder.sh"
. "$(dirname "$0")/../lib/truth_requests.sh"
. "$(dirname "$0")/../lib/otlp.sh"
need_root otlp_protoc
for tool in go protoc; do
	command -v $tool >/dev/null || { skip otlp_protoc "no $tool: tests/deps.sh test"; exit 0; }
done
(cd "$root/tests/long/otlpschema" && nice go run . >"$work/schema" 2>"$work/go.log") ||
	{ skip otlp_protoc "no schema (no Go modules to be had?): $(tail -n 1 "$work/go.log")"; exit 0; }

decode() { # MESSAGE FILE
	protoc --descriptor_set_in="$work/schema" --decode "opentelemetry.proto.$1" <"$2" >"$2.txt"
}

otlp_some_dump
check "converts" otlp_convert
check "traces decode" decode trace.v1.TracesData "$work/o.pb"
check "logs decode" decode logs.v1.LogsData "$work/o.logs.pb"
otlp_same "traces: all fields known, JSON says the same" "$work/o.pb.txt" "$work/o.jsonl"
otlp_same "logs: all fields known, JSON says the same" "$work/o.logs.pb.txt" "$work/o.logs.jsonl"

# the judge itself
denies() { # NAME SED FILE WITH
	sed -E "$2" "$3" >"$work/lie.${3##*.}"
	if cmp -s "$3" "$work/lie.${3##*.}"; then
		not_ok "noticed: $1" "sed $2 changes nothing"
	elif python3 -B "$root/tests/lib/otlp_same.py" lie "$work/lie.${3##*.}" "$4" >"$work/lie.out"; then
		not_ok "noticed: $1" "all is well, it says"
	else
		ok "noticed: $1"
	fi
}
denies "a field that nobody knows" '0,/      kind:/s//      99: 7\n      kind:/' "$work/o.pb.txt" "$work/o.jsonl"
denies "another kind" '0,/SPAN_KIND_CLIENT/s//SPAN_KIND_SERVER/' "$work/o.pb.txt" "$work/o.jsonl"
denies "a nanosecond" '0,/"endTimeUnixNano":"([0-9]+)[0-8]"/s//"endTimeUnixNano":"\19"/' "$work/o.jsonl" \
	"$work/o.pb.txt"
finish
