# SPDX-License-Identifier: BSD-2-Clause
"""perfetto_check.py NAME ANSWER CHROME TEXT [PROC]: does Perfetto show what the dump says?

ANSWER is what perfetto_query.mjs printed for the trace CHROME and perfetto.sql; TEXT is the same
dump and range as text, from which everything is counted anew here; PROC, if given, has lines
"/proc/PID/task/TID/comm:NAME" of threads that lived all along, as /proc tells them.
"""
import bisect
import collections
import datetime
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import truth  # noqa: E402

LINUX_IDS = 1 << 22
CPUS_PID = LINUX_IDS  # formats/out/chrome_internal.h
CPU_TIDS = 4200000
SEVERE = ("error", "data_loss")
IDLE = 0
EMPTY_DEPTH = 8

INSTANTS = {
    "proc_fork": "fork", "proc_exec": "exec", "proc_exit": "exit", "proc_rename": "rename",
    "proc_signal": "fatal signal", "proc_oom": "OOM victim", "sock_open": "open",
    "sock_close": "close", "sock_state": "state", "sock_send": "send", "sock_recv": "recv",
    "sock_accept": "accept", "tcp_retransmit": "retransmit", "tcp_reset": "reset",
    "rec_family": "family switched",
}
IN_CONTEXT = ("sched_waking", "sock_send", "sock_recv", "sock_accept", "proc_fork", "proc_exit",
              "proc_signal")
LINE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{9})Z \[(\d+)\] (?:-|(.*?)/(\d+)) "
                  r"((?:sched|proc|sock|tcp|dns|block|rec)_\w+|lost)((?: \w+=.*)?)$")
FIELD = re.compile(r' (\w+)=("(?:[^"\\]|\\.)*"|\S*)')
EPOCH = datetime.datetime(1970, 1, 1)


# ---- the dump, as its text tells it ------------------------------------------------------------

class Event:
    def __init__(self, line):
        m = LINE.match(line)
        if not m:
            raise ValueError("a line of text that is none: " + line)
        second, fraction, cpu, self.comm, tid, self.kind, fields = m.groups()
        if self.comm == "swapper":
            tid = IDLE  # the number behind it is the CPU's
        whole = datetime.datetime.fromisoformat(second) - EPOCH
        self.ns = (whole.days * 86400 + whole.seconds) * 10**9 + int(fraction)
        self.cpu = int(cpu)
        self.tid = int(tid) if tid else None  # whose doing it is
        self.fields = dict(FIELD.findall(fields))

    def number(self, name):
        value = self.fields.get(name)
        return None if value is None else int(value, 0)


REQUEST = re.compile(r"\S+ \[---\] .*?/\d+ request side=\w+ protocol=\w+ name=(\"(?:[^\"\\]|\\.)*\"|\S+)"
                     r".* duration_ns=(\d+)")


def load_text(path):
    """Events, and a count of requests by (name, duration)."""
    events, requests = [], collections.Counter()
    with open(path, encoding="utf-8", newline="\n") as f:
        for line in f.read().split("\n"):
            m = REQUEST.match(line)
            if m:
                requests[m[1].strip('"'), int(m[2])] += 1
            elif line and line[0] != "#":
                events.append(Event(line))
    return events, requests


class Run:
    """A thread's stay on a CPU. start or end None: between two records, not known where."""

    def __init__(self, cpu, tid, start):
        self.cpu, self.tid, self.start, self.end = cpu, tid, start, None
        self.at = start  # it ran then
        self.off = None  # letter of the state in which it left; R+ when preempted

    def __repr__(self):
        return f"cpu {self.cpu} tid {self.tid} {self.start}..{self.end}"


