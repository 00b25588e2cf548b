#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Shows for each check of the lint that it can fail: a tiny good tree passes, and each way of
# spoiling it is found by the check that is meant to, and by no other.
set -u
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/flightrec-lint.XXXXXX")
trap 'rm -rf "$work"' EXIT
export O=$work/out
failures=0
bsd='SPDX-License-Identifier: BSD-2-Clause'
both='SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause'
gpl='SPDX-License-Identifier: GPL-2.0-only'

source_file() { # source_file PATH LICENCE, body on stdin
	mkdir -p "$(dirname "$work/t/$1")"
	{
		echo "/* $2 */"
		cat
	} >"$work/t/$1"
}

good_sources() {
	source_file formats/abi/event.h "$both" <<-'EOF'
	#include <stdint.h>
	#define FR_EVENTS(X) \
		X(1, SCHED_SWITCH, sched_switch, SCHED, fr_sched_switch) \
		X(2, SCHED_WAKING, sched_waking, WAKING, fr_sched_waking)
	EOF
	source_file formats/base/cli.h "$bsd" <<<'enum fr_exit { FR_EXIT_OK = 0, FR_EXIT_DAMAGED = 1 };'
	source_file formats/wire/wire.h "$bsd" <<<'#include "formats/base/cli.h"'
	source_file formats/dump/dump.h "$bsd" <<<'#include "formats/wire/wire.h"'
	source_file formats/model/model.h "$bsd" <<<'#include "../dump/dump.h"'
	source_file formats/out/out.h "$bsd" <<<'#include "formats/model/model.h"'
	source_file formats/events/ev_sched.c "$bsd" <<-'EOF'
	#include "formats/abi/event.h"

	void fr_ev_fields_sched_switch(void)
	{
	}

	void fr_ev_fields_sched_waking(void)
	{
	}
	EOF
	source_file bpf/lib/ring.bpf.h "$gpl" <<<'#include "formats/abi/event.h"'
	source_file bpf/sched.bpf.c "$gpl" <<-'EOF'
	#include "ring.bpf.h"
	#include <bpf/bpf_helpers.h>
	EOF
	source_file recorder/main.c "$bsd" <<-'EOF'
	#include <bpf/libbpf.h>
	#include "formats/dump/dump.h"

	/* exit() is allowed here; "strcpy(" in a text is no call: https://example.org */
	int main(void)
	{
		exit(0);
	}
	EOF
	source_file recorder/settings.c "$bsd" <<-'EOF'
	const struct fr_setting_row fr_setting_rows[] = {
		{ "config", "FILE", "where", CLI, set_config, NULL },
		{ "dump-dir", "DIR", "where", 0, set_dump_dir, get_dump_dir },
	};
	EOF
}

good_documents() {
	printf '# Events\n\n## sched_switch (1)\n\n## sched_waking (2)\n' >"$work/t/formats/dump/EVENTS.md"
	printf '%s\n' '.SH OPTIONS' '.B \-\-to' 'for convert, and' '.B \-\-json' 'for info' \
		'.SH "EXIT STATUS"' '0 or 1' >"$work/t/tools/flightrec.1"
	printf '%s\n' '.SH OPTIONS' '\fB\-\-config\fR \fB\-\-dump\-dir\fR' '.SH EXIT STATUS' '0 or 1' \
		>"$work/t/recorder/flightrecd.8"
	printf '%s\n' .TP '.B dump_dir' where .TP '\fBenabled\fR' whether >"$work/t/recorder/flightrec.ini.5"
	cat >"$work/t/tools/completion.bash" <<-EOF
	# $bsd
	_flightrec() {
		case \$COMP_CWORD:\${COMP_WORDS[1]} in
		1:--*) COMPREPLY=(--config --dump-dir) ;;
		1:*) COMPREPLY=(convert info) ;;
		*:convert) COMPREPLY=(--to) ;;
		*:info) COMPREPLY=(--json) ;;
		esac
	}
	complete -F _flightrec flightrec flightrecd
	EOF
	# shellcheck disable=SC2016 # the backquotes are the document's
	printf 'Run `make test`, see [events](formats/dump/EVENTS.md) or [the web](https://example.org).\n' \
		>"$work/t/README.md"
	printf '# %s\n.PHONY: help test\nhelp: ## this list\ntest: ## tests\n' "$bsd" >"$work/t/Makefile"
}

