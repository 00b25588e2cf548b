#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# tests/run.sh itself, on a made-up tree of tests: nothing that goes wrong may pass for good.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/flightrec-runner.XXXXXX")
trap 'rm -rf "$work"' EXIT
failures=0

new_tree() {
	rm -rf "$work/t" "$work/o"
	mkdir -p "$work/t/integration" "$work/t/unit" "$work/o/tests/unit"
}

script() { # script NAME, text on stdin
	{
		echo '#!/bin/sh'
		cat
	} >"$work/t/integration/$1.sh"
	chmod +x "$work/t/integration/$1.sh"
}

run() { # into $out and $status
	out=$(env -u FR_LONG FR_TESTS="$work/t" FR_TEST_LOGS="$work/logs" O="$work/o" \
		"$root/tests/run.sh" "${1:-quick}" 2>&1)
	status=$?
}

expect() { # expect NAME STATUS LAST-LINE [PATTERN...]
	local name=$1 want=$2 last=$3 pattern
	shift 3
	if [ "$status" != "$want" ] || [ "$(tail -n 1 <<<"$out")" != "$last" ]; then
		fail "$name"
		return
	fi
	for pattern; do
		grep -qE -- "$pattern" <<<"$out" || {
			fail "$name (no line like: $pattern)"
			return
		}
	done
	echo "ok $name"
}

# Killed, and whoever inherited it may not have collected it yet: that is as good as gone.
gone() {
	local state tries=1000
	while state=$(sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null) && [ "${state:-Z}" != Z ]; do
		((tries-- > 0)) || return 1
		sleep 0.02
	done
}

fail() {
	echo "not ok $1"
	echo "status $status, output:" | sed 's/^/# /'
	# shellcheck disable=SC2001 # every line, not one prefix
	sed 's/^/# /' <<<"$out"
	failures=$((failures + 1))
}

new_tree
run
expect nothing_ran_is_a_failure 1 "0 passed, 0 failed"

new_tree
script good <<<'echo "ok one"; echo "skip two needs root"; echo noise'
run
expect results_are_counted 0 "1 passed, 0 failed, 1 skipped" \
	'^ok integration/good/one \([0-9]+ ms\)$' '^skip integration/good/two: needs root$'
[[ $out != *noise* ]] || { out="noise was shown: $out"; fail output_of_good_tests_is_not_shown; }

new_tree
script bad <<<'echo "ok one"; echo "not ok two"; echo because; exit 1'
run
expect failing_line_fails_and_shows_output 1 "1 passed, 1 failed" '^FAIL integration/bad/two' '^because$'

new_tree
script lies <<<'echo "ok one"; exit 3'
run
expect exit_status_counts 1 "1 passed, 1 failed" '^FAIL integration/lies: exit status 3$'

new_tree
script silent <<<'exit 0'
script crash <<<'kill -SEGV $$'
run
expect silent_script_is_one_test 1 "1 passed, 1 failed" '^ok integration/silent' \
	'^FAIL integration/crash: exit status 139$'

new_tree
script hang <<<'# timeout: 3
echo "ok before"; sleep 300 & echo $! >'"$work/pid"'; wait'
run
expect hang_is_killed_and_named 1 "1 passed, 1 failed" '^FAIL integration/hang: no end after 3 s, killed$'
gone "$(cat "$work/pid")" || fail hang_leaves_no_process

new_tree
script leaves <<<'sleep 300 & echo $! >'"$work/pid"'; exit 0'
run
gone "$(cat "$work/pid")" || status=left
expect leftovers_are_killed 0 "1 passed, 0 failed"

new_tree
script tap <<<'echo "1..4"; echo "ok 1 - a"; echo "not ok 2 # SKIP b"; echo "ok 3 - c # SKIP no disk"; echo "ok 4 - d"'
run
expect tap_is_understood 0 "2 passed, 0 failed, 2 skipped" '^ok integration/tap/a' \
	'^skip integration/tap/b' '^skip integration/tap/c: no disk'

new_tree
script short <<<'echo "1..3"; echo "ok 1 - a"'
run
expect missing_tap_results_fail 1 "1 passed, 1 failed" 'planned 3 tests, ran 1'

new_tree
script partial <<<'printf "not ok last"'
run
expect line_without_newline_counts 1 "0 passed, 1 failed"

new_tree
echo 'exit 0' >"$work/t/integration/forgotten.sh"
run
expect script_that_cannot_run_fails 1 "0 passed, 1 failed" 'forgotten.*not executable'

new_tree
: >"$work/t/unit/test_gone.c"
run unit
expect missing_program_fails 1 "0 passed, 1 failed" '^FAIL unit/gone: exit status 127$'

new_tree
: >"$work/t/unit/test_tap.c"
printf '#!/bin/sh\n[ "$CMOCKA_MESSAGE_OUTPUT" = TAP ] && echo 1..1 && echo ok 1 - x\n' >"$work/o/tests/unit/test_tap"
chmod +x "$work/o/tests/unit/test_tap"
script not_here <<<'exit 1'
run unit
expect unit_mode_runs_unit_only 0 "1 passed, 0 failed" '^ok unit/tap/x$'

new_tree
mkdir "$work/t/long"
script sees <<<'[ "$FR_LONG" = 1 ]'
mv "$work/t/integration/sees.sh" "$work/t/long/sees.sh"
run long
expect long_mode_runs_long_tests 0 "1 passed, 0 failed" '^ok long/sees'

exit $((failures != 0))
