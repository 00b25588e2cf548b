#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Holds formats/exe against real Go programs: for each Go release, builds a small one in every way
# that moves things (stripped, PIE, no build id, cgo linked by the system's linker, arm64) and
# compares what formats/exe says, from the file and from the memory of the running process, with
# what the toolchain says (go version -m) and with the place of runtime.g's goid in DWARF.
#
# usage: go_goid_offsets.sh             the installed Go; with FR_LONG=1 every release of the table
#        go_goid_offsets.sh go1.22.12.. these (GOTOOLCHAIN fetches what isn't there)
# V=1 shows each comparison. exit: 0 all right or skipped · 1 something is wrong
# timeout: 3600 (with empty build caches each release compiles its library five times)
set -eEuo pipefail
cd "$(dirname "$0")/../.."

long="go1.17.13 go1.18.10 go1.19.13 go1.20.14 go1.21.13 go1.22.12 go1.23rc1 go1.23.12 go1.24.9
	go1.25rc1 go1.25.4 go1.26.8"
trap 'echo "not ok line-$LINENO"' ERR
failed=0 checked=0
skip() { echo "skip $1 $2"; }
fail() { echo "# $1"; failed=$((failed + 1)); }

# result NAME FAILED_BEFORE NOTE: one line for the runner
result() {
	if [ "$failed" = "$2" ]; then echo "ok $1"; else echo "not ok $1"; fi
	[ -z "$3" ] || echo "# $1: $3"
}

