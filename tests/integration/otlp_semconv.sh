#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# OTLP output against the registry of semantic conventions 1.44: of the fixture dump, and of every
# span and log record that the unit tests make by hand.
set -u
cd "$(dirname "$0")/../.." || exit 1
O=${O:-build}
registry=../shared/judges-data/semconv-1.44.0.json
if [ ! -e "$registry" ]; then
	echo "skip otlp_semconv no registry: $registry is missing"
	exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

export PYTHONDONTWRITEBYTECODE=1

holds() { # FILE...
	python3 tests/lib/otlp_semconv.py "$registry" --own team "$@" >"$work/said" 2>&1
}

judge() { # NAME FILE...
	local name=$1
	shift
	if holds "$@"; then
		echo "ok $name"
	else
		echo "not ok $name"
		status=1
	fi
	grep '^#' "$work/said" || cat "$work/said"
}

FR_FIXTURE_OUT=$work/x.frd "$O/tests/unit/test_dump_fixture" >"$work/log" 2>&1 ||
	{ cat "$work/log"; echo "not ok fixture"; exit 1; }
"$O/flightrec" convert "$work/x.frd" --to otlp-json --all -o "$work/x.jsonl" 2>"$work/err"
judge "the fixture" "$work/x.jsonl" "$work/x.logs.jsonl"
mkdir "$work/made"
for test in out_otlp out_otlp_span out_otlp_logs; do
	FR_OTLP_OUT=$work/made "$O/tests/unit/test_$test" >"$work/log" 2>&1 ||
		{ tail -n 5 "$work/log"; echo "not ok $test"; exit 1; }
done
judge "spans and logs made by hand" "$work"/made/*

# the judge itself: it sees a name of old, a wrong type, a missing attribute
lies() { # NAME EDIT
	sed "$2" "$work/x.jsonl" >"$work/lie.jsonl"
	if cmp -s "$work/x.jsonl" "$work/lie.jsonl"; then
		echo "not ok $1: nothing to lie about"
		status=1
	elif holds "$work/lie.jsonl" "$work/x.logs.jsonl"; then
		echo "not ok $1: the judge saw nothing"
		status=1
	else
		echo "ok $1"
	fi
}
status_key='"http.response.status_code","value":{"intValue":'
lies "an old name is seen" 's/"db.query.text"/"db.statement"/'
lies "a wrong type is seen" "s/$status_key/${status_key/int/string}/"
lies "what is required is missed" 's/"url.path"/"flightrec.path"/'
lies "a wrong status is seen" "s/$status_key\"[0-9]*\"/$status_key\"599\"/"
exit $status
