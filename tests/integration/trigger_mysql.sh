#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Errors of a real MariaDB make dumps by themselves; a duplicate key is no cause. On connections
# that are older than the recording as well. timeout: 300
. "$(dirname "$0")/../lib/recorder.sh"
. "$(dirname "$0")/../lib/trigger.sh"
need_root trigger_mysql
for tool in mariadbd mariadb-install-db mariadb; do
	command -v "$tool" >/dev/null || { skip trigger_mysql "no $tool: tests/deps.sh long"; exit 0; }
done

data=$work/mysql
port=$(free_port)
chmod 755 "$work"
mkdir "$data" && chown nobody "$data"
TMPDIR=$data mariadb-install-db --no-defaults --user=nobody --datadir="$data" --skip-test-db \
	--auth-root-authentication-method=normal >"$work/install.out" 2>&1
TMPDIR=$data mariadbd --no-defaults --user=nobody --datadir="$data" --bind-address=127.0.0.1 \
	--port="$port" --socket="$data/sock" --innodb-buffer-pool-size=16M \
	--innodb-log-file-size=4M --skip-name-resolve >"$work/mysql.out" 2>&1 &
kill_at_exit+=($!)
tries=1500
until mariadb --no-defaults -S "$data/sock" -u root -e "CREATE DATABASE fr; CREATE USER fr@'%';
	GRANT ALL ON *.* TO fr@'%'; CREATE TABLE fr.t (id int PRIMARY KEY)" 2>"$work/err"; do
	((tries-- > 0)) || { not_ok "MariaDB starts" "$(cat "$work/err"; tail -5 "$work/mysql.out")"; finish; }
	sleep 0.05
done

mkfifo "$work/old.in"
mariadb --no-defaults -h 127.0.0.1 -P "$port" -u fr --force --unbuffered fr <"$work/old.in" >"$work/old.out" 2>&1 &
kill_at_exit+=($!)
exec 9>"$work/old.in"
echo "SELECT 'old' AS connection;" >&9
wait_line "$work/old.out" old 20 || { not_ok "an old connection" "$(cat "$work/old.out")"; finish; }

sql() {
	mariadb --no-defaults -h 127.0.0.1 -P "$port" -u fr fr -e "$1"
}

recorder_start --ring-size 4M --codec none --redact off --post-window 100ms --cooldown 0s \
	--trigger latency-p99=off --trigger http-5xx=off || { not_ok start; finish; }
sent='e.sock == t.sock_id and e.tid == t.tid'
cause sql 'SELECT 1; INSERT INTO t VALUES (1)'
quiet "what goes well is no cause" sql-error ".* by mysql on port $port"
cause sql 'INSERT INTO t VALUES (1)'
check "it fails" grep -q "ERROR 1062" "$work/cause.out"
quiet "a duplicate key is no cause" sql-error ".* by mysql on port $port"
cause sql 'SELECT * FROM no_such_table'
caused "an unknown table" sql-error "^ERROR 42S02 \(1146\) by mysql on port $port, pid [0-9]+ \(mariadbd\)$" \
	sock_send "$sent" 'e.data[4] == 0xff and b"#42S02" in e.data'
sleep 0.2
cause sh -c "echo 'SELEKT 1;' >&9"
caused "a wrong statement on an old connection" sql-error \
	"^ERROR 42000 \(1064\) by mysql on port $port" sock_send "$sent" 'b"#42000" in e.data'
exec 9>&-
recorder_stop

recorder_start --ring-size 4M --codec none --redact off --post-window 100ms --cooldown 0s \
	--trigger http-5xx=off --trigger sql-error=off --latency-limit 250ms || { not_ok start; finish; }
cause sql 'SELECT sleep(0.4)'
caused "a slow statement" latency \
	"^$from_400_ms for a request by mysql, limit 250 ms on port $port" sock_send "$sent"
recorder_stop
finish
