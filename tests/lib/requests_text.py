# SPDX-License-Identifier: BSD-2-Clause
"""Requests of the Go service, as `convert --to text` tells them, against what it wrote down itself.

  requests_text.py load ADDRESS CLIENTS SECONDS     keep-alive clients; prints how many requests
  requests_text.py check TEXT TRUTH TOOL FROM_NS    prints "ok NAME" / "not ok NAME"; what began
                                                    before FROM_NS (unix) is passed over
"""
import collections
import datetime
import http.client
import json
import random
import re
import subprocess
import sys
import threading
import time

PATHS = ["/ping", "/hello?name=a", "/orders?n=3", "/nested", "/fail", "/fail?kind=unique", "/work?ms=1", "/slow?ms=20"]
SPREAD_NS = 2000000  # between what a program notes and when its bytes pass, on a busy machine


def load(address, clients, seconds):
    end = time.time() + seconds
    counts = [0] * clients

    def client(number):
        pick = random.Random(number)
        connection = http.client.HTTPConnection(address)
        while time.time() < end:
            connection.request("GET", pick.choice(PATHS))
            connection.getresponse().read()
            counts[number] += 1

    threads = [threading.Thread(target=client, args=(i,)) for i in range(clients)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    print(sum(counts))


def ns_of(text):
    whole, fraction = text[:-1].split(".")
    return int(datetime.datetime.fromisoformat(whole + "+00:00").timestamp()) * 10**9 + int(fraction)


def read_spans(path):
    spans = {}
    for line in open(path, encoding="utf-8"):
        match = re.match(r"(\S+) \[---\] (\S+)/\d+ request (.*)", line)
        if not match:
            continue
        s = {k: v[1:-1].encode().decode("unicode_escape") if v.startswith('"') else v
             for k, v in re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|\S+)', match[3])}
        s["comm"], s["end"] = match[2], ns_of(match[1])
        s["start"] = s["end"] - int(s["duration_ns"])
        if s["span_id"] in spans:
            raise SystemExit("not ok text_ids_unique\n# %s" % line)
        spans[s["span_id"]] = s
    return spans


def normalised(tool, texts):
    lines = "".join(json.dumps({"system": "postgresql", "query": t}) + "\n" for t in texts)
    out = subprocess.run([tool, "sql-normalize"], input=lines, capture_output=True, text=True, check=True)
    return dict(zip(texts, (json.loads(line)["text"] for line in out.stdout.splitlines())))


def say(name, problems):
    print(("not ok " if problems else "ok ") + name)
    for p in problems[:5]:
        print("# " + str(p)[:600])


def by_goroutine(things, goid, start):
    out = collections.defaultdict(list)
    for t in sorted(things, key=start):
        out[goid(t)].append(t)
    return out


def check_served(served, truth):
    """Each request once, in order, on its goroutine. Pairs of (span, truth)."""
    problems, pairs = [], []
    spans = by_goroutine(served, lambda s: int(s.get("goid", 0)), lambda s: s["start"])
    facts = by_goroutine(truth, lambda t: t["goid"], lambda t: t["start_unix_ns"])
    for goid in sorted(set(spans) | set(facts)):
        a, b = spans.get(goid, []), facts.get(goid, [])
        if [(s.get("target"), s.get("status")) for s in a] != [(t["uri"], str(t["status"])) for t in b]:
            problems.append("goroutine %d: %d spans, %d in truth" % (goid, len(a), len(b)))
            continue
        pairs += zip(a, b)
    for s, t in pairs:
        if s["start"] > t["start_unix_ns"] + SPREAD_NS or s["end"] < t["end_unix_ns"] - SPREAD_NS:
            problems.append("times of %s: %d..%d, truth %d..%d" % (
                t["uri"], s["start"], s["end"], t["start_unix_ns"], t["end_unix_ns"]))
    say("text_requests_all_found", problems)
    return pairs


def agrees(have, want):
    """A driver adds to BEGIN; of a long reply the end, which says that all went well, may be cut."""
    return (have[0] == want[0] or (want[0] == "BEGIN" and have[0].startswith("BEGIN "))) and \
        (have[1] == want[1] or (have[1] is None and want[1] == "ok"))


def check_statements(pairs, children, tool):
    texts = sorted({q["text"] for _, t in pairs for q in t["sql"]})
    plain, problems, cnt = normalised(tool, texts), [], 0
    for s, t in pairs:
        have = [(c.get("query"), c.get("status")) for c in children[s["span_id"]] if c["protocol"] == "postgresql"]
        want = [(plain[q["text"]], "error" if q["err"] else "ok") for q in t["sql"]]
        cnt += len(want)
        if len(have) != len(want) or not all(map(agrees, have, want)):
            problems.append("%s: have %s, want %s" % (t["uri"], have, want))
    print("# %d statements" % cnt)
    say("text_statements_under_their_request", problems if cnt else ["none at all"])


def check_calls(pairs, children):
    """A call is under the request that made it, or under none."""
    problems, linked, cnt = [], 0, 0
    for s, t in pairs:
        calls = t.get("out") or []
        cnt += len(calls)
        for c in children[s["span_id"]]:
            if c["protocol"] != "http":
                continue
            linked += 1
            if c["link"] != "inferred" or not any(
                    o["start"] <= c["start"] + SPREAD_NS and c["end"] <= o["end"] + SPREAD_NS for o in calls):
                problems.append("%s under %s" % (c, t))
    print("# %d of %d calls have their request" % (linked, cnt))
    say("text_calls_never_under_another", problems if cnt else ["none at all"])


def check_traces(spans, service):
    problems = []
    for s in spans.values():
        parent = spans.get(s.get("parent_id"))
        if parent and parent["trace_id"] != s["trace_id"]:
            problems.append("another trace than its parent's: %s" % s)
        if service(s) and s["side"] == "server" and (s["link"] != "peer" or not parent or
                                                      parent.get("target") != s.get("target")):
            problems.append("no client at the other end: %s" % s)
    say("text_both_ends_in_one_trace", problems)


def check(text, truth_file, tool, from_ns):
    spans = {k: s for k, s in read_spans(text).items() if s["start"] >= int(from_ns)}
    truth = [t for t in map(json.loads, open(truth_file, encoding="utf-8"))
             if t["start_unix_ns"] >= int(from_ns)]
    children = collections.defaultdict(list)
    port = {t["remote"] for t in truth}

    def is_service(s):
        return s["comm"] == "goservice"

    served = [s for s in spans.values() if is_service(s) and s["side"] == "server" and s.get("remote") in port]
    for s in sorted(spans.values(), key=lambda s: s["start"]):
        if is_service(s) and s["side"] == "client":
            children[s.get("parent_id")].append(s)
    pairs = check_served(served, truth)
    check_statements(pairs, children, tool)
    check_calls(pairs, children)
    check_traces(spans, lambda s: is_service(s) and s.get("remote") in port)


if sys.argv[1] == "load":
    load(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
else:
    check(*sys.argv[2:6])
