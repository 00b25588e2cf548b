# SPDX-License-Identifier: BSD-2-Clause
"""check_chrome.py FILE.json..: is this a Chrome trace that viewers show as it is meant?

Strict JSON (no duplicate keys, no NaN), times in microseconds with exactly three decimals, each
track sorted (but for the arrows of requests) and its slices nested, flows that begin and end inside
slices of their thread, requests that nest on their async tracks, thread states that don't overlap,
a name for every process and thread that appears. Says what is wrong, and ends with 1; "ok" and
counts otherwise.
"""
import bisect
import collections
import json
import re
import sys

TIME = re.compile(r"\d+\.\d{3}\Z")
PHASES = set("XiTMsfbe")
LINUX_IDS = 1 << 22
SHOWN_MAX = 20
DEPTH_MAX = 64  # slices inside one another


class Number(str):
    """A fraction as the file spells it."""


def no_duplicates(pairs):
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError(f"duplicate key among {[k for k, _ in pairs]}")
    return result


def no_constant(text):
    raise ValueError(f"{text} is no JSON")


def load(path):
    with open(path, "rb") as f:
        text = f.read().decode("utf-8", "strict")
    return json.loads(text, parse_float=Number, parse_constant=no_constant,
              object_pairs_hook=no_duplicates)


def ns(text):
    """Nanoseconds, exactly."""
    if not isinstance(text, Number) or not TIME.match(text):
        raise ValueError(f"time {text!r} has not exactly three decimals")
    return int(text.replace(".", ""))