good_programs() {
	cat >"$O/flightrec" <<-'EOF'
	#!/bin/sh
	case "$1" in
	convert) printf 'usage\n  -o, --to FORMAT  which\n      --help\n' ;;
	info) printf 'usage\n  --json  as JSON\n' ;;
	*) printf 'commands:\n  convert   turns\n  info      tells\n' ;;
	esac
	EOF
	cat >"$O/flightrecd" <<-'EOF'
	#!/bin/sh
	case "$*" in
	*--check-config*) printf 'dump_dir = /d\n\n[trigger.usr1]\nenabled = on\n' ;;
	*) printf 'usage\n  --config FILE  which\n  --dump-dir DIR  where\n' ;;
	esac
	EOF
	chmod +x "$O/flightrec" "$O/flightrecd"
}

new_tree() {
	rm -rf "$work/t" "$O"
	mkdir -p "$work/t/tools" "$work/t/tests" "$O"
	good_sources
	good_documents
	good_programs
}

# spoiled CHECK PATTERN: the lint of the tree fails in that check only, with such a finding
spoiled() {
	local out bad
	out=$("$here/run.sh" "$work/t" 2>&1)
	bad=$(sed -n 's/^not ok //p' <<<"$out" | paste -sd' ')
	if [ "$bad" = "$1" ] && grep -qE "^# .*$2" <<<"$out"; then
		echo "ok $1: $2"
	else
		echo "not ok $1: $2"
		printf 'failed checks: %s\n%s\n' "$bad" "$out" | sed 's/^/# /'
		failures=$((failures + 1))
	fi
	new_tree
}

edit() { # edit PATH SED-SCRIPT
	local before
	before=$(cksum <"$work/t/$1")
	sed -i "$2" "$work/t/$1"
	[ "$(cksum <"$work/t/$1")" != "$before" ] || {
		echo "not ok edit of $1 changes nothing: $2"
		failures=$((failures + 1))
	}
}

add() { # add PATH TEXT: a line more
	printf '%b\n' "$2" >>"$work/t/$1"
}

new_tree
if out=$("$here/run.sh" "$work/t" 2>&1); then
	echo "ok a good tree passes"
else
	echo "not ok a good tree passes"
	# shellcheck disable=SC2001 # every line, not one prefix
	sed 's/^/# /' <<<"$out"
	failures=1
fi

add formats/wire/wire.h '#include "nowhere.h"'
spoiled includes_exist 'formats/wire/wire.h:3: "nowhere.h" is no file'
add formats/dump/dump.h '#include "formats/model/model.h"'
spoiled "includes_layers includes_circles" 'formats/dump must not include formats/model/model.h'
add recorder/main.c '#include "formats/out/out.h"'
spoiled includes_layers 'recorder must not include formats/out/out.h'
add recorder/main.c '#include "formats/events/ev_sched.c"'
spoiled includes_layers 'recorder must not include formats/events'
source_file tools/tool.c "$bsd" <<<'#include "recorder/ring.h"'
source_file recorder/ring.h "$bsd" <<<''
edit recorder/ring.h '$d'
spoiled includes_layers 'tools must not include recorder/ring.h'
add bpf/sched.bpf.c '#include "formats/base/cli.h"'
spoiled includes_layers 'bpf must not include formats/base/cli.h'
add formats/wire/wire.h '#include "formats/dump/dump.h"'
spoiled includes_circles 'formats/dump -> formats/wire -> formats/dump'
add formats/wire/wire.h '#include <linux/types.h>'
spoiled includes_system '<linux/types.h>: formats/ builds and runs anywhere'
add formats/abi/event.h '#include <stdio.h>'
spoiled includes_system '<stdio.h>: formats/abi is compiled for BPF'
source_file tools/tool.c "$bsd" <<<'#include <bpf/libbpf.h>'
spoiled includes_system 'tools/ never needs libbpf'

