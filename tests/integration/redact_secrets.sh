#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Secrets of every kind, planted with real programs (curl, psql, pgbench, redis-cli, mariadb), are in
# no byte of a dump, compressed or not, nor in any output; with redaction off each of them is, so that the
# test would see it. What is no secret stays.
# timeout: 600 (six recordings, three servers)
set -u
. "$(dirname "$0")/../lib/recorder.sh"
need_root redact_secrets

export PLANT=Qzj7 DIGITS=73918462059
plant() { python3 "$root/tests/integration/redact_plant.py" "$@"; }

http_plant() {
	local h=127.0.0.1:$http_port
	curl -s -o "$work/null" -H "Authorization: Bearer ${PLANT}bearer" -b "sid=${PLANT}cookie" \
		"http://$h/kept/path?password=${PLANT}query"
	# what on a command line nothing tells to be a secret
	curl -s -o "$work/null" -K - <<<"url = http://$h/user;s=${PLANT}matrix?page=${PLANT}page"
	curl -s -o "$work/null" -u "bob:${PLANT}basic" --data "secret=${PLANT}form" "http://$h/fail"
	curl -s -o "$work/null" "http://bob:${PLANT}userinfo@$h/user"
	curl -s -o "$work/null" -x "http://$h" "http://bob:${PLANT}proxied@other.example.org/p"
	plant body 127.0.0.1 "$http_port"
	plant unknown
}

pg_plant() {
	local long
	long=$(printf 'x%.0s' {1..450})
	plant halves "$PGHOST" "$PGPORT" "$PGUSER" "$PGDATABASE" || return 1
	PGPASSWORD=${PLANT}pgpassword psql -q "$DSN" >"$work/psql.out" 2>&1 <<-END
	CREATE TABLE kept_table (a text UNIQUE, b numeric);
	INSERT INTO kept_table VALUES ('${PLANT}literal', ${DIGITS}11);
	INSERT INTO kept_table VALUES ('${PLANT}literal', 2);
	SELECT a FROM kept_table WHERE a = E'\\'${PLANT}estring' OR a = \$t\$${PLANT}dollar\$t\$;
	SELECT /* ${PLANT}comment */ 1 WHERE U&'${PLANT}unicode' = B'1'::text OR 1.${DIGITS}22 = 1;
	SELECT '$long', '${PLANT}cut${PLANT}cut${PLANT}cut${PLANT}cut';
	COPY kept_table FROM STDIN;
	${PLANT}copied	5
	\\.
	SELECT no_such_thing('${PLANT}detail');
	END
	echo 'SELECT a FROM kept_table WHERE a = :token' >"$work/bench.sql"
	pgbench -n -M prepared -t 3 -D token="'${PLANT}bind'" -f "$work/bench.sql" "$DSN" \
		>"$work/pgbench.out" 2>&1
}

redis_plant() {
	redis-cli -p "$redis_port" >"$work/redis.out" 2>&1 <<-END
	AUTH default ${PLANT}auth
	SET ${PLANT}key ${PLANT}value
	GET ${PLANT}key
	LPUSH ${PLANT}key ${PLANT}wrong
	END
	redis-cli -p "$redis_port" -a "${PLANT}auth" PING >"$work/null" 2>&1
}

mysql_start() {
	local data=$work/mysql tries=1500
	mysql_port=$(free_port)
	mkdir "$data" && chown nobody "$data" && chmod 755 "$work" || return 1
	TMPDIR=$data mariadb-install-db --no-defaults --user=nobody --datadir="$data" --skip-test-db \
		--auth-root-authentication-method=normal >"$work/install.out" 2>&1 || return 1
	TMPDIR=$data mariadbd --no-defaults --user=nobody --datadir="$data" --bind-address=127.0.0.1 \
		--port="$mysql_port" --socket="$data/sock" --innodb-buffer-pool-size=16M \
		--innodb-log-file-size=4M --skip-name-resolve >"$work/mysql.out" 2>&1 &
	kill_at_exit+=($!)
	until mariadb --no-defaults -S "$data/sock" -u root -e "CREATE DATABASE kept_base;
		CREATE USER kept_user@'%' IDENTIFIED BY '${PLANT}mypass';
		GRANT ALL ON *.* TO kept_user@'%'" 2>"$work/mysql.err"; do
		((tries-- > 0)) || return 1
		sleep 0.05
	done
}

mysql_plant() {
	MYSQL_PWD=${PLANT}mypass mariadb --no-defaults -h 127.0.0.1 -P "$mysql_port" -u kept_user \
		--force --comments kept_base >"$work/mysql.rows" 2>&1 <<-END
	CREATE TABLE my_table (a varchar(100) UNIQUE, b decimal(30));
	INSERT INTO my_table VALUES ("${PLANT}double", ${DIGITS}33);
	INSERT INTO my_table VALUES ('${PLANT}double', 2);
	SELECT a FROM my_table WHERE a = 'it\'s${PLANT}escaped' OR a LIKE "%${PLANT}doub%" # ${PLANT}hash
	;
	SET PASSWORD = PASSWORD('${PLANT}mypass');
	SELECT no_such_thing('${PLANT}mydetail');
	DROP TABLE my_table;
	END
}

# Processes that live when the dump is made: arguments and environment.
living_plant() {
	local padding
	padding=$(printf 'x%.0s' {1..9000})
	API_TOKEN=${PLANT}envtoken sleep 600 &
	living=($!)
	env -i "A_PADDING=$padding" OTEL_SERVICE_NAME=kept-service sleep 600 &
	living+=($!)
	python3 -c 'import time; time.sleep(600)' --password "${PLANT}argument" "-p${PLANT}joined" \
		"postgres://u:${PLANT}url@h/db" "--kept-option=kept-value" &
	living+=($!)
	kill_at_exit+=("${living[@]}")
}

