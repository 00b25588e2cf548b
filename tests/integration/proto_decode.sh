#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# An independent reader (protoc) decodes every metadata message of the fixture dump by
# formats/dump/flightrec.proto: each must parse, no field may be unknown to it, and what was put in
# must come out under its name.
set -eu
cd "$(dirname "$0")/../.."
O=${O:-build}
proto=formats/dump/flightrec.proto
if ! command -v protoc >/dev/null; then
	echo "skip protoc it is not installed (package protobuf-compiler)"
	exit 0
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
FR_FIXTURE_META_DIR=$dir "$O/tests/unit/test_dump_fixture" >/dev/null 2>&1

# fields that the schema does not know are printed by number
unknown() {
	grep -Eq '^ *[0-9]+(:| \{)' "$1"
}
fail() {
	echo "not ok $1"
	exit 1
}
# chunk type, message, a line that must be in it
check() {
	protoc --decode="flightrec.dump.v1.$2" "$proto" <"$dir/$1" >"$dir/$1.txt" ||
		fail "$1 is no $2"
	! unknown "$dir/$1.txt" || fail "$1 has fields that $2 lacks: $(cat "$dir/$1.txt")"
	grep -q "$3" "$dir/$1.txt" || fail "$1 does not say: $3"
	echo "ok $2"
}
check trigger Trigger 'reason: "SIGUSR1"'
check clock Clocks 'when: END'
check host Host 'utc_offset_s: -3600'
check config Config 'why: "off by default"'
check threads Threads 'old_comm: "bash"'
check processes Processes 'environment: "OTEL_SERVICE_NAME=shop"'
check sockets Sockets 'remote_port: 5432'
check loss Loss 'overwritten: 2000'
check index Index 'stored_bytes: '

# the check itself: field 2000 is nowhere
printf '\200\175\001' >>"$dir/host"
protoc --decode=flightrec.dump.v1.Host "$proto" <"$dir/host" >"$dir/host.txt"
unknown "$dir/host.txt" || fail "an unknown field went unnoticed"
echo "ok unknown fields are noticed"
