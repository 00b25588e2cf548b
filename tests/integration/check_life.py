# SPDX-License-Identifier: BSD-2-Clause
"""check_life.py TRUTH NAME LAPS DUMP...: inside the common window every number has its right name:
the threads and connections that truth_life made, and all others that the dump speaks of. LAPS: so
often must the busy CPU's ring have been overwritten."""
import ipaddress
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import frd  # noqa: E402
import identity  # noqa: E402
import truth  # noqa: E402

ARGS_MAX = 256
EXEC_ARGS_CUT = 2
ENOUGH = 100  # tasks and connections, whole, in all windows together
SETTLED_NS = 100000000  # after that long an obituary is there


def single(names):
    return [n for i, n in enumerate(names) if not i or names[i - 1] != n]


def slices(names):
    return {tuple(names[a:b]) for a in range(len(names)) for b in range(a + 1, len(names) + 1)}


class Tasks:
    """The tasks of the truth; a thread that execs takes its leader's place, name and all."""

    def __init__(self, lines):
        self.all = [x for x in lines if x["kind"] == "task"]
        self.by_tid = {}
        for t in self.all:
            self.by_tid.setdefault(t["tid"], []).append(t)
        heirs = {}
        for t in self.all:
            if "became" in t:
                heirs[t["became"], t["n"]] = t
        for t in self.all:
            t["names"] = single(t["names"])
            heir = heirs.get((t["pid"], t["n"]))
            t["old_tid"] = t["pid"]
            if heir and heir is not t:
                t["names"].insert(1, heir["names"][-1])
                t["old_tid"] = heir["tid"]

    def at(self, tid, time):
        return next((t for t in self.by_tid.get(tid, []) if t["begin_ns"] <= time <= t["end_ns"]),
                    None)


def check_task(t, d, threads):
    lives = [x for x in threads.by_tid.get(t["tid"], []) if t["begin_ns"] <= x.start <= t["end_ns"]]
    who = "%s %d, tid %d" % (t["how"], t["n"], t["tid"])
    if len(lives) != 1:
        yield "%s: %d rows" % (who, len(lives))
        return
    life, names = lives[0], t["names"]
    got = life.names(d.common_start)
    ok = tuple(got) in slices(names)
    if life.start >= d.common_start:  # all of its records are there
        ok = ok and got[0] == names[0]
    if life.end:
        ok = ok and got[-1] == names[-1]
    if not ok:
        yield "%s: names %s instead of %s" % (who, got, names)
    if life.tgid != t["pid"]:
        yield "%s: tgid %d instead of %d" % (who, life.tgid, t["pid"])
    if life.end and t["exit"] >= 0 and life.exit_code != t["exit"] << 8:
        yield "%s: exit code %#x instead of %d" % (who, life.exit_code, t["exit"])


def check_use(d, tasks, threads, events):
    """Each event that speaks of one of our tasks speaks of the right one."""
    for e in events:
        if e.time < d.common_start:
            continue
        for field in identity.THREADS.get(e.kind, ()):
            tid = getattr(e, field)
            t = tasks.at(tid, e.time) if tid else None
            life = threads.at(tid, e.time) if t else None
            wrong = life and not t["begin_ns"] <= life.start <= t["end_ns"]
            if wrong and life.start > d.begin_work:
                yield "%s is taken for a thread of %d, but is %s %d: %s" % (
                    field, life.start, t["how"], t["n"], e)
            elif life and life.start > d.begin_work and life.name(e.time) not in t["names"]:
                yield "%s %d is called %s instead of one of %s: %s" % (
                    field, tid, life.name(e.time), t["names"], e)


def of(events, tid, t):
    return [e for e in events.get(tid, []) if t["begin_ns"] <= e.time <= t["end_ns"] + SETTLED_NS]


def index(events, kind):
    out = {}
    for e in events:
        if e.kind == kind:
            out.setdefault(e.tid, []).append(e)
    return out


def check_records(t, forks, execs, exits):
    who = "%s %d, tid %d" % (t["how"], t["n"], t["tid"])
    fork = of(forks, t["tid"], t)
    if not any(e.tgid == t["pid"] for e in fork):
        yield "%s: no fork" % who
    if t["exit"] >= 0 and not any(e.exit_code == t["exit"] << 8 for e in of(exits, t["tid"], t)):
        yield "%s: no exit with code %d" % (who, t["exit"])
    if not t["path"]:
        return
    done = of(execs, t["tid"], t)
    if not done:
        yield "%s: no exec" % who
        return
    e = done[-1]
    args = b"".join(a.encode() + b"\0" for a in t["args"])
    if e.path != t["path"].encode():
        yield "%s: path %r instead of %r" % (who, e.path, t["path"])
    if e.args != args[:ARGS_MAX] or bool(e.flags & EXEC_ARGS_CUT) != (len(args) > ARGS_MAX):
        yield "%s: arguments %r (flags %d) instead of %r" % (who, e.args, e.flags, args[:ARGS_MAX])
    if e.old_tid != t["old_tid"]:
        yield "%s: exec by tid %d instead of %d" % (who, e.old_tid, t["old_tid"])


