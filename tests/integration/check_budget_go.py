#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Holds the time budgets of Go requests in `flightrec convert --to text` against what budget_go says.

usage: check_budget_go.py NAME TRUTH TEXT

Each request of the truth must be there as a server's, with a budget whose parts add up. The network's
part is what it waited for its own statements: no less than the database slept, no more than the program
saw go by; within 5 % of what it saw but for one in fifty, or one at all (its own look at the clock comes
late, at times, on a busy machine). No time of another goroutine counts as its own:
one that napped or waited has next to nothing on a CPU, whatever else the threads did meanwhile; one
that burnt has no more than it burnt. How much is unattributed is printed, by route."""
import json
import re
import sys

SHARE = 0.05
SLACK_NS = 100_000    # of the clocks of two CPUs
LATE = 1 / 50         # or one
RUN_NS = 200_000      # FR_BUDGET_GO_RUN_NS: what may be counted between two of its events
PARTS = ("on_cpu_ns", "runqueue_ns", "blocked_network_ns", "blocked_disk_ns", "blocked_other_ns",
         "unattributed_ns")
FIELD = re.compile(r' ([a-z_]+)=("(?:[^"\\]|\\.)*"|\S+)')
TARGET = re.compile(r"/[a-z]+/\d+/g\d+\Z")
VERDICTS = ("all are there", "parts add up", "waits for own statements", "nobody else's time",
            "own statements under it")


def spans(path):
    with open(path, encoding="utf-8", errors="surrogateescape") as f:
        for line in f:
            if line[31:36] == "[---]" and " request side=" in line:
                yield {k: v.strip('"') for k, v in FIELD.findall(line)}


class Judge:
    def __init__(self):
        self.bad, self.routes, self.near = {}, {}, []

    def fail(self, what, why):
        self.bad.setdefault(what, []).append(why)

    def request(self, r, span, statements):
        label, duration = "/%s/%s: " % (r["route"], r["id"]), int(span["duration_ns"])
        if "on_cpu_ns" not in span:
            return self.fail("all are there", label + "has no budget")
        got = {p: int(span.get(p, 0)) for p in PARTS}
        if sum(got.values()) != duration:
            self.fail("parts add up", label + "%s of %d" % (got, duration))
        net = got["blocked_network_ns"]
        if not r["slept_ns"] - SLACK_NS <= net <= r["sql_most_ns"] + SLACK_NS:
            self.fail("waits for own statements",
                      label + "%d, not %d to %d" % (net, r["slept_ns"], r["sql_most_ns"]))
        self.near.append(r["sql_ns"] * (1 - SHARE) - SLACK_NS <= net
                         <= r["sql_most_ns"] * (1 + SHARE) + SLACK_NS)
        # read, asked, answered, asked, answered, written: at most five stretches of its own
        most = max(5 * RUN_NS, r["cpu_ns"] * (1 + SHARE))
        if got["on_cpu_ns"] > most or got["blocked_other_ns"]:
            self.fail("nobody else's time", label + "%s, at most %d" % (got, most))
        want = {"sql": 1, "two": 2}.get(r["route"], 0)
        if len(statements) != want:
            self.fail("own statements under it", label + "%d, not %d" % (len(statements), want))
        total = self.routes.setdefault(r["route"], [0, 0, 0])
        for i, n in enumerate((1, duration, got["unattributed_ns"])):
            total[i] += n


def main():
    name, truth_path, text_path = sys.argv[1:]
    with open(truth_path, encoding="utf-8") as f:
        truth = [json.loads(line) for line in f if line.startswith("{")]
    served, under, j = {}, {}, Judge()
    for span in spans(text_path):
        if span["side"] == "client" and span["protocol"] == "postgresql":
            under.setdefault(span.get("parent_id"), []).append(span)
        elif span["side"] == "server" and TARGET.match(span.get("target", "")):
            served[span["target"].rsplit("/", 1)[1]] = span
    for r in truth:
        span = served.get(r["id"])
        if span is None:
            j.fail("all are there", "/%s/%s is not" % (r["route"], r["id"]))
        else:
            j.request(r, span, under.get(span["span_id"], []))
    if not truth:
        j.fail("all are there", "the truth is empty")
    if len(j.near) - sum(j.near) > max(1, LATE * len(j.near)):
        j.fail("waits for own statements", "%d of %d within 5 %%" % (sum(j.near), len(j.near)))
    for what in VERDICTS:
        why = j.bad.get(what, [])
        print("%s %s: %s" % ("not ok" if why else "ok", name, what))
        for line in why[:8]:
            print("#", line)
    print("# %s: %d of %d waits within 5 %%" % (name, sum(j.near), len(j.near)))
    for route, (cnt, duration, unattributed) in j.routes.items():
        print("# %s: /%s: %d requests, %.2f %% of their time unattributed" %
              (name, route, cnt, 100.0 * unattributed / duration))
    return 1 if j.bad else 0


if __name__ == "__main__":
    sys.exit(main())
