# SPDX-License-Identifier: BSD-2-Clause
"""truth_requests.py NAME DUMP SPANS TRUTH...: what `flightrec convert --to otlp-json` made of a dump,
held against what the programs of tests/workload/truthsvc say that they did (TRUTH: a file each).

SPANS is the converter's output. What counts are the requests made while the program of the last TRUTH
ran: the others were there to warm up, or served. Times are compared in BOOTTIME, by the clock pairs of
the programs, not by those of the dump. With --linked PERCENT so many of the outgoing calls that the handler made by
itself must have their parent (default 0: none need one, no one may have a wrong one).
"""
import argparse
import bisect
import collections

import frd
import otlp_spans
import truth
from otlp_spans import CLIENT, SERVER

FOUND_PCT = 99.5
NEAR_NS = 100000
EDGE_NS = 1000000  # of the window: what begins or ends closer to it may be in or out
SLACK_NS = 200000  # around a driver's call


class Clock:
    """REALTIME to BOOTTIME, by the pairs that the programs took all the time."""

    def __init__(self, pairs):
        pairs.sort(key=lambda p: p["real"])
        self.real = [p["real"] for p in pairs]
        self.offset = [p["boot"] - p["real"] for p in pairs]

    def boot(self, unix_ns):
        i = bisect.bisect(self.real, unix_ns)
        if i == 0 or i == len(self.real):
            return unix_ns + self.offset[min(i, len(self.real) - 1)]
        a, b = self.real[i - 1], self.real[i]
        step = self.offset[i] - self.offset[i - 1]
        return unix_ns + self.offset[i - 1] + step * (unix_ns - a) // max(b - a, 1)


class Work:
    """The truth of all programs."""

    def __init__(self, paths):
        self.requests, pairs, ended = [], [], set()
        self.begin = self.end = 0
        for path in paths:
            for line in truth.load_truth(path):
                if line["side"] == "clock":
                    pairs += line["pairs"]
                    self.begin, self.end = line["pairs"][0]["boot"], line["pairs"][-1]["boot"]
                elif line["side"] == "end":
                    ended.add(line["pid"])
                else:
                    self.requests.append(line)
        self.clock = Clock(pairs)
        self.pids = {r["pid"] for r in self.requests}
        self.whole = bool(self.pids) and self.pids <= ended
        self.by_key = {(r["pid"], kind_of(r), r["path"]): r for r in self.requests}
        self.caller_of = {c["path"]: (r, c) for r in self.requests for c in r.get("out", ())}


def kind_of(r):
    return SERVER if r["side"] == "server" else CLIENT


def is_db(s):
    return "db.system.name" in s.attributes


def is_http(s):
    return "http.request.method" in s.attributes


class Seen:
    """The converter's spans of the programs' processes, and all others by id."""

    def __init__(self, spans, work):
        self.all, self.by_id = spans, {}
        self.requests = collections.defaultdict(list)
        self.children = collections.defaultdict(list)
        self.statements = []
        self.doubles, self.pathless = [], []
        for s in spans:
            s.from_ns, s.to_ns = work.clock.boot(s.start), work.clock.boot(s.end)
            if s.id in self.by_id:
                self.doubles.append(s)
            self.by_id[s.id] = s
            if s.pid not in work.pids:
                continue
            if is_http(s) or (s.kind == SERVER and not is_db(s)):
                if s.path is None:
                    self.pathless.append(s)
                else:
                    self.requests[s.pid, s.kind, s.path].append(s)
            elif is_db(s) and s.kind == CLIENT:
                self.statements.append(s)
                if s.parent:
                    self.children[s.parent].append(s)
        for each in self.children.values():
            each.sort(key=lambda s: s.from_ns)


def away(ns, call):
    """How far a moment is from the system call that it must lie in."""
    return max(call[0] - ns, ns - call[1], 0)