def check_conn(c, by_addr):
    who = "%s %d, port %d" % (c["how"], c["n"], c["client_port"])
    client, server = (ipaddress.ip_address(c[x]).packed for x in ("client", "server"))
    there = (client, c["client_port"], server, c["server_port"])
    back = there[2:] + there[:2]
    in_time = [s for s in by_addr.get(there, []) if c["begin_ns"] <= s.end_boot_ns]
    first = min(in_time, key=lambda s: s.end_boot_ns, default=None)
    if first is None:
        yield "%s: no socket of the client" % who
        return
    if c["how"] == "refused":
        if not first.flags & frd.SOCK["FAILED"]:
            yield "%s: not marked as failed: %s" % (who, first)
        return
    others = [s for s in by_addr.get(back, []) if c["begin_ns"] <= s.end_boot_ns]
    other = min(others, key=lambda s: s.end_boot_ns, default=None)
    if other is None:
        yield "%s: no socket of the server" % who
        return
    if not first.flags & frd.SOCK["CONNECTED"] or not other.flags & frd.SOCK["ACCEPTED"]:
        yield "%s: flags %#x and %#x" % (who, first.flags, other.flags)
    unread = c["how"] == "unread"
    for name, got, want in (("sent", first.sent_bytes, c["sent"]),
                            ("received", first.received_bytes, c["received"]),
                            ("received by the server", other.received_bytes, c["sent"] - unread),
                            ("sent by the server", other.sent_bytes, c["received"])):
        if got != want:
            yield "%s: %s %d instead of %d" % (who, name, got, want)
    if first.tgid != c["pid"]:
        yield "%s: tgid %d" % (who, first.tgid)


def check_addrs(d, conns, pid):
    """No socket of the connecting process has an address that it never had."""
    known = set()
    for c in conns:
        client, server = (ipaddress.ip_address(c[x]).packed for x in ("client", "server"))
        there = (client, c["client_port"], server, c["server_port"])
        known |= {there, there[2:] + there[:2]}
    for s in d.sockets:
        if s.tgid == pid and s.family in (2, 10) and not s.flags & frd.SOCK["LISTENING"] and (
                s.local, s.local_port, s.remote, s.remote_port) not in known:
            yield "an address that nobody had: %s" % s


def first_of_each(pairs):
    seen = set()
    for key, text in pairs:
        if key not in seen:
            seen.add(key)
            yield text


def check_dump(lines, tasks, conns, name, path):
    """Returns how many tasks and connections lie in the window from begin to end."""
    d = truth.load_dump(path, name)
    d.begin_work = min(x["begin_ns"] for x in lines)
    end = d.loss.end_boot_ns
    threads, events = identity.Threads(d), d.events()
    truth.verdict(name + "lives apart", threads.overlaps(events))
    truth.verdict(name + "no thread unnamed",
                  first_of_each(identity.unnamed_threads(d, threads, events)))
    truth.verdict(name + "no socket unnamed", first_of_each(identity.unnamed_sockets(d, events)))
    shown = [t for t in tasks.all if t["end_ns"] > d.common_start and
             t["end_ns"] + SETTLED_NS < end]
    truth.verdict(name + "names", (w for t in shown for w in check_task(t, d, threads)))
    truth.verdict(name + "right names", check_use(d, tasks, threads, events))
    forks, execs, exits = (index(events, "proc_" + k) for k in ("fork", "exec", "exit"))
    whole = [t for t in shown if t["begin_ns"] >= d.common_start]
    truth.verdict(name + "birth and end", (w for t in whole
                                           for w in check_records(t, forks, execs, exits)))
    by_addr = {}
    for s in d.sockets:
        by_addr.setdefault((s.local, s.local_port, s.remote, s.remote_port), []).append(s)
    seen = [c for c in conns if c["begin_ns"] >= d.common_start and c["end_ns"] + SETTLED_NS < end]
    truth.verdict(name + "connections", (w for c in seen for w in check_conn(c, by_addr)))
    if conns:
        truth.verdict(name + "addresses", check_addrs(d, conns, conns[0]["pid"]))
    laps = {c.cpu: c.emitted / max(c.kept, 1) for c in d.loss.cpus}
    print("# %d of %d tasks and %d of %d connections lie in the window of %.0f ms; laps: %s" % (
        len(whole), len(tasks.all), len(seen), len(conns), (end - d.common_start) / 1e6,
        " ".join("cpu%d %.1f" % x for x in laps.items())))
    return len(whole), len(seen), max(laps.values())


def main():
    lines, name, least = truth.load_truth(sys.argv[1]), sys.argv[2], float(sys.argv[3])
    tasks, conns = Tasks(lines), [x for x in lines if x["kind"] == "conn"]
    done = [check_dump(lines, tasks, conns, "%s %d " % (name, i), path)
            for i, path in enumerate(sys.argv[4:], 1)]
    laps = max(x[2] for x in done)
    truth.verdict(name + " laps", [] if laps >= least else
                  ["the busiest CPU's ring was written %.1f times over" % laps])
    whole, seen = sum(x[0] for x in done), sum(x[1] for x in done)
    truth.verdict(name + " enough", [] if whole >= ENOUGH and seen >= ENOUGH else
                  ["only %d tasks and %d connections to judge by" % (whole, seen)])
    truth.finish()


main()
