# SPDX-License-Identifier: BSD-2-Clause
# For tests that hold a dump against what a program of tests/workload says that it did. Source it
# after recorder.sh; then:
#
#   truth_begin PROGRAM [OPTION...]   starts it, held; returns when it is ready to work (77: can't)
#   truth_work FILE [SECONDS]         lets it work; its lines (the truth) are in FILE
#   truth_go; truth_rest FILE [SECONDS]   the same in two steps
#   truth_end                         lets it go, waits; returns its exit status
#   truth_judge CHECKER [ARG...]      tests/integration/check_CHECKER.py; its verdicts count
#   truth_denies NAME SED TRUTH CHECKER [ARG...]   the same with a lie ($lie), which must be noticed
#   truth_tool DUMP                   `flightrec info` says the same of it as our reader

truth_pid=
lie=$work/lie.json

truth_begin() {
	rm -f "$work/truth.in"
	mkfifo "$work/truth.in"
	: >"$work/truth.out"
	"$@" --hold <"$work/truth.in" >"$work/truth.out" 2>"$work/truth.err" &
	truth_pid=$!
	kill_at_exit+=("$truth_pid")
	exec {truth_fd}>"$work/truth.in"
	truth_wait '^ready ' 60 && return
	truth_say_why
}

truth_say_why() {
	local status
	exec {truth_fd}>&-
	wait "$truth_pid"
	status=$?
	echo "# $(basename "${1:-the workload}") status $status:"
	sed 's/^/# /' "$work/truth.err"
	[ "$status" != 0 ] || status=1
	return "$status"
}

# Until the pattern is there, in a line that is whole; not when the program has ended without it.
truth_wait() {
	local tries=$(($2 * 50))
	until grep -q "$1" "$work/truth.out" && [ -z "$(tail -c 1 "$work/truth.out")" ]; do
		((tries-- > 0)) || return 1
		# what it wrote last may be there by now
		kill -0 "$truth_pid" 2>/dev/null || { grep -q "$1" "$work/truth.out"; return; }
		sleep 0.02
	done
}

truth_go() {
	echo >&"$truth_fd"
}

truth_work() {
	truth_go
	truth_rest "$@"
}

truth_rest() {
	truth_wait '^{"program"\|"role":"end"\|^{"end"' "${2:-60}" || { truth_say_why; return 1; }
	grep -v '^ready ' "$work/truth.out" >"$1"
}

truth_end() {
	echo >&"$truth_fd"
	exec {truth_fd}>&-
	wait "$truth_pid"
}

truth_judge() {
	PYTHONDONTWRITEBYTECODE=1 python3 "$root/tests/integration/check_$1.py" "${@:2}" && return
	failures=$((failures + 1))
	[ -z "${FR_KEEP:-}" ] || echo "# kept in $work"
}

truth_denies() {
	local name=$1
	sed "$2" "$3" >"$lie"
	if cmp -s "$lie" "$3"; then
		not_ok "$name" "sed $2 changes nothing"
	elif PYTHONDONTWRITEBYTECODE=1 python3 "$root/tests/integration/check_$4.py" "${@:5}" \
		>"$work/lie.out" 2>&1; then
		not_ok "$name" "the checker believes it"
	elif grep -q '^not ok' "$work/lie.out"; then
		ok "$name"
	else
		not_ok "$name" "$(cat "$work/lie.out")"
	fi
}

truth_tool() {
	"$build/flightrec" info --json "$1" >"$work/info.json" 2>"$work/info.err" ||
		not_ok "flightrec info" "$(cat "$work/info.err")"
	PYTHONDONTWRITEBYTECODE=1 python3 "$root/tests/integration/check_info.py" "$1" \
		<"$work/info.json" || failures=$((failures + 1))
}