class Cpus:
    """Who ran where: from the switches; from what a thread does on a CPU, where a switch is missing
    (recording begins, or it is lost); from execs that change a running thread's tid."""

    def __init__(self, events):
        self.runs = collections.defaultdict(list)  # by CPU
        self.now = {}  # CPU: the open run; None = idle; not there = not known
        self.broken = 0  # switches that don't fit to the one before
        self.blind = []  # something is missing, or begins: what sleeps may have run unseen
        seen = set()
        for e in events:
            if e.cpu not in seen or e.kind == "lost":
                seen.add(e.cpu)
                self.blind.append(e.ns)
            if e.tid and e.kind in IN_CONTEXT and not self.has(e.cpu, e.tid):
                self.broken += e.cpu in self.now
                self.begin(e.cpu, e.tid, None).at = e.ns
            if e.kind == "sched_switch":
                self.switch(e)
            elif e.kind == "proc_exec" and "old_tid" in e.fields:
                self.swap(e)

    def has(self, cpu, tid):
        run = self.now.get(cpu)
        return run is not None and run.tid == tid

    def begin(self, cpu, tid, start):
        self.now[cpu] = Run(cpu, tid, start) if tid != IDLE else None
        if self.now[cpu]:
            self.runs[cpu].append(self.now[cpu])
        return self.now[cpu]

    def switch(self, e):
        prev, next_tid = e.number("prev_tid"), e.number("next_tid")
        was = self.now.get(e.cpu)
        if e.cpu not in self.now or (was.tid if was else IDLE) != prev:
            self.broken += e.cpu in self.now
            was = self.begin(e.cpu, prev, None)
            if was:
                was.at = e.ns
        if was:
            was.end = e.ns
            was.off = "R+" if e.number("preempted") else e.fields["prev_state"]
        self.begin(e.cpu, next_tid, e.ns)

    def swap(self, e):
        was = self.now.get(e.cpu)
        if was and was.tid == e.number("old_tid"):
            was.end = e.ns
            self.begin(e.cpu, e.number("tid"), e.ns)

    def by_thread(self):
        threads = collections.defaultdict(list)
        for runs in self.runs.values():
            for r in runs:
                threads[r.tid].append(r)
        for runs in threads.values():
            runs.sort(key=lambda r: r.at)
        return threads


# ---- what Perfetto made of it ------------------------------------------------------------------

def rows(answer, name):
    table = answer[name]
    row = collections.namedtuple(name, table["columns"], rename=True)
    return [row(*r) for r in table["rows"]]


def real(tid):
    """Another thread with the same tid, later, is shown under tid + k << 22, k >= 2."""
    return tid % LINUX_IDS if tid >= 2 * LINUX_IDS else tid


def near(a, b):
    """Wall time runs at another rate than the boot clock, by 0.1 % at most."""
    return abs(a - b) <= 2 + max(a, b) / 1000


def joined(shown):
    """Slices that were cut in two because much happened in them are one again."""
    whole = []
    for s in shown:
        last = whole[-1] if whole else None
        if last and last[1] == s[1] and last[3] == s[2] and last[0] == s[0] and s[3] > s[2]:
            last[3] = s[3]
        else:
            whole.append(list(s))
    return whole


def compare_runs(runs, shown):
    """One CPU's: each run is there, in order, as long as it was, as far behind the one before."""
    if len(runs) != len(shown):
        yield f"{len(runs)} runs of threads, {len(shown)} are shown"
    last = None
    for r, (_, tid, start, end) in zip(runs, shown):
        if r.tid != tid:
            yield f"{r} is shown as tid {tid} at {start}"
            return
        if None not in (r.start, r.end) and not near(end - start, r.end - r.start):
            yield f"{r}, {r.end - r.start} ns, is shown for {end - start} ns at {start}"
        if last and None not in (last[0].end, r.start) and \
                not near(start - last[1], r.start - last[0].end):
            yield f"{r} is shown {start - last[1]} ns behind the run before"
        last = (r, end)


def by_cpu(shown):
    found = collections.defaultdict(list)
    for s in shown:
        found[s[0]].append(s)
    return {cpu: joined(own) for cpu, own in found.items()}


