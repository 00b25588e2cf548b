#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Asks for names by libc's getaddrinfo: dns_ask.py THREADS NAMES_EACH. Names long and short: both
questions of one name have one size, those of the next another."""
import socket
import sys
import threading


def ask(thread, cnt):
    for n in range(cnt):
        name = f"{'x' * (n % 3 * 7 + 1)}.thread{thread}.example"
        print(name, {a[4][0] for a in socket.getaddrinfo(name, 80)}, flush=True)


def main():
    threads = [threading.Thread(target=ask, args=(i, int(sys.argv[2])))
               for i in range(int(sys.argv[1]))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


main()
