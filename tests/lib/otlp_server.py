# SPDX-License-Identifier: BSD-2-Clause
"""An OTLP receiver that answers by a script: otlp_server.py [OPTION...] ANSWER...

Prints "ready PORT", then one JSON object for each request: path, headers (lower case), bytes as sent,
items (spans or log records, counted by a reader of its own), ids of the spans. The i-th request gets
the i-th answer, the last one goes on for ever:

  200                  taken          200:partial=N[:TEXT]   N items rejected
  200:html, 200:json   of that type   CODE[:TEXT]            a google.rpc.Status with the text
  413:items=N          taken if it has at most N items, else 413
  429:after=SECONDS, 429:date=SECONDS  with Retry-After (a date so many seconds from now)
  302                  to another place
  close, cut           hangs up before an answer, in the middle of one
  never, slow          no answer, one byte a second
  big, bigheader       5 MiB of answer, and of headers without an end
"""
import argparse
import email.utils
import gzip
import http.server
import json
import socket
import ssl
import sys
import threading
import time


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def fields(data):
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        wire = tag & 7
        if wire == 0:
            value, at = varint(data, at)
        elif wire == 2:
            size, at = varint(data, at)
            assert at + size <= len(data), "cut"
            value, at = data[at:at + size], at + size
        else:
            size = {1: 8, 5: 4}[wire]
            value, at = data[at:at + size], at + size
        yield tag >> 3, value


def items(data):
    """The spans or log records of a request."""
    return [item for number, resource in fields(data) if number == 1
            for scope_number, scope in fields(resource) if scope_number == 2
            for item_number, item in fields(scope) if item_number == 2]


def put_varint(value):
    out = b""
    while True:
        out += bytes([value & 0x7F | (0x80 if value > 0x7F else 0)])
        value >>= 7
        if not value:
            return out


def put(number, value):
    if isinstance(value, int):
        return put_varint(number << 3) + put_varint(value)
    return put_varint(number << 3 | 2) + put_varint(len(value)) + value


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, code, body=b"", kind="application/x-protobuf", **headers):
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def hang_up(self):
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def do_POST(self):
        sent = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        data = gzip.decompress(sent) if headers.get("content-encoding") == "gzip" else sent
        got = items(data)
        ids = [value.hex() for item in got for number, value in fields(item) if number == 2] \
            if self.path.endswith("traces") else []
        with self.server.lock:
            script = self.server.script
            what = script[min(self.server.cnt, len(script) - 1)]
            self.server.cnt += 1
            print(json.dumps({"path": self.path, "headers": headers, "bytes": len(sent),
                              "items": len(got), "ids": ids, "answer": what,
                              "at": time.time()}), flush=True)
        code, _, rest = what.partition(":")
        getattr(self, "do_" + code, self.do_code)(code, rest, len(got))

    def do_code(self, code, rest, _):
        key, _, value = rest.partition("=")
        if key == "after":
            self.answer(int(code), retry_after=value)
        elif key == "date":
            # whole seconds: rounded up, so that it is not too early
            self.answer(int(code), retry_after=email.utils.formatdate(
                int(time.time()) + int(value) + 1, usegmt=True))
        else:
            self.answer(int(code), put(1, 3) + put(2, rest.encode()))

    def do_200(self, _, rest, cnt):
        key, _, value = rest.partition("=")
        if key == "partial":
            rejected, _, text = value.partition(":")
            self.answer(200, put(1, put(1, int(rejected)) + put(2, text.encode())))
        elif key == "html":
            self.answer(200, b"<html>welcome</html>", "text/html")
        elif key == "json":
            self.answer(200, b'{"partialSuccess":{}}', "application/json")
        else:
            self.answer(200)

    def do_413(self, _, rest, cnt):
        self.answer(413 if cnt > int(rest.partition("=")[2]) else 200)

    def do_302(self, *_):
        self.answer(302, location=f"http://127.0.0.1:{self.server.server_port}/elsewhere")

    def do_close(self, *_):
        self.hang_up()

    def do_cut(self, *_):
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\n"
                         b"Content-Length: 1000\r\n\r\n" + b"\x0a")
        self.hang_up()

    def do_never(self, *_):
        self.server.over.wait()
        self.hang_up()

    def do_slow(self, *_):
        for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n":
            self.wfile.write(bytes([byte]))
            if self.server.over.wait(1):
                return

    def do_big(self, *_):
        # a success in front: what a receiver of the whole would be glad of
        body = put(1, put(1, 1) + put(2, b"x" * (5 << 20)))
        self.answer(200, body)

    def do_bigheader(self, *_):
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not self.server.over.is_set():
            self.wfile.write(b"X-More: " + b"y" * 4000 + b"\r\n")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):  # they hang up on us: that is in the script
            super().handle_error(request, client_address)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--client-ca")
    parser.add_argument("script", nargs="+")
    args = parser.parse_args()
    server = Server(("127.0.0.1", 0), Handler)
    server.script, server.cnt = args.script, 0
    server.lock, server.over = threading.Lock(), threading.Event()
    if args.cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(args.cert, args.key)
        if args.client_ca:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(args.client_ca)
        server.socket = context.wrap_socket(server.socket, server_side=True,
                                            do_handshake_on_connect=False)
    print("ready", server.server_port, flush=True)
    server.serve_forever()


main()