def percentile(values, pct):
    values = sorted(values)
    return values[min(len(values) - 1, len(values) * pct // 100)] if values else 0


class Judge:
    def __init__(self, name, dump, spans, work, linked_pct):
        self.name, self.work, self.linked_pct = name, work, linked_pct
        self.begin, self.end = dump.common_start, dump.loss.end_boot_ns
        self.seen = Seen(spans, work)
        self.inside = [r for r in work.requests if self.is_inside(r["start"][0], r["end"][1]) and
                       r["start"][0] >= work.begin and r["end"][1] <= work.end]
        self.pairs = []  # of what happened and the span that shows it
        for r in self.inside:
            got = self.seen.requests.get((r["pid"], kind_of(r), r["path"]))
            if got:
                self.pairs.append((r, got[0]))

    def is_inside(self, begin_ns, end_ns):
        return begin_ns >= self.begin + EDGE_NS and end_ns <= self.end - EDGE_NS

    def verdict(self, what, wrong):
        truth.verdict("%s: %s" % (self.name, what), wrong)

    def say(self, text, *args):
        print("# %s: %s" % (self.name, text % args))

    def enough(self, what, good, total, missing, pct=FOUND_PCT):
        """At least pct per cent; what is missing is shown only when it is too much."""
        self.say("%s: %d of %d", what, good, total)
        bad = total == 0 or good * 100 < total * pct
        self.verdict(what, ["%d of %d" % (good, total)] + missing if bad else [])

    def found(self):
        missing = ["%s %s of pid %d: no span" % (r["side"], r["path"], r["pid"]) for r in self.inside
                   if (r["pid"], kind_of(r), r["path"]) not in self.seen.requests]
        for side in ("server", "client"):
            total = sum(r["side"] == side for r in self.inside)
            good = sum(r["side"] == side for r, _ in self.pairs)
            self.enough("%s requests found" % side, good, total,
                        [m for m in missing if m.startswith(side)])

    def invented(self):
        for key, spans in self.seen.requests.items():
            if key not in self.work.by_key:
                yield "there was no such request: %s" % spans[0]
            elif len(spans) > 1:
                yield "%d spans of one request: %s" % (len(spans), spans[1])
        for s in self.seen.pathless:
            if self.is_inside(s.from_ns, s.to_ns):
                yield "a request that nobody knows: %s" % s
        for s in self.seen.doubles:
            yield "the id %s comes twice" % s.id

    def answers(self):
        if not self.pairs:
            yield "no request was found"
        for r, s in self.pairs:
            if s.get("http.response.status_code") != r["status"]:
                yield "%s: status %s, was %d" % (r["path"], s.get("http.response.status_code"), r["status"])
            if s.get("http.request.method") != r["method"]:
                yield "%s: method %s, was %s" % (r["path"], s.get("http.request.method"), r["method"])
            if s.status != (2 if r["status"] >= (500 if r["side"] == "server" else 400) else 0):
                yield "%s: span status %d for %d as a %s" % (r["path"], s.status, r["status"], r["side"])

    def goroutines(self):
        """Of the server's requests, where the recorder knew them: nearly all."""
        known = 0
        for r, s in self.pairs:
            if r.get("goid") and s.get("flightrec.goid"):
                known += 1
                if s.get("flightrec.goid") != r["goid"]:
                    yield "%s: goroutine %s, was %d" % (r["path"], s.get("flightrec.goid"), r["goid"])
        told = sum("goid" in r for r, _ in self.pairs)
        if known * 100 < told * FOUND_PCT:
            yield "only %d of %d have one" % (known, told)

    def times(self, side):
        ends = {"start": [], "end": []}
        worst = []
        for r, s in self.pairs:
            if r["side"] != side:
                continue
            for which, at in (("start", s.from_ns), ("end", s.to_ns)):
                off = away(at, r[which])
                ends[which].append(off)
                worst.append((off, "%s: %s is %d ns beside its call" % (r["path"], which, off)))
        bad = False
        for which, values in ends.items():
            p50, p99 = percentile(values, 50), percentile(values, 99)
            width = percentile([r[which][1] - r[which][0] for r, _ in self.pairs if r["side"] == side], 99)
            self.say("%s %s: beside its call by %d ns at p50, %d ns at p99 (calls took %d ns at p99)",
                     side, which, p50, p99, width)
            bad = bad or p99 > NEAR_NS or not values
        return ([text for _, text in sorted(worst, reverse=True)] or ["none was found"]) if bad else []

    def traces(self):
        for r, s in self.pairs:
            if r.get("trace") and s.trace != r["trace"]:
                yield "%s %s: trace %s, traceparent said %s" % (r["side"], r["path"], s.trace, r["trace"])
            if r.get("trace") and r["side"] == "client" and s.parent not in (r["parent"], ""):
                if s.parent not in self.seen.by_id:
                    yield "%s %s: parent %s, traceparent said %s" % (
                        r["side"], r["path"], s.parent, r["parent"])
        for s in self.seen.all:
            parent = self.seen.by_id.get(s.parent)
            if parent and parent.trace != s.trace:
                yield "parent and child in two traces: %s under %s" % (s, parent)

    def two_ends(self):
        """The server's span is under the client's of the same request, and under no other."""
        clients = {r["path"]: s for r, s in self.pairs if r["side"] == "client"}
        servers = [(r, s) for r, s in self.pairs if r["side"] == "server" and r["path"] in clients]
        good, wrong, missing = 0, [], []
        for r, s in servers:
            if s.parent == clients[r["path"]].id:
                good += 1
            elif s.parent in self.seen.by_id:
                wrong.append("%s is under %s" % (r["path"], self.seen.by_id[s.parent]))
            else:
                missing.append("%s has parent '%s'" % (r["path"], s.parent))
        self.enough("a server's span is under its client's", good, len(servers), missing)
        for s in self.seen.all:
            parent = self.seen.by_id.get(s.parent)
            if s.kind == SERVER and parent and parent.kind != CLIENT:
                wrong.append("%s is under %s" % (s, parent))
            elif s.kind == SERVER and parent and is_db(s) and \
                    s.get("db.query.text") != parent.get("db.query.text"):
                wrong.append("another statement: %s is under %s" % (s, parent))
        self.verdict("never under another client's", wrong)

    def is_that(self, s, did):
        return s.get("db.query.text") == did["text"] and \
            did["start"] - SLACK_NS <= s.from_ns and s.to_ns <= did["end"] + SLACK_NS

    def sql(self):
        total, good, missing, wrong, codes = 0, 0, [], [], []
        spread = collections.defaultdict(list)
        for r, s in self.pairs:
            if r["side"] != "server":
                continue
            left = list(self.seen.children.get(s.id, ()))
            for did in r.get("sql", ()):
                got = next((c for c in left if self.is_that(c, did)), None)
                if got:
                    left.remove(got)
                    if got.get("db.response.status_code") != did.get("sqlstate"):
                        codes.append("%s: SQLSTATE %s, was %s" % (
                            did["text"], got.get("db.response.status_code"), did.get("sqlstate")))
                if did.get("spread"):
                    spread[r["pid"], did["text"]].append(r)
                    continue
                total += 1
                good += bool(got)
                if not got:
                    missing.append("%s: not there: %s; there: %s" % (r["path"], did["text"], [
                        c.get("db.query.text") for c in left]))
            wrong += ["under %s, which did not send it: %s" % (r["path"], c) for c in left if c.kind == CLIENT]
        self.enough("SQL statements under their requests", good, total, missing)
        self.verdict("no statement under a request that did not send it", wrong)
        self.verdict("SQLSTATE", codes)
        lone = [s for s in self.seen.statements if (s.pid, s.get("db.query.text")) in spread]
        self.say("statements of other goroutines: %d seen, %d with a parent", len(lone),
                 sum(bool(s.parent) for s in lone))

    def sql_invented(self):
        """No text more often than it was sent."""
        sent = collections.Counter()
        for r in self.work.requests:
            for did in r.get("sql", ()):
                sent[r["pid"], did["text"]] += 1
        begun = min(r["start"][0] for r in self.work.requests)
        got = collections.Counter()
        for s in self.seen.statements:
            if s.from_ns >= max(begun, self.begin + EDGE_NS) and s.to_ns <= self.end - EDGE_NS:
                got[s.pid, s.get("db.query.text")] += 1
        return ["%d times seen, %d times sent by pid %s: %s" % (n, sent[key], key[0], key[1])
                for key, n in got.items() if n > sent[key]]

    def calls(self):
        """Outgoing calls: the right parent, or none (or the one that the wire named)."""
        total, good, loose, wrong = 0, 0, 0, []
        owner = {s.id: r for r, s in self.pairs if r["side"] == "server"}
        for r, s in self.pairs:
            caller = self.work.caller_of.get(r["path"])
            if r["side"] != "client":
                continue
            parent = self.seen.by_id.get(s.parent)
            if caller is None:
                if parent:
                    wrong.append("%s came from no request, is under %s" % (r["path"], parent))
                continue
            boss, call = caller
            own = not call.get("spread") and not r.get("trace")  # with a traceparent, that is the parent
            total += own
            loose += not own
            if parent is None:
                continue
            if owner.get(s.parent) is boss:
                good += own
            elif parent.kind == SERVER:
                wrong.append("%s is of %s, is under %s" % (r["path"], boss["path"], parent))
        self.say("outgoing calls with their parent: %d of %d (%d by other goroutines, or with a traceparent)",
                 good, total, loose)
        self.verdict("no outgoing call under another request", wrong)
        if self.linked_pct:
            self.enough("outgoing calls linked", good, total, [], self.linked_pct)

    def all(self):
        self.verdict("the programs told all", [] if self.work.whole else ["a truth has no end"])
        self.say("%d of %d requests count; the window has %.3f s", len(self.inside),
                 len(self.work.requests), (self.end - self.begin) / 1e9)
        self.found()
        self.verdict("none invented", self.invented())
        self.verdict("status and method", self.answers())
        self.verdict("goroutines", self.goroutines())
        for side in ("server", "client"):
            self.verdict("times of the %s within 100 us at p99" % side, self.times(side))
        self.verdict("traces", self.traces())
        self.two_ends()
        self.sql()
        self.verdict("no statement invented", self.sql_invented())
        self.calls()


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("name")
    ap.add_argument("dump")
    ap.add_argument("spans")
    ap.add_argument("truths", nargs="+")
    ap.add_argument("--linked", type=float, default=0)
    a = ap.parse_args()
    dump = truth.load_dump(a.dump, a.name + ": ")
    try:
        spans, _ = otlp_spans.read(a.spans)
    except (otlp_spans.BadOtlp, ValueError, KeyError, TypeError) as why:
        truth.verdict(a.name + ": readable", ["%s: %s %s" % (a.spans, type(why).__name__, why)])
        truth.finish()
    Judge(a.name, dump, spans, Work(a.truths), a.linked).all()
    truth.finish()


if __name__ == "__main__":
    main()
