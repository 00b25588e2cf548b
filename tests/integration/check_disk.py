# SPDX-License-Identifier: BSD-2-Clause
"""check_disk.py TRUTH DUMP: every block that was written and read past the page cache, by device,
sector, size and latency."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import truth  # noqa: E402

OPS = {"read": 0, "write": 1}
SECTOR_BYTES = 512
LATENCY_UNKNOWN = 1


def device(text):
    major, minor = text.split(":")
    return int(major) << 20 | int(minor)


def overlap(e, first, last):
    return max(0, min(e.sector + e.bytes // SECTOR_BYTES, last) - max(e.sector, first))


def check_op(o, devices, issues, completes):
    """All sectors of it were issued once and completed once while the call ran."""
    first, last = o["sector"], o["sector"] + o["bytes"] // SECTOR_BYTES
    for name, events in (("issued", issues), ("completed", completes)):
        hit = [e for e in events if e.dev in devices and e.op == OPS[o["op"]] and
               o["begin_ns"] <= e.time <= o["end_ns"] and overlap(e, first, last)]
        got = sum(overlap(e, first, last) for e in hit)
        if got != last - first:
            yield "%s at %d: %d of %d sectors %s" % (o["op"], first, got, last - first, name)
        if name == "issued":
            continue
        for e in hit:
            if e.error or e.flags & LATENCY_UNKNOWN:
                yield "%s at %d: %s" % (o["op"], first, e)
            elif not 0 < e.latency <= o["end_ns"] - o["begin_ns"]:
                yield "%s at %d: took %d ns of a call of %d" % (o["op"], first, e.latency,
                                                              o["end_ns"] - o["begin_ns"])


def check_latency(issues, completes):
    """Of each whole request, the time between its two records."""
    begun = {}
    for e in sorted(issues + completes, key=lambda e: e.time):
        key = (e.dev, e.sector, e.bytes, e.op)
        if e.kind == "block_issue":
            begun[key] = e.time
        elif key in begun and not e.flags & LATENCY_UNKNOWN:
            if e.time - begun[key] != e.latency:
                yield "latency %d, but %d ns since the issue: %s" % (e.latency,
                                                                     e.time - begun[key], e)
            del begun[key]


def main():
    t = truth.load_truth(sys.argv[1])[0]
    d = truth.load_dump(sys.argv[2], "disk ", t["begin_ns"], t["end_ns"])
    devices = {device(t["dev"]), device(t["disk"])}
    issues, completes = d.events("block_issue"), d.events("block_complete")
    known = [o for o in t["ops"] if o["op"] in OPS and o["sector"] >= 0]
    truth.verdict("disk sectors known", [] if len(known) == 2 * t["count"] else
                  ["the file system tells the sectors of %d blocks" % len(known)])
    for op in OPS:
        truth.verdict("disk " + op, (w for o in known if o["op"] == op
                                     for w in check_op(o, devices, issues, completes)))
    truth.verdict("disk latency", check_latency(issues, completes))
    inside = [e for e in issues if t["begin_ns"] <= e.time <= t["end_ns"] and e.dev in devices]
    own = sum(e.bytes for e in inside if e.tid == t["tid"] and e.op in OPS.values())
    asked = 2 * t["count"] * t["block_bytes"]
    truth.verdict("disk thread", [] if own >= asked // 2 else
                  ["%d of %d bytes were issued by the thread that asked" % (own, asked)])
    truth.finish()


main()
