# SPDX-License-Identifier: BSD-2-Clause
"""check_late.py TRUTH NAME DUMP: the thread that truth_late made ends slowly, and has its name.
check_late.py --shows TRUTH DUMP: is the dump about that? Inside its common window the thread is
switched, and the records that would name it otherwise are gone or not there yet."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import frd  # noqa: E402
import identity  # noqa: E402
import truth  # noqa: E402

NAMES = ("proc_fork", "proc_exec", "proc_exit", "proc_free", "proc_rename")
ENDED = 2


def switches(d, t):
    return [e for e in d.events("sched_switch")
            if t["tid"] in (e.prev, e.next) and e.time >= max(d.common_start, t["gone_ns"])]


def shows(d, t):
    others = [e for e in d.events("proc_state", *NAMES)
              if e.tid == t["tid"] and not (e.kind == "proc_state" and e.flags & ENDED)]
    return switches(d, t) and not others


def check_row(d, t, threads):
    for e in switches(d, t):
        life = threads.at(t["tid"], e.time)
        if not life:
            yield "no row for %s" % e
        elif (life.name(e.time), life.tgid) != (t["comm"], t["pid"]):
            yield "%s of %d instead of %s of %d: %s" % (
                life.name(e.time), life.tgid, t["comm"], t["pid"], e)


def main():
    if sys.argv[1] == "--shows":
        sys.exit(0 if shows(frd.Dump(sys.argv[3]), truth.load_truth(sys.argv[2])[0]) else 1)
    t, name = truth.load_truth(sys.argv[1])[0], sys.argv[2] + " "
    d = truth.load_dump(sys.argv[3], name)
    threads = identity.Threads(d)
    truth.verdict(name + "shown", [] if shows(d, t) else ["no switch of tid %d" % t["tid"]])
    truth.verdict(name + "row", check_row(d, t, threads))
    truth.verdict(name + "no thread unnamed", (text for _, text in identity.unnamed_threads(
        d, threads, d.events())))
    truth.finish()


main()
