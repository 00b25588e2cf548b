#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# run.sh [ROOT]: style, who includes whom, documentation against programs, scripts. One line per
# check; a failed one is followed by its findings, file:line first. Exit status 1 when one failed.
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "${1:-$here/../..}" && pwd) || exit 2
status=0

python3 -B "$here/lint.py" "$root" || status=1

# Left out: variables and functions of sourced files, which shellcheck sees in part only (2034, 2120,
# 2154), files that are only sourced (2148), and "VAR= command", which is meant (1007).
scripts() {
	cd "$root" && {
		git ls-files -z -co --exclude-standard -- '*.sh' '*.bash' .ci/run 2>/dev/null |
			grep -z . || find . -name build -prune -o -name '*.sh' -print0
	}
}
if ! command -v shellcheck >/dev/null; then
	echo "skip shellcheck it is not installed"
elif text=$(scripts | (cd "$root" &&
	xargs -0 -r shellcheck -S warning -e SC1007,SC2034,SC2120,SC2148,SC2154 -f gcc) 2>&1); then
	echo "ok shellcheck"
else
	echo "not ok shellcheck"
	printf '%s\n' "$text" | sed 's/^/# /'
	status=1
fi
exit $status
