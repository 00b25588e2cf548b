#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Memory of the recorder, anonymous and kernel, in a memory cgroup of its own (v2: anon + kernel;
# v1: rss + kmem), against ring + 8 MiB + 400 B for each live socket; also while it dumps.
. "$(dirname "$0")/../lib/recorder.sh"
need_root memory

ring_mib=64
group=
for base in /sys/fs/cgroup /sys/fs/cgroup/memory /sys/fs/cgroup/unified; do
	if [ -e "$base/memory.usage_in_bytes" ]; then
		group=$base/flightrec-bench.$$ version=1
		break
	elif grep -qw memory "$base/cgroup.controllers" 2>/dev/null; then
		group=$base/flightrec-bench.$$ version=2
		echo +memory >"$base/cgroup.subtree_control" 2>/dev/null || true
		break
	fi
done
[ -n "$group" ] && mkdir "$group" 2>/dev/null || { skip memory "no memory cgroup can be made"; exit 0; }

used() { # KiB
	if [ $version = 2 ]; then
		awk '$1 == "anon" || $1 == "kernel" { n += $2 } END { print int(n / 1024) }' \
			"$group/memory.stat"
	else
		local kmem
		kmem=$(cat "$group/memory.kmem.usage_in_bytes" 2>/dev/null || echo 0)
		awk -v kmem="$kmem" '$1 == "rss" { print int(($2 + kmem) / 1024) }' "$group/memory.stat"
	fi
}

echo $$ >"$group/cgroup.procs"
recorder_start --ring-size ${ring_mib}M || exit 1
echo $$ >"$(dirname "$group")/cgroup.procs"
steady=$(used)
peak=$steady
"$build/flightrec" trigger --wait --control "$work/control.sock" >/dev/null &
waiter=$!
while kill -0 $waiter 2>/dev/null; do
	now=$(used)
	[ "$now" -le "$peak" ] || peak=$now
	sleep 0.01
done
sockets=$(ss -tun 2>/dev/null | wc -l)
awk -v steady="$steady" -v peak="$peak" -v ring=$((ring_mib * 1024)) -v sockets="$sockets" 'BEGIN {
	bar = ring + 8192 + sockets * 400 / 1024
	printf "memory (cgroup): steady %.1f MiB, while dumping %.1f MiB; ring %d MiB ",
		steady / 1024, peak / 1024, ring / 1024
	printf "(bar <= ring + 8 MiB + sockets = %.1f MiB: %s)\n",
		bar / 1024, (steady <= bar && peak <= bar ? "met" : "missed") }'
recorder_stop
rmdir "$group"
