# SPDX-License-Identifier: BSD-2-Clause
"""Requests of which both ends are on this host, as `convert --to text` tells them: each server's span
is under the client's span at the other end of its connection, and never under another.

  requests_ends.py check TEXT PART COMM...    at least PART (0..1) of the spans that servers COMM have
                                              received are under their client's; whose beginning
                                              nobody saw are passed over
  requests_ends.py lie TEXT                   prints TEXT with each server's span under the client's
                                              span that went before its own on the connection

A pair is told apart from others by what it asked for (the load has targets that differ all, which
says nothing of statements), by the connection, and by its time: of requests that are asked one after
the other, only those of one exchange overlap. What waited in line shares its place with none.
"""
import collections
import datetime
import re
import sys

LATE_NS = 1000000  # a record is made after its transfer: the other end may be quicker by that


def ns_of(text):
    whole, fraction = text[:-1].split(".")
    return int(datetime.datetime.fromisoformat(whole + "+00:00").timestamp()) * 10**9 + int(fraction)


def read_spans(path):
    spans = []
    for line in open(path, encoding="utf-8", errors="replace"):
        match = re.match(r"(\S+) \[---\] (\S+)/\d+ request (.*)", line)
        if not match:
            continue
        s = dict(re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|\S+)', match[3]))
        s["comm"], s["end"], s["line"] = match[2], ns_of(match[1]), line
        s["start"] = s["end"] - int(s["duration_ns"])
        spans.append(s)
    return spans


def is_wrong(server, client):
    """Why the client's span cannot be the other end of the server's; None."""
    if client["side"] != "client" or client["protocol"] != server["protocol"]:
        return "no client's of this protocol"
    if (client.get("local"), client.get("remote")) != (server.get("remote"), server.get("local")):
        return "of another connection"
    for what in ("target", "query"):
        if what in client and what in server and client[what] != server[what]:
            return "another %s" % what
    if server["start"] + LATE_NS < client["start"] or client["end"] + LATE_NS < server["start"]:
        return "at another time"
    return None


def check(path, part, comms):
    spans, problems, done, whys = read_spans(path), [], collections.Counter(), collections.Counter()
    by_id = {s["span_id"]: s for s in spans}
    children = collections.Counter()
    for s in spans:
        if s["side"] != "server" or s["comm"] not in comms or "start_unseen" in s.get("marks", ""):
            continue
        client = by_id.get(s.get("parent_id"))
        done[s["comm"], s["link"] if client else "none"] += 1
        if not client:
            continue
        children[s["parent_id"]] += 1
        why = is_wrong(s, client) or ("two of one client" if children[s["parent_id"]] > 1 else None)
        if why:
            whys[why] += 1
            problems.append("%s: %s%s" % (why, s["line"], client["line"]))
    for comm in comms:
        cnt = sum(n for (c, _), n in done.items() if c == comm)
        sure, guessed = done[comm, "peer"], done[comm, "inferred"]
        print("%s: %d received, %d under their client's, %d more inferred" % (comm, cnt, sure, guessed))
        if cnt < 500 or sure + guessed < float(part) * cnt:
            problems.append("too few of %s" % comm)
    print(*("%d: %s" % (n, why) for why, n in sorted(whys.items())), sep="\n")
    print(*problems[:3], sep="\n")
    sys.exit(bool(problems))


def lie(path):
    before, last = {}, {}
    for s in sorted(read_spans(path), key=lambda s: s["start"]):
        if s["side"] == "client":
            conn = s.get("local"), s.get("remote")
            before[s["span_id"]] = last.get(conn, s["span_id"])
            last[conn] = s["span_id"]
    for line in open(path, encoding="utf-8", errors="replace"):
        if "side=server" in line:
            line = re.sub(r"(?<= parent_id=)\w+", lambda m: before.get(m[0], m[0]), line)
        sys.stdout.write(line)


if sys.argv[1] == "check":
    check(sys.argv[2], sys.argv[3], sys.argv[4:])
else:
    lie(sys.argv[2])
