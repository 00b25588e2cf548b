#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Holds the time budgets in `flightrec convert --to text` against what budget_server says of itself.

usage: check_budget.py NAME TRUTH TEXT

Each request of the truth must be there as a server's, with all parts of its budget: what the route
is about within 5 % (of what the kernel counts), what it is not about within 5 % of the duration; the
parts add up; next to nothing is unattributed; the SQL of /sql is under its request, and the network's wait is its."""
import json
import re
import sys

SHARE = 0.05
# One value of a kind, or one in twenty, may be off by more, up to this: what interrupts take is the
# thread's or nobody's, and on some virtual machines what the host's own agent does is not recorded.
SHARE_AT_WORST = 0.15
UNATTRIBUTED = 0.01
SLACK_NS = 200_000  # between the clock of the program and the records: a switch, a few calls
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
    cpu, lost = r["cpu_ns"], max(r["lost_ns"], 0)
    late = max(-r["lost_ns"], 0)  # of some wait, which the kernel counted after the program looked
    parts = {"on_cpu_ns": (cpu, cpu + lost)}
    parts["blocked_network_ns"] = (r["network_ns"] - late, r["network_ns"] + late)
    # it lost its CPU between a record and the look at the clock
    parts["runqueue_ns"] = (r["delay_ns"] - late, r["delay_ns"] + late + longer)
    # several who sync may wait for each other, too (the same block holds their inodes): locks
    disk, other = r["disk_ns"] + r["sync_ns"], r["other_ns"]
    locks = disk / 2 if threads > 1 else 0
    parts["blocked_disk_ns"] = (disk - locks - late, disk + late)
    parts["blocked_other_ns"] = (other - late, other + locks + late)
    return parts


class Judge:
    def __init__(self, name, threads):
        self.name, self.threads, self.bad = name, threads, {}
        self.unattributed = self.duration = self.cnt = 0
        self.values, self.off = {}, {}

    def fail(self, what, why):
        self.bad.setdefault(what, []).append(why)

    def near(self, what, got, low, high, of, why):
        """Is it within 5 % of `of` from low to high?"""
        off = max(low - got, got - high) - SLACK_NS
        self.values[what] = self.values.get(what, 0) + 1
        if off > SHARE_AT_WORST * of:
            self.fail(what, why)
        elif off > SHARE * of:
            self.off.setdefault(what, []).append(why)

    def weigh(self):
        for what, why in self.off.items():
            if len(why) > max(1, self.values[what] // 20):
                self.bad.setdefault(what, []).extend(why)
            else:
                print("# %s: off by more than 5 %%, once or twice: %s" % (self.name, why))

    def request(self, r, span):
        route, duration = r["route"], int(span["duration_ns"])
        got = {p: int(span.get(p, 0)) for p in PARTS}
        label = "/%s/%s: " % (route, r["id"])
        if "on_cpu_ns" not in span:
            return self.fail("budgets", label + "has none")
        if sum(got.values()) != duration:
            self.fail("parts add up", label + "%d of %d" % (sum(got.values()), duration))
        longer = duration - (r["end_ns"] - r["start_ns"])
        if longer < 0:
            self.fail("budgets", label + "took %d, not %d" % (r["end_ns"] - r["start_ns"], duration))
        for part, (low, high) in want_of(r, self.threads, longer).items():
            about = part in ABOUT[route]
            self.near(route if about else "what a request is not about", got[part],
                      low - got["unattributed_ns"], high, high if about else duration,
                      label + "%s is %d, not %d; all: %s, not %s" %
                      (part, got[part], low, got, r))
        both = got["blocked_disk_ns"] + got["blocked_other_ns"]
        truth = r["disk_ns"] + r["sync_ns"] + r["other_ns"]
        late = max(-r["lost_ns"], 0)
        self.near("disk and locks together", both, truth - late - got["unattributed_ns"],
                  truth + late, truth, label + "%d, not %d" % (both, truth))
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
        late = max(-r["lost_ns"], 0)
        j.near("sql", waited, r["network_ns"] - late, r["network_ns"] + late, r["network_ns"],
               "/%s/%s: its statement waited %d, not %d" %
               (r["route"], r["id"], waited, r["network_ns"]))


def main():
    name, truth_path, text_path = sys.argv[1:]
    with open(truth_path, encoding="utf-8") as f:
        truth = json.load(f)
    served, clients, j = {}, [], Judge(name, truth["threads"])
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
    j.weigh()
    routes = {r["route"] for r in truth["requests"]}
    if j.unattributed > UNATTRIBUTED * j.duration:
        j.fail("what is unattributed", "%d of %d" % (j.unattributed, j.duration))
    for what in ["budgets", "parts add up", "what is unattributed",
                 "disk and locks together"] + [x for x in ABOUT if x in routes] + [
            "what a request is not about"]:
        j.verdict(what)
    print("# %s: %d requests, %.3f %% of their time unattributed" %
          (name, j.cnt, 100.0 * j.unattributed / max(j.duration, 1)))
    return 1 if j.bad else 0


if __name__ == "__main__":
    sys.exit(main())
