# SPDX-License-Identifier: BSD-2-Clause
"""truth_web.py --dsn DSN --truth FILE: truth_web.c once more, as a threaded Python service over psycopg2:
a thread for each connection, which reads a request, sends its SQL and writes the answer. Prints
"ready ADDR"; writes the truth when standard input ends."""
import argparse
import http.server
import io
import json
import os
import select
import socket
import socketserver
import sys
import threading
import time

import psycopg2

SERVED = []


def now():
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


class Reads(io.RawIOBase):
    """A connection's incoming side, which notes when the first bytes after an answer came."""

    def __init__(self, sock):
        self.sock, self.first = sock, None

    def readable(self):
        return True

    def readinto(self, buffer):
        select.select([self.sock], [], [])
        before = now()
        n = self.sock.recv_into(buffer)
        if self.first is None and n:
            self.first = [before, now()]
        return n


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        self.reads = Reads(self.connection)
        self.rfile = io.BufferedReader(self.reads)
        self.db = psycopg2.connect(self.server.dsn)
        self.db.autocommit = True

    def finish(self):
        super().finish()
        self.db.close()

    def log_message(self, *args):
        pass

    def run(self, sql, shown):
        did = {"text": shown, "start": now()}
        with self.db.cursor() as cursor:
            try:
                cursor.execute(sql)
                cursor.fetchall()
            except psycopg2.Error as why:
                did["sqlstate"] = why.pgcode
                self.answer = 500
        did["end"] = now()
        self.did.append(did)

    def work(self):
        route, number = self.path.strip("/").split("/")
        if route in ("get", "two"):
            self.run("SELECT generate_series(1, 3), 'n%s'" % number, "SELECT generate_series(?, ?), ?")
        if route == "two":
            self.run("SELECT %s AS two_%s" % (number, number), "SELECT ? AS two_%s" % number)
        if route == "err":
            self.run("SELECT 1 / 0", "SELECT ? / ?")
        if route == "slow":
            self.run("SELECT pg_sleep(0.03)", "SELECT pg_sleep(?)")
        if route == "absent":
            self.answer = 404

    def do_GET(self):
        self.did, self.answer = [], 200
        self.work()
        head = "HTTP/1.1 %d X\r\nContent-Length: 5\r\n\r\n" % self.answer
        first, self.reads.first = self.reads.first, None
        before = now()
        self.connection.sendall(head.encode() + (b"done\n" if self.command == "GET" else b""))
        SERVED.append({"side": "server", "pid": os.getpid(), "method": self.command, "path": self.path,
                       "status": self.answer, "start": first, "end": [before, now()], "sql": self.did})

    do_HEAD = do_GET


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True


def pair():
    before = now()
    real = time.time_ns()
    return {"boot": (before + now()) // 2, "real": real}


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--dsn", required=True)
    ap.add_argument("--truth", required=True)
    a = ap.parse_args()
    server = Server(("127.0.0.1", 0), Handler)
    server.dsn = a.dsn
    threading.Thread(target=server.serve_forever, daemon=True).start()
    pairs = [pair()]
    print("ready 127.0.0.1:%d" % server.server_address[1], flush=True)
    sys.stdin.read()
    pairs.append(pair())
    with open(a.truth, "w") as out:
        for line in [{"side": "clock", "pid": os.getpid(), "pairs": pairs}, *SERVED,
                     {"side": "end", "pid": os.getpid(), "requests": len(SERVED)}]:
            print(json.dumps(line), file=out)


main()
