# SPDX-License-Identifier: BSD-2-Clause
"""check_capture.py TRUTH DUMP tracepoints|syscalls: messages whose bytes are hard to capture. What
was captured is right byte by byte; what could not be is marked as cut or as a fault."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import sockmodel  # noqa: E402
import truth  # noqa: E402
from sockmodel import IO  # noqa: E402

EFAULT = 14
IOVECS_FOLLOWED = 8
# of 3 bytes each; every other one is empty
SHOWN = {"iovecs of 3": IOVECS_FOLLOWED * 3, "empty iovecs": IOVECS_FOLLOWED // 2 * 3}
FAULTY = ("iovec unmapped", "tail unmapped")


def op_of(x, t):
    message = t["messages"][x["msg"]]
    data = bytes.fromhex(message["data"])
    return sockmodel.Op(x["dir"], x["result"], t["tid"], x["nr"], x["fd"],
                        sockmodel.MSG_PEEK if x["note"] == "peek" else 0, data[x["msg_off"]:],
                        SHOWN.get(x["note"]), x["note"] in FAULTY)


def sock_ids(d, t):
    """The client's id and the server's: by ports, or with unix sockets by who spoke first."""
    if t["kind"] == "unix":
        seen = []
        for e in d.events("sock_send"):
            if e.tid == t["tid"] and e.sock not in seen:
                seen.append(e.sock)
        return seen[:2]
    ports = {(e.addr.local_port, e.addr.remote_port): e.sock for e in d.events("sock_open")}
    return [ports.get((t["client_port"], t["server_port"])),
            ports.get((t["server_port"], t["client_port"]))]


def check_side(side, transfers, records, t):
    for i, (x, e) in enumerate(zip(transfers, records)):
        case = t["messages"][x["msg"]]["case"]
        for w in side.expect(op_of(x, t)).compare(e):
            yield "%s, %s of %s by %s %s: %s [%s]" % (case, x["dir"], x["result"], x["call"],
                                                      x["note"], w, e)
    if len(transfers) != len(records):
        yield "%d transfers, %d records" % (len(transfers), len(records))


def main():
    t = truth.load_truth(sys.argv[1])[0]
    name = "%s %s " % (t["kind"], sys.argv[3])
    d = truth.load_dump(sys.argv[2], name, t["begin_ns"], t["end_ns"])
    records = {}
    for e in d.events("sock_send", "sock_recv"):
        records.setdefault(e.sock, []).append(e)
    ids = sock_ids(d, t)
    truth.verdict(name + "sockets", ["ids %s" % ids] if None in ids or len(set(ids)) != 2 else [])
    tcp = t["kind"] == "tcp"
    for i, role in enumerate(("client", "server")):
        side = sockmodel.Side(t["kind"], role if tcp else None, sys.argv[3] == "syscalls")
        transfers = [x for x in t["transfers"] if x["sock"] == i]
        truth.verdict(name + role, check_side(side, transfers, records.get(ids[i], []), t))
    own = [e for i in ids for e in records.get(i, [])]
    faults = sum(1 for x in t["transfers"] if x["result"] == -EFAULT)
    told = sum(1 for e in own if e.result == -EFAULT)
    truth.verdict(name + "failed calls", [] if told == faults else
                  ["%d calls failed for unmapped memory, %d records say so" % (faults, told)])
    captured = sum(len(e.data) for e in own if e.flags & IO["MSG_START"])
    truth.verdict(name + "something captured", [] if captured > 2000 else ["%d bytes" % captured])
    truth.finish()


main()
