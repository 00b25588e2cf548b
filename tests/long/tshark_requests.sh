#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# tshark on the loopback device sees the same requests as we do: HTTP methods, paths and status, SQL
# texts, command tags and SQLSTATE, Redis commands and errors, each as often as it was there.
# timeout: 300
. "$(dirname "$0")/../lib/recorder.sh"
. "$(dirname "$0")/../lib/truth_requests.sh"
need_root tshark_requests
PATH=$PATH:/usr/sbin:$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -n 1)
for tool in tshark dumpcap nginx curl psql pgbench redis-server redis-benchmark; do
	command -v $tool >/dev/null || { skip tshark_requests "no $tool: tests/deps.sh test long"; exit 0; }
done
between=$'\x1f'
http=$((RANDOM % 10000 + 10240)) redis=$((RANDOM % 10000 + 20480))

web_start() {
	mkdir "$work/www"
	chmod 755 "$work" "$work/www"
	echo hello >"$work/www/a.txt"
	head -c 300000 /dev/zero | tr '\0' x >"$work/www/big.txt"
	cat >"$work/nginx.conf" <<-END
	daemon off;
	worker_processes 1;
	pid $work/nginx.pid;
	error_log $work/nginx.err;
	events { worker_connections 64; }
	http {
		access_log off;
		client_body_temp_path $work/n1; proxy_temp_path $work/n2; fastcgi_temp_path $work/n3;
		uwsgi_temp_path $work/n4; scgi_temp_path $work/n5;
		server {
			listen 127.0.0.1:$http;
			root $work/www;
			gzip on;
			gzip_types text/plain;
			gzip_min_length 20;
			location /gone { return 410; }
			location /broken { return 503; }
			location /moved { return 301 /a.txt; }
		}
	}
	END
	nginx -p "$work" -c "$work/nginx.conf" >/dev/null 2>&1 &
	kill_at_exit+=($!)
	redis-server --port $redis --bind 127.0.0.1 --dir "$work" --save '' >"$work/redis.log" &
	kill_at_exit+=($!)
	wait_port $http && wait_port $redis
}

