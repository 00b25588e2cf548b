#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Runs the tests and says of each one how it went; the last line is "N passed, N failed" (and
# ", N skipped"). Exit status 1 when one failed or none ran.
#
#   run.sh quick        unit, corpus replay, golden, lint, integration, fault
#   run.sh unit         unit and corpus replay only
#   run.sh long         all of quick with FR_LONG=1 set, and tests/long/*.sh
#   run.sh [MODE] WORD  only the files whose name holds WORD
#
# A test file prints TAP, or lines "ok NAME", "not ok NAME", "skip NAME REASON"; a file that prints
# none of them is one test. Its exit status counts as well. Its output goes to
# build/test-logs/<name>.log and is shown when it fails. It has 300 s (long: 3600 s); a line
# "timeout: SECONDS" in a comment near its top changes that. When it ends, whatever it left running
# in its session is killed. Tests run one after another: they share the kernel.
set -u
export LC_ALL=C

root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root" || exit 1
O=${O:-build}
case $O in /*) ;; *) O=$root/$O ;; esac
export O
logs=${FR_TEST_LOGS:-$root/build/test-logs}
tests=${FR_TESTS:-tests} # another tree of tests: for the test of this file

mode=${1:-quick}
only=${2:-}
case $mode in
quick | unit) limit_s=300 ;;
long) limit_s=3600 FR_LONG=1; export FR_LONG ;;
*) echo "run.sh: unknown mode '$mode': quick, unit or long" >&2; exit 2 ;;
esac

passed=0
failed=0
skipped=0
failures=()
rm -rf "$logs"
mkdir -p "$logs" || exit 1
exec {never}<> <(:) # a pipe that nothing is written to: reading it is a pause without a fork

now_ms() { # into $ms
	ms=$((${EPOCHREALTIME/./} / 1000))
}

result_ok() { # NAME MS
	passed=$((passed + 1))
	echo "ok $1${2:+ ($2 ms)}"
}

result_fail() { # NAME WHY
	failed=$((failed + 1))
	failures+=("$1${2:+: $2}")
	echo "FAIL $1${2:+: $2}"
}

result_skip() { # NAME REASON
	skipped=$((skipped + 1))
	echo "skip $1: ${2:-no reason given}"
}

# One line of a test file's output; results count under the file's name.
take_line() {
	local file=$1 line=$2 took
	now_ms
	took=$((ms - last_ms))
	[ -z "$untimed" ] || took=
	if [[ $line =~ ^1\.\.([0-9]+) ]]; then
		planned=${BASH_REMATCH[1]}
		return
	elif [[ $line =~ ^(not\ )?ok\ +([0-9]+)?\ *-?\ *#\ *(SKIP|skip)\ *(.*)$ ]]; then
		result_skip "$file/${BASH_REMATCH[4]:-${BASH_REMATCH[2]}}" "the test says so"
	elif [[ $line =~ ^(not\ )?ok\ +(.*[^ ])\ +#\ *(SKIP|skip)\ *(.*)$ ]]; then
		result_skip "$file/$(bare_name "${BASH_REMATCH[2]}")" "${BASH_REMATCH[4]}"
	elif [[ $line =~ ^ok\ +(.+)$ ]]; then
		result_ok "$file/$(bare_name "${BASH_REMATCH[1]}")" "$took"
	elif [[ $line =~ ^not\ ok\ +(.+)$ ]]; then
		result_fail "$file/$(bare_name "${BASH_REMATCH[1]}")" ""
		bad=$((bad + 1))
	elif [[ $line =~ ^skip\ +([^ ]+)\ *(.*)$ ]]; then
		result_skip "$file/${BASH_REMATCH[1]%:}" "${BASH_REMATCH[2]}"
	else
		return
	fi
	seen=$((seen + 1))
	last_ms=$ms
}

bare_name() { # TAP's "7 - name" is "name"
	local name=$1
	[[ $name =~ ^[0-9]+\ +-?\ *(.+)$ ]] && name=${BASH_REMATCH[1]}
	echo "$name"
}

# Reads what has come since the last call; a line that is not whole yet waits in $part.
drain() {
	local line
	while IFS= read -r line <&"$out"; do
		take_line "$1" "$part$line"
		part=
	done
	part+=$line
}

timeout_of() { # SOURCE: seconds
	local own
	own=$(head -n 30 "$1" 2>/dev/null | grep -aoiEm1 '\btimeout: *[0-9]+' | grep -oE '[0-9]+')
	echo "${own:-$limit_s}"
}

# run_file NAME SOURCE COMMAND...
run_file() {
	local name=$1 source=$2 log seconds pid status=0 start_ms out part='' why=''
	local seen=0 bad=0 planned='' last_ms pause=0.01
	shift 2
	case $name in *"$only"*) ;; *) return ;; esac
	log=$logs/${name//\//-}.log
	seconds=$(timeout_of "$source")
	now_ms
	start_ms=$ms last_ms=$ms
	: >"$log"
	exec {out}<"$log"
	# A session of its own: the pid is the group that a signal reaches, and what outlives it is found.
	setsid timeout --kill-after=10 "$seconds" "$@" </dev/null >>"$log" 2>&1 &
	pid=$!
	while kill -0 "$pid" 2>/dev/null; do
		drain "$name"
		read -rt "$pause" -u "$never" _
		((ms - start_ms < 500)) || pause=0.05
		now_ms
	done
	{ wait "$pid"; } 2>/dev/null || status=$?
	drain "$name"
	[ -z "$part" ] || take_line "$name" "$part"
	exec {out}<&-
	pkill -KILL -s "$pid" 2>/dev/null && echo "# it left processes behind, killed" >>"$log"
	now_ms

	if ((ms - start_ms >= seconds * 1000)) && [[ $status = 124 || $status = 137 ]]; then
		why="no end after $seconds s, killed"
	elif [ -n "$planned" ] && [ "$planned" != "$seen" ]; then
		why="planned $planned tests, ran $seen, exit status $status"
	elif [ "$status" != 0 ] && [ "$bad" = 0 ]; then
		why="exit status $status"
	fi
	if [ -n "$why" ]; then
		result_fail "$name" "$why"
		bad=$((bad + 1))
	elif [ "$seen" = 0 ]; then
		result_ok "$name" $((ms - start_ms))
	fi
	if [ "$bad" != 0 ]; then
		echo "---- $name, from ${log#"$root"/}"
		cat "$log"
		echo "----"
	fi
}

run_unit() {
	local source name
	untimed=1 # their output comes in one piece, at the end
	for source in "$tests"/unit/test_*.c; do
		[ -e "$source" ] || continue
		name=$(basename "$source" .c)
		run_file "unit/${name#test_}" "$source" env CMOCKA_MESSAGE_OUTPUT=TAP "$O/tests/unit/$name"
	done
	untimed=
}

run_replay() {
	local source name
	for source in "$tests"/fuzz/fuzz_*.c; do
		[ -e "$source" ] || continue
		name=$(basename "$source" .c)
		name=${name#fuzz_}
		run_file "fuzz/$name" "$source" "$O/tests/fuzz/replay_$name" "$tests/fuzz/corpus/$name"
	done
}

# Scripts of a folder, and the programs built from its *_test.c
run_folder() {
	local source name
	for source in "$tests/$1"/*.sh "$tests/$1"/*_test.c; do
		[ -e "$source" ] || continue
		name=$(basename "$source")
		name=${name%.*}
		name=${name%_test}
		case $source in
		*.c) run_file "$1/$name" "$source" "$O/tests/$1/$(basename "$source" .c)" ;;
		*)
			if [ -x "$source" ]; then
				run_file "$1/$name" "$source" "$source"
			else
				result_fail "$1/$name" "$source is not executable: chmod +x, or move it to tests/lib"
			fi
			;;
		esac
	done
}

now_ms
begin_ms=$ms
untimed=
run_unit
run_replay
if [ "$mode" != unit ]; then
	[ ! -e "$tests/golden/run.sh" ] || run_file golden "$tests/golden/run.sh" "$tests/golden/run.sh"
	for part_of_lint in run selftest; do
		[ ! -e "$tests/lint/$part_of_lint.sh" ] || run_file "lint/$part_of_lint" \
			"$tests/lint/$part_of_lint.sh" "$tests/lint/$part_of_lint.sh"
	done
	run_folder integration
	run_folder fault
	[ "$mode" != long ] || run_folder long
fi
now_ms

if [ ${#failures[@]} != 0 ]; then
	echo
	printf 'FAIL %s\n' "${failures[@]}"
fi
echo
echo "took $(((ms - begin_ms) / 1000)).$(printf %03d $(((ms - begin_ms) % 1000))) s"
[ $((passed + failed)) != 0 ] || echo "nothing ran: is anything built? (make test does that)"
echo "$passed passed, $failed failed$([ $skipped = 0 ] || echo ", $skipped skipped")"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
