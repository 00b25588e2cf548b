#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# C code in a Go program has anything in r14, the register in which Go keeps its goroutine: none of
# what it sends may get a goid, whatever lies there.
# timeout: 600
. "$(dirname "$0")/../lib/recorder.sh"
. "$(dirname "$0")/../lib/truth.sh"
need_root truth_cgo
command -v go >/dev/null || { skip truth_cgo "no go in PATH"; exit 0; }
[ "$(go env GOARCH)" = amd64 ] || { skip truth_cgo "amd64 only"; exit 0; }

repeat=40
[ -z "${FR_LONG:-}" ] || repeat=1000

cgo_run() { # NAME [FLAG...]
	local name=$1
	shift
	(cd "$root/tests/workload/cgoreg" && CGO_ENABLED=1 GOENV=off GOFLAGS='' GOWORK=off \
		nice go build -p 2 -o "$work/$name" "$@" .) >"$work/build.log" 2>&1 ||
		{ not_ok "$name builds" "$(tail -5 "$work/build.log")"; return; }
	recorder_start --codec none --redact off || exit 1
	truth_begin "$work/$name" --repeat $repeat || exit 1
	truth_go
	truth_lines $((repeat * 18)) 60 || not_ok "$name workload"
	grep -v '^ready ' "$work/truth.out" >"$work/truth.json"
	recorder_dump || exit 1
	truth_end || not_ok "$name workload"
	recorder_stop || not_ok "$name stop"
	truth_judge cgo "$name" "$work/truth.json" "$dump"
	[ "$name" != cgo ] || truth_denies "$name a wrong goid is noticed" 's/"goid":[1-9]/&1/' \
		"$work/truth.json" cgo "$name" "$lie" "$dump"
	rm -f "$work"/dumps/*
}

# cgoreg has no last line of its own
truth_lines() { # COUNT SECONDS
	local tries=$(($2 * 50))
	until [ "$(grep -c '^{' "$work/truth.out")" -ge "$1" ]; do
		((tries-- > 0)) && kill -0 "$truth_pid" 2>/dev/null || return 1
		sleep 0.02
	done
}

cgo_run cgo
cgo_run cgo-moved -tags cgotls
finish
