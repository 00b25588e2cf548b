# SPDX-License-Identifier: BSD-2-Clause
"""check_sock.py TRUTH DUMP tracepoints|syscalls: every transfer of truth_sock, in order, exactly.

What the hooks at system calls cannot see, and what is expected of them instead:
  io_uring (also by a worker)   no record; on TCP a gap of its exact size
  sendmmsg, recvmmsg of a stream    one record with the sum of the batch
  sendfile, splice              one record for what the kernel splits (tracepoints: several)
What they see and tracepoints don't: where a datagram came from that an unconnected socket got by
recvfrom, and accept. No hook sees a splice out of a socket.
"""
import os
import socket
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import sockmodel  # noqa: E402
import truth  # noqa: E402
from sockmodel import IO, NR_NONE  # noqa: E402

EAGAIN = 11
NR_RECVFROM = 45
BATCHES = ("sendmmsg", "recvmmsg")
LOOPBACK = {2: socket.inet_pton(socket.AF_INET, "127.0.0.1"),
            10: socket.inet_pton(socket.AF_INET6, "::1")}
FAMILY = {"tcp": 2, "tcp6": 10, "unix": 1, "udp": 2, "udp-unconnected": 2}


def op_of(o, datagrams):
    ring = "ring_op" in o
    worker = o["tid"] == 0
    nr = NR_NONE if worker or "blocked_in" in o else o["nr"]
    return sockmodel.Op(
        o["dir"], o["result"], o["tid"], nr, -1 if ring else o["fd"], o["flags"],
        bytes.fromhex(o["head"]),
        size_only=ring or o["sum"] or (o["call"] in BATCHES and not datagrams),
        worker=worker)


def joined(ops, syscalls, datagrams):
    """A stream's batches as one, where the hooks see them so; what no hook sees is marked."""
    out = []
    for o in ops:
        if o["result"] == -EAGAIN:
            continue
        o = dict(o, unseen=o["gap"] or (syscalls and "ring_op" in o))
        if syscalls and not datagrams and o.get("part", 0) > 0:
            out[-1]["result"] += o["result"]
            continue
        out.append(o)
    return out


def check_ops(side, ops, records, syscalls):
    """Yields what is wrong; stops where it has lost the thread."""
    at = 0
    datagrams = side.kind == "udp"
    for i, o in enumerate(joined(ops, syscalls, datagrams)):
        text = "op %d %s by %s%s" % (i, o["dir"], o["call"], " " + o.get("ring_op", ""))
        if o["unseen"]:
            side.unseen(o["dir"], o["result"])
            continue
        if not side.told(op_of(o, datagrams)):
            continue
        left = o["result"]
        while True:
            if at == len(records):
                yield "%s: no more records" % text
                return
            e = records[at]
            at += 1
            if o["sum"] and 0 < e.result <= left:
                o = dict(o, result=e.result)
            wrong = list(side.expect(op_of(o, datagrams)).compare(e))
            for w in wrong:
                yield "%s: %s [%s]" % (text, w, e)
            if any(w.startswith(("result", "direction")) for w in wrong):
                return
            left -= e.result
            if not o["sum"] or left <= 0:
                break
            o = dict(o, head="")  # of the first part only
    if at != len(records):
        yield "%d records too many, the first: %s" % (len(records) - at, records[at])


def unix_inode(raw):
    return struct.unpack("<Q", raw[:8])[0]


class Sockets:
    """Which ids a socket of the truth has, by what the dump says of each id."""

    def __init__(self, d):
        self.rows = {}  # id: [(family, local, remote, local_port, remote_port), ..]
        for s in d.sockets:
            self.add(s.id, s.family, s.local, s.remote, s.local_port, s.remote_port)
        self.births = d.events("sock_open", "sock_close")
        for e in self.births:
            a = e.addr
            self.add(e.sock, a.family, a.local, a.remote, a.local_port, a.remote_port)
        self.table = {s.id: s for s in d.sockets}

    def add(self, number, *addr):
        self.rows.setdefault(number, set()).add(addr)

    def ids(self, s, peer):
        family = FAMILY[s["kind"]]
        for number, addrs in self.rows.items():
            for f, local, remote, local_port, remote_port in addrs:
                if f != family:
                    continue
                if family == 1:
                    if unix_inode(local) == s["inode"] and unix_inode(remote) == peer["inode"]:
                        yield number
                elif s["kind"] == "udp-unconnected":
                    if local_port == s["local_port"] and remote_port == 0:
                        yield number
                elif (local_port, remote_port) == (s["local_port"], s["remote_port"]) and \
                        local == remote == LOOPBACK[family]:
                    yield number


