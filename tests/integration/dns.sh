#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# DNS as a real server and real clients speak it: each question with its type, its result and the
# other end's address, though server and clients use unconnected sockets (family dns tells who sent
# what they receive). Over IPv4, over IPv6, and by libc's resolver and dig in a network of their own;
# and with the fallback's hooks.
. "$(dirname "$0")/../lib/recorder.sh"
need_root dns
dig=$(command -v dig)

server_start() { # ADDRESS [PORT]: $port
	: >"$work/port"
	: >"$work/truth"
	python3 "$root/tests/lib/dns_server.py" "$work/truth" "$@" >"$work/port" 2>"$work/server.log" &
	server=$!
	kill_at_exit+=("$server")
	wait_line "$work/port" . 10 || { cat "$work/server.log"; return 1; }
	port=$(cat "$work/port")
}

server_stop() {
	kill "$server"
	wait "$server" 2>/dev/null
}

# results NAME ARG...: what check_dns.py says of $dump, its names put behind NAME
results() {
	local name=$1
	shift
	"$build/flightrec" convert "$dump" --to otlp-json --all -o "$work/spans.jsonl" 2>"$work/convert.log"
	"$root/tests/integration/check_dns.py" "$work/spans.jsonl" "$work/truth" "$@" >"$work/judged"
	sed -E "s/^(not )?ok /&${name}_/" "$work/judged"
	grep -q '^ok ' "$work/judged" && ! grep -q '^not ok ' "$work/judged" || failures=$((failures + 1))
}

three_clients() { # NAME ADDRESS RECORDER-OPTION...
	local name=$1 address=$2
	shift 2
	recorder_start --families sched,sock,dns "$@" || { not_ok "$name" "no recorder"; return; }
	if server_start "$address"; then
		python3 "$root/tests/lib/dns_client.py" "$address" "$port" 60 "$work/asked"
		server_stop
		recorder_dump && results "$name" "$work/asked" "$port"
	else
		not_ok "$name" "no server"
	fi
	recorder_stop
}

# libc asks the server that resolv.conf names, on port 53: in namespaces of its own. It sends both
# of a name's questions by one sendmmsg on a connected socket: each has its span, at both ends.
resolver() { # NAME RECORDER-OPTION...
	local name=$1
	shift
	recorder_start --families sock,dns "$@" || { not_ok "$name" "no recorder"; return; }
	cat >"$work/ask.sh" <<-EOF
	ip link set lo up || exit 3
	for file in resolv.conf nsswitch.conf; do
		mount --bind "$work/\$file" "/etc/\$file" || exit 3
	done
	python3 "$root/tests/lib/dns_server.py" "$work/truth" 127.0.0.1 53 >"$work/port" &
	server=\$!
	until [ -s "$work/port" ]; do sleep 0.02; done
	getent ahosts www.resolver.example >"$work/answer"
	getent ahosts nx.resolver.example
	getent ahosts fail.resolver.example
	python3 "$root/tests/lib/dns_ask.py" 4 6 >"$work/python"
	[ -z "$dig" ] || "$dig" +tries=1 www.dig.example >"$work/dig"
	kill \$server
	EOF
	echo "nameserver 127.0.0.1" >"$work/resolv.conf"
	echo "hosts: dns" >"$work/nsswitch.conf"
	: >"$work/port"
	: >"$work/truth"
	unshare -n -m bash "$work/ask.sh" 2>"$work/ask.log"
	if [ "$(grep -c '"nx.resolver.example"' "$work/truth")" = 0 ]; then
		skip "$name" "no namespaces, or libc does not ask: $(head -c 100 "$work/ask.log")"
	elif [ "$(grep -c '"type": 28' "$work/truth")" -lt 24 ]; then
		not_ok "$name" "libc asked for $(wc -l <"$work/truth") names: $(cat "$work/ask.log")"
	else
		recorder_dump && results "$name" "$work/truth" 53
	fi
	recorder_stop
}

three_clients ipv4 127.0.0.1
if [ -e /proc/net/if_inet6 ] && [ -s /proc/net/if_inet6 ]; then
	three_clients ipv6 ::1
else
	skip ipv6 "this machine has none"
fi
three_clients fallback 127.0.0.1 --hooks syscalls
resolver resolver
resolver resolver_fallback --hooks syscalls
finish
