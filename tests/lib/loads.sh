# SPDX-License-Identifier: BSD-2-Clause
# For benches, behind recorder.sh: loads for $service, each of 16 that ask at once. What they print is
# requests/s.
#
#   by_wrk ROUTE   costs next to nothing itself; FR_SECONDS (1)
#   k6_there       builds k6 by its modules, once; false with the reason said as a skip
#   by_k6 ROUTE    costs more than the service; FR_SECONDS (2)

by_wrk() {
	wrk -t1 -c16 -d"${FR_SECONDS:-1}s" "http://$service$1" | awk '/^Requests\/sec:/ { print $2 }'
}

k6=$build/tools/k6

k6_there() {
	if ! command -v go >/dev/null; then
		skip k6 "needs Go"
		return 1
	fi
	[ ! -x "$k6" ] || return 0
	mkdir -p "$build/tools"
	GOBIN=$build/tools nice go install go.k6.io/k6@v1.3.0 >"$work/go.log" 2>&1 && return
	skip k6 "does not build: $(tail -n 1 "$work/go.log")"
	return 1
}

by_k6() {
	cat >"$work/k6.js" <<-JS
		import http from 'k6/http';
		export default function () { http.get('http://$service$1'); }
	JS
	"$k6" run --quiet --no-usage-report --vus 16 --duration "${FR_SECONDS:-2}s" \
		--summary-export "$work/k6.json" "$work/k6.js" >"$work/k6.log" 2>&1 || return 1
	jq .metrics.http_reqs.rate "$work/k6.json"
}