# one NAME OPTION...: records all of it, makes a dump
one() {
	local name=$1 pid
	shift
	recorder_start "$@" || { not_ok "start_$name"; return 1; }
	living_plant
	http_plant
	pg_plant || not_ok "postgres_$name"
	[ -z "$redis_port" ] || redis_plant
	[ -z "$mysql_port" ] || mysql_plant
	recorder_dump || { not_ok "dump_$name"; return 1; }
	for pid in "${living[@]}"; do
		kill "$pid"
		wait "$pid"
	done 2>"$work/null"
	recorder_stop
	mv "$dump" "$work/$name.frd"
}

outputs() { # NAME: everything that can be made of a dump, and the dump itself
	local to
	for to in text chrome otlp-json otlp perfetto; do
		"$build/flightrec" convert "$work/$1.frd" --all --to $to -o "$work/$1.$to" \
			2>"$work/$1.err" || true
	done
	"$build/flightrec" info --json "$work/$1.frd" >"$work/$1.info"
}

none_in() { # FILE...: no secret, in any of its bytes
	! grep -a -o -E "${PLANT}[a-z_]*|${DIGITS}[0-9]*" "$@" | sort | uniq -c | grep .
}

kept_in() { # FILE WORD...
	local file=$1 word failed=0
	shift
	for word; do
		grep -a -q -F -- "$word" "$file" || { echo "$word is gone"; failed=1; }
	done
	return $failed
}

# not through plant(): a shell of its own would be what is ended
python3 "$root/tests/integration/redact_plant.py" http "$work/http.port" >"$work/http.log" 2>&1 &
kill_at_exit+=($!)
wait_line "$work/http.port" . 60 || { not_ok http_server; finish; }
http_port=$(cat "$work/http.port")
pg_start || { not_ok pg_start; finish; }
redis_port=
mysql_port=
if command -v redis-server >/dev/null; then
	redis_port=$(free_port)
	redis-server --port "$redis_port" --bind 127.0.0.1 --save '' --requirepass "${PLANT}auth" \
		--dir "$work" >"$work/redis.log" 2>&1 &
	kill_at_exit+=($!)
	wait_line "$work/redis.log" 'Ready to accept' 60 || { not_ok redis_start; finish; }
else
	skip redact_redis "no redis-server"
fi

PATH=$PATH:/usr/sbin
if command -v mariadbd >/dev/null && command -v mariadb-install-db >/dev/null; then
	mysql_start || { not_ok mysql_start "$(tail -n 3 "$work"/{install,mysql}.out)"; finish; }
else
	skip redact_mysql "no mariadbd"
fi

# What must be seen with redaction off: else nothing was planted.
words=(bearer cookie page query basic form userinfo matrix proxied answer setcookie reason header
	body unknown binary first second app literal estring dollar comment unicode cut copied
	detail bind argument joined url)
[ -z "$redis_port" ] || words+=(auth key value wrong)
[ -z "$mysql_port" ] || words+=(double escaped hash mydetail)
one off --codec none --redact off --capture-response-bytes 512
planted() {
	local word failed=0
	for word in "${words[@]}"; do
		grep -a -q "$PLANT$word" "$work/off.frd" || { echo "$word was not planted"; failed=1; }
	done
	grep -a -q "${DIGITS}11" "$work/off.frd" || { echo "no number was planted"; failed=1; }
	! grep -a -q "${PLANT}envtoken" "$work/off.frd" || { echo "the environment was read"; failed=1; }
	return $failed
}
check all_secrets_are_seen_without_redaction planted
psql -q "$DSN" -c 'DROP TABLE kept_table' >"$work/null" 2>&1

for level in standard strict; do
	for codec in none zstd; do
		one "$level-$codec" --codec $codec --redact $level --capture-response-bytes 512
		psql -q "$DSN" -c 'DROP TABLE kept_table' >"$work/null" 2>&1
		outputs "$level-$codec"
		check "no_secret_${level}_$codec" none_in "$work/$level-$codec".*
	done
done
one syscalls --codec none --hooks syscalls
outputs syscalls
check no_secret_syscall_hooks none_in "$work"/syscalls.*

check what_is_no_secret_stays kept_in "$work/standard-none.text" "GET /kept/path?password=" \
	"SELECT a FROM kept_table WHERE a = E'" "INSERT INTO kept_table VALUES ('" "C23505" \
	"--kept-option=kept-value" "Content-Length"
check the_service_is_named kept_in "$work/standard-none.frd" "OTEL_SERVICE_NAME=kept-service"
[ -z "$redis_port" ] || check redis_commands_stay kept_in "$work/standard-none.text" "LPUSH" "WRONGTYPE"
[ -z "$mysql_port" ] || check mysql_statements_stay kept_in "$work/standard-none.text" \
	'INSERT INTO my_table VALUES (\"' "23000" "kept_base"
check strict_keeps_the_summary kept_in "$work/strict-none.text" "GET /kept/" "INTO kept_table"
counted() {
	jq -e '.redact == "standard" and ([.removed_by_redaction | .headers, .body, .query, .literals,
		.binds, .copy, .errors, .arguments, .environment, .unknown | tonumber > 0] | all)' \
		"$work/standard-none.info"
}
check what_was_removed_is_counted counted
finish
