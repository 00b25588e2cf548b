#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# run.sh [WORD...]: every bench of this folder (or those whose name holds one of the words), one after
# another: the scripts, and the programs that no script of the same name drives. Then what the bars
# are and whether they were met. A missed bar is a fact, not an error: exit status 1 means that a
# bench could not run.
#
# A bench prints what it measured as ratios within its own run, and for each bar a line that ends in
# "(bar >= 97 %: met)" or "(bar ...: missed)", and "skip NAME REASON" when it cannot run here.
set -u
export LC_ALL=C
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root" || exit 1
O=${O:-build}
case $O in /*) ;; *) O=$root/$O ;; esac
export O
log=$(mktemp "${TMPDIR:-/tmp}/flightrec-bench.XXXXXX")
trap 'rm -f "$log"' EXIT

wanted() {
	local word
	[ $# -gt 1 ] || return 0
	for word in "${@:2}"; do
		case $1 in *"$word"*) return 0 ;; esac
	done
	return 1
}

machine() {
	echo "commit  $(git describe --always --dirty 2>/dev/null || cat VERSION)"
	echo "kernel  $(uname -sr)"
	echo "cpu     $(grep -c ^processor /proc/cpuinfo) x" \
		"$(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -n 1)"
	echo "load    $(cut -d' ' -f1-3 /proc/loadavg) before the first bench"
}

broken=()
ran=0
section() { # section NAME COMMAND...
	local name=$1 status started=$SECONDS
	shift
	printf '\n== %s\n' "$name"
	ran=$((ran + 1))
	"$@" </dev/null 2>&1 | tee -a "$log"
	status=${PIPESTATUS[0]}
	echo "   ($((SECONDS - started)) s)"
	[ "$status" = 0 ] || {
		echo "   $name could not run to its end: exit status $status"
		broken+=("$name")
	}
}

machine
for bench in tests/bench/*.sh tests/bench/*.c; do
	name=$(basename "$bench")
	name=${name%.*}
	[ -e "$bench" ] && wanted "$name" "$@" || continue
	case $bench in
	tests/bench/run.sh | *.bpf.c) ;;
	*.sh) [ ! -x "$bench" ] || section "$name" "$bench" ;;
	*.c) [ -e "tests/bench/$name.sh" ] || section "$name" "$O/tests/bench/$name" ;;
	esac
done

printf '\n== bars\n'
grep -E '\(bar .*: (met|missed)\)' "$log" || echo "none was measured"
if [ ${#broken[@]} != 0 ]; then
	echo "not run: ${broken[*]}"
fi
echo "$ran benches, $(grep -cE '\(bar .*: met\)' "$log") bars met," \
	"$(grep -cE '\(bar .*: missed\)' "$log") missed"
[ ${#broken[@]} = 0 ] && [ $ran != 0 ]
