#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The header lines of the W3C's tests of Trace Context, by the command. They are not part of
# this tree: FR_VECTORS_DIR says where they are.
set -eu
cd "$(dirname "$0")/../.."
O=${O:-build}
vectors=${FR_VECTORS_DIR:-../shared/judges-data}/w3c-trace-context.json
if [ ! -r "$vectors" ]; then
	echo "skip vectors no file $vectors (FR_VECTORS_DIR names its folder)"
	exit 0
fi
exec python3 -B tests/integration/check_traceparent.py "$O/flightrec" "$vectors"
