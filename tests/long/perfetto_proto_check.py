# SPDX-License-Identifier: BSD-2-Clause
"""perfetto_proto_check.py NAME ANSWER TEXT: does Perfetto show of our protobuf what the dump says?

ANSWER is what perfetto_query.mjs printed for the trace and perfetto.sql; TEXT is the same dump and
range as text. The scheduler's tables are Perfetto's own work here, from the switches and wakings.
"""
import collections
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import perfetto_check as chrome  # noqa: E402
import truth  # noqa: E402

IDLE = 0


def mismatched(events):
    """Switches away from somebody else than came: the record has them where some were not seen."""
    cnt, last = 0, {}
    for e in events:
        if e.kind == "sched_switch":
            cnt += last.get(e.cpu, e.number("prev_tid")) != e.number("prev_tid")
            last[e.cpu] = e.number("next_tid")
    return cnt


def imported(stats, events):
    allowed = {"mismatched_sched_switch_tids": mismatched(events),
               "ftrace_cpu_has_data_loss": sum(e.kind == "lost" for e in events)}
    for s in stats:
        if s.severity in chrome.SEVERE and s.value > allowed.get(s.name, 0):
            yield f"{s.severity} {s.name}[{s.idx}] = {s.value}: {s.description}"


def who_got_each_cpu(events, sched):
    told, shown = collections.defaultdict(list), collections.defaultdict(list)
    for e in events:
        if e.kind == "sched_switch" and e.number("next_tid") != IDLE:
            told[e.cpu].append((e.ns, e.number("next_tid")))
    for s in sorted(sched, key=lambda s: s.ts):
        if s.tid != IDLE:
            shown[s.cpu].append((s.ts, s.tid))
    for cpu in sorted(set(told) | set(shown)):
        a, b = told[cpu], shown[cpu]
        # a thread that ran already when the range begins has no switch there
        if len(b) > len(a):
            b = b[len(b) - len(a):]
        if len(a) != len(b):
            yield f"cpu {cpu}: {len(a)} switches, {len(b)} are shown"
        for (ns, tid), (ts, shown_tid), in zip(a, b):
            if tid != shown_tid or not chrome.near(ts - b[0][0], ns - a[0][0]):
                yield f"cpu {cpu}: tid {tid} at {ns} is shown as {shown_tid} at {ts}"
                break


def disks(events, slices):
    told = collections.Counter(e.fields["op"] for e in events if e.kind == "block_complete")
    shown = collections.Counter(s.name for s in slices if s.category == "block" and
                                s.name != "disk request")
    for op in sorted(set(told) | set(shown)):
        if told[op] != shown[op]:
            yield f"{op}: {told[op]} completions, {shown[op]} are shown"


def names(events, threads):
    last = {}
    for e in events:
        if e.comm is not None and e.tid:
            last[e.tid] = e.comm
        if e.kind == "proc_rename":
            last[e.number("tid")] = e.fields["new_comm"].strip('"')
    shown = collections.defaultdict(set)
    for t in threads:
        shown[t.tid].add(t.name)
    for tid, comm in sorted(last.items()):
        if comm != "?" and "\\" not in comm and comm not in shown[tid]:
            yield f"tid {tid} is {comm!r} in the records, {shown[tid]} is shown"


def main():
    name, answer_path, text_path = sys.argv[1:4]
    with open(answer_path) as f:
        answer = json.load(f)
    events, requests = chrome.load_text(text_path)
    slices, sched = (chrome.rows(answer, t) for t in ("slices", "sched"))

    def verdict(what, wrong):
        truth.verdict(f"{name}: {what}", wrong)

    print(f"# {name}: {len(events)} events, {len(slices)} slices, {len(sched)} runs")
    verdict("there is something to judge", [] if slices and sched else ["nothing in the trace"])
    verdict("Perfetto imports it without an error", imported(chrome.rows(answer, "stats"), events))
    verdict("who got each CPU", who_got_each_cpu(events, sched))
    verdict("instants of each kind", chrome.instants(events, slices))
    verdict("disk requests", disks(events, slices))
    verdict("requests, and how long", chrome.requests_shown(requests, slices))
    verdict("names of threads", names(events, chrome.rows(answer, "threads")))
    truth.finish()


if __name__ == "__main__":
    main()
