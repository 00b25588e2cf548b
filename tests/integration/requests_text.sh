#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A real Go service with its database, and what the recording makes of its requests: all found, on
# their goroutine, with their SQL statements under them, by both drivers.
# timeout: 600 (the Go build may start with an empty cache)
set -u
. "$(dirname "$0")/../lib/recorder.sh"
need_root requests_text

# Until the recorder knows the binary, there are no goroutine ids: the first load is not judged.
one_driver() { # NAME CLIENTS
	local from_ns tries=20
	recorder_start --redact off --log-level debug || return 1
	service_start --dsn "$DSN" --driver "$1" --truth "$work/$1.truth" || return 1
	while python3 "$root/tests/lib/requests_text.py" load "$service" "$2" 1 >/dev/null; do
		! wait_line "$work/rec.log" "process $service_pid: .*goroutine number at" 1 || break
		((tries-- > 0)) || { echo "# the recorder did not learn the binary"; return 1; }
	done
	from_ns=$(date +%s%N)
	echo "# $1: $(python3 "$root/tests/lib/requests_text.py" load "$service" "$2" 2) requests"
	recorder_dump || return 1
	recorder_stop
	kill -TERM "$service_pid"
	wait "$service_pid" 2>/dev/null
	"$build/flightrec" convert "$dump" --to text -o "$work/$1.txt" || return 1
	python3 "$root/tests/lib/requests_text.py" check "$work/$1.txt" "$work/$1.truth" \
		"$build/flightrec" "$from_ns" >"$work/$1.result"
	sed "s/^\(ok\|not ok\) /&$1_/" "$work/$1.result"
	if grep -q '^not ok' "$work/$1.result"; then
		failures=$((failures + 1))
	fi
}

if ! command -v go >/dev/null; then
	skip requests_text "needs Go"
	exit 0
fi
pg_start && service_build || { not_ok requests_text_setup; finish; }
one_driver pq 8 || not_ok requests_text_pq
one_driver pgx 2 || not_ok requests_text_pgx
finish
