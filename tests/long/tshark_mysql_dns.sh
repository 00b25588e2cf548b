#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A real MariaDB with its own client library, and DNS: what the client says that it did, what tshark
# saw on the loopback device, and our spans of both ends are the same commands, texts, errors and
# answers, each as often as it was there.
# timeout: 300
. "$(dirname "$0")/../lib/recorder.sh"
. "$(dirname "$0")/../lib/truth_requests.sh"
need_root tshark_mysql_dns
PATH=$PATH:/usr/sbin
for tool in tshark dumpcap mariadbd mariadb-install-db mariadb_config; do
	command -v $tool >/dev/null || { skip tshark_mysql_dns "no $tool: tests/deps.sh test long"; exit 0; }
done
rounds=20
between=$'\x1f'
mysql=$((RANDOM % 10000 + 30720))

# the server refuses to run as root
mysql_start() {
	local data=$work/data tries=300
	mkdir "$data" && chown nobody "$data" && chmod 755 "$work" || return 1
	mariadb-install-db --no-defaults --user=nobody --datadir="$data" --skip-test-db \
		--auth-root-authentication-method=normal >"$work/install.log" 2>&1 || return 1
	mariadbd --no-defaults --user=nobody --datadir="$data" --bind-address=127.0.0.1 --port=$mysql \
		--socket="$data/sock" --local-infile=1 --innodb-buffer-pool-size=16M \
		--innodb-log-file-size=4M --skip-name-resolve >"$work/mysql.log" 2>&1 &
	kill_at_exit+=($!)
	until mariadb --no-defaults -S "$data/sock" -u root -e "CREATE DATABASE test; CREATE USER app@'%';
		GRANT ALL ON *.* TO app@'%'" 2>"$work/mysql.err"; do
		((tries-- > 0)) || return 1
		sleep 0.05
	done
}

mysql_load() {
	local flags
	read -ra flags <<<"$(mariadb_config --include --libs | tr '\n' ' ')"
	gcc -o "$work/client" "$root/tests/workload/mysql/client.c" "${flags[@]}" || return 1
	printf '100\tloaded\n101\trow\n' >"$work/rows.txt"
	"$work/client" 127.0.0.1 $mysql app "$work/rows.txt" $rounds >"$work/mysql.did"
}

dns_start() {
	python3 "$root/tests/lib/dns_server.py" "$work/dns.truth" >"$work/dns.port" &
	kill_at_exit+=($!)
	wait_line "$work/dns.port" . 10 || return 1
	dns=$(cat "$work/dns.port")
}

fields() {
	local names=() name
	while read -r name; do
		names+=(-e "$name")
	done < <(python3 -B "$root/tests/lib/tshark_mysql_dns.py" --fields)
	tshark -r "$work/eyes.pcapng" -d "tcp.port==$mysql,mysql" -d "udp.port==$dns,dns" -Y 'mysql || dns' \
		-T fields -E separator=/t -E occurrence=a -E aggregator="$between" "${names[@]}" \
		2>"$work/tshark.log"
}

mysql_start || { not_ok "MariaDB starts" "$(tail -n 5 "$work/mysql.log" "$work/mysql.err")"; finish; }
dns_start || exit 1
requests_recorder --families sched,waking,sock,tcp,dns --ring-size 128M || exit 1
dumpcap -q -i lo -B 64 -f "tcp port $mysql or udp port $dns" -w "$work/eyes.pcapng" \
	>"$work/dumpcap.log" 2>&1 &
eyes=$!
kill_at_exit+=("$eyes")
wait_line "$work/dumpcap.log" '^File:' 10 ||
	{ skip tshark_mysql_dns "dumpcap cannot capture here"; exit 0; }
check "MySQL load" mysql_load
check "DNS load" python3 "$root/tests/lib/dns_client.py" 127.0.0.1 "$dns" 60 "$work/dns.asked"
recorder_dump || exit 1
kill -INT $eyes
wait $eyes
check "dumpcap dropped nothing" grep -q "received/dropped.*/0 (pcap:0" "$work/dumpcap.log"
recorder_stop || not_ok stop
requests_convert eyes || finish
fields | PYTHONDONTWRITEBYTECODE=1 python3 "$root/tests/lib/tshark_mysql_dns.py" "$work/eyes.jsonl" \
	"$work/mysql.did" "$build/flightrec" $mysql "$dns" || failures=$((failures + 1))
finish
