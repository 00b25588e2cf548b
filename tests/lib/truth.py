# SPDX-License-Identifier: BSD-2-Clause
"""What the checkers in tests/integration/check_*.py share: verdicts, and what holds of any dump."""
import json
import sys

import frd

SHOWN = 12
failed = 0


def verdict(name, wrong):
    """wrong: texts, one for each thing that is not as the truth says."""
    global failed
    wrong = list(wrong)
    if not wrong:
        print("ok " + name, flush=True)
        return True
    failed += 1
    print("not ok " + name)
    for text in wrong[:SHOWN]:
        print("# " + text)
    if len(wrong) > SHOWN:
        print("# and %d more" % (len(wrong) - SHOWN))
    sys.stdout.flush()
    return False


def finish():
    sys.exit(1 if failed else 0)


def load_truth(path):
    with open(path) as f:
        return [json.loads(line) for line in f if line.strip()]


def load_dump(path, prefix, begin_ns=None, end_ns=None):
    """The dump, with verdicts on what holds of any: sound, loss adds up, everybody has a name. With
    a time range: its common window holds it."""
    try:
        d = frd.Dump(path)
    except frd.Bad as why:
        verdict(prefix + "dump", ["%s: %s" % (path, why)])
        finish()
    verdict(prefix + "dump", sound(d, begin_ns, end_ns))
    return d


def sound(d, begin_ns, end_ns):
    if d.incomplete:
        yield "it is incomplete"
    kept = {}
    for s in d.segments:
        kept[s.cpu] = kept.get(s.cpu, 0) + s.records
    for c in d.loss.cpus:
        if kept.pop(c.cpu, 0) != c.kept:
            yield "cpu %d: %d kept, but the file has another number" % (c.cpu, c.kept)
        told = (c.kept + c.overwritten + c.overtaken + c.unfinished + c.dropped_retry +
                c.dropped_busy + c.dropped_nocpu)
        if c.emitted != told:
            yield "cpu %d: emitted %d, accounted for %d" % (c.cpu, c.emitted, told)
        for cause in ("overtaken", "unfinished", "dropped_retry", "dropped_busy", "dropped_nocpu",
                      "recursion_misses"):
            if c[cause]:
                yield "cpu %d: %s %d" % (c.cpu, cause, c[cause])
    for cpu in kept:
        yield "cpu %d has records and no account of its loss" % cpu
    if d.unknown_kinds:
        yield "unknown kinds %s" % dict(d.unknown_kinds)
    if d.loss.unnamed_threads or d.loss.unnamed_sockets:
        yield "unnamed: %d threads, %d sockets" % (d.loss.unnamed_threads, d.loss.unnamed_sockets)
    if begin_ns is not None and not d.common_start <= begin_ns < end_ns <= d.loss.end_boot_ns:
        yield "the common window %d..%d does not hold the work %d..%d" % (
            d.common_start, d.loss.end_boot_ns, begin_ns, end_ns)


def io_flags(flags):
    return "|".join(name for name, bit in frd.IO.items() if flags & bit) or "0"
