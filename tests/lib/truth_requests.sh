# SPDX-License-Identifier: BSD-2-Clause
# For tests that hold the requests of a dump against what the programs of tests/workload/truthsvc
# say that they did. Source it after recorder.sh; then:
#
#   requests_recorder [OPTION...]   a recorder whose dumps come only when asked for
#   truthsvc_build
#   truthsvc_start [OPTION...]      two servers over one database: lib/pq, pgx; each calls the other
#   truthsvc_load NAME WORKERS RATE SECONDS [OPTION...]   $work/truth.NAME
#   truthsvc_warm                   until the recorder knows the binary
#   truthsvc_end                    $work/truth.pq and $work/truth.pgx
#   requests_convert NAME [OPTION...]  $dump to $work/NAME.jsonl
#   requests_judge NAME SPANS [--linked PCT] TRUTH...   the last one is the load that counts
#   requests_deny NAME EDIT TRUTH VERDICT SPANS TRUTH...  with a lie ($work/lie: TRUTH through the
#                                   command EDIT) that verdict fails

truthsvc_first=1000000
truthsvc_pids=
declare -A truthsvc_pid truthsvc_fd truthsvc_addr

# Errors and slow requests are the workload: their triggers would dump in the middle of it.
requests_recorder() {
	local name off=()
	for name in http-5xx sql-error latency-p99; do
		! "$build/flightrecd" --check-config --trigger $name=off >/dev/null 2>&1 ||
			off+=(--trigger "$name=off")
	done
	recorder_start "${off[@]}" "$@"
}

truthsvc_build() {
	(cd "$root/tests/workload/truthsvc" && nice go build -p 2 -o "$work/truthsvc" .) \
		>"$work/go.log" 2>&1 && return
	skip truthsvc "does not build (no Go modules to be had?): $(tail -n 1 "$work/go.log")"
	return 1
}

truthsvc_start() {
	local driver fd
	for driver in pq pgx; do
		mkfifo "$work/next.$driver"
		"$work/truthsvc" server --dsn "$DSN" --driver $driver --truth "$work/truth.$driver" "$@" \
			<"$work/next.$driver" >"$work/$driver.out" 2>"$work/$driver.err" &
		truthsvc_pid[$driver]=$!
		kill_at_exit+=($!)
		exec {fd}>"$work/next.$driver"
		truthsvc_fd[$driver]=$fd
		wait_line "$work/$driver.out" '^ready ' 60 ||
			{ sed 's/^/# /' "$work/$driver.err"; return 1; }
		truthsvc_addr[$driver]=http://$(awk '{ print $2; exit }' "$work/$driver.out")
	done
	echo "next ${truthsvc_addr[pgx]}" >&"${truthsvc_fd[pq]}"
	echo "next ${truthsvc_addr[pq]}" >&"${truthsvc_fd[pgx]}"
}

truthsvc_load() {
	"$work/truthsvc" client --to "${truthsvc_addr[pq]},${truthsvc_addr[pgx]}" --workers "$2" \
		--rate "$3" --seconds "$4" --first "$truthsvc_first" --truth "$work/truth.$1" "${@:5}" \
		>"$work/client.out" 2>&1 &
	truthsvc_pids+="\|$!"
	wait $!
	grep -q '^done [1-9]' "$work/client.out" ||
		{ echo "# the client of $1: $(cat "$work/client.out")"; return 1; }
	truthsvc_first=$((truthsvc_first + 1000000))
}

# A binary is asked about once, when a process of it first carries bytes; others of this host may be
# asked about before it.
truthsvc_warm() {
	local tries=20
	rm -f "$work/truth.warmup"
	truthsvc_pids="${truthsvc_pid[pq]}\|${truthsvc_pid[pgx]}"
	while ((tries-- > 0)); do
		truthsvc_load warm 2 100 1 || return 1
		cat "$work/truth.warm" >>"$work/truth.warmup"
		wait_line "$work/rec.log" "process \($truthsvc_pids\): .*goroutine number at" 1 && return
	done
	echo "# the recorder did not learn what the binary is"
	return 1
}

truthsvc_end() {
	local driver status=0
	for driver in pq pgx; do
		kill -TERM "${truthsvc_pid[$driver]}"
		wait "${truthsvc_pid[$driver]}" || status=1
		sed 's/^/# /' "$work/$driver.err"
		eval "exec ${truthsvc_fd[$driver]}>&-"
	done
	return $status
}

requests_convert() {
	local name=$1
	shift
	"$build/flightrec" convert "$dump" --to otlp-json -o "$work/$name.jsonl" "$@" 2>"$work/said" && return
	not_ok "$name: convert" "$(cat "$work/said")"
	return 1
}

requests_judge() {
	local name=$1 spans=$2
	shift 2
	PYTHONDONTWRITEBYTECODE=1 python3 "$root/tests/lib/truth_requests.py" "$name" "$dump" "$spans" "$@" &&
		return
	failures=$((failures + 1))
	[ -z "${FR_KEEP:-}" ] || echo "# kept in $work"
}

requests_deny() {
	local name=$1 edit=$2 file=$3 verdict=$4
	shift 4
	eval "$edit" <"$file" >"$work/lie"
	if cmp -s "$work/lie" "$file"; then
		not_ok "noticed: $name" "$edit changes nothing"
	elif PYTHONDONTWRITEBYTECODE=1 python3 "$root/tests/lib/truth_requests.py" lie "$dump" "$@" \
		>"$work/lie.out" 2>&1; then
		not_ok "noticed: $name" "all is well, it says"
	elif grep -q "^not ok lie: $verdict" "$work/lie.out"; then
		ok "noticed: $name"
	else
		not_ok "noticed: $name" "$(grep -A2 '^not ok' "$work/lie.out")"
	fi
}
