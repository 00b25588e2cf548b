#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Three clients that ask one DNS server at a time, and number their questions alike:
dns_client.py ADDRESS PORT COUNT TRUTH

One is connected, two are not; each has two questions open. A JSON line for each question: name,
type, rcode (-1: no answer came), the client's port, whether it is connected."""
import json
import socket
import struct
import sys

WORDS = ("www", "nx", "fail", "slow", "mail", "drop")


def ask(number, name, kind):
    labels = b"".join(bytes([len(x)]) + x.encode() for x in name.split("."))
    return struct.pack(">HHHHHH", number, 0x100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(
        ">HH", kind, 1)


class Client:
    def __init__(self, address, port, connected):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_DGRAM)
        self.sock.settimeout(10)
        self.connected = connected
        self.there = (address, port)
        if connected:
            self.sock.connect(self.there)
        else:
            self.sock.bind((address, 0))

    def send(self, data):
        if self.connected:
            self.sock.send(data)
        else:
            self.sock.sendto(data, self.there)

    def receive(self, wanted):
        """Answers to these numbers, as {number: rcode}."""
        rcodes = {}
        try:
            while wanted - set(rcodes):
                data = self.sock.recv(4096) if self.connected else self.sock.recvfrom(4096)[0]
                number, flags = struct.unpack(">HH", data[:4])
                rcodes[number] = flags & 15
        except TimeoutError:
            pass
        return rcodes


def main():
    address, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    clients = [Client(address, port, i == 0) for i in range(3)]
    with open(sys.argv[4], "w", encoding="utf-8") as truth:
        for n in range(0, count, 2):
            asked = []
            for number in (n, n + 1):
                for client in clients:
                    word = WORDS[number % len(WORDS)] if number < 24 else "host"
                    name = f"{word}.n{number}.example"
                    kind = 28 if number % 3 == 1 else 1
                    client.send(ask(number, name, kind))
                    asked.append((client, number, name, kind))
            for client in clients:
                mine = [a[1:] for a in asked if a[0] is client]
                # the server drops these: nothing to wait for
                rcodes = client.receive({a[0] for a in mine if not a[1].startswith("drop")})
                for number, name, kind in mine:
                    truth.write(json.dumps({
                        "name": name, "type": kind, "rcode": rcodes.get(number, -1),
                        "port": client.sock.getsockname()[1],
                        "connected": client.connected}) + "\n")


main()
