#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What must not compile or link, doesn't: a hole in a shared struct, an id used twice, a struct that
# is no whole number of units, a size that changed, an event without a decoder. And what must: every
# header of formats/abi, unchanged, by gcc, clang and clang -target bpf.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root" || exit 1
work=$(mktemp -d "${TMPDIR:-/tmp}/flightrec-abi.XXXXXX")
trap 'rm -rf "$work"' EXIT
failures=0

warn=(-Wall -Wextra -Wshadow -Wundef -Werror -std=gnu11 -c)
compile() { # compile KIND FILE FOLDER: with the abi headers of that folder
	case $1 in
	gcc) gcc "${warn[@]}" -I"$3" -o "$work/x.o" "$2" ;;
	clang) clang "${warn[@]}" -I"$3" -o "$work/x.o" "$2" ;;
	bpf) clang -target bpf -O2 -ffreestanding -D__BPF__ "${warn[@]}" -I"$3" -I"$3/bpf/lib" \
		-o "$work/x.o" "$2" ;;
	esac
}

not_ok() { # not_ok NAME TEXT
	echo "not ok $1"
	printf '%s\n' "$2" | sed 's/^/# /'
	failures=$((failures + 1))
}

kinds=()
for kind in gcc clang bpf; do
	if command -v "${kind/bpf/clang}" >/dev/null; then
		kinds+=("$kind")
	else
		echo "skip $kind it is not installed"
	fi
done

# BPF programs have no <stdint.h>: bpf/lib/vmlinux.h has the types.
types() {
	echo '#ifdef __BPF__'
	echo '#include "bpf/lib/vmlinux.h"'
	echo '#endif'
}

for header in formats/abi/*.h; do
	name=$(basename "$header" .h)
	for kind in "${kinds[@]}"; do
		{
			types
			printf '#include "formats/abi/%s.h"\n#include "formats/abi/%s.h"\n' "$name" "$name"
		} >"$work/x.c"
		if text=$(compile "$kind" "$work/x.c" "$root" 2>&1); then
			echo "ok $name.h_alone_with_$kind"
		else
			not_ok "$name.h_alone_with_$kind" "$text"
		fi
	done
done

# The same sizes on each side: the asserts of the headers hold for all three (see above); here, that
# they are there at all for every event.
while read -r struct; do
	if grep -qh "FR_ABI_SIZE($struct," formats/abi/*.h; then
		echo "ok size_of_${struct}_is_fixed"
	else
		not_ok "size_of_${struct}_is_fixed" "no FR_ABI_SIZE($struct, ...) in formats/abi"
	fi
done < <(sed -nE 's/^\tX\([0-9]+, \w+, \w+, \w+, (\w+)\).*/\1/p' formats/abi/event.h | sort -u)

# refused NAME PATTERN: the copy of the tree in $work/t, spoiled by the caller, compiles nowhere
copy() {
	rm -rf "$work/t"
	mkdir -p "$work/t/formats" "$work/t/bpf/lib"
	cp -r formats/abi "$work/t/formats/"
	cp bpf/lib/vmlinux.h "$work/t/bpf/lib/"
}

spoil() { # spoil FILE SED-SCRIPT
	sed -i -E "$2" "$work/t/formats/abi/$1"
	! cmp -s "$work/t/formats/abi/$1" "formats/abi/$1" || not_ok "spoiling $1" "nothing changed: $2"
}

refused() {
	local text
	{
		types
		echo '#include "formats/abi/event.h"'
	} >"$work/x.c"
	for kind in "${kinds[@]}"; do
		if text=$(compile "$kind" "$work/x.c" "$work/t" 2>&1); then
			not_ok "$1_with_$kind" "it compiled"
		elif grep -qE "$2" <<<"$text"; then
			echo "ok $1_with_$kind"
		else
			not_ok "$1_with_$kind" "$text"
		fi
	done
}

# clang looks at a struct when its size is asked for: FR_ABI_SIZE does that
copy
spoil proc.h '0,/^FR_ABI_BEGIN/s//FR_ABI_BEGIN\nstruct holed { uint32_t a; uint64_t b; };\nFR_ABI_SIZE(holed, 16);/'
refused hole_is_refused 'padded\]'

copy
spoil proc.h '0,/^FR_ABI_BEGIN/s//FR_ABI_BEGIN\nstruct tailed { uint64_t a; uint32_t b; };\nFR_ABI_SIZE(tailed, 16);/'
refused hole_at_the_end_is_refused 'padded\]'

copy
spoil event.h 's/X\(9, PROC_EXEC/X(8, PROC_EXEC/'
refused reused_id_is_refused 'redefinition|redeclaration|duplicate'

copy
spoil event.h 's/X\(9, PROC_EXEC/X(256, PROC_EXEC/'
refused id_of_nine_bits_is_refused 'kind is 8 bits'

copy
spoil proc.h 's/(struct fr_proc_fork \{)/\1\n\tuint64_t more;/'
refused changed_size_is_refused 'fr_proc_fork changed its size'

copy
spoil tcp.h 's/uint16_t reserved_zero;//; s/FR_ABI_SIZE\(fr_tcp_reset, 24\)//'
refused missing_filler_is_refused 'padded\]'

# An event that nobody decodes: linking anything that decodes events fails and names it.
rm -rf "$work/t"
mkdir -p "$work/t"
cp -r formats "$work/t/"
spoil event.h 's/^(\tX\(9, PROC_EXEC.*)$/\1\n\tX(250, PROC_GHOST, proc_ghost, PROC, fr_proc_end) \\/'
printf '%s\n' '#include "formats/events/event.h"' 'int main(void)' '{' \
	'	const struct fr_field_sink sink = { 0 };' '	const struct fr_record r = { 0 };' '' \
	'	return fr_event_fields(&r, &sink);' '}' >"$work/t/main.c"
link() { # link FOLDER: everything of formats/events with a main
	(cd "$1" && gcc -D_GNU_SOURCE -std=gnu11 -O0 -I. -o "$work/ghost" "$work/t/main.c" formats/events/*.c \
		formats/dump/record.c formats/base/*.c 2>&1)
}
if text=$(link "$work/t"); then
	not_ok event_without_decoder_is_refused "it linked"
elif grep -q "undefined reference to .fr_ev_fields_proc_ghost" <<<"$text"; then
	echo "ok event_without_decoder_is_refused"
else
	not_ok event_without_decoder_is_refused "$text"
fi
# and it is the ghost alone that stands in the way
if text=$(link "$root"); then
	echo "ok events_link_without_the_ghost"
else
	not_ok events_link_without_the_ghost "$text"
fi
exit $((failures != 0))
