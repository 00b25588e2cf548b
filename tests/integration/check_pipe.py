# SPDX-License-Identifier: BSD-2-Clause
"""check_pipe.py TRUTH DUMP: the context switches and wakings of truth_pipe, exactly."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import frd  # noqa: E402
import truth  # noqa: E402

TASK_CONTEXT = 0


def thread_switches(t, switches, begin, end):
    tid = t["tid"]
    out = [e for e in switches if e.prev == tid and begin <= e.time <= end]
    into = [e for e in switches if e.next == tid and begin <= e.time <= end]
    if len(out) != t["switches"]:
        yield "%s: %d switches away, the kernel counts %d" % (t["name"], len(out), t["switches"])
    if len(into) != len(out):
        yield "%s: %d times put on a CPU, %d times taken off" % (t["name"], len(into), len(out))
    on = False  # it sleeps at the beginning
    for e in switches:
        if begin <= e.time <= end and tid in (e.prev, e.next):
            if on != (e.prev == tid):
                yield "%s: out of turn: %s" % (t["name"], e)
            on = e.next == tid
    slept = sum(1 for e in out if e.state and not e.preempt)
    if slept != t["voluntary"]:
        yield "%s: %d times asleep, the kernel counts %d" % (t["name"], slept, t["voluntary"])


def thread_waits(t, switches, begin, end):
    """The run-queue wait is exact: the difference of two records is the kernel's own difference."""
    out = [e for e in switches if e.prev == t["tid"]]
    before = [e for e in out if e.time < begin]
    inside = [e for e in out if begin <= e.time <= end]
    if not before or not inside:
        yield "%s: no switch before or inside the work" % t["name"]
        return
    got = inside[-1].run_delay - before[-1].run_delay & 0xffffffff
    if got != t["run_delay_ns"]:
        yield "%s: waited %d ns, the kernel counts %d" % (t["name"], got, t["run_delay_ns"])


def thread_cpu_time(t, switches, begin, end):
    """Within 20 %: the kernel charges the switch itself to the one side or the other. What a
    hypervisor takes away from the CPU it charges to nobody, but that lies between two switches: the
    few stints that are far longer than the usual one may be too long."""
    on, stints = None, []
    for e in switches:
        if not begin <= e.time <= end:
            continue
        if e.next == t["tid"]:
            on = e.time
        if e.prev == t["tid"] and on is not None:
            stints.append(e.time - on)
            on = None
    usual = sorted(stints)[len(stints) // 2] if stints else 0
    short = [x for x in stints if x < 20 * usual]
    if not sum(short) <= 1.2 * t["on_cpu_ns"] or not 0.8 * t["on_cpu_ns"] <= sum(stints):
        yield "%s: %d ns on a CPU, %d of them in short stints, the kernel counts %d" % (
            t["name"], sum(stints), sum(short), t["on_cpu_ns"])
    if len(short) < 0.95 * len(stints):
        yield "%s: %d of %d stints are far longer than the usual one of %d ns" % (
            t["name"], len(stints) - len(short), len(stints), usual)


def thread_wakings(t, wakers, events, begin, end):
    """Between falling asleep and running again there is one waking, by the other player (or by the
    main thread, which starts the game)."""
    asleep, woken = False, 0
    for e in events:
        if not begin <= e.time <= end:
            continue
        if e.kind == "sched_waking" and e.wakee == t["tid"]:
            woken += 1
            if e.context != TASK_CONTEXT or e.waker not in wakers:
                yield "%s: woken by tid %d in context %d" % (t["name"], e.waker, e.context)
        elif e.kind == "sched_switch" and e.next == t["tid"]:
            if asleep and woken != 1:
                yield "%s: %d wakings before it ran at %d" % (t["name"], woken, e.time)
            asleep, woken = False, 0
        elif e.kind == "sched_switch" and e.prev == t["tid"]:
            asleep, woken = bool(e.state and not e.preempt), 0


def mend(d, switches):
    """Some hardened kernels run no BPF program while a thread of process 1 is on a CPU: the switch
    away from it is missing. Returns such switches, and what is wrong: any other hole."""
    init = {t.tid for t in d.threads if t.tgid == 1}
    last, missing, wrong = {}, [], []
    for e in switches:
        a = last.get(e.cpu)
        last[e.cpu] = e
        if a is None or a.next == e.prev:
            continue
        if a.next not in init:
            wrong.append("cpu %d: %d got it and %d left it: %s" % (e.cpu, a.next, e.prev, e))
            continue
        hole = frd.Event()
        hole.kind, hole.cpu, hole.prev, hole.next = "sched_switch", e.cpu, a.next, e.prev
        hole.time, hole.state, hole.preempt, hole.run_delay = e.time - 1, 1, 0, 0
        missing.append(hole)
    return missing, wrong


def main():
    t = truth.load_truth(sys.argv[1])[0]
    begin, end = t["begin_ns"], t["end_ns"]
    d = truth.load_dump(sys.argv[2], "pipe ", begin, end)
    events = d.events("sched_switch", "sched_waking")
    missing, wrong = mend(d, [e for e in events if e.kind == "sched_switch"])
    truth.verdict("pipe no holes", wrong)
    if missing:
        print("# this kernel hides %d switches away from threads of process 1" % len(missing))
    events = sorted(events + missing, key=lambda e: e.time)
    tids = {p["tid"] for p in t["threads"]}
    events = [e for e in events if (e.kind == "sched_switch" and (e.prev in tids or e.next in tids))
              or (e.kind == "sched_waking" and e.wakee in tids)]
    switches = [e for e in events if e.kind == "sched_switch"]
    each = t["threads"]
    truth.verdict("pipe switches", (w for p in each for w in
                                    thread_switches(p, switches, begin, end)))
    truth.verdict("pipe run-queue wait", (w for p in each for w in
                                          thread_waits(p, switches, begin, end)))
    truth.verdict("pipe time on CPU", (w for p in each for w in
                                       thread_cpu_time(p, switches, begin, end)))
    truth.verdict("pipe wakings", (w for p in each for w in thread_wakings(
        p, (tids - {p["tid"]}) | {t["pid"]}, events, begin, end)))
    truth.verdict("pipe CPU", ("%s ran on cpu %d" % (e.next, e.cpu) for e in switches
                               if e.cpu != t["cpu"] and e.next in tids and begin <= e.time <= end))
    rows = {(r.tid, r.comm) for r in d.threads}
    truth.verdict("pipe names", ("tid %d is not called %s" % (p["tid"], p["name"]) for p in each
                                 if (p["tid"], p["name"]) not in rows))
    truth.finish()


main()