edit formats/wire/wire.h 1d
spoiled style_spdx 'formats/wire/wire.h:1: the first line must be SPDX'
edit bpf/sched.bpf.c '1s/GPL-2.0-only/BSD-2-Clause/'
spoiled style_spdx 'licence BSD-2-Clause, this part of the tree is GPL-2.0-only'
add formats/wire/wire.h 'int x; '
spoiled style_whitespace 'wire.h:3: blanks at the end'
add formats/wire/wire.h '        int x;'
spoiled style_whitespace 'wire.h:3: indented with blanks'
printf '# %s\nif 1:\n\tpass\n' "$bsd" >"$work/t/tests/x.py"
spoiled style_whitespace 'x.py:3: indented with tabs'
add formats/wire/wire.h "int $(printf 'x%.0s' {1..100});"
spoiled style_whitespace 'wire.h:3: 105 columns, at most 100'
add formats/wire/wire.h ''
spoiled style_whitespace 'exactly one newline'
add formats/wire/wire.h 'int x; // why'
spoiled style_comments 'wire.h:3: a // comment'
add formats/wire/wire.h 'int x = atoi("1");'
spoiled style_banned 'atoi\(\): use fr_parse_u64'
add formats/wire/wire.h 'int x = exit(1);'
spoiled style_banned 'exit\(\) belongs to main.c'
add formats/wire/wire.h "$(printf 'int x;\\n%.0s' {1..800})"
edit formats/wire/wire.h '$d'
spoiled style_file_length 'wire.h: 802 lines, at most 800'
add formats/wire/wire.h "int f(void)\n{\n$(printf '\\tg();\\n%.0s' {1..99})}"
spoiled style_function_length 'f\(\) has 101 lines, at most 100'
printf '# %s\nls\n' "$bsd" >"$work/t/tests/x.sh"
chmod +x "$work/t/tests/x.sh"
spoiled style_shell 'tests/x.sh:1: the first line must be #!'

add README.md "see pypi.""org"
spoiled words_registries 'README.md:2: pypi'
add README.md "/wo""rk/main/build"
spoiled words_paths 'README.md:2: /wo'
add formats/wire/wire.h "/* TO""DO: more */"
spoiled words_unfinished 'wire.h:3: unfinished'

edit formats/dump/EVENTS.md '/sched_waking/d; $d'
spoiled docs_events 'event sched_waking \(2\) has no section'
edit formats/dump/EVENTS.md 's/(2)/(3)/'
spoiled docs_events 'the heading of sched_waking must give its id, 2'
add formats/dump/EVENTS.md '## sched_gone (9)'
spoiled docs_events 'sched_gone is no event'
edit formats/events/ev_sched.c 's/fields_sched_waking/fields_sched_wakeing/'
spoiled docs_decoders 'no decoder fr_ev_fields_sched_waking'
edit tools/flightrec.1 '/to/d'
spoiled docs_options 'flightrec.1: --to of flightrec is not described'
add recorder/flightrecd.8 '.B \\-\\-gone'
spoiled docs_options 'flightrecd.8: --gone is no option'
edit tools/completion.bash 's/(--to)/(--tp)/'
spoiled docs_completion 'flightrec convert: --to is not offered'
edit tools/completion.bash 's/(--json)/(--json --gone)/'
spoiled docs_completion 'flightrec info has no --gone'
edit recorder/flightrec.ini.5 's/dump_dir/dump_dirs/'
spoiled docs_settings 'key dump_dir is not described'
edit recorder/flightrec.ini.5 's/enabled/enable/'
spoiled docs_settings 'key enabled of .trigger.NAME. is not described'
edit tools/flightrec.1 's/0 or 1/0/'
spoiled docs_exit_codes 'flightrec.1: exit code 1 is not explained'
edit Makefile 's/^test: .*/test:/; s/PHONY: help test/PHONY: help test/'
spoiled docs_targets 'target test has no'
add README.md 'Run `make gone`.'
spoiled docs_targets 'README.md:2: make gone'
add README.md '[x](gone.md)'
spoiled docs_links 'README.md:2: the link to gone.md'
if command -v shellcheck >/dev/null; then
	printf '#!/bin/sh\n# %s\nx=1\n[ $x = 1 ] && cd /tmp\nls\n' "$bsd" >"$work/t/tests/x.sh"
	chmod +x "$work/t/tests/x.sh"
	spoiled shellcheck 'tests/x.sh:4'
fi

# rule zero: a reason on the line lets it through
add formats/wire/wire.h 'int x = atoi("1"); /* rule zero: the text is a constant */'
"$here/run.sh" "$work/t" >/dev/null 2>&1 && echo "ok rule zero" || {
	echo "not ok rule zero"
	failures=$((failures + 1))
}
exit $((failures != 0))
