# SPDX-License-Identifier: BSD-2-Clause
"""check_batch.py TRUTH DUMP tracepoints|syscalls: every datagram of truth_batch has its record with
its size, and its bytes where the hooks can know which message of the vector it was. Bytes that are
there are its own, whatever the vector is like."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import truth  # noqa: E402
from sockmodel import IO  # noqa: E402


def compare(m, e, bit):
    data = bytes.fromhex(m["data"])
    if e.result != m["result"]:
        yield "result %d" % e.result
    if bytes(e.data) != data[:len(e.data)] or len(e.data) > m["shown"]:
        yield "bytes %r instead of %r" % (bytes(e.data), data[:m["shown"]])
    if m["must"] & bit and len(e.data) != m["shown"]:
        yield "%d bytes captured instead of %d" % (len(e.data), m["shown"])
    if m["result"] > 0 and len(e.data) < m["result"] and not e.flags & (
            IO["SIZE_ONLY"] | IO["CUT"] | IO["FAULT"]):
        yield "no mark says that bytes are missing"


def check(messages, records, bit):
    """Those of one thread on one socket, in one direction, in order."""
    for m, e in zip(messages, records):
        for w in compare(m, e, bit):
            yield "%s: %s [%s]" % (m["case"], w, e)
    if len(messages) != len(records):
        yield "%d messages, %d records" % (len(messages), len(records))


def main():
    t = truth.load_truth(sys.argv[1])[0]
    name = sys.argv[3]
    bit = 2 if name == "syscalls" else 1
    d = truth.load_dump(sys.argv[2], name + " ", t["begin_ns"], t["end_ns"])
    wanted, records = {}, {}
    for m in t["messages"]:
        if m["seen"] & bit:
            wanted.setdefault((m["port"], m["tid"], m["dir"], m["nr"]), []).append(m)
    for e in d.events("sock_send", "sock_recv"):
        if e.addr and e.time >= t["begin_ns"]:
            key = (e.addr.local_port, e.tid, e.kind[5:], e.nr)
            records.setdefault(key, []).append(e)
    for i, (key, messages) in enumerate(sorted(wanted.items())):
        truth.verdict("%s %s %d" % (name, key[2], i), check(messages, records.get(key, []), bit))
    must = sum(1 for m in t["messages"] if m["must"] & bit)
    have = sum(1 for key in wanted for e in records.get(key, []) if e.data)
    truth.verdict(name + " captures", [] if have >= must > 500 else ["%d of %d" % (have, must)])
    print("# %d messages, %d must be captured, %d are" % (
        sum(len(m) for m in wanted.values()), must, have))
    truth.finish()


main()
