# SPDX-License-Identifier: BSD-2-Clause
"""check_old_conns.py TRUTH DUMP: what tests/workload/old_conns.py did. Offsets count from the start of
a connection, although the recorder was not there then."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import frd  # noqa: E402

WRONG = frd.IO["FIRST_SIGHT"] | frd.IO["GAP"] | frd.IO["COUNTED"]


def offsets_wrong(records, before, since):
    """Of one direction of one end."""
    at = before
    for e in records:
        if e.result <= 0:
            continue
        if e.off != at or e.flags & WRONG:
            yield "at %d instead of %d, flags 0x%x: %s" % (e.off, at, e.flags, e)
        at += e.result
    if at != before + since:
        yield "%d bytes instead of %d" % (at - before, since)


def end_wrong(d, conn, side):
    closes = [e for e in d.events("sock_close")
              if conn["port"] == (e.addr.local_port if side == "client" else e.addr.remote_port)]
    if len(closes) != 1:
        yield "%d ends" % len(closes)
        return
    end, before, since = closes[0], conn["before"][side], conn["since"][side]
    if not end.flags & frd.SOCK["EXISTED"]:
        yield "the recorder saw its start: %s" % end
    if (end.sent, end.received) != (before[0] + since[0], before[1] + since[1]):
        yield "it ends with %d, %d" % (end.sent, end.received)
    for number, kind in enumerate(("sock_send", "sock_recv")):
        records = [e for e in d.events(kind) if e.sock == end.sock]
        yield from offsets_wrong(records, before[number], since[number])


def main():
    did, d = json.load(open(sys.argv[1])), frd.Dump(sys.argv[2])
    failures = 0
    for conn in did["conns"]:
        problems = [side + ": " + p for side in ("client", "server") for p in end_wrong(d, conn, side)]
        print("%s old_connection_%s" % ("not ok" if problems else "ok", conn["name"]))
        for p in problems[:5]:
            print("# " + p)
        failures += bool(problems)
    if "fast" not in [c["name"] for c in did["conns"]]:
        print("skip old_connection_fast the kernel refuses it")
    sys.exit(failures != 0)


main()