wait_port() {
	local tries=200
	until (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; do
		((tries-- > 0)) || { echo "# nobody listens on $1"; return 1; }
		sleep 0.05
	done
}

load_http() {
	local base=http://127.0.0.1:$http path many=()
	for path in a.txt big.txt absent gone broken moved 'a.txt?q=secret'; do
		many+=("$base/$path")
		curl -sS -o "$work/page" "$base/$path" || return 1
	done
	curl -sS -o "$work/page" "${many[@]}" "${many[@]}" >"$work/pages" 2>"$work/curl.log" || return 1
	curl -sS -I "$base/a.txt" "$base/absent" >"$work/page" || return 1
	curl -sS -X DELETE "$base/a.txt" >"$work/page" || return 1
	curl -sS -d "$(head -c 4000 "$work/www/big.txt")" "$base/a.txt" >"$work/page" || return 1
	curl -sS -z "$work/www/a.txt" "$base/a.txt" >"$work/page" || return 1
	curl -sS -0 "$base/a.txt" "$base/absent" >"$work/page" || return 1
	# chunked, as it is compressed on the way
	curl -sS --compressed "$base/big.txt" "$base/a.txt" "$base/big.txt" >"$work/page" || return 1
	load_http_pipelined
}

# Six requests in one go, then two more on the same connection. None is HEAD: tshark would take what
# follows the answer for its body.
load_http_pipelined() {
	local fd path
	exec {fd}<>"/dev/tcp/127.0.0.1/$http"
	for path in a.txt absent gone moved broken a.txt; do
		printf 'GET /%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n' $path "$http"
	done >"$work/ask"
	cat "$work/ask" >&"$fd"
	until_read "$fd" hello 2 || return 1
	printf 'GET /broken HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n' "$http" >&"$fd"
	until_read "$fd" '</html>' 1 || return 1
	printf 'GET /a.txt HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n\r\n' "$http" >&"$fd"
	cat <&"$fd" >"$work/page"
	exec {fd}>&-
}

until_read() { # FD WORD TIMES
	local line seen=0
	while IFS= read -rt 5 -u "$1" line; do
		[[ $line != *"$2"* ]] || seen=$((seen + 1))
		[ $seen -lt "$3" ] || return 0
	done
	return 1
}

load_sql() {
	local n
	export PGHOST PGPORT PGUSER PGDATABASE
	pgbench -i -s 1 -q >"$work/pgbench.log" 2>&1 || return 1
	psql -q -At <<-END >"$work/psql.out" 2>&1
	CREATE TABLE eyes (id int PRIMARY KEY, name text);
	INSERT INTO eyes SELECT n, 'name ' || n FROM generate_series(1, 50) n;
	SELECT count(*) FROM eyes WHERE name > 'name 2';
	UPDATE eyes SET name = 'it''s' WHERE id < 10;
	DELETE FROM eyes WHERE id = 50;
	INSERT INTO eyes VALUES (1, 'twice');
	SELECT * FROM absent;
	SELECT 1 / 0;
	SELECT 'x'::int;
	DROP TABLE eyes;
	END
	for n in simple extended prepared; do
		pgbench -M $n -n -t 20 -c 2 >"$work/pgbench.log" 2>&1 || return 1
	done
	printf '%s\n' '\startpipeline' 'SELECT 1;' 'SELECT abalance FROM pgbench_accounts WHERE aid = 7;' \
		"UPDATE pgbench_tellers SET filler = 'x' WHERE tid = 3;" '\endpipeline' >"$work/pipeline.sql"
	for n in extended prepared; do
		pgbench -M $n -n -t 10 -c 2 -f "$work/pipeline.sql" >"$work/pgbench.log" 2>&1 || return 1
	done
	psql -q -c 'COPY pgbench_branches TO STDOUT' -c "COPY (SELECT generate_series(1, 100)) TO STDOUT" \
		>"$work/psql.out" || return 1
	seq 5000 5400 | psql -q -c 'CREATE TABLE copied (n int)' -c 'COPY copied FROM STDIN' \
		-c 'DROP TABLE copied' >"$work/psql.out"
}

load_redis() {
	redis-benchmark -p $redis -t set,get,lpush -n 500 -c 3 -P 8 -q >"$work/bench.log" || return 1
	printf '%s\n' MULTI 'INCR n' 'INCR n' EXEC 'SET s text' 'LPUSH s x' 'HGET s f' 'NOSUCH a' PING |
		redis-cli -p $redis >"$work/cli.log"
}

# tshark's fields, one frame a line
fields() {
	local names=() name
	while read -r name; do
		names+=(-e "$name")
	done < <(python3 -B "$root/tests/lib/tshark_eyes.py" --fields)
	tshark -r "$work/eyes.pcapng" -d "tcp.port==$http,http" -d "tcp.port==$PGPORT,pgsql" \
		-d "tcp.port==$redis,resp" -Y 'http || pgsql || resp' -T fields -E separator=/t -E occurrence=a \
		-E aggregator="$between" "${names[@]}" 2>"$work/tshark.log"
}

pg_start || exit 1
web_start || exit 1
# tags lie behind notices and rows
requests_recorder --ring-size 128M --capture-response-bytes 2048 || exit 1
dumpcap -q -i lo -B 64 -f "tcp port $http or tcp port $PGPORT or tcp port $redis" -w "$work/eyes.pcapng" \
	>"$work/dumpcap.log" 2>&1 &
eyes=$!
kill_at_exit+=("$eyes")
wait_line "$work/dumpcap.log" '^File:' 10 || { skip tshark_requests "dumpcap cannot capture here"; exit 0; }
check "HTTP load" load_http
check "SQL load" load_sql
check "Redis load" load_redis
recorder_dump || exit 1
kill -INT $eyes
wait $eyes
check "dumpcap dropped nothing" grep -q "received/dropped.*/0 (pcap:0" "$work/dumpcap.log"
recorder_stop || not_ok stop
requests_convert eyes || finish
"$build/flightrec" convert "$dump" --to text -o "$work/eyes.text" 2>"$work/said" ||
	not_ok "convert to text" "$(cat "$work/said")"
eyes() { # FIELDS
	PYTHONDONTWRITEBYTECODE=1 python3 "$root/tests/lib/tshark_eyes.py" "$work/eyes.jsonl" \
		"$work/eyes.text" "$build/flightrec" $http "$PGPORT" $redis <"$1"
}

# denies WHAT VERDICT SED
denies() {
	sed -E "$3" "$work/fields" >"$work/lie"
	if cmp -s "$work/fields" "$work/lie"; then
		not_ok "noticed: $1" "sed $3 changes nothing"
	elif eyes "$work/lie" >"$work/lie.out"; then
		not_ok "noticed: $1" "all is well, it says"
	else
		check "noticed: $1" grep "^not ok $2" "$work/lie.out"
	fi
}

fields >"$work/fields"
eyes "$work/fields" || failures=$((failures + 1))
denies "another status" "HTTP server" "0,/\t410\t/s//\t411\t/"
denies "another SQLSTATE" "SQL client: SQLSTATE" "s/\t22012\t/\t22013\t/"
denies "another command tag" "SQL: command tags" "0,/\tDELETE 1\t/s//\tINSERT 1\t/"
denies "another Redis error" "Redis server: errors" "0,/\t-?WRONGTYPE/s//\tRIGHTTYPE/"
finish
