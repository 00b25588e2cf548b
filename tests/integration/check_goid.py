# SPDX-License-Identifier: BSD-2-Clause
"""check_goid.py NAME TRUTH DUMP known|unknown: the goroutine of each side of each exchange of
tests/workload/goid, whose binary the recorder has met before. known: every record that has bytes
has the right goid; unknown: none has one, and each says so."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import truth  # noqa: E402
from frd import IO  # noqa: E402


def port(addr):
    return int(addr.rsplit(":", 1)[1])


class Message:
    """Records of one direction from a flip on, as far as bytes of them were captured."""

    def __init__(self, first):
        self.dir, self.parts = first.kind[5:], [first]

    def text(self):
        return b"".join(bytes(e.data) for e in self.parts)


def messages(records):
    out = []
    for e in records:
        if e.flags & IO["MSG_START"]:
            out.append(Message(e))
        elif e.flags & IO["MSG_MORE"] and out and out[-1].dir == e.kind[5:]:
            out[-1].parts.append(e)
    return out


class Conns:
    """The messages of each socket, by its ports."""

    def __init__(self, d):
        ports = {}
        for s in d.sockets:
            if s.family == 2:
                ports[s.id] = (s.local_port, s.remote_port)
        for e in d.events("sock_open"):
            ports[e.sock] = (e.addr.local_port, e.addr.remote_port)
        records = {}
        for e in d.events("sock_send", "sock_recv"):
            if e.sock in ports:
                records.setdefault(ports[e.sock], []).append(e)
        self.by_ports = {p: messages(r) for p, r in records.items()}

    def pair(self, local, remote, direction, text):
        """The message of this direction that begins with the text, and the one that answers."""
        found = self.by_ports.get((port(local), port(remote)), [])
        for a, b in zip(found, found[1:]):
            if a.dir == direction and text in a.text():
                return a, b
        return None, None


def claims(lines):
    """(who, local, remote, direction of the request, its text, goid, whose first byte may be
    another's)"""
    for x in lines:
        role = x["role"]
        if role == "client":
            yield "client", x["local"], x["remote"], "send", x["text"], x, False
        elif role == "db":
            yield "database", x["local"], x["remote"], "recv", x["text"] + "\0", x, False
        elif role == "server":
            yield "server", x["local"], x["remote"], "recv", x["text"], x, True
            sql = "SELECT %d\0" % x["request"]
            yield "server's SQL", x["db_local"], x["db_remote"], "send", sql, x, False


class Judge:
    def __init__(self, lines):
        self.start = next(x for x in lines if x["role"] == "start")
        self.first_byte_apart = self.start["server"] == "nethttp"
        self.right = 0

    def parts(self, lines, conns):
        """(who, what, record, goid or None if any may be)"""
        for who, local, remote, direction, text, x, background in claims(lines):
            request, answer = conns.pair(local, remote, direction, text.encode())
            what = "%s of request %d" % (who, x["request"])
            if request is None:
                yield what, None, None
                continue
            for i, e in enumerate(request.parts):
                apart = background and self.first_byte_apart and i == 0 and e.result == 1
                yield what, e, None if apart else x["goid"]
            for e in answer.parts:
                yield what + ", answer", e, x["goid"]

    def known(self, lines, conns):
        for what, e, goid in self.parts(lines, conns):
            if e is None:
                yield "%s: no such messages" % what
            elif e.flags & IO["GOID"]:
                self.right += 1
                if goid is not None and e.goid != goid:
                    yield "%s: goid %d instead of %d: %s" % (what, e.goid, goid, e)
            elif goid is not None:
                yield "%s: no goid: %s" % (what, e)

    def unknown(self, lines, conns):
        for what, e, _ in self.parts(lines, conns):
            if e is None:
                yield "%s: no such messages" % what
            elif e.flags & IO["GOID"] or e.goid:
                yield "%s: a goid of a Go that nobody knows: %s" % (what, e)
            elif not e.flags & IO["GO_UNKNOWN"]:
                yield "%s: not said to be unknown: %s" % (what, e)
            else:
                self.right += 1


def main():
    name, lines = sys.argv[1] + " ", truth.load_truth(sys.argv[2])
    d = truth.load_dump(sys.argv[3], name)
    judge = Judge(lines)
    judged = judge.known if sys.argv[4] == "known" else judge.unknown
    truth.verdict(name + "goid", judged(lines, Conns(d)))
    requests = sum(1 for x in lines if x["role"] == "server")
    print("# %s: %d requests, %d records right" % (judge.start["go"], requests, judge.right))
    truth.verdict(name + "goid of most", [] if judge.right >= 5 * requests > 0 else
                  ["%d records of %d requests" % (judge.right, requests)])
    truth.finish()


main()
