#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What building, testing, the demo and the benches need. A thing counts as there when it is found,
# however it was installed; only what is missing is fetched, through apt-get on Debian and its kin.
set -u

usage() {
	cat <<-EOF
	usage: deps.sh [--check] GROUP...
	  groups: build test demo long bench
	  installs what is missing (with sudo when not root); with --check only says what is missing
	  and with which command it comes. Exit status: 0 all is there, 1 something is missing,
	  2 wrong use.
	EOF
}

# groups | Debian package | how to find it: one of these is enough
#   cmd:NAME      a command on PATH (or in /usr/sbin, /sbin)
#   inc:FILE      a header below an include folder
#   file:GLOB     a file
#   go:MAJ.MIN    a Go of at least that version
#   fuzzer        the run-time library of clang -fsanitize=fuzzer
# "@" in a package name is the major version of clang.
table='
build                | gcc                | cmd:gcc cmd:cc
build                | make               | cmd:make
build                | libc6-dev          | inc:stdio.h
build                | clang              | cmd:clang
build                | llvm               | cmd:llvm-strip
build                | libbpf-dev         | inc:bpf/libbpf.h
build                | libinih-dev        | inc:ini.h
build                | liblz4-dev         | inc:lz4.h
build                | libzstd-dev        | inc:zstd.h
build                | libxxhash-dev      | inc:xxhash.h
build                | libcurl4-openssl-dev | inc:curl/curl.h
build                | zlib1g-dev         | inc:zlib.h
test                 | libcmocka-dev      | inc:cmocka.h
test                 | libclang-rt-@-dev  | fuzzer
test demo long bench | postgresql         | cmd:initdb file:/usr/lib/postgresql/*/bin/initdb
test demo long bench | golang-go          | go:1.18
test                 | python3            | cmd:python3
test                 | jq                 | cmd:jq
test                 | openssl            | cmd:openssl
test                 | protobuf-compiler  | cmd:protoc
test                 | strace             | cmd:strace
test                 | bpftool            | cmd:bpftool
test                 | shellcheck         | cmd:shellcheck
test demo bench      | curl               | cmd:curl
test demo bench      | procps             | cmd:ps
test                 | e2fsprogs          | cmd:mkfs.ext4
test                 | iproute2           | cmd:ip
test demo bench      | wrk                | cmd:wrk
bench                | linux-perf         | cmd:perf
long                 | qemu-system-x86    | cmd:qemu-system-x86_64
long                 | busybox-static     | cmd:busybox
long                 | cpio               | cmd:cpio
long                 | nodejs             | cmd:node
long                 | npm                | cmd:npm
long                 | nginx-light        | cmd:nginx
long                 | redis-server       | cmd:redis-server
long                 | redis-tools        | cmd:redis-benchmark
long                 | tshark             | cmd:tshark
long                 | mariadb-server     | cmd:mariadbd
long                 | libmariadb-dev     | cmd:mariadb_config
long                 | python3-psycopg2   | file:/usr/lib/python3/dist-packages/psycopg2
bench                | trace-cmd          | cmd:trace-cmd
'

include_dirs=(/usr/include /usr/local/include /usr/include/*-linux-gnu*)
IFS=: read -ra more <<<"${CPATH:-}${C_INCLUDE_PATH:+:$C_INCLUDE_PATH}"
include_dirs+=("${more[@]}")

have_command() {
	type -P "$1" >/dev/null || [ -x "/usr/sbin/$1" ] || [ -x "/sbin/$1" ]
}

have_header() {
	local dir
	for dir in "${include_dirs[@]}"; do
		[ -n "$dir" ] && [ -e "$dir/$1" ] && return
	done
	return 1
}

have_go() { # at least version $1
	local has
	have_command go || return 1
	has=$(go env GOVERSION 2>/dev/null) || return 1
	[[ $has =~ ^go([0-9]+)\.([0-9]+) ]] || return 1
	((BASH_REMATCH[1] > ${1%.*} || (BASH_REMATCH[1] == ${1%.*} && BASH_REMATCH[2] >= ${1#*.})))
}

have_fuzzer() {
	local dir
	for dir in /usr/lib/llvm-*/lib/clang/* /usr/lib/clang/* /usr/lib64/clang/*; do
		compgen -G "$dir/lib/*/libclang_rt.fuzzer*.a" >/dev/null && return
	done
	return 1
}