class Checker:
    def __init__(self):
        self.wrong = []
        self.counts = collections.Counter()

    def say(self, index, text):
        self.wrong.append(f"event {index}: {text}")

    def fields(self, index, e):
        """Every event has what its phase needs. Returns False when it cannot be looked at further."""
        if e.get("ph") not in PHASES:
            self.say(index, f"phase {e.get('ph')!r}")
            return False
        need = {"X": ("ts", "dur", "name"), "T": ("ts", "dur", "name"), "i": ("ts", "name", "s"),
            "s": ("ts", "id", "name", "cat"), "f": ("ts", "id", "name", "cat", "bp"),
            "b": ("ts", "id", "name", "cat"), "e": ("ts", "id", "name", "cat"),
            "M": ("name", "args")}[e["ph"]]
        process = e["ph"] == "M" and str(e.get("name")).startswith("process_")
        for key in need + (("pid",) if process else ("pid", "tid")):
            if key not in e:
                self.say(index, f"ph {e['ph']} without {key}")
                return False
        for key in ("pid",) if process else ("pid", "tid"):
            if type(e[key]) is not int or not 0 < e[key] < 1 << 32:
                self.say(index, f"{key} {e[key]!r}")
                return False
        try:
            for key in ("ts", "dur"):
                if key in e:
                    e[key] = ns(e[key])
        except ValueError as err:
            self.say(index, str(err))
            return False
        return True

    def sorted_tracks(self, events):
        last = {}
        for index, e in events:
            if e.get("cat") == "request":
                continue
            track = (e["pid"], e["tid"])
            if e["ts"] < last.get(track, 0):
                self.say(index, f"track {track} goes back from {last[track]} to {e['ts']} ns")
            last[track] = e["ts"]

    def nested(self, events):
        """Slices of a track, in file order, lie inside each other or apart. Returns them."""
        open_slices = collections.defaultdict(list)
        slices = collections.defaultdict(list)
        for index, e in events:
            if e["ph"] != "X":
                continue
            track = (e["pid"], e["tid"])
            start, end = e["ts"], e["ts"] + e["dur"]
            stack = open_slices[track]
            while stack and stack[-1] <= start:
                stack.pop()
            if stack and end > stack[-1]:
                self.say(index, f"slice {start}..{end} sticks out of one that ends at {stack[-1]}")
            stack.append(end)
            slices[track].append((start, end))
        return slices

    def requests(self, events):
        """Begins and ends of an async track, in order of time, are nested like brackets."""
        tracks = collections.defaultdict(list)
        for index, e in events:
            if e["ph"] in "be":
                tracks[(e["pid"], e["cat"], e["id"])].append((e["ts"], e["ph"] == "b", index, e))
        for key, track in tracks.items():
            stack = []
            # an end comes before a begin at the same time, but not before its own
            for ts, begins, index, e in sorted(track, key=lambda t: t[:3]):
                if begins:
                    stack.append(e["name"])
                elif not stack or stack.pop() != e["name"]:
                    self.say(index, f"request {e['name']} ends on {key} inside of another")
            if stack:
                self.say(track[0][2], f"requests on {key} without an end: {stack}")

    def states(self, events):
        last = {}
        for index, e in events:
            if e["ph"] != "T":
                continue
            track = (e["pid"], e["tid"])
            if e["ts"] < last.get(track, 0):
                self.say(index, f"state {e['name']} at {e['ts']} begins before {last[track]}")
            last[track] = e["ts"] + e["dur"]
            if (e["name"] == "Running") != ("cpu" in e.get("args", {})):
                self.say(index, f"state {e['name']} and its cpu")

    @staticmethod
    def inside(slices, ts):
        """They begin in order of time: those around ts are just before it, outer ones first."""
        at = bisect.bisect_right(slices, (ts, 1 << 63))
        return any(end >= ts for _, end in slices[max(0, at - DEPTH_MAX):at])

    def flows(self, events, slices):
        starts = {}
        for index, e in events:
            if e["ph"] not in "sf":
                continue
            key = (e["cat"], e["name"], e["id"])
            inside = self.inside(slices[(e["pid"], e["tid"])], e["ts"])
            if not inside:
                self.say(index, f"flow {e['ph']} {e['id']} at {e['ts']} outside of any slice")
            if e["ph"] == "s":
                if key in starts:
                    self.say(index, f"flow {e['id']} begins twice")
                starts[key] = (index, e["ts"])
        for index, e in events:
            if e["ph"] != "f":
                continue
            start = starts.pop((e["cat"], e["name"], e["id"]), None)
            if not start:
                self.say(index, f"flow {e['id']} ends without a beginning, or twice")
            elif start[1] > e["ts"]:
                self.say(index, f"flow {e['id']} ends before it begins")
        # woken, but the trace ends before they run: at most one arrow per thread
        self.counts["flows without an end"] = len(starts)

    def names(self, events):
        named = {"process_name": set(), "thread_name": set()}
        for index, e in events:
            if e["ph"] != "M" or e["name"] not in named:
                continue
            key = e["pid"] if e["name"] == "process_name" else (e["pid"], e["tid"])
            if key in named[e["name"]]:
                self.say(index, f"a second {e['name']} for {key}")
            if not e["args"].get("name"):
                self.say(index, f"an empty {e['name']} for {key}")
            named[e["name"]].add(key)
        for index, e in events:
            if e["ph"] == "M":
                continue
            for what, key in (("process_name", e["pid"]), ("thread_name", (e["pid"], e["tid"]))):
                if key not in named[what]:
                    self.say(index, f"no {what} for {key}")
                    named[what].add(key)

    def check(self, trace):
        if not isinstance(trace, dict) or not isinstance(trace.get("traceEvents"), list):
            self.wrong.append("no traceEvents")
            return
        for key in ("zero_unix_nano", "conversion", "dumps"):
            if key not in trace.get("metadata", {}):
                self.wrong.append(f"metadata without {key}")
        events = [(i, e) for i, e in enumerate(trace["traceEvents"]) if self.fields(i, e)]
        timed = [(i, e) for i, e in events if e["ph"] != "M"]
        self.sorted_tracks(timed)
        slices = self.nested(timed)
        self.requests(timed)
        self.states(timed)
        self.flows(timed, slices)
        self.names(events)
        for _, e in events:
            self.counts["ph " + e["ph"]] += 1


def main():
    bad = False
    for path in sys.argv[1:]:
        checker = Checker()
        try:
            checker.check(load(path))
        except (ValueError, OSError) as err:
            checker.wrong.append(str(err))
        for text in checker.wrong[:SHOWN_MAX]:
            print(f"{path}: {text}")
        if len(checker.wrong) > SHOWN_MAX:
            print(f"{path}: and {len(checker.wrong) - SHOWN_MAX} more")
        if not checker.wrong:
            print(f"{path}: ok, " + ", ".join(f"{n} {what}" for what, n in sorted(checker.counts.items())))
        bad = bad or bool(checker.wrong)
    sys.exit(bad)


if __name__ == "__main__":
    main()
