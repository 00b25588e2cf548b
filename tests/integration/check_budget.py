#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Holds the time budgets in `flightrec convert --to text` against what budget_server says of itself.

usage: check_budget.py NAME TRUTH TEXT [NOT_SEEN]

Each request of the truth must be there as a server's, with all parts of its budget: what the route
is about within 5 % (of what the kernel counts), what it is not about within 5 % of the duration,
each and every one; the parts add up; next to nothing is unattributed; the SQL of /sql is under its
request, and the network's wait is its.

NOT_SEEN: switches that the recorder knows it was not shown (on some virtual machines what the host's
own threads do is hidden from it). Only if there are any may a part be short by what its request calls
unattributed."""
import json
import re
import sys

SHARE = 0.05
UNATTRIBUTED = 0.01
# A part may be some calls long only. Between a program's look at the clock and the record: a switch,
# a few calls; between a wake-up and the queue where the kernel begins to count: an interrupt from one
# CPU to another. A hypervisor makes 0.1 ms of either.
SLACK_NS = 200_000
PARTS = ("on_cpu_ns", "runqueue_ns", "blocked_network_ns", "blocked_disk_ns", "blocked_other_ns",
         "unattributed_ns")
ABOUT = {"cpu": ("on_cpu_ns",), "sql": ("blocked_network_ns",), "disk": ("blocked_disk_ns",),
         "lock": ("blocked_other_ns",), "hog": ("on_cpu_ns", "runqueue_ns"),
         "mix": ("on_cpu_ns", "runqueue_ns", "blocked_network_ns", "blocked_disk_ns",
                 "blocked_other_ns")}
TARGET = re.compile(r"/[a-z]+/\d+/r\d+n\d+\Z")
FIELD = re.compile(r' ([a-z_]+)=("(?:[^"\\]|\\.)*"|\S+)')


def spans(path):
    with open(path, encoding="utf-8", errors="surrogateescape") as f:
        for line in f:
            if line[31:36] == "[---]" and " request side=" in line:
                yield {k: v.strip('"') for k, v in FIELD.findall(line)}


def want_of(r, threads, longer):
    """The truth's parts by our names: each a lowest and a highest value."""
    # A switch is in no count of the kernel's, or begins in one before it ends in another. Nor does
    # the program count what moving to the hog's CPU waits for.
    switches, overlap = max(r["lost_ns"], 0), max(-r["lost_ns"], 0)
    # several who sync may wait for each other, too
    sync = r["sync_ns"] if threads > 1 else 0
    disk, other = r["disk_ns"] + r["sync_ns"], r["other_ns"]
    parts = {"on_cpu_ns": (r["cpu_ns"], r["cpu_ns"] + switches),
             # it lost its CPU between a record and the look at the clock
             "runqueue_ns": (r["delay_ns"] - overlap, r["delay_ns"] + longer),
             "blocked_network_ns": (r["network_ns"], r["network_ns"]),
             "blocked_disk_ns": (disk - sync, disk),
             "blocked_other_ns": (other, other + sync)}
    return {p: (low - r["doubt_ns"], high + r["doubt_ns"]) for p, (low, high) in parts.items()}


