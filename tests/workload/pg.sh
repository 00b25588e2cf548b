#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A PostgreSQL server of its own, in one folder, for tests and the demo: loopback only, a free
# port, no password, a unix socket in the folder. Works as root (the server then runs as user
# postgres, else nobody) and as anyone else. Starting a started one and stopping a stopped one are
# no errors. Durability stays on (fsync), so that the disk sees real work; FR_PG_FSYNC=off ends it.
set -euo pipefail

usage() {
	cat <<-EOF
	usage: pg.sh start DIR    create (if needed) and start; prints PGHOST= PGPORT= PGUSER=
	                          PGDATABASE= PGSOCKET= PGPID= DSN=, one a line, fit for eval
	       pg.sh stop DIR     stop it by its pid and remove DIR
	       pg.sh status DIR   print the same lines as start; exit 1 if it doesn't run
	environment: FR_PG_BIN (folder of initdb and postgres), FR_PG_PORT (instead of a free one),
	             FR_PG_FSYNC=on|off, FR_PG_OPTIONS (more options for the server)
	EOF
}

die() {
	echo "pg.sh: $1" >&2
	exit "${2:-1}"
}

# The marker says that a folder is ours: nothing without it is ever used or removed.
marker=.flightrec-pg

find_bin() {
	local b
	for b in ${FR_PG_BIN:-} $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -rV) \
		$(dirname "$(command -v initdb || echo /nonexistent/x)"); do
		[ -x "$b/initdb" ] && [ -x "$b/postgres" ] && { echo "$b"; return; }
	done
	die "no initdb and postgres found; install the package postgresql or set FR_PG_BIN"
}

# as_owner CMD...: PostgreSQL refuses to run as root
as_owner() {
	if [ "$(id -u)" = 0 ]; then
		setpriv --reuid="$owner" --regid="$(id -g "$owner")" --clear-groups -- \
			env HOME="$dir" PATH="$PATH" LC_ALL=C "$@"
	else
		env LC_ALL=C "$@"
	fi </dev/null
}

pick_owner() {
	owner=$(id -un)
	[ "$(id -u)" = 0 ] || return 0
	owner=nobody
	! id -u postgres >/dev/null 2>&1 || owner=postgres
}

running() { # the server's pid, if it lives and is the one of this folder
	local pid
	pid=$(head -n1 "$dir/data/postmaster.pid" 2>/dev/null) || return 1
	[[ $pid =~ ^[0-9]+$ ]] || return 1
	[ "$(readlink "/proc/$pid/cwd" 2>/dev/null)" = "$dir/data" ] || return 1
	echo "$pid"
}

show() {
	local port
	port=$(sed -n 4p "$dir/data/postmaster.pid")
	echo "PGHOST=127.0.0.1"
	echo "PGPORT=$port"
	echo "PGUSER=postgres"
	echo "PGDATABASE=postgres"
	echo "PGSOCKET=$dir"
	echo "PGPID=$1"
	echo "DSN='postgres://postgres@127.0.0.1:$port/postgres?sslmode=disable'"
}

# A port that nobody listens on now. Another may take it before the server does: start() tries
# again then. Below the ports that the kernel gives to clients.
free_port() {
	local p
	while p=$((RANDOM % 20000 + 10240)); do
		(exec 3<>"/dev/tcp/127.0.0.1/$p") 2>/dev/null || { echo "$p"; return; }
	done
}

create() {
	local sync=on
	[ "${FR_PG_FSYNC:-on}" = on ] || sync=off
	mkdir -p "$dir"
	[ -e "$dir/$marker" ] || [ -z "$(ls -A "$dir")" ] ||
		die "$dir is not empty and not a folder of pg.sh; give another one" 2
	touch "$dir/$marker"
	chmod 755 "$dir"
	[ "$(id -u)" != 0 ] || chown "$owner:" "$dir"
	as_owner test -w "$dir" ||
		die "user $owner cannot reach $dir; give a folder whose parents all may enter (chmod +x)"
	rm -rf "$dir/data"
	as_owner "$bin/initdb" -D "$dir/data" -A trust -U postgres -E UTF8 --locale=C --no-sync \
		>"$dir/initdb.log" 2>&1 || die "initdb failed; the end of its log: $(tail -n 3 "$dir/initdb.log")"
	cat >>"$dir/data/postgresql.conf" <<-EOF
	listen_addresses = '127.0.0.1'
	unix_socket_directories = '$dir'
	fsync = $sync
	shared_buffers = 32MB
	max_connections = 100
	EOF
	touch "$dir/data/fr_created" # a half-made cluster has no such file and is made anew
}

start() {
	local port pid try
	# sun_path holds 107 bytes: DIR/.s.PGSQL.PORT.lock is the longest name
	[ "${#dir}" -le 85 ] || die "$dir is too long for a unix socket (85 bytes); give a shorter one" 2
	pick_owner
	if pid=$(running); then
		show "$pid"
		return
	fi
	bin=$(find_bin)
	[ -e "$dir/data/fr_created" ] || create
	for try in 1 2 3 4 5; do
		port=${FR_PG_PORT:-$(free_port)}
		if as_owner "$bin/pg_ctl" -D "$dir/data" -l "$dir/server.log" -w -t 60 -s \
			-o "-p $port ${FR_PG_OPTIONS:-}" start >"$dir/ctl.log" 2>&1; then
			pid=$(running) || die "the server ended at once; see $dir/server.log"
			show "$pid"
			return
		fi
		tail -n 5 "$dir/server.log" | grep -q 'in use' || break
		[ -z "${FR_PG_PORT:-}" ] || break
	done
	die "the server did not start ($try tries): $(tail -n 3 "$dir/server.log" "$dir/ctl.log" 2>&1)"
}

stop() {
	local pid
	[ -e "$dir" ] || return 0
	[ -e "$dir/$marker" ] || die "$dir is not a folder of pg.sh; it is left alone" 2
	pick_owner
	if pid=$(running); then
		bin=$(find_bin)
		as_owner "$bin/pg_ctl" -D "$dir/data" -m fast -w -t 20 -s stop >/dev/null 2>&1 ||
			as_owner "$bin/pg_ctl" -D "$dir/data" -m immediate -w -t 20 -s stop >/dev/null 2>&1 ||
			{ running >/dev/null && die "server $pid doesn't stop; its folder $dir is kept"; }
	fi
	rm -rf "$dir"
}

case ${1:-} in
-h | --help) usage; exit 0 ;;
start | stop | status) [ $# = 2 ] && [ -n "$2" ] || { usage >&2; exit 2; } ;;
*) usage >&2; exit 2 ;;
esac
dir=$(realpath -m -- "$2")
case $1 in
start) start ;;
stop) stop ;;
status) pid=$(running) || die "no server runs in $dir"; show "$pid" ;;
esac
