#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Follows CONTRIBUTING.md to the letter on a copy of the tree: its event is recorded and decoded, its
# output is offered and works, the lint finds them documented.
# timeout: 900
. "$(dirname "$0")/../lib/recorder.sh"

tree=$work/tree
mkdir -p "$tree"
(cd "$root" && tar cf - --exclude=./build --exclude=./.git .) | tar xf - -C "$tree" || exit 1

check steps_lead_somewhere python3 -B "$root/tests/lib/follow_doc.py" "$root/CONTRIBUTING.md" "$tree"

# Unoptimised: this is about whether it builds. BPF programs are always optimised.
make_copy() (
	set -o pipefail
	env -u MAKEFLAGS -u MAKEOVERRIDES -u FR_LONG FR_TEST_LOGS="$work/logs" \
		make -C "$tree" -s -j"$(nproc)" CFLAGS=-O0 "$@" 2>&1 | tail -n 60
)
check builds_with_both make_copy all
[ "$failures" = 0 ] || finish

lint() { # what is about the new pieces
	O=$tree/build python3 -B "$tree/tests/lint/lint.py" "$tree" docs_events docs_decoders includes_exist \
		includes_layers includes_circles
}
check lint_finds_them_documented lint

build=$tree/build
offered() { # in the help, and where a wrong name is answered with the right ones
	"$build/flightrec" convert --help | grep 'counts: ' &&
		! "$build/flightrec" convert x.frd --to nothing 2>"$work/answer" && grep ' counts' "$work/answer"
}
check output_is_offered offered

check unit_tests_know_it make_copy test-unit

# the fixture dump, for where nothing can be recorded
fixture_counts() {
	FR_FIXTURE_OUT=$work/fixture.frd "$tree/build/tests/unit/test_dump_fixture" >/dev/null &&
		"$build/flightrec" convert "$work/fixture.frd" --all --to counts -o - >"$work/counts"
	# 1 = something is missing in it, and that was said
	[ $? -le 1 ] && cat "$work/counts" && grep -q '^sched_migrate 1$' "$work/counts"
}
check output_counts_the_fixture fixture_counts

if [ "$(id -u)" != 0 ] || [ "$(nproc)" = 1 ]; then
	skip event_is_recorded "needs root and two CPUs"
	finish
fi

recorder_start || not_ok recorder_starts
# Told to live elsewhere while it waits for its child, this shell moves when it wakes up.
for ((i = 0; i < 20; i++)); do
	taskset -pc $((i % 2)) $$ >/dev/null
done
recorder_dump || not_ok dump_comes
recorder_stop || not_ok recorder_stops

seen() { # the text has it, decoded, both ways
	"$build/flightrec" convert "$dump" --to text --all -o - >"$work/text"
	[ $? -le 1 ] || return
	grep sched_migrate "$work/text" | head -n 5
	grep -q 'sched_migrate.*tid=[0-9]*.*from_cpu=0.*to_cpu=1' "$work/text" &&
		grep -q 'sched_migrate.*tid=[0-9]*.*from_cpu=1.*to_cpu=0' "$work/text"
}
check event_is_recorded_and_decoded seen

counted() {
	"$build/flightrec" convert "$dump" --to counts --all -o - >"$work/counts"
	[ $? -le 1 ] && cat "$work/counts" && grep -q '^sched_migrate [1-9]' "$work/counts"
}
check output_counts_the_event counted

in_info() {
	"$build/flightrec" info "$dump" --json >"$work/info"
	[ $? -le 1 ] && jq -e '.events.sched_migrate | tonumber > 0' "$work/info"
}
check info_names_the_event in_info
finish
