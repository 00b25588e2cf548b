# SPDX-License-Identifier: BSD-2-Clause
"""Connections that a recorder comes too late for. Makes them, prints "ready", waits for a line on
standard input, uses each in both directions, closes all; prints one line of JSON: per connection what
each end had sent and received before, and what it did since."""
import json
import os
import socket
import sys

TCP_FASTOPEN, MSG_FASTOPEN = 23, 0x20000000
conns = []


class Conn:
    def __init__(self, name, client, server, fast=0):
        self.name, self.client, self.server = name, client, server
        self.port = client.getsockname()[1]
        self.before = {"client": [fast, 0], "server": [0, 0]}  # bytes sent, received
        self.since = {"client": [0, 0], "server": [0, 0]}
        self.count = self.before
        conns.append(self)

    def send(self, side, size):
        getattr(self, side).sendall(b"x" * size)
        self.count[side][0] += size

    def recv(self, side, size):
        got = len(getattr(self, side).recv(size, socket.MSG_WAITALL))
        assert got == size, (self.name, side, got, size)
        self.count[side][1] += got

    def both(self, there, back):
        for a, b, size in (("client", "server", there), ("server", "client", back)):
            for at in range(0, size, 10000):
                self.send(a, min(10000, size - at))
                self.recv(b, min(10000, size - at))


def listen(family, address):
    listener = socket.socket(family)
    listener.bind((address, 0))
    listener.listen()
    return listener


def connect(listener, name):
    c = socket.socket(listener.family)
    c.connect(listener.getsockname())
    s, _ = listener.accept()
    return Conn(name, c, s)


v4, v6 = listen(socket.AF_INET, "127.0.0.1"), listen(socket.AF_INET6, "::1")
connect(v4, "used").both(1000, 333)
connect(v6, "used_v6").both(1, 77)
connect(v4, "long").both(5000000, 3000000)
connect(v4, "unused")
unread = connect(v4, "unread")
unread.send("client", 100)
unread.recv("server", 40)
unread.send("server", 9)
try:
    v4.setsockopt(socket.SOL_TCP, TCP_FASTOPEN, 16)
    for _ in range(2):  # the first one fetches a cookie
        c = socket.socket()
        c.sendto(b"F" * 100, MSG_FASTOPEN, v4.getsockname())
        s, _ = v4.accept()
        fast = Conn("fast", c, s, fast=100)
        fast.recv("server", 100)
        fast.send("server", 5)
        fast.recv("client", 5)
except OSError:
    pass
# in no process's table while the recorder lists what is there: first seen by a transfer
hidden = connect(v4, "hidden")
hidden.both(600, 50)
tray, hand = socket.socketpair()
socket.send_fds(tray, [b"-"], [hidden.client.fileno(), hidden.server.fileno()])
hidden.client.close()
hidden.server.close()

print("ready", flush=True)
sys.stdin.readline()
_, fds, _, _ = socket.recv_fds(hand, 1, 2)
hidden.client, hidden.server = (socket.socket(fileno=fd) for fd in fds)
for c in conns:
    c.count = c.since
unread.recv("server", 60)
unread.recv("client", 9)
for c in conns:
    c.both(20, 30)
    c.both(200, 300)
    c.client.close()
    c.server.recv(1)
    c.server.close()
print(json.dumps({"pid": os.getpid(), "conns": [
    {"name": c.name, "port": c.port, "before": c.before, "since": c.since} for c in conns]}))
