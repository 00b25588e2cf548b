#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Requests as the programs' own truth has them are spans: the Go service with 64 clients as fast as it
# can, the same in two dumps and by the other hooks, a C server with a thread for each connection, the
# same behind nginx, a threaded Python service, and Redis by its own count, with pipelines. Each has a
# recorder of its own.
# timeout: 900
. "$(dirname "$0")/../lib/recorder.sh"
. "$(dirname "$0")/../lib/truth_requests.sh"
need_root truth_requests_long
for tool in go nginx redis-server redis-benchmark; do
	type -P $tool >/dev/null || [ -x /usr/sbin/$tool ] ||
		{ skip truth_requests_long "no $tool: tests/deps.sh test long"; exit 0; }
done
PATH=$PATH:/usr/sbin
truthsvc_build || exit 0
pg_start || exit 1
webs=get:40,two:25,ping:20,err:5,slow:3,absent:2

# load NAME WORKERS RATE SECONDS URL; before it, until the recorder knows the binaries, NAME.warm
load() {
	truthsvc_addr=([pq]=$5 [pgx]=$5)
	truthsvc_load "$1.warm" 8 100 1 --mix $webs && truthsvc_load "$1" "$2" "$3" "$4" --mix $webs
}

# web_start NAME COMMAND...: a server that writes its truth when its standard input ends
web_start() {
	local name=$1
	shift
	mkfifo "$work/$name.in"
	"$@" --truth "$work/truth.$name" <"$work/$name.in" >"$work/$name.out" 2>"$work/$name.err" &
	web_pid=$!
	kill_at_exit+=($!)
	exec {web_fd}>"$work/$name.in"
	wait_line "$work/$name.out" '^ready ' 20 || { sed 's/^/# /' "$work/$name.err"; return 1; }
	web=$(awk '{ print $2; exit }' "$work/$name.out")
}

web_end() {
	exec {web_fd}>&-
	wait "$web_pid"
}

go_64() {
	requests_recorder --codec none --log-level debug --ring-size 128M || return 1
	truthsvc_start --db-conns 16 && truthsvc_warm && truthsvc_load many 64 0 4 && recorder_dump || return 1
	truthsvc_end || not_ok "64 at a time: the servers end"
	recorder_stop || not_ok "64 at a time: stop"
	requests_convert go && requests_judge "64 at a time" "$work/go.jsonl" \
		"$work"/truth.{warmup,pq,pgx,many}
}

# Two dumps that overlap: one recording, in which each request is once, with one id. The database by
# its unix socket.
go_twice() {
	local first dsn="host=$PGSOCKET port=$PGPORT user=postgres dbname=postgres sslmode=disable"
	requests_recorder --codec none --log-level debug --hooks syscalls || return 1
	rm -f "$work"/next.*
	truthsvc_start --dsn "$dsn" && truthsvc_warm && truthsvc_load part1 8 150 2 && recorder_dump || return 1
	first=$dump
	truthsvc_load part2 8 150 2 && recorder_dump || return 1
	truthsvc_end || not_ok "two dumps: the servers end"
	recorder_stop || not_ok "two dumps: stop"
	requests_convert second && requests_judge "the second of two" "$work/second.jsonl" \
		"$work"/truth.{warmup,pq,pgx,part1,part2}
	"$build/flightrec" convert "$first" --to otlp-json -o "$work/first.jsonl" 2>"$work/said" &&
		"$build/flightrec" convert "$first" "$dump" --to otlp-json -o "$work/both.jsonl" 2>>"$work/said" ||
		not_ok "two dumps: convert" "$(cat "$work/said")"
	requests_judge "both as one" "$work/both.jsonl" "$work"/truth.{warmup,pq,pgx,part1,part2}
	check "an id is the same in each dump" python3 -B - "$work"/{first,second,both}.jsonl <<-END
	import sys
	sys.path.insert(0, "$root/tests/lib")
	import otlp_spans
	def whole(path):  # what was seen from its start to its end
	    return {(s.id, s.trace, s.parent, s.name) for s in otlp_spans.read(path)[0]
	            if "flightrec.marks" not in s.attributes}
	first, second, both = map(whole, sys.argv[1:])
	print(len(first), len(second), len(both), len(first & second), sorted((first | second) - both)[:3])
	sys.exit(not (len(first & second) > 300 and first | second <= both))
	END
}

c_8() {
	requests_recorder --codec none || return 1
	web_start c "$build/tests/workload/truth_web" --db-port "$PGPORT" || return 1
	load c.client 8 200 4 "http://$web" && recorder_dump || return 1
	web_end || not_ok "C: the server ends"
	recorder_stop || not_ok "C: stop"
	requests_convert c && requests_judge C "$work/c.jsonl" "$work"/truth.{c,c.client.warm,c.client}
}

