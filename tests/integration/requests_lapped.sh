#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A service that was there before the recorder, under load, and a ring that has been lapped: before
# the common window each CPU has records that the other one's are missing to, and pairs of requests
# and replies must not be shifted by what nobody saw. What a request asked for lies inside of it, and
# the two ends of a connection, each first seen at another moment, know each other's requests.
. "$(dirname "$0")/../lib/recorder.sh"
need_root requests_lapped

pg_start || { not_ok pg_start; finish; }
service_build || { not_ok service_build; finish; }
service_start --dsn "$DSN" || { not_ok service_start; finish; }
cat >"$work/differ.lua" <<-'LUA'
	local number = 0
	function request()
		number = number + 1
		return wrk.format("GET", "/hello?name=" .. number)
	end
LUA
load_start wrk -t1 -c16 -d600s -s "$work/differ.lua" "http://$service"
sleep 1 # in which all of its connections are used, and the service's to the database
recorder_start --ring-size 4M --redact off || { not_ok recorder_start; finish; }
sleep 4
recorder_dump || { not_ok dump; finish; }
load_stop
recorder_stop || not_ok stop
"$build/flightrec" info --json "$dump" | tr ',' '\n' >"$work/info"
check "the ring was lapped" grep -q '"overwritten":"[1-9]' "$work/info"

# verdict NAME TEXT: how many statements lie in the request that issued them
verdict() {
	check "$1" python3 - "$2" <<-'PY'
		import datetime, re, sys
		spans, wrong, sure, inside = {}, [], 0, 0
		line = re.compile(r"T(\S+)Z \[---\] goservice/\d+ request side=(\w+) protocol=(\w+).* "
		                  r"duration_ns=(\d+).* span_id=(\w+)(?: parent_id=(\w+))? link=(\w+)(.*)")
		for text in open(sys.argv[1], encoding="utf-8", errors="replace"):
		    m = line.search(text)
		    if not m:
		        continue
		    whole, fraction = m[1].split(".")
		    h, mi, s = map(int, whole.split(":"))
		    end = ((h * 60 + mi) * 60 + s) * 10**9 + int(fraction)
		    spans[m[5]] = (end - int(m[4]), end, m[2], m[3], m[6], m[7], m[8], text)
		sql = [s for s in spans.values() if s[3] == "postgresql" and s[2] == "client"]
		for s in sql:
		    sure += not s[6]
		    parent = spans.get(s[4])
		    if "end_unseen" in s[6]: # what stands for its end is the recording's
		        continue
		    if s[5] == "line" and parent and parent[6].strip() in ("", "marks=match_inferred"):
		        inside += parent[0] <= s[0] and s[1] <= parent[1]
		        if not (parent[0] <= s[0] and s[1] <= parent[1]):
		            wrong.append(s[7] + parent[7])
		print(f"{len(sql)} statements, {sure} without a mark, {inside} inside of their request,",
		      f"{len(wrong)} not", *wrong[:2])
		sys.exit(wrong or len(sql) < 500 or sure < 0.98 * len(sql) or inside < 0.9 * len(sql))
	PY
}
"$build/flightrec" convert "$dump" --to text -o "$work/text" 2>"$work/said"
verdict "statements lie inside of their requests" "$work/text"
check "no request is missing" sh -c "! grep 'are missing' '$work/said'"
# the same with every reply a little later is noticed
sed -E 's/(side=client protocol=postgresql.* duration_ns=)([0-9])/\12\2/' "$work/text" >"$work/lie"
if (verdict lie "$work/lie") | grep -q '^not ok'; then
	ok "shifted pairs are noticed"
else
	not_ok "shifted pairs are noticed"
fi
ends=$root/tests/lib/requests_ends.py
check "most server ends have their client, no link is wrong" \
	python3 "$ends" check "$work/text" 0.95 goservice postgres
python3 "$ends" lie "$work/text" >"$work/lie"
if python3 "$ends" check "$work/lie" 0.95 goservice postgres >"$work/said"; then
	not_ok "wrong links are noticed" "$(head -5 "$work/said")"
else
	check "wrong links are noticed" grep -q "^[0-9]*: another target$" "$work/said"
fi
finish
