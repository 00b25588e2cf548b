#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# flightrecd used wrongly: each case gets the documented exit code and a message that names the
# thing, the reason and what to do next. Nothing here gets as far as recording.
. "$(dirname "$0")/../lib/recorder.sh"

flightrecd=$build/flightrecd
ini=$work/flightrec.ini

# refused NAME CODE PATTERN... -- COMMAND...: exits with CODE, stderr matches each PATTERN
refused() {
	local name=$1 want=$2 patterns=() code=0 bad=
	shift 2
	while [ "$1" != -- ]; do
		patterns+=("$1")
		shift
	done
	shift
	timeout 60 "$@" >"$work/out" 2>"$work/err" </dev/null || code=$?
	[ "$code" = "$want" ] || bad="exit code $code, not $want; "
	for pattern in "${patterns[@]}"; do
		grep -qE -- "$pattern" "$work/err" || bad+="no '$pattern' in the message; "
	done
	grep -q '^ready' "$work/out" && bad+="it got ready; "
	[ -z "$bad" ] && ok "$name" && return
	not_ok "$name" "$bad$(printf '\n'; cat "$work/err")"
}

as_nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --bounding-set=-all)

with_ini() { # NAME CODE PATTERN... <<TEXT
	local name=$1
	cat >"$ini"
	refused "$@" -- "$flightrecd" --config "$ini" --check-config
}

# ---- the command line
refused unknown_option 2 "--no-such-option" "--help" -- "$flightrecd" --no-such-option
refused positional_argument 2 "stray" "--help" -- "$flightrecd" stray
refused option_without_value 2 "--dump-dir" -- "$flightrecd" --dump-dir
refused bad_size 2 "ring-size.*'12X'" "K, M, G" -- "$flightrecd" --ring-size 12X --check-config
refused bad_duration 2 "post-window.*'5'" "ms" -- "$flightrecd" --post-window 5 --check-config
refused short_post_window 2 "post-window.*50" -- "$flightrecd" --post-window 1ms --check-config
refused bad_family 2 "families.*'disk'" "sched" -- "$flightrecd" --families sched,disk --check-config
refused bad_redact 2 "redact.*'maybe'" "standard" -- "$flightrecd" --redact maybe --check-config
refused bad_codec 2 "codec.*'gzip'" "zstd" -- "$flightrecd" --codec gzip --check-config
refused codec_level 2 "lz4:3.*only zstd" -- "$flightrecd" --codec lz4:3 --check-config
refused trigger_unknown 2 "trigger.*'nonsense'" "usr1" -- \
	"$flightrecd" --trigger nonsense=on --check-config
refused bad_latency_limit 2 "latency-limit.*'5'" "ms" -- "$flightrecd" --latency-limit 5 --check-config
refused two_filters 2 "another kind of filter" -- \
	"$flightrecd" --filter-pid 1 --filter-comm x --check-config
refused long_comm 2 "filter-comm.*15 bytes" -- \
	"$flightrecd" --filter-comm a_name_of_more_than_15 --check-config

# ---- the file
with_ini key_unknown 2 "flightrec.ini:3: unknown key 'colour'" "flightrec.ini\(5\)" <<TEXT
# a comment
ring_size = 64M
colour = red
TEXT
with_ini key_of_command_line 2 ":1: unknown key 'check_config'" <<TEXT
check_config = yes
TEXT
with_ini key_with_dash 2 ":1: unknown key 'ring-size'" <<TEXT
ring-size = 64M
TEXT
with_ini value_bad 2 ":2: ring_size: '64Q' is not a size" <<TEXT

  ring_size = 64Q
TEXT
with_ini value_of_second_line_indented 2 ":2: unknown key 'foo'" <<TEXT
ring_size = 64M
   foo = bar
TEXT
with_ini key_twice 2 ":3: codec is set already on line 1" <<TEXT
codec = lz4
redact = strict
codec = zstd
TEXT
with_ini section_unknown 2 ":2: unknown section \[network\]" <<TEXT
[network]
port = 80
TEXT
with_ini line_without_key 2 ":2: this is no 'key = value'" <<TEXT
ring_size = 64M
what is this
TEXT
with_ini trigger_key_unknown 2 ":2: \[trigger.usr1\] limit:.*no key.*cooldown" <<TEXT
[trigger.usr1]
limit = 3s
TEXT
with_ini trigger_value_bad 2 ":2: \[trigger.sql-error\] ignore:.*'2350'.*SQLSTATE" <<TEXT
[trigger.sql-error]
ignore = 23505,2350
TEXT
with_ini all_errors_told 2 ":1: unknown key 'a'" ":2: unknown key 'b'" ":3: redact" <<TEXT
a = 1
b = 2
redact = no
TEXT
printf 'ring_size = 64M ; %0300d\n' 1 >"$ini"
refused line_too_long 2 ":1: the line is longer than" -- "$flightrecd" --config "$ini" --check-config
refused file_missing 5 "cannot read the configuration '/nonexistent.ini'" "--config" -- \
	"$flightrecd" --config /nonexistent.ini --check-config
