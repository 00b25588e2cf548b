#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The official SQL cases of OpenTelemetry's database conventions, by the command. They are not part
# of this tree: FR_VECTORS_DIR says where they are.
set -eu
cd "$(dirname "$0")/../.."
O=${O:-build}
cases=${FR_VECTORS_DIR:-../shared/judges-data}/db-sql-test-cases.json
if [ ! -r "$cases" ]; then
	echo "skip vectors no file $cases (FR_VECTORS_DIR names its folder)"
	exit 0
fi
exec python3 -B tests/integration/check_sql.py "$O/flightrec" "$cases"
