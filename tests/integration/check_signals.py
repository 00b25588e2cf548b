# SPDX-License-Identifier: BSD-2-Clause
"""check_signals.py TRUTH DUMP: how each child ended, and of which signal in which thread."""
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import truth  # noqa: E402

FAULTS_BY_NULL = ("segv", "segv_thread")
# "term" is sent by the parent, too: but a signal that ends a process without a core reaches it as
# SIGKILL, and the kernel tells no sender then
SENT_BY_PARENT = ("segv_sent",)
SI_USER = 0


def of(events, c):
    return [e for e in events if e.tgid == c["pid"] and c["begin_ns"] <= e.time <= c["end_ns"]]


def check_exit(c, exits):
    leader = [e for e in exits if e.tid == c["pid"]]
    if len(leader) != 1:
        yield "%d exits of the leader" % len(leader)
        return
    if leader[0].exit_code != c["status"]:
        yield "exit code %#x instead of %#x" % (leader[0].exit_code, c["status"])
    last = [e for e in exits if e.flags & 1]
    if len(last) != 1:
        yield "%d exits say that they are the process's last" % len(last)


def check_signal(c, signals, parent):
    if not c["signal"]:
        if signals:
            yield "no signal ended it, but: %s" % signals[0]
        return
    if len(signals) != 1:
        yield "%d signals: %s" % (len(signals), signals)
        return
    e = signals[0]
    for name, want, got in (("signal", c["signal"], e.sig), ("tid", c["tid"], e.tid),
                            ("name", c["comm"], e.comm)):
        if want != got:
            yield "%s is %s instead of %s" % (name, got, want)
    if c["how"] in FAULTS_BY_NULL and (e.address != 0 or e.code <= 0):
        yield "not a fault at 0: %s" % e
    if c["how"] == "bus" and (e.address == 0 or e.code <= 0):
        yield "not a fault: %s" % e
    if c["how"] in SENT_BY_PARENT and (e.sender_tgid, e.code) != (parent, SI_USER):
        yield "not sent by %d: %s" % (parent, e)


def check_end(c, frees):
    if not any(e.tid == c["pid"] for e in frees):
        yield "the leader has no obituary"


def main():
    t = truth.load_truth(sys.argv[1])[0]
    children = t["children"]
    d = truth.load_dump(sys.argv[2], "signals ", children[0]["begin_ns"], children[-1]["end_ns"])
    exits, frees = d.events("proc_exit"), d.events("proc_free")
    signals = d.events("proc_signal")
    rows = {r.tid: r for r in d.threads if r.end_boot_ns}
    for c in children:
        name = "%s %s" % (c["how"], signal.Signals(c["signal"]).name if c["signal"] else c["code"])
        late = dict(c, end_ns=c["end_ns"] + 10 ** 9)  # the free comes after the wait
        row = rows.get(c["pid"])
        wrong = list(check_exit(c, of(exits, c))) + list(check_signal(c, of(signals, c), t["pid"]))
        wrong += check_end(c, of(frees, late))
        if row is None or row.exit_code != c["status"]:
            wrong.append("its row: %s" % row)
        truth.verdict(name, wrong)
    truth.finish()


main()
