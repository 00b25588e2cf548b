# SPDX-License-Identifier: BSD-2-Clause
# For tests of triggers by real causes. Source it after recorder.sh; then:
#
#   cause COMMAND...              runs it, notes when it began and ended ($cause_from, $cause_to)
#   caused CHECK NAME REASON KIND [TEST...]   a dump of it comes, and holds it (check_trigger.py)
#   not_caused CHECK NAME REASON KIND [TEST...]   the same of the last $dump: must not be believed
#   quiet CHECK NAME REASON       ok when no dump tells of such a cause
#   status_of NAME KEY            of the trigger, from the status
#
# Other programs of the host fail, too: their dumps are passed over, so give --cooldown 0s and say
# in REASON what only this cause has.

now_ns() {
	date +%s%N
}

recorder_triggers=on
# What was made to take 400 ms, in a REASON. On a busy machine it takes longer; check_trigger.py
# looks that it is no more than the cause took.
from_400_ms='([4-9][0-9]{2}(\.[0-9]+)? ms|[0-9.]+ s)'

cause() {
	touch "$work/before"
	log_lines=$(wc -l <"$work/rec.log")
	cause_from=$(now_ns)
	"$@" >"$work/cause.out" 2>&1
	cause_to=$(now_ns)
}

check_trigger() {
	PYTHONDONTWRITEBYTECODE=1 python3 "$root/tests/integration/check_trigger.py" "$@"
}

# dump_since NAME REASON: $dump, the first one since the cause that tells of it
dump_since() {
	while read -r dump; do
		"$build/flightrec" info --json "$dump" 2>/dev/null | python3 -c '
import json, re, sys
t = json.load(sys.stdin)["trigger"]
all = [x["reason"] for x in [t] + t["joined"] if x["name"] == sys.argv[1]]
sys.exit(not any(re.search(sys.argv[2], reason) for reason in all))' "$@" && return
	done < <(find "$work/dumps" -name '*.frd' ! -name '.*' -newer "$work/before" | sort)
	return 1
}

# Waits for it. The daemon says at once what was seen; the dump follows.
dump_of() {
	local tries=1500
	until grep -qE "seen: $1: ${2#^}" "$work/rec.log"; do
		((tries-- > 0)) || return 1
		sleep 0.02
	done
	tries=300
	until dump_since "$@"; do
		((tries-- > 0)) || return 1
		sleep 0.1
	done
}

# The trigger fires within a second; the dump takes the post-window and its writing on top.
caused() {
	local name=$1 text
	shift
	if ! dump_of "$1" "$2"; then
		not_ok "$name" "no dump of $1: $(tail -20 "$work/rec.log"; cat "$work/cause.out")"
	elif text=$(check_trigger "$dump" "$cause_from" "$cause_to" "$@" 2>&1); then
		ok "$name"
	else
		not_ok "$name" "$text"
	fi
}

not_caused() {
	local name=$1
	shift
	if check_trigger "$dump" "$cause_from" "$cause_to" "$@" >"$work/lie.out" 2>&1; then
		not_ok "$name" "the checker believes it"
	elif grep -q '^wrong: ' "$work/lie.out"; then
		ok "$name"
	else
		not_ok "$name" "$(cat "$work/lie.out")"
	fi
}

quiet() {
	sleep 0.3
	if ! grep -qE "seen: $2: $3" <(tail -n "+$((log_lines + 1))" "$work/rec.log"); then
		ok "$1"
	else
		not_ok "$1" "$(tail -5 "$work/rec.log")"
	fi
}

status_of() {
	"$build/flightrec" status --json --control "$work/control.sock" | python3 -c "
import json, sys
print([t for t in json.load(sys.stdin)['triggers'] if t['name'] == '$1'][0]['$2'])"
}
