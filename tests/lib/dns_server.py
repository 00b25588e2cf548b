#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A DNS server on one unconnected UDP socket: dns_server.py TRUTH [ADDRESS [PORT]]

Prints its port, then writes a JSON line to TRUTH for each query: id, name, type, rcode (-1: never
answered), client address and port, times in ns of CLOCK_BOOTTIME. What a name begins with decides:
nx. NXDOMAIN, fail. SERVFAIL, drop. no answer, slow. an answer 30 ms later, anything else an address.
Ends with SIGTERM."""
import json
import signal
import socket
import struct
import sys
import time


def question(data):
    labels, at = [], 12
    while data[at]:
        labels.append(data[at + 1:at + 1 + data[at]].decode("latin-1"))
        at += 1 + data[at]
    return ".".join(labels), struct.unpack(">H", data[at + 1:at + 3])[0], data[12:at + 5]


def answer(data, kind, asked, rcode):
    has = not rcode and kind in (1, 28)
    head = data[:2] + struct.pack(">HHHHH", 0x8180 | rcode, 1, int(has), 0, 0)
    if not has:
        return head + asked
    address = b"\x7f\x00\x00\x02" if kind == 1 else b"\0" * 15 + b"\x02"
    return head + asked + struct.pack(">HHHIH", 0xc00c, kind, 1, 60, len(address)) + address


def serve(sock, truth):
    while True:
        data, peer = sock.recvfrom(4096)
        came = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        name, kind, asked = question(data)
        word = name.split(".")[0].lower()
        rcode = {"nx": 3, "fail": 2, "drop": -1}.get(word, 0)
        if word == "slow":
            time.sleep(0.03)
        if rcode >= 0:
            sock.sendto(answer(data, kind, asked, rcode), peer)
        truth.write(json.dumps({
            "id": struct.unpack(">H", data[:2])[0], "name": name, "type": kind, "rcode": rcode,
            "client": peer[0], "client_port": peer[1], "came_ns": came,
            "gone_ns": time.clock_gettime_ns(time.CLOCK_BOOTTIME)}) + "\n")
        truth.flush()


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    address = sys.argv[2] if len(sys.argv) > 2 else "127.0.0.1"
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.bind((address, int(sys.argv[3]) if len(sys.argv) > 3 else 0))
    print(sock.getsockname()[1], flush=True)
    with open(sys.argv[1], "w", encoding="utf-8") as truth:
        serve(sock, truth)


main()