nginx_conf() { # PORT UPSTREAM
	cat <<-END
	daemon off;
	worker_processes 1;
	pid $work/nginx.pid;
	error_log $work/nginx.err;
	events { worker_connections 256; }
	http {
		log_format truth "\$pid \$request_method \$uri \$status";
		access_log $work/nginx.log truth;
		client_body_temp_path $work/n1; proxy_temp_path $work/n2; fastcgi_temp_path $work/n3;
		uwsgi_temp_path $work/n4; scgi_temp_path $work/n5;
		upstream back { server $2; keepalive 16; }
		server {
			listen 127.0.0.1:$1;
			location / {
				proxy_http_version 1.1;
				proxy_set_header Connection "";
				proxy_pass http://back/up/;
			}
		}
	}
	END
}

nginx_8() {
	local port=$((RANDOM % 20000 + 10240)) pid
	requests_recorder --codec none || return 1
	web_start back "$build/tests/workload/truth_web" --db-port "$PGPORT" || return 1
	nginx_conf "$port" "$web" >"$work/nginx.conf"
	nginx -p "$work" -c "$work/nginx.conf" >/dev/null 2>&1 &
	pid=$!
	kill_at_exit+=("$pid")
	until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
		kill -0 $pid 2>/dev/null || { sed 's/^/# /' "$work/nginx.err"; return 1; }
		sleep 0.05
	done
	load nginx.client 8 200 4 "http://127.0.0.1:$port" && recorder_dump || return 1
	kill -QUIT $pid
	wait $pid
	web_end || not_ok "nginx: the server behind it ends"
	recorder_stop || not_ok "nginx: stop"
	PYTHONDONTWRITEBYTECODE=1 python3 "$root/tests/lib/nginx_truth.py" "$work/nginx.log" \
		"$work"/truth.nginx.client{.warm,} "$work/truth.nginx" || return 1
	requests_convert nginx && requests_judge nginx "$work/nginx.jsonl" \
		"$work"/truth.{back,nginx.client.warm,nginx,nginx.client}
}

python_8() {
	local python
	for python in python3 /usr/bin/python3 ''; do
		[ -n "$python" ] || { skip Python "no psycopg2: tests/deps.sh long"; return 0; }
		! "$python" -c 'import psycopg2' 2>/dev/null || break
	done
	requests_recorder --codec none || return 1
	web_start py "$python" -B "$root/tests/workload/truth_web.py" --dsn "$DSN" || return 1
	load py.client 8 150 4 "http://$web" && recorder_dump || return 1
	web_end || not_ok "Python: the server ends"
	recorder_stop || not_ok "Python: stop"
	requests_convert py && requests_judge Python "$work/py.jsonl" "$work"/truth.{py,py.client.warm,py.client}
}

redis_load() { # PORT: pipelines, errors, a transaction, a program of one connection
	local cli=(redis-cli -p "$1") part
	redis-benchmark -p "$1" -t set,get,lpush -n 3000 -c 4 -P 16 -q || return 1
	redis-benchmark -p "$1" -t incr -n 1000 -c 8 -q || return 1
	seq 10 49 | awk '{ printf "*3\r\n$3\r\nSET\r\n$3\r\nk%d\r\n$3\r\nv%d\r\n", $1, $1
		printf "*2\r\n$3\r\nGET\r\n$3\r\nk%d\r\n", $1 }' >"$work/pipe"
	split -l 84 "$work/pipe" "$work/pipe." # of twelve commands, as much as is kept of a message
	for part in "$work"/pipe.*; do
		"${cli[@]}" --pipe <"$part" || return 1
	done
	printf 'MULTI\nINCR n\nINCR n\nEXEC\nLPUSH k11 x\nHGET k12 f\nGETDEL k13\nPING\n' | "${cli[@]}"
}

redis() {
	local port=$((RANDOM % 20000 + 10240)) pid tries=100 from to
	# counts are exact only when all bytes of a pipeline are kept
	requests_recorder --codec none --ring-size 128M --capture-request-bytes 2048 \
		--capture-response-bytes 2048 || return 1
	redis-server --port "$port" --bind 127.0.0.1 --dir "$work" --save '' --daemonize no >"$work/redis.log" &
	pid=$!
	kill_at_exit+=("$pid")
	until redis-cli -p "$port" ping >/dev/null 2>&1; do
		((tries-- > 0)) || return 1
		sleep 0.05
	done
	redis-cli -p "$port" info commandstats >"$work/redis.before"
	from=$(date +%s%N)
	redis_load "$port" >"$work/redis.load" 2>&1 || { sed 's/^/# /' "$work/redis.load"; return 1; }
	to=$(date +%s%N)
	redis-cli -p "$port" info commandstats >"$work/redis.after"
	recorder_dump || return 1
	kill $pid
	wait $pid
	recorder_stop || not_ok "redis: stop"
	requests_convert redis || return 1
	PYTHONDONTWRITEBYTECODE=1 python3 "$root/tests/lib/redis_counts.py" "$work/redis.jsonl" "$port" \
		"$work"/redis.{before,after} "$from" "$to" || failures=$((failures + 1))
}

for part in ${FR_PARTS:-go_64 go_twice c_8 nginx_8 python_8 redis}; do
	$part || { not_ok "$part"; recorder_stop; }
done
finish
