#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Golden outputs: what flightrec makes of the fixture dump, byte for byte, and how it ends on wrong
# use. Look at the diff before running this with --update, which writes the outputs anew.
#   run.sh [--update]
set -u
export LC_ALL=C TZ=UTC

root=$(cd "$(dirname "$0")/../.." && pwd)
here=$root/tests/golden
O=${O:-$root/build}
tool=$O/flightrec
fixture=$O/tests/unit/test_dump_fixture
update=${1:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

for program in "$tool" "$fixture"; do
	[ -x "$program" ] && continue
	make -C "$root" --no-print-directory "${program#"$root/"}" >"$work/make" 2>&1 ||
		{ cat "$work/make"; echo "not ok build"; exit 1; }
done
FR_FIXTURE_OUT=$work/fixture.frd "$fixture" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
cd "$work" || exit 1

result() { # NAME GOOD
	if [ "$2" = 0 ]; then
		echo "ok $1"
	else
		echo "not ok $1"
		status=1
	fi
}

# golden NAME EXIT COMMAND...: its output is tests/golden/NAME, and it ends with EXIT.
golden() {
	local name=$1 want=$2 got
	shift 2
	"$@" >"$name" 2>"$work/err"
	got=$?
	if [ "$got" != "$want" ]; then
		echo "# exit status $got, not $want: $*"
		sed 's/^/# /' "$work/err"
		result "$name" 1
		return
	fi
	[ "$update" != --update ] || cp "$name" "$here/$name"
	diff -u "$here/$name" "$name" | head -40 | sed 's/^/# /'
	cmp -s "$here/$name" "$name"
	result "$name" $?
}

# says NAME EXIT PATTERN COMMAND...: stderr matches the pattern, and it ends with EXIT.
says() {
	local name=$1 want=$2 pattern=$3 got
	shift 3
	"$@" >"$work/out" 2>"$work/err" </dev/null
	got=$?
	[ "$got" = "$want" ] && grep -Eq -- "$pattern" "$work/err"
	got=$((got == want ? $? : got + 100))
	[ "$got" = 0 ] || sed "s/^/# $got: /" "$work/err"
	result "$name" "$got"
}

is_chrome() { # NAME FILE
	local report
	report=$(python3 "$here/check_chrome.py" "$2")
	[ -z "${report##*: ok, *}" ]
	result "$1" $?
	# shellcheck disable=SC2001
	[ -z "${report##*: ok, *}" ] || sed 's/^/# /' <<<"$report"
}

# ---- outputs of the whole dump ------------------------------------------------------------------
golden fixture.json 0 "$tool" convert fixture.frd --to chrome
golden fixture-all.json 0 "$tool" convert fixture.frd --to chrome --all
golden fixture.txt 0 "$tool" convert fixture.frd --to text
# shellcheck disable=SC2016
golden fixture-otlp.jsonl 0 bash -o pipefail -c '"$1" convert fixture.frd --to otlp-json -o - |
	sed "s/},{/},\n{/g"' - "$tool" # broken into lines, so that a diff can be read
golden fixture-info.txt 0 "$tool" info fixture.frd
golden fixture-info.json 0 "$tool" info fixture.frd --json
golden fixture-verify.json 0 "$tool" verify fixture.frd --json
golden fixture-curl.txt 0 "$tool" convert fixture.frd --to text --comm curl
golden fixture-web.json 0 "$tool" convert fixture.frd --to chrome --pid 2000 --from -3ms --until +100us
is_chrome chrome_is_strict fixture.json
is_chrome chrome_all_is_strict fixture-all.json
is_chrome chrome_filtered_is_strict fixture-web.json

# ---- ways in and out ----------------------------------------------------------------------------
"$tool" convert - --to chrome -o - <fixture.frd 2>"$work/err" | cmp -s - fixture.json
result from_a_pipe_to_a_pipe $?
"$tool" convert fixture.frd --to chrome -o named.json && cmp -s named.json fixture.json
result into_a_file $?
mkdir dumps && cp fixture.frd dumps/a.frd && cp fixture.frd dumps/b.frd && echo no >dumps/readme.txt
"$tool" convert dumps --to text 2>"$work/err" | grep -v '^#' | cmp -s - <(grep -v '^#' fixture.txt)
result the_same_dump_twice_is_once $?

# requests of one trace, and those that took long: what the whole output has of them
trace=$(grep -o 'trace_id=[0-9a-f]*' fixture.txt | sort | uniq -c | sort -rn | awk 'NR == 1 { print substr($2, 10) }')
"$tool" convert fixture.frd --to text --trace-id "$trace" 2>"$work/err" | grep ' request ' >one.txt
[ -s one.txt ] && grep ' request .*trace_id='"$trace" fixture.txt | cmp -s - one.txt
result requests_of_one_trace $?
"$tool" convert fixture.frd --to text --min-duration 480us 2>"$work/err" | grep ' request ' >long.txt
[ -s long.txt ] && grep ' request ' fixture.txt |
	awk '{ for (i = 1; i <= NF; i++) if (sub(/^duration_ns=/, "", $i) && $i + 0 >= 480000) n++ }
		END { print n }' | cmp -s - <(wc -l <long.txt)
result requests_that_took_long $?

# ---- damage -------------------------------------------------------------------------------------
head -c 7000 fixture.frd >cut.frd
golden cut-info.json 1 "$tool" info cut.frd --json
golden cut.json 1 "$tool" convert cut.frd --to chrome
is_chrome chrome_of_a_cut_dump_is_strict cut.json
says cut_verify 1 'incomplete' "$tool" verify cut.frd
head -c 80 fixture.frd >stub.frd
says nothing_readable 5 'nothing in it can be read' "$tool" convert stub.frd --to text

# ---- wrong use ----------------------------------------------------------------------------------
says no_command 2 'Usage' "$tool"
says unknown_command 2 "no command 'fly'" "$tool" fly
says no_dump 2 'which dump' "$tool" convert --to text
says no_format 2 'to what' "$tool" convert fixture.frd
says unknown_format 2 'there are: chrome text' "$tool" convert fixture.frd --to html
says unknown_option 2 'did you mean --pid' "$tool" convert fixture.frd --to text --pit 3
says bad_time 2 'is no time' "$tool" convert fixture.frd --to text --from yesterday
says bad_pid 2 'is no process id' "$tool" convert fixture.frd --to text --pid 99999999999
says bad_trace_id 2 'is no trace id' "$tool" convert fixture.frd --to text --trace-id 4bf92f
says bad_duration 2 'is no duration' "$tool" convert fixture.frd --to text --min-duration long
says times_crossed 2 'later than --until' "$tool" convert fixture.frd --to text --from -1ms --until -2ms
says out_of_range 2 'nothing was recorded' "$tool" convert fixture.frd --to text --from +1h
says no_such_file 5 'No such file' "$tool" convert absent.frd --to text
says not_a_dump 2 'dumps/readme.txt: ' "$tool" convert dumps/readme.txt --to text
says empty_folder 2 'no .frd file' "$tool" convert "$here" --to text
says two_for_info 2 'needs one dump' "$tool" info fixture.frd fixture.frd
says no_daemon 5 'is flightrecd running' "$tool" status --control "$work/absent.sock"
says cannot_write 5 'cannot write' "$tool" convert fixture.frd --to text -o "$work/absent/x.txt"
says disk_full 5 'cannot write' "$tool" convert fixture.frd --to text -o /dev/full
exit $status