def who_ran(cpus, shown):
    shown = by_cpu(shown)
    for cpu in sorted(set(cpus.runs) | set(shown)):
        for text in compare_runs(cpus.runs[cpu], shown.get(cpu, [])):
            yield f"cpu {cpu}: {text}"


def cpus_own_tracks(cpus, shown):
    """The same, but a run whose end was lost may be missing: its thread was elsewhere next."""
    shown = by_cpu(shown)
    for cpu in sorted(set(cpus.runs) | set(shown)):
        own = shown.get(cpu, [])
        runs = []
        for r in cpus.runs[cpu]:
            at = len(runs)
            if r.end is not None or r is cpus.runs[cpu][-1] or \
                    (at < len(own) and own[at][1] == r.tid):
                runs.append(r)
        for text in compare_runs(runs, own):
            yield f"cpu {cpu}: {text}"


def imported(stats):
    for s in stats:
        if s.severity in SEVERE and s.value > 0:
            yield f"{s.severity} {s.name}[{s.idx}] = {s.value}: {s.description}"


def nothing_dropped(trace, answer):
    phases = collections.Counter(e["ph"] for e in trace["traceEvents"])
    running = sum(1 for e in trace["traceEvents"] if e["ph"] == "T" and e["name"] == "Running")
    ends = {(e["cat"], e["name"], e["id"]) for e in trace["traceEvents"] if e["ph"] == "f"}
    begins = {(e["cat"], e["name"], e["id"]) for e in trace["traceEvents"] if e["ph"] == "s"}
    for what, told, table in (
            ("slices and instants", phases["X"] + phases["i"] + phases["b"], "slices"),
            ("thread states", phases["T"], "states"),
            ("Running states", running, "sched"),
            ("flows", len(begins & ends), "flows")):
        got = len(answer[table]["rows"])
        if told != got:
            yield f"{what}: {told} in the file, {got} in Perfetto"
    for key in sorted(ends - begins):
        yield f"flow {key} ends and never began"


def sane(slices, states):
    for s in slices:
        if s.dur < 0 or s.ts < 0:
            yield f"{s.name} at {s.ts} lasts {s.dur} ns"
        # empty ones lie in others, or in each other; and what was lost at some time, nobody knows
        # when, lies around what was lost at a certain time
        if s.depth > (EMPTY_DEPTH if s.dur == 0 or s.category == "request" else
                      1 if s.category == "loss" else 0):
            yield f"{s.name} at {s.ts}, tid {s.tid}: depth {s.depth}"
    for s in states:
        if s.dur < 0:
            yield f"state {s.state} of {s.tid} at {s.ts} lasts {s.dur} ns"


def instants(events, slices):
    told = collections.Counter(INSTANTS[e.kind] for e in events if e.kind in INSTANTS)
    shown = collections.Counter(s.name for s in slices if s.dur == 0 and
                                s.category in ("proc", "sock", "tcp", "rec"))
    for name in sorted(set(told) | set(shown)):
        if told[name] != shown[name]:
            yield f"{name}: {told[name]} events, {shown[name]} are shown"


def requests_shown(requests, slices):
    shown = collections.Counter((s.name, s.dur) for s in slices if s.category == "request")
    for key in sorted((requests - shown) + (shown - requests)):
        yield f"{key[0]}, {key[1]} ns: {requests[key]} requests, {shown[key]} are shown"


