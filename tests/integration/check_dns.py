#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""check_dns.py SPANS SERVER_TRUTH [CLIENT_TRUTH]: DNS spans of a dump (OTLP as JSON lines) against
what server and clients logged themselves. Each question there once, with its type, result and the
other end's port; none that nobody asked."""
import collections
import json
import sys

TYPES = {1: "A", 28: "AAAA"}
RCODES = {0: "", 2: "SERVFAIL", 3: "NXDOMAIN"}
SERVER, CLIENT = 2, 3


def spans_of(path):
    with open(path, encoding="utf-8") as f:
        for line in f:
            for resource in json.loads(line).get("resourceSpans", []):
                for scope in resource["scopeSpans"]:
                    yield from scope["spans"]


def read(span):
    """(name, type, result, other end's port, took ns) of a span; the result None when unknown."""
    got = {a["key"]: list(a["value"].values())[0] for a in span["attributes"]}
    marks = json.dumps(got.get("flightrec.marks", got.get("flightrec.quality", "")))
    took = int(span["endTimeUnixNano"]) - int(span["startTimeUnixNano"])
    unanswered = "end_unseen" in json.dumps(span)
    result = None if unanswered else got.get("error.type", "")
    return (got.get("dns.question.name"), span["name"].split()[-1], result,
            int(got.get("network.peer.port", 0)), took, marks)


def rows(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def compare(what, want, have):
    """Both as Counters."""
    bad = [f"{what}: {n} x {row} missing" for row, n in (want - have).items()]
    bad += [f"{what}: {n} x {row} invented" for row, n in (have - want).items()]
    print("not ok" if bad or not want else "ok", what)
    for line in bad[:20]:
        print("#", line)
    print(f"# {sum(want.values())} questions, {sum(have.values())} spans")
    return not bad and bool(want)


def main():
    server = rows(sys.argv[2])
    spans = [(s["kind"], read(s)) for s in spans_of(sys.argv[1]) if s["name"].startswith("DNS")]
    result = lambda t: None if t["rcode"] < 0 else RCODES[t["rcode"]]
    fine = compare("server_side", collections.Counter(
        (t["name"], TYPES[t["type"]], result(t), t["client_port"]) for t in server),
        collections.Counter(s[:4] for kind, s in spans if kind == SERVER))
    slow = [s[4] for kind, s in spans if kind == SERVER and s[0].startswith("slow")]
    if slow:
        fine &= min(slow) >= 30_000_000
        print("ok" if min(slow) >= 30_000_000 else "not ok", "what_took_long_took_long")
    if len(sys.argv) > 3:
        port = int(sys.argv[4])
        fine &= compare("client_side", collections.Counter(
            (t["name"], TYPES[t["type"]], result(t), port) for t in rows(sys.argv[3])),
            collections.Counter(s[:4] for kind, s in spans if kind == CLIENT))
    sys.exit(not fine)


main()
