#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# run.sh SECONDS [NAME...]: every built fuzz target (or the named ones) for that long each, from the
# seeds in tests/fuzz/corpus/<name>. What it finds goes to build/fuzz-artifacts/<name>; the corpus
# that it grew stays in build/fuzz-corpus/<name> and is used again next time. Exit status 1 when
# something was found or a target cannot run.
#
# A finding becomes a test by copying it into tests/fuzz/corpus/<name> (as crash-*): `make test`
# replays that folder.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root" || exit 1
O=${O:-build/fuzz/san}
seconds=${1:-}
if ! [[ $seconds =~ ^[1-9][0-9]*$ ]]; then
	echo "usage: run.sh SECONDS [NAME...], after building with make fuzz" >&2
	exit 2
fi
shift
names=("$@")
if [ ${#names[@]} = 0 ]; then
	for source in tests/fuzz/fuzz_*.c; do
		[ -e "$source" ] || continue
		name=$(basename "$source" .c)
		names+=("${name#fuzz_}")
	done
fi
[ ${#names[@]} != 0 ] || { echo "no fuzz target: tests/fuzz/fuzz_*.c is empty" >&2; exit 1; }

passed=0
failed=0
for name in "${names[@]}"; do
	target=$O/tests/fuzz/fuzz_$name
	found=build/fuzz-artifacts/$name
	grown=build/fuzz-corpus/$name
	log=build/fuzz-artifacts/$name.log
	mkdir -p "$found" "$grown" "tests/fuzz/corpus/$name"
	if [ ! -x "$target" ]; then
		echo "FAIL $name: $target is not built"
		failed=$((failed + 1))
		continue
	fi
	dict=()
	[ ! -e "tests/fuzz/$name.dict" ] || dict=(-dict="tests/fuzz/$name.dict")
	# the first folder is the one that libFuzzer writes to
	if "$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
		-artifact_prefix="$found/" "${dict[@]}" "$grown" "tests/fuzz/corpus/$name" \
		</dev/null >"$log" 2>&1; then
		passed=$((passed + 1))
		awk -v name="$name" '
			/^stat::number_of_executed_units/ { runs = $2 }
			/^stat::average_exec_per_sec/ { rate = $2 }
			match($0, / cov: [0-9]+/) { cov = substr($0, RSTART + 6, RLENGTH - 6) }
			END { printf "ok %s: %d runs, %d/s, cov %d\n", name, runs, rate, cov }' "$log"
	else
		failed=$((failed + 1))
		echo "FAIL $name: see $log, inputs in $found"
		tail -n 40 "$log"
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