def disks(events, slices):
    """From each issue to its completion; completions may come in parts, or without an issue."""
    under_way = collections.defaultdict(list)
    told = collections.Counter()
    for e in events:
        if e.kind not in ("block_issue", "block_complete"):
            continue
        op, sector, size = e.fields["op"], e.number("sector"), e.number("bytes")
        if e.kind == "block_issue":
            under_way[e.fields["dev"], sector, op].append(size)
            continue
        waiting = under_way[e.fields["dev"], sector, op]
        left = waiting.pop(0) if waiting else 0
        if size < left and "error" not in e.fields:
            under_way[e.fields["dev"], sector + size // 512, op].append(left - size)
        else:
            told[op] += 1
    for (_, _, op), waiting in under_way.items():
        told[op] += len(waiting)
    shown = collections.Counter(s.name for s in slices if s.category == "block")
    for op in sorted(set(told) | set(shown)):
        if told[op] != shown[op]:
            yield f"{op}: {told[op]} requests, {shown[op]} are shown"


def running_is_sched(slices, sched):
    """On each thread's track the slices that the scheduler's table has, and no others."""
    a = collections.Counter((real(s.tid), s.ts, s.dur, s.cpu) for s in slices if
                            s.name == "Running" and s.category == "sched" and s.pid != CPUS_PID)
    b = collections.Counter((real(s.tid), s.ts, s.dur, s.cpu) for s in sched)
    for key in sorted((a - b) + (b - a)):
        yield f"tid, ts, dur, cpu {key}: {a[key]} slices, {b[key]} rows of sched"


def state_groups(own):
    """(Running, [the states up to the next Running]) of one thread."""
    groups = []
    for s in own:
        if s.state == "Running":
            groups.append((s, []))
        elif groups:
            groups[-1][1].append(s)
    return groups


def thread_states(cpus, states, zero_ns):
    """They don't overlap. From one run to the next they leave no hole, and begin as it left, as
    long as every CPU is seen."""
    blind = [ns - zero_ns for ns in cpus.blind]
    shown = collections.defaultdict(list)
    for s in states:
        shown[s.tid].append(s)
    for tid, own in sorted(shown.items()):
        for a, b in zip(own, own[1:]):
            if a.ts + a.dur > b.ts:
                yield f"tid {tid}: {a.state} {a.ts} + {a.dur} reaches into {b.state} at {b.ts}"
    for tid, runs in sorted(cpus.by_thread().items()):
        groups = state_groups(shown.get(tid, []))
        if len(groups) != len(runs):
            continue  # cut slices, other incarnations of the tid
        for (a, between), (b, _), run, then in zip(groups, groups[1:], runs, runs[1:]):
            # the leader is dead when another thread's exec goes on under its number
            if run.end is None or run.off in (None, "X", "Z") or then.start is None:
                continue
            if between and between[0].state not in (run.off, "R"):
                yield f"tid {tid} left as {run.off}, {between[0].state} is shown at {between[0].ts}"
            at = a.ts + a.dur
            for s in between + [b]:
                if s.ts != at and not any(abs(at - ns) <= 2 + ns / 10000 for ns in blind):
                    yield f"tid {tid}: a hole from {at} to {s.ts}"
                at = s.ts + s.dur


class Wakings:
    """The first one of each sleep, done by a thread inside of its run, ends where it then runs."""

    def __init__(self, events, cpus):
        self.threads = cpus.by_thread()
        self.times = {tid: [r.at for r in runs] for tid, runs in self.threads.items()}
        self.blind = sorted(cpus.blind)
        self.told = collections.Counter()  # by (waker's tid, wakee's run)
        self.unsure = set()  # there may be an arrow: a run lies around whose ends are not known
        self.woken = {}  # wakee: the run for which it was woken last, and when
        for e in events:
            if e.kind == "sched_waking":
                waker = e.number("waker_tid") if e.fields["context"] == "task" else None
                self.waking(e, waker, e.number("wakee_tid"), False)
            elif e.kind == "proc_fork":
                self.waking(e, e.number("parent_tid"), e.number("child_tid"), True)

    def last_run(self, tid, ns):
        """Index of the last run that began before; -1 when there is none."""
        return bisect.bisect_left(self.times.get(tid, []), ns) - 1

    def blinded(self, from_ns, to_ns):
        at = bisect.bisect_left(self.blind, from_ns)
        return at < len(self.blind) and self.blind[at] <= to_ns

    def waking(self, e, waker, wakee, born):
        runs = self.threads.get(wakee, [])
        i = self.last_run(wakee, e.ns)
        before = runs[i] if i >= 0 else None
        then = runs[i + 1] if i + 1 < len(runs) else None
        if not then or not waker:
            self.woken[wakee] = (i + 1, e.ns)
            return
        key = (waker, then)
        at = self.last_run(waker, e.ns)
        by, by_next = ((self.threads.get(waker, []) + [None])[i] if i >= 0 else None
                       for i in (at, at + 1))
        if None in (then.start, by and by.start, by and by.end, before.end if before else 0) or \
                (by_next and by_next.start is None) or \
                self.blinded(before.end if before else e.ns, then.start):
            self.unsure.add(key)
        if before and before.end and (before.end >= e.ns or before.off in ("R", "R+", "X", "Z")) \
                and not born:
            return  # it runs, or is runnable anyway, or never runs again
        run, when = self.woken.get(wakee, (None, 0))
        if run == i + 1 and not born and not self.blinded(when, e.ns):
            return
        self.woken[wakee] = (i + 1, e.ns)
        if by and by.cpu == e.cpu and by.end and e.ns < by.end:
            self.told[key] += 1


def flows(events, cpus, slices, sched, answer):
    by_id = {s.id: s for s in slices}
    wakings = Wakings(events, cpus)
    run_at = {}  # (tid, when it begins in Perfetto): the run
    for cpu, own in by_cpu(sched).items():
        run_at.update(((s[1], s[2]), r) for s, r in zip(own, cpus.runs[cpu]) if s[1] == r.tid)
    shown = collections.Counter()
    for f in rows(answer, "flows"):
        a, b = by_id.get(f.slice_out), by_id.get(f.slice_in)
        if not a or not b:
            yield f"flow {f} has no slice at one end"
        elif f.name == "request":
            pass  # from a slice to a slice is all that it must be
        elif (real(b.tid), b.ts) not in run_at:  # b may be an instant right at the beginning
            yield f"a flow ends in {b.name} of tid {b.tid} at {b.ts}"
        else:
            shown[real(a.tid), run_at[real(b.tid), b.ts]] += 1
    for key in (wakings.told - shown) + (shown - wakings.told):
        if key not in wakings.unsure:
            yield "tid %d wakes %s" % key + \
                f": {wakings.told[key]} times, {shown[key]} arrows"


def told_by_proc(name, comm):
    """The kernel keeps 15 bytes; /proc has more of its own threads' names, and what a kworker does.
    A process' name may be the longer one of its executable."""
    name = name or "?"
    return name == comm or name[:15] == comm[:15] or \
        (comm.startswith("kworker/") and comm.startswith(name))


def names(events, threads, proc):
    """As the last record about a thread says, and as /proc says of those that lived all along."""
    last, group = {}, {}
    for e in events:
        if e.comm is not None and e.tid:
            last[e.tid] = e.comm
        if e.kind == "proc_rename":
            last[e.number("tid")] = e.fields["new_comm"].strip('"')
        if e.kind in ("proc_state", "proc_exit", "proc_rename"):
            group[e.number("tid")] = e.number("tgid")
        if e.kind == "proc_fork":
            group[e.number("child_tid")] = e.number("child_tgid")
    again = {real(t.tid) for t in threads if t.tid >= 2 * LINUX_IDS}
    seen = set()
    for t in threads:
        if t.used and not (t.name and t.process):
            yield f"tid {t.tid} of process {t.pid} has no name: {t.name!r}, {t.process!r}"
        if t.tid >= LINUX_IDS or t.tid == 0 or t.tid in again:
            continue
        seen.add(t.tid)
        told = last.get(t.tid)
        if told == "?" and (t.name or "").endswith("(unnamed)"):
            continue  # before the common window there may be such
        if told is not None and t.name != told and "\\" not in told:
            yield f"tid {t.tid} is {told!r} in the records, {t.name!r} is shown"
        if t.tid in group and t.pid != group[t.tid]:
            yield f"tid {t.tid} belongs to {group[t.tid]}, {t.pid} is shown"
        if t.tid in proc:
            pid, comm = proc[t.tid]
            if t.used and not told_by_proc(t.name, comm):
                yield f"tid {t.tid} is {comm!r} in /proc, {t.name!r} is shown"
            if t.tid == pid and not told_by_proc(t.process, comm):
                yield f"process {pid} is {comm!r} in /proc, {t.process!r} is shown"
            if pid != t.pid:
                yield f"tid {t.tid} belongs to {pid} in /proc, {t.pid} is shown"
    for tid in sorted(set(last) - seen - again):
        yield f"tid {tid} ({last[tid]}) is in the records, and not shown"


def hidden(pid):
    """Some hypervisors keep their agent from everybody, the kernel's own iterators included."""
    try:
        os.readlink(f"/proc/{pid}/exe")
    except PermissionError:
        return True
    except OSError:
        pass  # one of the kernel's own, or gone
    return False


def load_proc(path):
    found = {}
    with open(path, encoding="utf-8", errors="replace") as f:
        for line in f:
            m = re.match(r"/proc/(\d+)/task/(\d+)/comm:(.*)$", line)
            if m:
                found[int(m[2])] = (int(m[1]), m[3])
    agents = {pid for pid in {pid for pid, _ in found.values()} if hidden(pid)}
    return {tid: told for tid, told in found.items() if told[0] not in agents}


def main():
    name, answer_path, chrome_path, text_path = sys.argv[1:5]
    proc = load_proc(sys.argv[5]) if len(sys.argv) > 5 else {}
    with open(answer_path) as f:
        answer = json.load(f)
    with open(chrome_path) as f:
        trace = json.load(f)
    events, requests = load_text(text_path)
    cpus = Cpus(events)
    slices, sched, states = (rows(answer, t) for t in ("slices", "sched", "states"))
    ran = sum(map(len, cpus.runs.values()))
    on_cpu = [(s.cpu, real(s.tid), s.ts, s.ts + s.dur) for s in sched]
    # one that is empty, because its end is not known, lies at the beginning of the next one
    cpu_tracks = sorted(((s.tid - CPU_TIDS, s.arg_tid, s.ts, s.ts + s.dur) for s in slices
                         if s.pid == CPUS_PID), key=lambda s: s[2:])

    def verdict(what, wrong):
        truth.verdict(f"{name}: {what}", wrong)

    print(f"# {name}: {len(events)} events, {ran} runs, {cpus.broken} switches that don't fit, "
          f"{len(slices)} slices, {len(states)} states, {len(rows(answer, 'flows'))} flows")
    verdict("there is something to judge", [] if ran and slices else ["nothing in the dump"])
    verdict("Perfetto imports it without an error", imported(rows(answer, "stats")))
    verdict("nothing is dropped", nothing_dropped(trace, answer))
    verdict("no negative times, no deep nesting", sane(slices, states))
    verdict("who ran on each CPU, and how long", who_ran(cpus, on_cpu))
    verdict("the tracks of the CPUs say the same", cpus_own_tracks(cpus, cpu_tracks))
    verdict("the tracks of the threads say the same", running_is_sched(slices, sched))
    zero_ns = int(trace["metadata"]["zero_unix_nano"])
    verdict("thread states", thread_states(cpus, states, zero_ns))
    verdict("who woke whom", flows(events, cpus, slices, on_cpu, answer))
    verdict("instants of each kind", instants(events, slices))
    verdict("disk requests", disks(events, slices))
    verdict("requests, and how long", requests_shown(requests, slices))
    verdict("names of threads and processes", names(events, rows(answer, "threads"), proc))
    truth.finish()


if __name__ == "__main__":
    main()
