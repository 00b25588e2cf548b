#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The recorder on another kernel: Debian 12's own 6.1, in a virtual machine without KVM. It must
# start, say that the fallback socket hooks stand in, record, dump on SIGUSR1, and the dump must
# convert out here. Nothing is installed: the kernel package is only unpacked.
. "$(dirname "$0")/../lib/recorder.sh"
. "$(dirname "$0")/../lib/truth.sh"

for tool in qemu-system-x86_64 busybox cpio; do
	command -v "$tool" >/dev/null || { skip vm_debian "no $tool: tests/deps.sh long"; exit 0; }
done
[ "$(uname -m)" = x86_64 ] || { skip vm_debian "amd64 only"; exit 0; }

package=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null | awk '/Depends:/ { print $2; exit }')
(cd "$work" && apt-get download "$package" >apt.log 2>&1 && dpkg -x ./*.deb kernel) ||
	{ skip vm_debian "cannot fetch the kernel package"; exit 0; }
kernel=$(ls "$work"/kernel/boot/vmlinuz-*)

# put PROGRAM...: into the machine, with the libraries it needs
put() {
	local file lib
	for file; do
		cp "$file" "$work/root/bin/"
		for lib in $(ldd "$file" | grep -o '/[^ ]*'); do
			mkdir -p "$work/root$(dirname "$lib")"
			cp -L "$lib" "$work/root$lib"
		done
	done
}

mkdir -p "$work"/root/{bin,proc,sys,dev,tmp,run,var}
cp "$(command -v busybox)" "$work/root/bin/busybox"
put "$build/flightrecd" "$build/tests/workload/truth_sock" "$build/tests/workload/truth_pipe" \
	"$build/tests/workload/truth_batch" "$build/tests/workload/storm"
cat >"$work/root/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
ip link set lo up
mkdir -p /tmp/dumps
chmod 700 /tmp/dumps
echo "VM kernel $(uname -r)"
flightrecd --foreground --dump-dir /tmp/dumps --control /tmp/c.sock --redact off --codec none \
	--ring-size 8M --families sched,waking,sock,tcp,block,dns >/tmp/out 2>/tmp/log &
rec=$!
n=0
until grep -q ^ready /tmp/out; do
	n=$((n + 1))
	[ $n -lt 300 ] || break
	sleep 0.1
done
mkfifo /tmp/go
truth_sock --hold </tmp/go >/tmp/truth.json 2>/tmp/truth.err &
exec 3>/tmp/go
echo >&3
n=0
until grep -q '^{"program"' /tmp/truth.json; do
	n=$((n + 1))
	[ $n -lt 300 ] || break
	sleep 0.1
done
truth_pipe >/tmp/pipe.json 2>/tmp/pipe.err
truth_batch >/tmp/batch.json 2>/tmp/batch.err
kill -USR1 $rec
n=0
until ls /tmp/dumps/*.frd >/dev/null 2>&1; do
	n=$((n + 1))
	[ $n -lt 300 ] || break
	sleep 0.1
done
storm 50 # a trigger by what passes through sockets
n=0
until ls /tmp/dumps/*http-5xx*.frd >/dev/null 2>&1; do
	n=$((n + 1))
	[ $n -lt 100 ] || break
	sleep 0.1
done
rm -f /tmp/dumps/*http-5xx*.frd
kill -TERM $rec
wait $rec
echo "VM exit $?"
for f in /tmp/out /tmp/log /tmp/truth.json /tmp/truth.err /tmp/pipe.json /tmp/batch.json /tmp/dumps/*.frd; do
	echo "VM file $f"
	base64 $f
	echo "VM end"
done
sync
echo o >/proc/sysrq-trigger
sleep 10
INIT
chmod +x "$work/root/init"
(cd "$work/root" && find . | cpio -o -H newc 2>/dev/null | gzip -1 >"$work/initrd.gz")

timeout 300 qemu-system-x86_64 -M q35 -cpu max -m 1024 -smp 2 -nographic -no-reboot \
	-kernel "$kernel" -initrd "$work/initrd.gz" -append "console=ttyS0 quiet panic=1" \
	</dev/null 2>&1 | tr -d '\r' >"$work/console.txt"

file_of() { # file_of NAME: its contents out of the console
	awk -v want="$1" '$1 == "VM" && $2 == "file" { on = ($3 ~ want) ; next }
		$1 == "VM" && $2 == "end" { on = 0 } on' "$work/console.txt" | base64 -d
}

file_of /tmp/out >"$work/vm.out"
file_of /tmp/log >"$work/vm.log"
file_of '[.]frd$' >"$work/vm.frd"
file_of /tmp/truth.json | grep -v ^ready >"$work/truth.json"
file_of /tmp/batch.json >"$work/batch.json"

says() { grep -qaE "$2" "$1" || { tail -20 "$1"; return 1; }; }
check "vm: boots Debian's kernel" says "$work/console.txt" 'VM kernel 6[.]1[.]'
check "vm: ready" says "$work/vm.out" '^ready '
check "vm: says that the fallback stands in" says "$work/vm.log" 'sock_send_length|system call'
# without sk_data_ready; the fallback reads where datagrams come from itself
check "vm: says that dns is not recorded" says "$work/vm.log" 'dns.*none of its tracepoints'
check "vm: a 500 is a trigger" says "$work/vm.log" 'seen: http-5xx: 500 on port [0-9]+, .*storm'
check "vm: and makes a dump" says "$work/vm.log" 'dump 2: .*http-5xx-2.frd'
check "vm: ends cleanly" says "$work/console.txt" '^VM exit 0'
check "vm: dump is sound" "$build/flightrec" verify "$work/vm.frd"
"$build/flightrec" convert "$work/vm.frd" --to text --all -o "$work/vm.txt"
for event in sched_switch sched_waking proc_fork proc_exec sock_open sock_send sock_recv; do
	check "vm: has $event" says "$work/vm.txt" "$event"
done
truth_judge sock "$work/truth.json" "$work/vm.frd" syscalls
truth_judge batch "$work/batch.json" "$work/vm.frd" syscalls
finish
