# SPDX-License-Identifier: BSD-2-Clause
# For benches, behind recorder.sh: what a load reaches with the recorder and without it, in turn. Each
# piece with it is held against those before and after without it: a host that gets slower or faster
# meanwhile moves all three.
#
#   on_off NAME BAR COMMAND...   COMMAND prints a rate; BAR in per cent, or none; FR_PAIRS (25)
#                                pairs, FR_HOOKS (auto); $on_off_options more of the recorder's

on_off_options=()

on_off() {
	local name=$1 bar=$2 i off on next ratios=()
	shift 2
	"$@" >/dev/null # warm-up
	off=$("$@")
	for ((i = 0; i < ${FR_PAIRS:-25}; i++)); do
		recorder_start --hooks "${FR_HOOKS:-auto}" "${on_off_options[@]}" || exit 1
		on=$("$@")
		recorder_stop
		next=$("$@")
		ratios+=("$(awk -v a="$on" -v b="$off" -v c="$next" \
			'BEGIN { printf "%.4f", 200 * a / (b + c) }')")
		printf '  %-8s off %8.0f/s  on %8.0f/s  %6.2f %%\n' "$name" "$off" "$on" "${ratios[-1]}"
		off=$next
	done
	printf '%s\n' "${ratios[@]}" | sort -n | awk -v bar="$bar" -v name="$name" '{ v[NR] = $1 }
		END {
			mid = v[int((NR + 1) / 2)]
			printf "service %s on/off: median %.2f %%, half of all in %.1f..%.1f", name, mid,
				v[int((NR + 3) / 4)], v[int((3 * NR + 3) / 4)]
			if (bar)
				printf " (bar >= %s %%: %s)", bar, (mid >= bar ? "met" : "missed")
			printf "\n" }'
}