refused file_is_folder 5 "directory" -- "$flightrecd" --config / --check-config

# ---- what is right, so that the above means something
cat >"$ini" <<TEXT
; both kinds of comments
ring_size = 32M ; with a remark
[trigger.usr1]
cooldown = 10s
max_per_day = 3
TEXT
check config_sound "$flightrecd" --config "$ini" --check-config
"$flightrecd" --config "$ini" --check-config --codec lz4 >"$work/again.ini"
check config_printed_is_a_config bash -c \
	"'$flightrecd' --config '$work/again.ini' --check-config | cmp - '$work/again.ini'"
check option_beats_file grep -q '^codec = lz4' "$work/again.ini"
check file_beats_default grep -q '^ring_size = 32M' "$work/again.ini"
check version bash -c "'$flightrecd' --version | grep -qE '^flightrecd [0-9]+\.[0-9]+'"
check help bash -c "'$flightrecd' --help | grep -q -- '--dump-dir DIR'"

# ---- the host
refused no_btf 4 "'/nonexistent'" "CONFIG_DEBUG_INFO_BTF" -- \
	"$flightrecd" --btf /nonexistent --dump-dir "$work/d" --control off --foreground
echo 'no type information' >"$work/btf"
refused btf_is_garbage 4 "'$work/btf'" -- \
	"$flightrecd" --btf "$work/btf" --dump-dir "$work/d" --control off --foreground
if [ "$(id -u)" != 0 ]; then
	skip no_root "needs root, to become somebody else"
	finish
fi
chmod 755 "$work"
mkdir -m 777 "$work/open"
refused no_root 3 "may not load BPF programs" "CAP_BPF" "root" -- \
	"${as_nobody[@]}" "$flightrecd" --dump-dir "$work/open" --control off --foreground
check features_without_root "${as_nobody[@]}" "$flightrecd" --features
"${as_nobody[@]}" "$flightrecd" --features --json 2>/dev/null >"$work/features.json"
check features_json python3 -c "import json; json.load(open('$work/features.json'))['features']"
refused dump_dir_is_file 5 "dump directory '$ini'" "--dump-dir" -- \
	"$flightrecd" --dump-dir "$ini" --control off --foreground
refused dump_dir_without_parent 5 "dump directory '$work/no/such'" "--dump-dir" -- \
	"$flightrecd" --dump-dir "$work/no/such" --control off --foreground
if mount -t tmpfs -o ro none "$work/open" 2>/dev/null; then
	refused dump_dir_read_only 3 "dump directory '$work/open'.*Read-only" "--dump-dir" -- \
		"$flightrecd" --dump-dir "$work/open" --control off --foreground
	umount "$work/open"
else
	skip dump_dir_read_only "cannot mount here"
fi
mkdir -m 755 "$work/roots"
refused dump_dir_not_writable 3 "dump directory '$work/roots'.*denied" "--dump-dir" -- \
	setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-dac_override \
	--inh-caps=+bpf,+perfmon --ambient-caps=+bpf,+perfmon \
	"$flightrecd" --dump-dir "$work/roots" --control off --foreground
refused ring_too_small 2 "ring-size.*at least" -- \
	"$flightrecd" --ring-size 1M --dump-dir "$work/d" --control off --foreground
refused cgroup_missing 2 "filter-cgroup '/no/such/group'" -- \
	"$flightrecd" --filter-cgroup /no/such/group --dump-dir "$work/d" --control off --foreground
refused control_path_too_long 5 "control socket" "--control" -- \
	"$flightrecd" --control "$work/$(printf %0120d 1)" --dump-dir "$work/d" --foreground
refused pid_file_not_writable 5 "pid file '$work/no/pid'" "--pid-file" -- \
	"$flightrecd" --pid-file "$work/no/pid" --dump-dir "$work/d" --control off --foreground
finish
