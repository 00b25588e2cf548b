#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Which goroutine reads a request, sends its SQL, gets the reply, and writes the response: for
# binaries of the installed Go, stripped and not, static and PIE; with FR_LONG=1 also those of older
# releases, which come by GOTOOLCHAIN. A version that nobody knows gets no goid.
# timeout: 1800 (with empty build caches each release compiles its library twice)
. "$(dirname "$0")/../lib/recorder.sh"
. "$(dirname "$0")/../lib/truth.sh"
need_root truth_goid
command -v go >/dev/null || { skip truth_goid "no go in PATH"; exit 0; }

releases="go1.18.10 go1.21.13 go1.23.12 go1.24.9 go1.25.4"
requests=200
[ -z "${FR_LONG:-}" ] || requests=500

# goid_build NAME TOOLCHAIN [FLAG...]
goid_build() {
	local name=$1 toolchain=$2
	shift 2
	(cd "$root/tests/workload/goid" && GOTOOLCHAIN=$toolchain GOENV=off GOFLAGS='' GOWORK=off \
		nice go build -p 2 -o "$work/$name" "$@" .)
}

# The recorder meets the binary and learns what it is; not at once when it was just asked about
# another one.
goid_meet() { # BINARY known|unknown
	local says='goroutine number at' tries=20 pids=none
	[ "$2" = known ] || says='this release does not know'
	while ((tries-- > 0)); do
		"$work/$1" --requests 20 >/dev/null 2>&1 &
		pids+="\|$!" # other Go programs of this host are met, too
		wait $! || return 1
		wait_line "$work/rec.log" "process \($pids\): .*$says" 1 && return
	done
	return 1
}

# The dump says which release built it, and so do its spans.
goid_version() { # BINARY
	local version
	version=$(go version "$work/$1") || return 1
	"$build/flightrec" convert "$dump" --to otlp-json -o - 2>/dev/null |
		grep -q "process.runtime.version\",\"value\":{\"stringValue\":\"${version##* }\""
}

# goid_run BINARY NAME known|unknown [OPTION...]
goid_run() {
	local binary=$1 name=$2 kind=$3
	shift 3
	recorder_start --codec none --redact off --log-level debug || exit 1
	goid_meet "$binary" "$kind" || not_ok "$name is learned" "$(tail -5 "$work/rec.log")"
	truth_begin "$work/$binary" --requests "$requests" "$@" || { not_ok "$name"; return; }
	if ! truth_work "$work/truth.json"; then
		not_ok "$name workload"
	elif recorder_dump; then
		truth_end || not_ok "$name workload"
		truth_judge goid "$name" "$work/truth.json" "$dump" "$kind"
		[ "$kind" = unknown ] || check "$name names its Go" goid_version "$binary"
		[ "$kind" = unknown ] || truth_denies "$name a wrong goid is noticed" \
			's/"goid":/"goid":1/' "$work/truth.json" goid "$name" "$lie" "$dump" known
	else
		not_ok "$name dump"
	fi
	recorder_stop || not_ok "$name stop"
	rm -f "$work"/dumps/*
}

# goid_release TOOLCHAIN NAME...: which of the ways to build it
goid_release() {
	local toolchain=$1 name how
	shift
	for how; do
		case $how in
		plain) flags=() options=() ;;
		stripped) flags=("-ldflags=-s -w") options=(--db-process) ;;
		pie) flags=(-buildmode=pie) options=(--server raw) ;;
		pie-stripped) flags=(-buildmode=pie "-ldflags=-s -w") options=(--server raw --db-process) ;;
		esac
		name=$toolchain-$how
		if goid_build "$name" "$toolchain" "${flags[@]}" >"$work/build.log" 2>&1; then
			goid_run "$name" "$name" known "${options[@]}"
		else
			not_ok "$name builds" "$(tail -5 "$work/build.log")"
		fi
	done
}

if [ -n "${FR_LONG:-}" ]; then
	goid_release local plain stripped pie pie-stripped
	for release in $releases; do
		goid_release "$release" plain stripped pie pie-stripped
	done
else
	goid_release local plain pie-stripped
fi

# the same binary with another version in it, as long as the true one
version=$(go version "$work/local-plain" | grep -o 'go1\.[0-9][0-9]')
LC_ALL=C sed "s/$version/go1.99/g" "$work/local-plain" >"$work/future"
chmod +x "$work/future"
goid_run future future unknown
finish
