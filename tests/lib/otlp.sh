# SPDX-License-Identifier: BSD-2-Clause
# For tests of OTLP output. Source it after recorder.sh and truth_requests.sh; then:
#
#   otlp_some_dump        $dump, of a few seconds of the Go service
#   otlp_convert          $dump to $work/o.pb, o.logs.pb, o.jsonl, o.logs.jsonl
#   otlp_same NAME A B    tests/lib/otlp_same.py; its verdict counts

otlp_some_dump() {
	truthsvc_build || exit 0
	pg_start || exit 1
	requests_recorder --log-level debug || exit 1
	truthsvc_start && truthsvc_warm && truthsvc_load otlp 4 150 2 && recorder_dump || exit 1
	truthsvc_end || not_ok "the servers end"
	recorder_stop || not_ok stop
}

otlp_convert() {
	"$build/flightrec" convert "$dump" --to otlp -o "$work/o.pb" &&
		"$build/flightrec" convert "$dump" --to otlp-json -o "$work/o.jsonl"
}

otlp_same() {
	PYTHONDONTWRITEBYTECODE=1 python3 "$root/tests/lib/otlp_same.py" "$@" || failures=$((failures + 1))
}