found() { # found WAY...: whether one of them leads to something
	local way
	for way; do
		case $way in
		cmd:*) have_command "${way#cmd:}" ;;
		inc:*) have_header "${way#inc:}" ;;
		file:*) compgen -G "${way#file:}" >/dev/null ;;
		go:*) have_go "${way#go:}" ;;
		fuzzer) have_fuzzer ;;
		*) false ;;
		esac && return
	done
	return 1
}

clang_major() {
	local v
	v=$(clang -dumpversion 2>/dev/null) ||
		v=$(apt-cache depends clang 2>/dev/null | grep -om1 'clang-[0-9]*')
	v=${v#clang-}
	v=${v%%.*}
	echo "${v:-14}"
}

# Sets missing (packages) and explain (one line each) for the groups asked for.
look() {
	local groups package ways way_list group
	missing=()
	explain=()
	while IFS='|' read -r groups package ways; do
		read -r package <<<"$package"
		[ -n "$package" ] || continue
		for group in "${wanted[@]}"; do
			case " $groups " in *" $group "*) ;; *) continue ;; esac
			read -ra way_list <<<"$ways" # not expanded: the globs belong to found()
			found "${way_list[@]}" || {
				case $package in *@*) package=${package/@/$(clang_major)} ;; esac
				missing+=("$package")
				explain+=("$(printf '  %-20s looked for:%s' "$package" "$ways")")
			}
			break
		done
	done <<<"$table"
}

check=
wanted=()
for arg; do
	case $arg in
	--check) check=1 ;;
	-h | --help) usage; exit 0 ;;
	build | test | demo | long | bench) wanted+=("$arg") ;;
	*) echo "deps.sh: unknown group or option '$arg'" >&2; usage >&2; exit 2 ;;
	esac
done
[ ${#wanted[@]} != 0 ] || { usage >&2; exit 2; }

look
[ ${#missing[@]} != 0 ] || exit 0

as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo)
command="${as_root[*]}${as_root:+ }apt-get install --no-install-recommends ${missing[*]}"

say_missing() {
	echo "missing for ${wanted[*]}:"
	printf '%s\n' "${explain[@]}"
}

if [ -n "$check" ]; then
	say_missing >&2
	if have_command apt-get; then
		echo "they come with: tests/deps.sh ${wanted[*]}, or: $command" >&2
	else
		echo "the names are Debian's: install what holds these files with this system's packages" >&2
	fi
	exit 1
fi

give_up() {
	{
		say_missing
		echo "deps.sh: $1"
	} >&2
	exit 1
}

have_command apt-get ||
	give_up "no apt-get here (the names are Debian's): install what holds these with this system's packages"
if [ ${#as_root[@]} != 0 ]; then
	have_command sudo || give_up "installing needs root, and there is no sudo: run as root: $command"
	# nobody is there to type a password when stdin is no terminal
	[ -t 0 ] || as_root=(sudo -n)
	"${as_root[@]}" true 2>/dev/null || give_up "installing needs root, and sudo refused: run as root: $command"
fi

echo "installing: ${missing[*]}"
log=$(mktemp "${TMPDIR:-/tmp}/flightrec-deps.XXXXXX")
trap 'rm -f "$log"' EXIT
apt() {
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
		apt-get -q -y -o DPkg::Lock::Timeout=300 "$@" </dev/null >>"$log" 2>&1
}
# A list that cannot be fetched may belong to a source that isn't needed: only installing decides.
apt update || echo "deps.sh: apt-get update reported trouble, going on with the lists as they are"
look # the lists tell which major version of clang comes
if ! apt install --no-install-recommends "${missing[@]}"; then
	tail -n 15 "$log" >&2
	give_up "apt-get could not install them (see above); by hand: $command"
fi
look
[ ${#missing[@]} = 0 ] || give_up "apt-get succeeded, yet these are still not found"