command -v go >/dev/null || { skip all "no go in PATH; install Go 1.21 or newer"; exit 0; }
cc=${CC:-cc}
tmp=$(mktemp -d)
pids=()
clean() {
	[ ${#pids[@]} = 0 ] || kill "${pids[@]}" 2>/dev/null || :
	rm -rf "$tmp"
}
trap clean EXIT

# go_clean ROOT ARGS...: that toolchain, without the settings of whoever runs this
go_clean() {
	local root=$1
	shift
	GOROOT=$root GOTOOLCHAIN=local GOENV=off GOFLAGS='' GOWORK=off nice "$root/bin/go" "$@"
}

mkdir -p "$tmp/src/c"
cat >"$tmp/src/go.mod" <<-EOF
	module flightrec.example/probe

	go 1.17
EOF
cat >"$tmp/src/main.go" <<-EOF
	package main

	import (
		"fmt"
		"os"
	)

	func main() {
		fmt.Println("ready")
		os.Stdin.Read(make([]byte, 1))
	}
EOF
sed 's|^import (|// int two(void) { return 2; }\nimport "C"\n\nimport (|
	s|"ready"|"ready", C.two()|' "$tmp/src/main.go" >"$tmp/src/c/main.go"

here=$(go env GOROOT)
"$cc" -std=gnu11 -O1 -g -I. -D_GNU_SOURCE -o "$tmp/show" tests/integration/exe_show.c formats/exe/*.c
go_clean "$here" build -o "$tmp/goid_dwarf" tests/integration/goid_dwarf/main.go

# build ROOT NAME PACKAGE [VAR=VALUE...] -- [FLAGS...]
build() {
	local root=$1 out=$tmp/bin/$2 package=$3 vars=()
	shift 3
	while [ "$1" != -- ]; do vars+=("$1"); shift; done
	shift
	(cd "$tmp/src" && export "${vars[@]}" && go_clean "$root" build -p 2 -o "$out" "$@" "$package") \
		>"$tmp/log" 2>&1 || { cat "$tmp/log" >&2; return 1; }
}

# check NAME ARCH OFF: what formats/exe says of the file, and of a process
check() {
	local name=$1 arch=$2 off=$3 bin=$tmp/bin/$1 want got version pkg id pid
	version=$(go version "$bin" | sed 's/^[^:]*: //')
	pkg=$(go version -m "$bin" | awk '$1 == "path" { print $2 }')
	id=$(readelf -nW "$bin" 2>/dev/null | sed -n 's/.*Build ID: //p' | head -1)
	want="$version off=$off mod=flightrec.example/probe pkg=$pkg build-id=${id:-none}"
	got=$("$tmp/show" "$bin") || { fail "$name: exe_show refused the file"; return; }
	compare "$name" "$arch" "$want" "$got"
	[ "$arch" = "$host" ] || return 0

	mkfifo "$tmp/in.$name" "$tmp/out.$name"
	"$bin" <"$tmp/in.$name" >"$tmp/out.$name" &
	pid=$!
	pids+=("$pid")
	exec 9>"$tmp/in.$name" 8<"$tmp/out.$name"
	read -r -u 8 _ # it runs: until then the process may still be this shell
	for how in --pid --pid-code; do
		got=$("$tmp/show" "$how" "$pid") || got="refused the process ($how)"
		compare "$name $how" "$arch" "$want" "$got"
	done
	exec 9>&- 8<&-
	rm "$tmp/in.$name" "$tmp/out.$name"
	wait "$pid" || fail "$name: the program itself failed"
	pids=()
}

compare() {
	checked=$((checked + 1))
	case $4 in
	"$2 pie="[01]" $3 reads="*) [ -z "${V:-}" ] || echo "# $1: $4" ;;
	*) fail "$1: expected '$2 pie=? $3', got '$4'" ;;
	esac
}

case $(uname -m) in
x86_64) host=amd64 other=arm64 ;;
aarch64) host=arm64 other=amd64 ;;
*) skip all "no table for machine $(uname -m)"; exit 0 ;;
esac

# build_all ROOT VERSION: every way but cgo
build_all() {
	build "$1" "$2.exe" . CGO_ENABLED=0 -- &&
		build "$1" "$2.strip" . CGO_ENABLED=0 -- "-ldflags=-s -w" &&
		build "$1" "$2.pie" . CGO_ENABLED=0 -- -buildmode=pie -trimpath &&
		build "$1" "$2.piestrip" . CGO_ENABLED=0 -- -buildmode=pie "-ldflags=-s -w" &&
		build "$1" "$2.noid" . CGO_ENABLED=0 -- -ldflags=-buildid= &&
		build "$1" "$2.$other" . CGO_ENABLED=0 GOARCH=$other -- &&
		build "$1" "$2.${other}pie" . CGO_ENABLED=0 GOARCH=$other -- -buildmode=pie
}

build_cgo() {
	build "$1" "$2.cgo" ./c CGO_ENABLED=1 -- &&
		build "$1" "$2.cgopie" ./c CGO_ENABLED=1 -- -buildmode=pie &&
		build "$1" "$2.cgostatic" ./c CGO_ENABLED=1 -- \
			"-ldflags=-linkmode=external -extldflags=-static"
}

release() {
	local root=$1 v off off_other before=$failed kind
	v=$(go_clean "$root" version | awk '{ print $3 }')
	rm -rf "${tmp:?}/bin"
	mkdir "$tmp/bin"
	if ! build_all "$root" "$v"; then
		fail "$v: build"
		result "$v" "$before" ""
		return
	fi
	if ! command -v "${CC:-gcc}" >/dev/null; then
		skip "$v-cgo" "no C compiler"
	elif ! build_cgo "$root" "$v"; then
		fail "$v: build with cgo"
	fi
	off=$("$tmp/goid_dwarf" "$tmp/bin/$v.exe")
	off_other=$("$tmp/goid_dwarf" "$tmp/bin/$v.$other")
	for kind in exe strip pie piestrip noid cgo cgopie cgostatic; do
		[ ! -e "$tmp/bin/$v.$kind" ] || check "$v.$kind" $host "$off"
	done
	check "$v.$other" $other "$off_other"
	check "$v.${other}pie" $other "$off_other"
	result "$v" "$before" "goid at $off ($host), $off_other ($other)"
}

# A version that does not exist yet must be recognised as Go, and get no goid.
future() {
	local got before=$failed
	mkdir -p "$tmp/bin"
	build "$here" future . CGO_ENABLED=0 -- "-ldflags=-X=runtime.buildVersion=go1.99.1" ||
		{ fail "made-up version: build"; result future "$before" ""; return; }
	got=$("$tmp/show" "$tmp/bin/future")
	compare "made-up version" $host "go1.99.1 off=none mod=flightrec.example/probe \
pkg=flightrec.example/probe build-id=none" "${got/build-id=*reads/build-id=none reads}"
	result future "$before" ""
}

not_go() {
	local got before=$failed
	got=$("$tmp/show" --pid $$) || got=refused
	checked=$((checked + 1))
	case $got in
	"$host pie="?" no-go(No such file or directory) build-id="*) ;;
	*) fail "bash: expected 'no-go(No such file or directory)', got '$got'" ;;
	esac
	result not-go "$before" ""
}

# shellcheck disable=SC2086 # a list of words
[ $# != 0 ] || set -- installed ${FR_LONG:+$long}
not_go
future
for v; do
	if [ "$v" = installed ]; then
		root=$here
	elif [ "$v" = "$(go env GOVERSION)" ] && [ "$1" = installed ]; then
		continue # done as the installed one
	else
		root=$(cd "$tmp" && GOTOOLCHAIN=$v GOFLAGS='' go env GOROOT 2>"$tmp/log") ||
			{ skip "$v" "can't be had: $(tail -1 "$tmp/log")"; continue; }
	fi
	release "$root"
done
echo "# $checked compared, $failed wrong"
[ "$failed" = 0 ] || exit 1
