# SPDX-License-Identifier: BSD-2-Clause
"""What a record of a transfer must say, from what a program says that it did, and from the rules of
DESIGN: bytes are captured from the first data after a direction flips, over as many transfers as
it takes, up to a limit per message; a peek takes nothing; what the recorder could not see (a
splice out of a socket, io_uring with hooks at system calls) moves nothing but the kernel's own
counters, and shows as a gap of its exact size.

A Side is one end of a connection as the recorder sees it. side.expect(op) returns what the next
record must be; Expect.compare(record) yields what is not so.
"""
import frd

IO = frd.IO
REQUEST_BYTES, RESPONSE_BYTES = 512, 128  # the defaults
MSG_PEEK, MSG_TRUNC = 0x2, 0x20
NR_NONE = 0xffff
EITHER = object()  # what a field may be, when this is its expected value


class Op:
    """One transfer: dir (send, recv), result, and
    tid (0: any), nr, fd    flags: MSG_* as given
    head     bytes that it began with, as far as known
    shown    how many bytes can be captured at most, for the way the call lays them out
    faulty   its memory is such that the capture may stop early, if it says so
    size_only    a kind of call that is never captured"""

    def __init__(self, direction, result, tid, nr, fd, flags=0, head=b"", shown=None, faulty=False,
                 size_only=False, worker=False):
        self.dir, self.result, self.tid, self.nr, self.fd = direction, result, tid, nr, fd
        self.flags, self.head, self.shown = flags, head, shown
        self.faulty, self.size_only, self.worker = faulty, size_only, worker


class Expect:
    def __init__(self, op, off):
        self.op, self.off = op, off
        self.set, self.clear = 0, 0  # flags
        self.captured, self.msg_off = 0, EITHER

    def flag(self, bit, on):
        if on:
            self.set |= IO[bit]
        else:
            self.clear |= IO[bit]

    def compare(self, e):
        op = self.op
        fields = (("direction", "sock_" + op.dir, e.kind), ("result", op.result, e.result),
                  ("tid", op.tid or EITHER, e.tid), ("nr", op.nr, e.nr), ("fd", op.fd, e.fd),
                  ("offset", self.off, e.off), ("offset in message", self.msg_off, e.msg_off),
                  ("goid", 0, e.goid))
        for name, want, got in fields:
            if want is not EITHER and want != got:
                yield "%s is %s instead of %s" % (name, got, want)
        if e.flags & self.set != self.set:
            yield "flags lack " + frd_flags(self.set & ~e.flags)
        if e.flags & self.clear:
            yield "flags have " + frd_flags(self.clear & e.flags)
        yield from self.compare_bytes(e)

    def compare_bytes(self, e):
        op = self.op
        data, most = bytes(e.data), self.captured
        if e.flags & IO["FAULT"] and not op.faulty:
            yield "marked as a fault"
        if len(data) > most:
            yield "%d bytes captured instead of %d" % (len(data), most)
        elif len(data) < most and not (op.faulty and e.flags & IO["FAULT"]):
            yield "%d bytes captured instead of %d (flags %s)" % (len(data), most,
                                                                  frd_flags(e.flags))
        both = min(len(data), len(op.head))
        if data[:both] != op.head[:both]:
            yield "bytes %r instead of %r" % (data[:both], op.head[:both])


def frd_flags(flags):
    return "|".join(name for name, bit in IO.items() if flags & bit) or "0"


class Side:
    def __init__(self, kind, role, syscalls):
        """kind tcp, unix, udp; role client, server or None (not known to the recorder)."""
        self.kind, self.role, self.syscalls = kind, role, syscalls
        self.counted = kind != "tcp"  # no counters of the kernel to go by
        self.off = {"send": 0, "recv": 0}
        self.gap = {"send": False, "recv": False}
        self.msg_off, self.budget = {}, {"send": 0, "recv": 0}
        self.last = None
        self.ended = False

    def told(self, op):
        """Whether there is a record of it at all: the end of a stream is told once."""
        end = self.kind != "udp" and op.dir == "recv" and op.result == 0
        news = not (end and self.ended)
        self.ended |= end
        return news

    def limit(self, direction):
        if self.role is None:
            return max(REQUEST_BYTES, RESPONSE_BYTES)
        request = (direction == "send") == (self.role == "client")
        return REQUEST_BYTES if request else RESPONSE_BYTES

    def unseen(self, direction, result):
        """A transfer that has no record of its own."""
        if result > 0 and not self.counted:
            self.off[direction] += result
            self.gap[direction] = True

    def expect(self, op):
        x = Expect(op, self.off[op.dir])
        peek = bool(op.flags & MSG_PEEK)
        x.flag("PEEK", peek)
        x.flag("TRUNC", op.flags & MSG_TRUNC)
        x.flag("SIZE_ONLY", op.size_only)
        x.flag("KTHREAD", op.worker)
        x.flag("SYSCALL", self.syscalls)
        x.flag("COUNTED", self.counted)
        x.flag("FIRST_SIGHT", self.counted)
        x.flag("ADDR", self.kind == "udp")
        x.flag("GOID", False)
        x.flag("NOSTATE", False)
        if peek:
            x.off = EITHER if self.gap[op.dir] else x.off  # nothing told it yet of the gap
            x.flag("GAP", False)
        else:
            x.flag("GAP", self.gap[op.dir])
            self.gap[op.dir] = False
        if op.result <= 0 or peek:
            x.flag("MSG_START", False)
            x.flag("MSG_MORE", False)
            return x
        self.off[op.dir] += op.result
        self._message(x, op)
        return x

    def _message(self, x, op):
        d = op.dir
        start = self.last != d or self.kind == "udp"
        if start:
            self.last, self.msg_off[d], self.budget[d] = d, 0, self.limit(d)
        x.flag("MSG_START", start)
        x.flag("MSG_MORE", not start and self.budget[d])
        x.msg_off = self.msg_off[d]
        take = min(op.result, self.budget[d])
        captured = 0 if op.size_only or op.flags & MSG_TRUNC else take
        if op.shown is not None:
            captured = min(captured, op.shown)
        cut = self.budget[d] and take < op.result or captured < take and not (
            op.size_only or op.flags & MSG_TRUNC)
        if not op.faulty:
            x.flag("CUT", cut)
        x.captured = captured
        self.msg_off[d] += op.result
        self.budget[d] -= take
