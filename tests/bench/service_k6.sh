#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# As service.sh, under k6: 16 users who ask for one INSERT after another, all on this host. A user's
# work is most of what the CPUs do then, as it is where services are compared so. Bar: >= 98 %.
#   FR_PAIRS (25), FR_SECONDS (2) of load each, FR_HOOKS (auto)
. "$(dirname "$0")/../lib/recorder.sh"
. "$(dirname "$0")/../lib/on_off.sh"
recorder_triggers=on # as by default
need_root service_k6
k6=$build/tools/k6

if ! command -v go >/dev/null; then
	skip service_k6 "needs Go"
	exit 0
fi
if [ ! -x "$k6" ]; then # by its modules, once
	mkdir -p "$build/tools"
	GOBIN=$build/tools nice go install go.k6.io/k6@v1.3.0 >"$work/go.log" 2>&1 ||
		{ skip service_k6 "k6 does not build: $(tail -n 1 "$work/go.log")"; exit 0; }
fi

pg_start || exit 1
service_build || exit 1
service_start --dsn "$DSN" || exit 1
cat >"$work/hello.js" <<JS
import http from 'k6/http';
export default function () { http.get('http://$service/hello'); }
JS

by_k6() { # requests/s
	"$k6" run --quiet --no-usage-report --vus 16 --duration "${FR_SECONDS:-2}s" \
		--summary-export "$work/k6.json" "$work/hello.js" >"$work/k6.log" 2>&1 || return 1
	jq .metrics.http_reqs.rate "$work/k6.json"
}

on_off /hello 98 by_k6
