# SPDX-License-Identifier: BSD-2-Clause
"""check_trigger.py DUMP FROM TO NAME REASON KIND [TEST..]: a dump of a cause between FROM and TO
(wall clock, ns): its trigger, or one that joined, is NAME, its time is that of the cause or less
than a second later, its reason fits the regular expression REASON, a time that the reason names is no
longer than the cause took, and the cause itself, an event of KIND at that time for which all TESTs are
true (Python over e, the event, and t, the trigger), is inside."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import frd  # noqa: E402

SECOND = 10 ** 9
NEAR = 10 ** 7  # between an event and the trigger's time: one program, on a CPU that may be taken away
STEP = 10 ** 6  # between two readings of the clocks
UNITS = {"ns": 1, "us": 10 ** 3, "ms": 10 ** 6, "s": 10 ** 9}


def wait_of(events, tid, end):
    """How long tid had been able to run when it got a CPU at `end`, from switches and wakings."""
    since = None
    for e in events:
        if e.time > end:
            break
        if e.kind == "sched_waking" and e.wakee == tid and since is None:
            since = e.time
        elif e.kind == "sched_switch" and e.next == tid and e.time < end:
            since = None
        elif e.kind == "sched_switch" and e.prev == tid:
            since = e.time if not e.state or e.preempt else None
    return end - since if since else 0


def trigger_of(d, name, reason):
    for t in [d.trigger] + d.trigger.joined:
        if t.name == name and re.search(reason, t.reason):
            return t
    return None


def told_ns(reason):
    """How long it took at least, as the reason says, to three digits; or 0."""
    m = re.match(r"(?:waited )?([0-9.]+) (ns|us|ms|s) for ", reason)
    return 0.994 * float(m[1]) * UNITS[m[2]] if m else 0


def wrong(d, begin, end, name, reason, kind, tests):
    t = trigger_of(d, name, reason)
    if not t:
        yield "no trigger %s for %s" % (name, reason)
        return
    if not begin - STEP <= t.unix_ns <= end + SECOND:
        yield "at %d, the cause was from %d to %d" % (t.unix_ns, begin, end)
    if told_ns(t.reason) > end - begin + STEP:
        yield "%s: the cause took %d ns in all" % (t.reason, end - begin)
    if t is d.trigger and (not t.seen or t.suppressed >= t.seen):
        yield "seen %d, suppressed %d" % (t.seen, t.suppressed)
    near = [e for e in d.events(kind) if abs(e.time - t.boot_ns) < NEAR]
    scope = {"t": t, "d": d, "frd": frd, "wait_of": wait_of}
    found = [e for e in near if all(eval(test, dict(scope, e=e)) for test in tests)]
    if not found:
        yield "no such %s at the trigger's time, but:" % kind
        yield from ("  %s" % e for e in near[:10])
    elif found[0].time < d.common_start:
        yield "the cause lies before the common window"


def main(argv):
    dump, begin, end, name, reason, kind = argv[1:7]
    d = frd.Dump(dump)
    faults = list(wrong(d, int(begin), int(end), name, reason, kind, argv[7:]))
    for fault in faults:
        print("wrong: %s" % fault)
    if faults:
        print(d.trigger)
    sys.exit(bool(faults))


main(sys.argv)
