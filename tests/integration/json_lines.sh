#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# flightrec sql-normalize and traceparent: one answer a line, whatever the line holds; what is wrong
# is said with its place; wrong use and a closed output have their exit codes.
set -u
cd "$(dirname "$0")/../.." || exit 1
O=${O:-build}
flightrec=$O/flightrec
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
bad=0

# NAME EXIT_STATUS INPUT OUTPUT COMMAND...: also what is on stderr, in $dir/err
check() {
	name=$1 want_status=$2 input=$3 want=$4
	shift 4
	got=$(printf "$input" | "$@" 2>"$dir/err")
	status=$?
	if [ "$status" = "$want_status" ] && [ "$got" = "$(printf "$want")" ]; then
		echo "ok $name"
	else
		echo "not ok $name"
		echo "# status $status, want $want_status; got: $got"
		bad=1
	fi
}
said() { # NAME WORDS
	if grep -q "$2" "$dir/err"; then
		echo "ok $1"
	else
		echo "not ok $1"
		sed 's/^/# /' "$dir/err"
		bad=1
	fi
}

check answers 0 '{"system":"postgresql","query":"SELECT $1, 2 FROM t"}\n\n {"x":[{}],"query":"a\\u0000"}' \
	'{"text":"SELECT $1, ? FROM t","summary":"SELECT t"}\n{"text":null,"summary":""}' \
	"$flightrec" sql-normalize
check dialect 0 '{"system":"mysql","query":"SELECT \\"a\\""}\n{"system":"postgresql","query":"SELECT \\"a\\""}\n' \
	'{"text":"SELECT ?","summary":"SELECT"}\n{"text":"SELECT \\"a\\"","summary":"SELECT"}' \
	"$flightrec" sql-normalize
check cut 0 '{"query":"SELECT a FROM cust","cut":true}\n{"query":"SELECT a FROM cust","cut":false}\n' \
	'{"text":"SELECT a FROM cust","summary":"SELECT"}\n{"text":"SELECT a FROM cust","summary":"SELECT cust"}' \
	"$flightrec" sql-normalize
check bad_lines 1 '{"query":1}\n{"system":"x"}\nSELECT 1\n{"query":"SELECT 1"} x\n{"query":"SELECT 1"}\n' \
	'{"error":"must be a string"}\n{"error":"there is no \\"query\\""}\n{"error":"must be an object"}\n'\
'{"error":"something follows the value"}\n{"text":"SELECT ?","summary":"SELECT"}' \
	"$flightrec" sql-normalize
said bad_lines_said 'line 3, byte 1: must be an object'
check empty 0 '' '' "$flightrec" sql-normalize
trace=0af7651916cd43dd8448eb211c80319c parent=b7ad6b7169203331
check context 0 '{"headers":[["Traceparent"," 00-'$trace-$parent'-03"],["tracestate","a=1 , b=2"]]}\n'\
'{"headers":[]}\n' \
	'{"valid":true,"trace_id":"'$trace'","parent_id":"'$parent'","flags":3,"tracestate":"a=1,b=2"}\n'\
'{"valid":false}' \
	"$flightrec" traceparent
check bad_headers 1 '{"headers":[["a"]]}\n{"headers":[["a","b","c"]]}\n{"headers":{}}\n{}\n' \
	'{"error":"a header must be [\\"name\\",\\"value\\"]"}\n'\
'{"error":"a header must be [\\"name\\",\\"value\\"]"}\n'\
'{"error":"must be an array"}\n{"error":"there are no \\"headers\\""}' \
	"$flightrec" traceparent
check argument 2 '' '' "$flightrec" sql-normalize x
said argument_said "takes no argument, but got 'x'"
check other_argument 2 '' '' "$flightrec" traceparent x
printf '{"query":"SELECT 1"}\n' >"$dir/in"
"$flightrec" sql-normalize <"$dir/in" >/dev/full 2>"$dir/err"
if [ $? = 5 ]; then echo "ok full_output"; else echo "not ok full_output"; bad=1; fi
said full_output_said 'cannot write to standard output: No space left'
exit $bad