def check_identity(i, s, t, ids, socks, syscalls):
    if len(ids) != 1:
        yield "socket %d (%s, port %d, inode %d): ids %s" % (
            i, s["kind"], s["local_port"], s["inode"], sorted(ids))
        return
    row = socks.table.get(ids[0])
    if row is None:
        yield "socket %d: not in the table of sockets" % i
        return
    peer = t["sockets"][s["peer"]]
    # a socket without a record is nobody's yet
    used = any(not o["unseen"] for o in
               joined([o for o in t["ops"] if o["sock"] == i], syscalls, is_datagrams(s)))
    if row.tgid != t["pid"] and (used or row.tgid):
        yield "socket %d: tgid %d" % (i, row.tgid)
    if s["kind"] == "unix" and row.peer_tgid != t["pid"]:
        yield "socket %d: peer_tgid %d" % (i, row.peer_tgid)
    path = s["path"] or peer["path"]
    told = {row.path} | {e.path for e in socks.births if e.sock == ids[0]}
    if path and path.encode() not in told or told - {path.encode(), b""}:
        yield "socket %d: path %s instead of %r" % (i, told, path)
    for name, direction in (("sent_bytes", "send"), ("received_bytes", "recv")):
        want = total(t, i, direction, syscalls)
        if row[name] != want:
            yield "socket %d (%s): %s %d instead of %d" % (i, s["kind"], name, row[name], want)


def total(t, i, direction, syscalls):
    """Bytes so far as of the last transfer seen; TCP's own counters tell of those before."""
    so_far = seen = 0
    for o in joined([o for o in t["ops"] if o["sock"] == i], syscalls,
                    is_datagrams(t["sockets"][i])):
        if o["dir"] != direction or o["result"] <= 0 or o["flags"] & sockmodel.MSG_PEEK:
            continue
        if not o["unseen"]:
            so_far += o["result"]
            seen = so_far
        elif t["sockets"][i]["kind"].startswith("tcp"):
            so_far += o["result"]
    return seen


def is_datagrams(s):
    return s["kind"].startswith("udp")


def roles(t):
    """The second end of each TCP pair was accepted."""
    return [None if not s["kind"].startswith("tcp") else "client" if i < s["peer"] else "server"
            for i, s in enumerate(t["sockets"])]


def check_udp(t, i, records, syscalls):
    """Both ends of each datagram; a source that the hooks cannot know is 0."""
    s = t["sockets"][i]
    for e in records:
        a = e.addr
        if a is None:
            yield "no address: %s" % e
            continue
        if (a.family, a.local_port, a.local) != (2, s["local_port"], LOOPBACK[2]):
            yield "local end %s instead of port %d" % (a, s["local_port"])
        blind = s["kind"] == "udp-unconnected" and (
            e.flags & IO["SIZE_ONLY"] or
            (e.kind == "sock_recv" and not (syscalls and e.nr == NR_RECVFROM)))
        want = (0, bytes(4)) if blind else (s["remote_port"], LOOPBACK[2])
        if (a.remote_port, a.remote) != want:
            yield "remote end %s instead of port %d: %s" % (a, want[0], e)


def check_accepts(d, t, ids):
    got = {(e.sock, e.fd, e.tid) for e in d.events("sock_accept")}
    for i, role in enumerate(roles(t)):
        want = (ids[i], t["sockets"][i]["fd"], t["tid"])
        if role == "server" and want not in got:
            yield "no sock_accept of %s" % (want,)


def main():
    t = truth.load_truth(sys.argv[1])[0]
    hooks = sys.argv[3]
    syscalls = hooks == "syscalls"
    d = truth.load_dump(sys.argv[2], hooks + " ", t["begin_ns"], t["end_ns"])
    socks = Sockets(d)
    ids, wrong = [], []
    for i, s in enumerate(t["sockets"]):
        found = sorted(set(socks.ids(s, t["sockets"][s["peer"]])))
        wrong += check_identity(i, s, t, found, socks, syscalls)
        ids.append(found[0] if found else None)
    truth.verdict(hooks + " identity", wrong)
    by_id = {}
    for e in d.events("sock_send", "sock_recv"):
        by_id.setdefault(e.sock, []).append(e)
    kinds = {}
    for i, s in enumerate(t["sockets"]):
        records = by_id.get(ids[i], [])
        kind = s["kind"].split("-")[0].rstrip("6")
        side = sockmodel.Side(kind, roles(t)[i], syscalls)
        ops = [o for o in t["ops"] if o["sock"] == i]
        wrong = ["socket %d: %s" % (i, w) for w in check_ops(side, ops, records, syscalls)]
        kinds.setdefault(s["kind"], []).extend(wrong)
        if kind == "udp":
            kinds[s["kind"]] += ["socket %d: %s" % (i, w) for w in
                                 check_udp(t, i, records, syscalls)]
    for kind, wrong in kinds.items():
        truth.verdict("%s transfers %s" % (hooks, kind), wrong)
    if syscalls:
        truth.verdict("syscalls accept", check_accepts(d, t, ids))
    truth.finish()


main()