class Judge:
    def __init__(self, name, truth, not_seen):
        self.name, self.threads, self.not_seen, self.bad = name, truth["threads"], not_seen, {}
        self.unattributed = self.duration = self.cnt = self.short = 0
        self.worst = (0, "")

    def fail(self, what, why):
        self.bad.setdefault(what, []).append(why)

    def near(self, what, got, low, high, of, unknown, why):
        """Is it within 5 % of `of` from low to high? unknown: what may be missing."""
        off = max(low - got, got - high)
        if low - got > SHARE * of + SLACK_NS and self.not_seen:
            self.short += unknown > 0
            off = low - unknown - got
        self.worst = max(self.worst, (off - SHARE * of, why))
        if off > SHARE * of + SLACK_NS:
            self.fail(what, why)

    def request(self, r, span):
        route, duration = r["route"], int(span["duration_ns"])
        got = {p: int(span.get(p, 0)) for p in PARTS}
        label = "/%s/%s: " % (route, r["id"])
        if "on_cpu_ns" not in span:
            return self.fail("budgets", label + "has none")
        if span.get("status") != "200":
            return self.fail("budgets", label + "came without its end: %s" % span)
        if sum(got.values()) != duration:
            self.fail("parts add up", label + "%d of %d" % (sum(got.values()), duration))
        if abs(r["lost_ns"]) > SHARE * duration + SLACK_NS:
            self.fail("budgets", label + "what is told of it does not add up: %s" % r)
        longer = duration - (r["end_ns"] - r["start_ns"])
        if longer < 0:
            self.fail("budgets", label + "took %d, not %d" % (r["end_ns"] - r["start_ns"], duration))
        for part, (low, high) in want_of(r, self.threads, longer).items():
            about = part in ABOUT[route]
            self.near(route if about else "what a request is not about", got[part], low, high,
                      high if about else duration, got["unattributed_ns"],
                      label + "%s is %d, not %d to %d; all: %s, not %s" %
                      (part, got[part], low, high, got, r))
        both = r["disk_ns"] + r["sync_ns"] + r["other_ns"]
        self.near("disk and locks together", got["blocked_disk_ns"] + got["blocked_other_ns"],
                  both - r["doubt_ns"], both + r["doubt_ns"] + max(r["lost_ns"], 0), both,
                  got["unattributed_ns"],
                  label + "not %d; all: %s, not %s" % (both, got, r))
        self.unattributed += got["unattributed_ns"]
        self.duration += duration
        self.cnt += 1

    def verdict(self, what):
        why = self.bad.get(what, [])
        print("%s %s: %s" % ("not ok" if why else "ok", self.name, what))
        for line in why[:8]:
            print("#", line)


def judge_sql(j, truth, served, clients):
    """Each /sql and /mix has one statement under it, whose time is nearly all the network's."""
    under = {}
    for c in clients:
        under.setdefault(c.get("parent_id"), []).append(c)
    for r in truth["requests"]:
        span = served.get(r["id"])
        if span is None or not r["network_ns"]:
            continue
        found = under.get(span["span_id"], [])
        if len(found) != 1:
            j.fail("sql", "/%s/%s: %d statements under it" % (r["route"], r["id"], len(found)))
            continue
        waited = int(found[0].get("blocked_network_ns", 0))
        j.near("sql", waited, r["network_ns"] - r["doubt_ns"], r["network_ns"] + r["doubt_ns"],
               r["network_ns"], int(span.get("unattributed_ns", 0)),
               "/%s/%s: its statement waited %d, not %d" %
               (r["route"], r["id"], waited, r["network_ns"]))


def main():
    name, truth_path, text_path = sys.argv[1:4]
    not_seen = int(sys.argv[4]) if len(sys.argv) > 4 else 0
    with open(truth_path, encoding="utf-8") as f:
        truth = json.load(f)
    served, clients, j = {}, [], Judge(name, truth, not_seen)
    for span in spans(text_path):
        if span["side"] == "client" and span["protocol"] == "postgresql":
            clients.append(span)
        elif span["side"] == "server" and TARGET.match(span.get("target", "")):
            served[span["target"].rsplit("/", 1)[1]] = span
    for r in truth["requests"]:
        if r["id"] in served:
            j.request(r, served[r["id"]])
        else:
            j.fail("budgets", "/%s/%s is not there" % (r["route"], r["id"]))
    judge_sql(j, truth, served, clients)
    routes = {r["route"] for r in truth["requests"]}
    if j.unattributed > UNATTRIBUTED * j.duration:
        j.fail("what is unattributed", "%d of %d" % (j.unattributed, j.duration))
    for what in ["budgets", "parts add up", "what is unattributed", "disk and locks together"] + [
            x for x in ABOUT if x in routes] + ["what a request is not about"]:
        j.verdict(what)
    print("# %s: %d requests, %.3f %% of their time unattributed; %d values short by it" %
          (name, j.cnt, 100.0 * j.unattributed / max(j.duration, 1), j.short))
    if j.worst[1]:
        print("# %s: furthest off, by 5 %% and %d us: %s" % (name, j.worst[0] // 1000, j.worst[1]))
    return 1 if j.bad else 0


if __name__ == "__main__":
    sys.exit(main())
