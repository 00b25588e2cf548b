# SPDX-License-Identifier: BSD-2-Clause
"""redis_counts.py SPANS PORT BEFORE AFTER FROM TO: the commands that a Redis server counted between two answers
to INFO commandstats, held against the spans of its port: each side (SERVER, CLIENT) shows each of them
exactly once, and errors where it counted some. What asked for INFO itself does not count, nor what is
not between the two (FROM, TO: Unix time in ns)."""
import collections
import re
import sys

import otlp_spans
import truth
from otlp_spans import CLIENT, SERVER

STAT = re.compile(r"cmdstat_([^:]+):calls=(\d+).*rejected_calls=(\d+),failed_calls=(\d+)")
OURS = ("INFO", "CONFIG|RESETSTAT")


def stats(path):
    calls, failed = collections.Counter(), collections.Counter()
    with open(path) as f:
        for line in f:
            match = STAT.match(line)
            if match:
                name = match.group(1).upper()
                # a command that was rejected was asked for all the same
                calls[name] += int(match.group(2)) + int(match.group(3))
                failed[name] += int(match.group(3)) + int(match.group(4))
    return calls, failed


def difference(a, b):
    return {k: b[k] - a[k] for k in b if b[k] - a[k] and k not in OURS}


def seen(spans, kind):
    calls, failed = collections.Counter(), collections.Counter()
    for s in spans:
        name = str(s.get("db.operation.name")).upper()
        if s.kind == kind and name.partition(" ")[0] != "INFO":
            calls[name] += 1
            failed[name] += s.get("error.type") is not None
    return calls, +failed


def main(path, port, before, after, from_ns, to_ns):
    spans = [s for s in otlp_spans.read(path)[0] if s.get("db.system.name") == "redis" and
             s.get("server.port", 6379) == int(port) and int(from_ns) <= s.start <= int(to_ns)]
    was, now = stats(before), stats(after)
    want = [difference(a, b) for a, b in zip(was, now)]
    # a container command is counted by its subcommand, and asked for by its name
    for counts in want:
        for name in [n for n in counts if "|" in n]:
            counts[name.partition("|")[0]] = counts.get(name.partition("|")[0], 0) + counts.pop(name)
    print("# commands: %s" % want[0])
    for kind, side in ((SERVER, "server"), (CLIENT, "client")):
        for what, wanted, got in zip(("commands", "errors"), want, seen(spans, kind)):
            truth.verdict("redis: %s of the %s" % (what, side), [
                "%s: %d, were %d" % (name, got.get(name, 0), wanted.get(name, 0))
                for name in sorted(set(wanted) | set(got)) if got.get(name, 0) != wanted.get(name, 0)] +
                ([] if want[0] else ["the server counted nothing"]))
    by_id = {s.id: s for s in spans}
    truth.verdict("redis: no parent but the other end", [
        "%s has parent %s" % (s, s.parent) for s in spans if s.parent and s.parent not in by_id])
    truth.finish()


main(*sys.argv[1:])
