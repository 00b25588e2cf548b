# SPDX-License-Identifier: BSD-2-Clause
"""Plants secrets where only a program of its own can. Each secret is a word that begins with the
prefix in PLANT, or a number that begins with the one in DIGITS.

  http PORT_FILE           an HTTP server that says secrets back
  halves HOST PORT USER DB a statement in two parts, sent by threads on two CPUs
  unknown                  bytes of no protocol, over a connection of its own
  body HOST PORT           a request in two parts, its body in a third
"""
import http.server
import os
import socket
import socketserver
import struct
import sys
import threading

P, D = os.environ["PLANT"], os.environ["DIGITS"]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = ("%sanswer and more" % P).encode()
        if "fail" in self.path:
            self.send_response(500, "%sreason" % P)
        else:
            self.send_response(200)
        self.send_header("Set-Cookie", "sid=%ssetcookie" % P)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = answer

    def log_message(self, *args):
        pass


def serve(port_file):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with open(port_file + ".new", "w") as f:
        f.write("%d\n" % server.server_address[1])
    os.rename(port_file + ".new", port_file)
    server.serve_forever()


def message(kind, body):
    return kind + struct.pack(">I", len(body) + 4) + body


def read_until_ready(s):
    data = b""
    while data[-6:-1] != b"Z\0\0\0\5":
        more = s.recv(65536)
        if not more:
            raise SystemExit("the server hung up: %r" % data)
        data += more
    return data


def send_on(cpu, s, data):
    def run():
        os.sched_setaffinity(0, {cpu})
        s.sendall(data)
    t = threading.Thread(target=run)
    t.start()
    t.join()


def halves(host, port, user, db):
    s = socket.create_connection((host, int(port)))
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    params = b"user\0%s\0database\0%s\0application_name\0%sapp\0\0" % (
        user.encode(), db.encode(), P.encode())
    s.sendall(struct.pack(">II", len(params) + 8, 196608) + params)
    read_until_ready(s)
    cpus = sorted(os.sched_getaffinity(0))
    text = ("SELECT 1 WHERE 'x' <> '%sfirst%ssecond' AND 5 <> %s44 -- %scomment\n"
            % (P, P, D, P)).encode() + b"\0"
    query = message(b"Q", text)
    at = query.index(P.encode() + b"second")
    send_on(cpus[0], s, query[:at])
    send_on(cpus[-1], s, query[at:])
    read_until_ready(s)
    s.close()


def unknown():
    class Echo(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.sendall(self.request.recv(65536))

    server = socketserver.TCPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.handle_request).start()
    s = socket.create_connection(server.server_address)
    s.sendall(b"\x16\x03\x01\0\xff" + ("%sunknown" % P).encode() + b"\0\1\2\xfe" +
              ("%sbinary" % P).encode())
    s.recv(65536)
    s.close()
    server.server_close()


def body(host, port):
    s = socket.create_connection((host, int(port)))
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    text = ("%sbody=1&and=more" % P).encode()
    head = ("PUT /in/parts?code=%squery HTTP/1.1\r\nHost: h.example.org\r\nX-Auth: %shead%sheader\r\n"
            "Content-Length: %d\r\n\r\n" % (P, P, P, len(text))).encode()
    at = head.index(P.encode() + b"header\r\n")
    s.sendall(head[:at])
    s.sendall(head[at:])
    s.sendall(text)
    s.recv(65536)
    s.close()


{"http": serve, "halves": halves, "unknown": unknown, "body": body}[sys.argv[1]](*sys.argv[2:])
