# SPDX-License-Identifier: BSD-2-Clause
"""Who a number of an event was, by the identity tables of a dump alone."""
import bisect

# fields of events that hold a thread's number at the time of the event
THREADS = {
    "sched_switch": ("prev", "next"), "sched_waking": ("wakee", "waker"),
    "proc_fork": ("parent_tid", "tid"), "proc_exec": ("tid",), "proc_exit": ("tid",),
    "proc_rename": ("tid",), "proc_signal": ("tid",), "proc_oom": ("tid",), "proc_state": ("tid",),
    "sock_send": ("tid",), "sock_recv": ("tid",), "sock_accept": ("tid",), "block_issue": ("tid",),
}
SOCKETS = ("sock_open", "sock_close", "sock_state", "sock_send", "sock_recv", "sock_accept",
           "tcp_retransmit", "tcp_reset")


class Life:
    """One thread: tid, tgid, start, end (0: lives), comm at the end, renames [(time, old name)]."""

    def __init__(self, row):
        self.tid, self.start = row.tid, row.start_boot_ns
        self.tgid, self.end, self.comm, self.exit_code = 0, 0, "", 0
        self.renames = []

    def add(self, row):
        """Of several rows about one thread the last has the last word."""
        self.tgid, self.end, self.comm = row.tgid, row.end_boot_ns or self.end, row.comm
        self.exit_code = row.exit_code
        self.renames = sorted(set(self.renames) | {(r.boot_ns, r.old_comm) for r in row.renames})

    def covers(self, time):
        return self.start <= time and (not self.end or time <= self.end)

    def name(self, time):
        for at, old in self.renames:
            if time < at:
                return old
        return self.comm

    def names(self, since):
        """All that it had from then on, each once in a row. Before the common window the renames of
        one CPU may be gone while older ones of another are there."""
        out = []
        for name in [old for at, old in self.renames if at >= since] + [self.comm]:
            if not out or out[-1] != name:
                out.append(name)
        return out


class Threads:
    def __init__(self, d):
        lives = {}
        for row in d.threads:
            key = (row.tid, row.start_boot_ns)
            if key not in lives:
                lives[key] = Life(row)
            lives[key].add(row)
        self.by_tid = {}
        for key in sorted(lives):
            self.by_tid.setdefault(key[0], []).append(lives[key])

    def at(self, tid, time):
        lives = self.by_tid.get(tid, [])
        i = bisect.bisect_right([x.start for x in lives], time) - 1
        return lives[i] if i >= 0 and lives[i].covers(time) else None

    def overlaps(self, events):
        """Two at a time under one number. A life ends when the kernel frees it, which a busy machine
        may do long after its exit gave the number back; and while a thread that is not the leader
        execs, it has the leader's number, but its exec has not been told yet."""
        exits, execs = {}, {}
        for e in events:
            if e.kind in ("proc_exit", "proc_exec"):
                (exits if e.kind == "proc_exit" else execs).setdefault(e.tid, []).append(e.time)
        for tid, lives in self.by_tid.items():
            for a, b in zip(lives, lives[1:]):
                gone = any(a.start <= x <= b.start for x in exits.get(tid, []))
                in_exec = a.end and tid == a.tgid == b.tgid and \
                    any(b.start <= x <= a.end for x in exits.get(tid, [])) and \
                    not any(x >= b.start for x in execs.get(tid, []))
                if (not a.end or a.end > b.start) and not gone and not in_exec:
                    yield "tid %d is %s from %d to %d and %s from %d" % (
                        tid, a.comm, a.start, a.end, b.comm, b.start)


def unnamed_threads(d, threads, events):
    """Every use of a thread's number inside the common window that no row explains."""
    for e in events:
        if e.time < d.common_start:
            continue
        for field in THREADS.get(e.kind, ()):
            tid = getattr(e, field)
            if tid and not threads.at(tid, e.time):
                yield tid, "%s %d has no name (rows: %s): %s" % (
                    field, tid, [(x.comm, x.start, x.end) for x in threads.by_tid.get(tid, [])], e)


def still_connecting(events):
    """Of the sockets: those of which the dump has nothing but that they begin to connect, before they
    have a port of their own. Beyond that lies the dump's end, which may come at any moment."""
    begun, more = set(), set()
    for e in events:
        if e.kind in SOCKETS:
            begins = e.kind == "sock_open" and not e.addr.local_port and e.addr.remote_port or \
                e.kind == "sock_state" and e.new == SYN_SENT
            (begun if begins else more).add(e.sock)
    return begun - more


def unnamed_sockets(d, events):
    rows, connecting = {}, still_connecting(events)
    for s in d.sockets:
        rows.setdefault(s.id, []).append(s)
    for e in events:
        if e.kind not in SOCKETS or e.time < d.common_start or e.sock == 0:
            continue
        if getattr(e, "addr", None) and e.kind in ("sock_send", "sock_recv"):
            continue  # a datagram says both ends itself
        if e.sock in connecting and rows.get(e.sock):
            continue
        if not any(complete(s) for s in rows.get(e.sock, [])):
            yield e.sock, "socket %#x has no addresses (rows: %s): %s" % (
                e.sock, rows.get(e.sock, []), e)


LISTENING = 0x8
SYN_SENT = 2  # of TCP


def complete(s):
    if s.family == 1:
        return any(s.local)
    if s.family not in (2, 10):
        return False
    if s.flags & LISTENING or s.type != 1:
        return s.local_port != 0
    return s.local_port != 0 and s.remote_port != 0
