# SPDX-License-Identifier: BSD-2-Clause
"""Reads dumps (.frd) for tests: a second reader, written from formats/dump/FORMAT.md, the .proto
beside it and formats/abi/*.h, that shares no code with the first. It takes codec none only, and
it is strict: whatever the text does not allow is an error, also where a real reader goes on.

  d = frd.Dump(path)
  d.trigger, d.clocks, d.host, d.config, d.loss     messages, as Msg (fields by name)
  d.threads, d.processes, d.sockets                 lists of Msg
  d.events("sched_switch", ..)                      events of these kinds, by time, as Event
  d.count                                           kind's name -> how many records

As a program: frd.py DUMP [KIND..] says what is in it, or prints the events of these kinds.
"""
import collections
import ctypes
import mmap
import os
import re
import struct
import sys

MAGIC = b"\x89FRD\r\n\x1a\n"
CHUNK_MAGIC = b"FRCH"
INCOMPLETE = 1
CHUNK_RAW_MAX = 256 << 10
STEP_BACK_NS = 1000000
TYPES = {1: "Trigger", 2: "Clocks", 3: "Host", 4: "Config", 5: "Threads", 6: "Processes",
         7: "Sockets", 8: None, 9: "Loss", 10: "Index"}
SEGMENT = struct.Struct("<QIIIIII")
CHUNK = struct.Struct("<4sHBBIIIHHQQIIQQ")
PROTO = os.path.join(os.path.dirname(__file__), "../../formats/dump/flightrec.proto")


class Bad(Exception):
    """The dump breaks a rule of FORMAT.md, or needs what this reader cannot do."""


def need(truth, text, *args):
    if not truth:
        raise Bad(text % args if args else text)


# ---- checksums ---------------------------------------------------------------------------------

_xxh = ctypes.CDLL("libxxhash.so.0").XXH3_64bits
_xxh.restype = ctypes.c_uint64
_xxh.argtypes = [ctypes.c_char_p, ctypes.c_size_t]


def checksum(data):
    data = bytes(data)
    return _xxh(data, len(data))


# ---- protocol buffers --------------------------------------------------------------------------

class Msg(dict):
    __getattr__ = dict.__getitem__


def read_proto(path):
    """{message: {number: (name, type, repeated)}}, from the .proto file itself."""
    text = re.sub(r"//.*|enum \w+ \{.*?\}", "", open(path).read())
    found = {}
    for name, body in re.findall(r"^message (\w+) \{(.*?)\}\s*$", text, re.M | re.S):
        fields = re.findall(r"(repeated )?(\w+) (\w+) = (\d+);", body)
        found[name] = {int(n): (f, t, bool(r)) for r, t, f, n in fields}
    return found


SCHEMA = read_proto(PROTO)


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def parse(data, kind):
    fields = SCHEMA[kind]
    zero = {"string": "", "bytes": b""}
    msg = Msg((f, [] if many else None if t in SCHEMA else zero.get(t, 0))
              for f, t, many in fields.values())
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        wire = tag & 7
        if wire == 0:
            value, at = varint(data, at)
        elif wire == 1:
            value, at = struct.unpack_from("<Q", data, at)[0], at + 8
        elif wire == 2:
            size, at = varint(data, at)
            need(at + size <= len(data), "%s: a field is longer than its message", kind)
            value, at = data[at:at + size], at + size
        else:
            raise Bad("%s: wire type %d" % (kind, wire))
        need(tag >> 3 in fields, "%s: field %d is not in the .proto", kind, tag >> 3)
        name, ftype, many = fields[tag >> 3]
        right = 2 if ftype in SCHEMA or ftype in zero else 1 if ftype == "fixed64" else 0
        need(wire == right, "%s.%s: wire type %d", kind, name, wire)
        if ftype in SCHEMA:
            value = parse(value, ftype)
        elif ftype == "string":
            value = value.decode("utf-8")
        elif ftype.startswith("int"):
            value -= value >> 63 << 64
        if many:
            msg[name].append(value)
        else:
            msg[name] = value
    return msg


# ---- events ------------------------------------------------------------------------------------

class Event:
    """kind (its name), time (boot ns), cpu, id (sub_seq, ordinal), and the fields of the kind."""

    def __repr__(self):
        return " ".join("%s=%s" % (k, v) for k, v in self.__dict__.items())


def text_of(raw):
    return raw.split(b"\0", 1)[0].decode("utf-8", "backslashreplace")


# name: (id, struct without the word, fields); a name with $ is text padded with zeros
KINDS = {
    "sched_switch": (1, "<QI4x", "who run_delay"),
    "sched_waking": (2, "<Q", "who"),
    "proc_fork": (8, "<IIIIQ16s", "parent_tid parent_tgid tid tgid start $comm"),
    "proc_exec": (9, "<IIQ16sHHI", "tid old_tid start $comm path_bytes args_bytes flags"),
    "proc_exit": (10, "<IIQ16sII", "tid tgid start $comm exit_code flags"),
    "proc_free": (11, "<IIQ16sII", "tid tgid start $comm exit_code flags"),
    "proc_rename": (12, "<IIQ16s16s", "tid tgid start $old_comm $new_comm"),
    "proc_signal": (13, "<IIIiQI4x16s", "tid tgid sig code address sender_tgid $comm"),
    "proc_oom": (14, "<IIQ16s", "tid tgid rss_pages $comm"),
    "proc_state": (15, "<IIQ16sIHH", "tid tgid start $comm state on_cpu flags"),
    "sock_open": (24, "<Q40sIIQHHIQQ", "sock addr tgid peer_tgid netns type path_bytes flags "
                  "sent received"),
    "sock_close": (25, "<Q40sIIQHHIQQ", "sock addr tgid peer_tgid netns type path_bytes flags "
                   "sent received"),
    "sock_state": (26, "<QHHBB2x", "sock local_port remote_port old new"),
    "sock_send": (27, "<QQiIiHHQQII", "sock off result tid fd nr captured_bytes g goid flags "
                  "msg_off"),
    "sock_recv": (28, "<QQiIiHHQQII", "sock off result tid fd nr captured_bytes g goid flags "
                  "msg_off"),
    "sock_accept": (29, "<QIi", "sock tid fd"),
    "tcp_retransmit": (40, "<QHHB3x", "sock local_port remote_port state"),
    "tcp_reset": (41, "<QHHBB2x", "sock local_port remote_port direction state"),
    "dns_source": (44, "<QHHHH12sI16s", "sock family local_port remote_port bytes head netns "
                   "remote"),
    "block_issue": (48, "<QIIIB3x", "sector dev bytes tid op"),
    "block_complete": (49, "<QIIQiBB2x", "sector dev bytes latency error op flags"),
    "rec_flush": (60, "<", ""),
    "rec_family": (61, "<BBB5x", "family on why"),
}
DECODE = {number: (name, struct.Struct(form), fields.split())
          for name, (number, form, fields) in KINDS.items()}

# flags of sock_send and sock_recv
IO = {"GOID": 0x1, "MSG_START": 0x2, "CUT": 0x4, "FAULT": 0x8, "ADDR": 0x10, "PEEK": 0x20,
      "TRUNC": 0x40, "SIZE_ONLY": 0x80, "FIRST_SIGHT": 0x100, "COUNTED": 0x200, "SYSCALL": 0x400,
      "KTHREAD": 0x800, "NOSTATE": 0x1000, "GAP": 0x2000, "GO_UNKNOWN": 0x4000, "MSG_MORE": 0x8000}
SOCK = {"ACCEPTED": 0x1, "CONNECTED": 0x2, "EXISTED": 0x4, "LISTENING": 0x8, "MPTCP": 0x10,
        "FAILED": 0x20, "PATH_CUT": 0x40}
Addr = collections.namedtuple("Addr", "family local_port remote_port local remote")


def addr_of(raw):
    family, local_port, remote_port, local, remote = struct.unpack("<HHH2x16s16s", raw)
    bytes_cnt = {1: 8, 2: 4}.get(family, 16)
    return Addr(family, local_port, remote_port, local[:bytes_cnt], remote[:bytes_cnt])


def decode(kind, data, at, size):
    """The record at `at`; its word was read already."""
    name, form, fields = DECODE[kind]
    e = Event()
    e.kind = name
    need(size >= 8 + form.size, "%s of %d bytes", name, size)
    for field, value in zip(fields, form.unpack_from(data, at + 8)):
        if field[0] == "$":
            setattr(e, field[1:], text_of(value))
        else:
            setattr(e, field, value)
    rest = data[at + 8 + form.size:at + size]
    if kind == 1:
        who = e.who
        e.prev, e.next = who & 0x3fffff, who >> 22 & 0x3fffff
        e.state, e.preempt = who >> 44 & 0xffff, who >> 60 & 1
    elif kind == 2:
        who = e.who
        e.wakee, e.waker = who & 0x3fffff, who >> 22 & 0x3fffff
        e.last_cpu, e.context = who >> 44 & 0x1fff, who >> 57 & 3
    elif kind == 9:
        need(e.path_bytes + e.args_bytes <= len(rest), "proc_exec: text of %d + %d bytes in %d",
             e.path_bytes, e.args_bytes, len(rest))
        e.path = rest[:e.path_bytes]
        e.args = rest[e.path_bytes:e.path_bytes + e.args_bytes]
    elif kind in (24, 25):
        need(e.path_bytes <= len(rest), "%s: path of %d bytes", name, e.path_bytes)
        e.addr = addr_of(e.addr)
        e.path = rest[:e.path_bytes]
    elif kind in (27, 28):
        e.addr = None
        if e.flags & IO["ADDR"]:
            e.addr, rest = addr_of(rest[:40]), rest[40:]
        need(e.captured_bytes <= len(rest), "%s: %d bytes captured, room for %d", name,
             e.captured_bytes, len(rest))
        e.data = rest[:e.captured_bytes]
    return e


# ---- the container -----------------------------------------------------------------------------

Segment = collections.namedtuple("Segment", "at bytes base cpu sub_seq first records flags")


class Dump:
    def __init__(self, path):
        self.path = path
        with open(path, "rb") as f:
            self.data = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)
        self.words = None
        self.count = collections.Counter()
        self.segments = []
        self.unknown_kinds = collections.Counter()
        self._meta = collections.defaultdict(bytes)
        self._header()
        self._chunks()
        for kind in TYPES.values():
            if kind:
                setattr(self, kind.lower(), parse(self._meta[kind], kind))
        self.threads, self.processes = self.threads.threads, self.processes.processes
        self.sockets, self.clocks = self.sockets.sockets, self.clocks.pairs
        self._walk_all()
        self._index()

    def _header(self):
        d = self.data
        need(len(d) >= 64 and d[:8] == MAGIC, "%s: not a dump", self.path)
        self.major, self.minor, size, compat, incompat = struct.unpack_from("<HHIII", d, 8)
        self.created_unix_ns, self.salt, _, self.index_off, check = struct.unpack_from("<5Q", d, 24)
        need(check == checksum(d[:56]), "the file header's checksum is wrong")
        need(self.major == 1, "major version %d", self.major)
        need(64 <= size <= 65536 and size % 8 == 0, "header of %d bytes", size)
        need(compat == 0 and incompat & ~INCOMPLETE == 0, "flags %#x %#x", compat, incompat)
        self.incomplete = bool(incompat & INCOMPLETE)
        self.begin = size

    def _chunks(self):
        d, at, number = self.data, self.begin, 0
        self.chunks = []
        while at < len(d):
            need(at + 64 <= len(d), "at %d: half a chunk header", at)
            (magic, kind, codec, transform, raw_bytes, stored, count, cpu, zero, first, last,
             records, segments, sum_stored, sum_header) = CHUNK.unpack_from(d, at)
            need(magic == CHUNK_MAGIC, "at %d: no chunk", at)
            need(sum_header == checksum(d[at:at + 56]) ^ self.salt, "at %d: header checksum", at)
            need(codec == 0 and transform == 0, "at %d: codec %d transform %d: record with "
                 "--codec none", at, codec, transform)
            need(raw_bytes == stored <= CHUNK_RAW_MAX, "at %d: %d raw bytes, %d stored", at,
                 raw_bytes, stored)
            need(count == number and zero == 0, "at %d: chunk %d counts as %d", at, number, count)
            need(kind in TYPES, "at %d: unknown type %d", at, kind)
            body = at + 64
            end = body + (stored + 7 & ~7)
            need(end <= len(d), "at %d: the chunk ends behind the file", at)
            need(sum_stored == checksum(d[body:body + stored]), "at %d: stored checksum", at)
            need(not any(d[body + stored:end]), "at %d: padding is not 0", at)
            if kind == 8:
                self._segments(body, stored, cpu, records, segments)
            else:
                need(cpu == 65535 and not (first or last or records or segments),
                     "at %d: an event's fields in a chunk of type %d", at, kind)
                self._meta[TYPES[kind]] += d[body:body + stored]
            need(kind == 10 or not self._meta["Index"], "at %d: a chunk behind the index", at)
            self.chunks.append((at, kind, cpu, first, last, records, raw_bytes, stored))
            at, number = end, number + 1

    def _segments(self, body, size, cpu, records, segments):
        at, end, found = body, body + size, 0
        while at < end:
            base, seq, first, got, cnt, flags, zero = SEGMENT.unpack_from(self.data, at)
            need(got % 8 == 0 and at + 32 + got <= end, "at %d: segment of %d bytes", at, got)
            need(flags & ~3 == 0 and zero == 0, "at %d: segment flags %#x", at, flags)
            self.segments.append(Segment(at + 32, got, base, cpu, seq, first, cnt, flags))
            at += 32 + got
            records -= cnt
            found += 1
        need(records == 0 and found == segments, "at %d: chunk's counts are wrong", body)

    def _walk_all(self):
        """Counts the records and checks what holds for all of them."""
        d = memoryview(self.data)
        count, sizes = [0] * 256, [0] * 256
        for kind, (_, form, _) in DECODE.items():
            sizes[kind] = form.size // 8 + 1
        last, ident = {}, {}
        for s in self.segments:
            words = d[s.at:s.at + s.bytes].cast("Q")
            i, n, base = 0, 0, s.base & (1 << 46) - 1
            before = last.get(s.cpu, 0)
            while i < len(words):
                w = words[i]
                kind = w >> 46 & 255
                size = w >> 54
                need(size >= sizes[kind] and size, "at %d: record of kind %d with %d units",
                     s.at + i * 8, kind, size)
                step = (w & (1 << 46) - 1) - base & (1 << 46) - 1
                time = s.base + (step if step < 1 << 45 else step - (1 << 46))
                need(time >= before - STEP_BACK_NS, "at %d: cpu %d goes back by %d ns",
                     s.at + i * 8, s.cpu, before - time)
                before = max(before, time)
                count[kind] += 1
                i += size
                n += 1
            need(i == len(words) and n == s.records, "at %d: segment of %d records has %d", s.at,
                 s.records, n)
            last[s.cpu] = before
            where = (s.sub_seq, s.first)
            need(where >= ident.get(s.cpu, (0, 0)), "cpu %d: record %s comes again", s.cpu, where)
            ident[s.cpu] = (s.sub_seq, s.first + s.records)
            words.release()
        d.release()
        for kind, cnt in enumerate(count):
            if cnt and kind in DECODE:
                self.count[DECODE[kind][0]] = cnt
            elif cnt:
                self.unknown_kinds[kind] = cnt

    def _index(self):
        if self.incomplete:
            return
        need(self.index_off in [c[0] for c in self.chunks if c[1] == 10], "index_off is wrong")
        rows = [(c.off, c.type, c.cpu, c.first_boot_ns, c.last_boot_ns, c.records, c.raw_bytes,
                 c.stored_bytes) for c in self.index.chunks]
        need(rows == [c for c in self.chunks if c[1] != 10], "the index tells of other chunks")

    def events(self, *kinds):
        """Events of these kinds (none given: all that are known), by time over all CPUs."""
        wanted = bytearray(256)
        for kind in kinds or KINDS:
            wanted[KINDS[kind][0]] = 1
        d, found = memoryview(self.data), []
        for s in self.segments:
            words = d[s.at:s.at + s.bytes].cast("Q")
            i = n = 0
            while i < len(words):
                w = words[i]
                if wanted[w >> 46 & 255]:
                    e = decode(w >> 46 & 255, self.data, s.at + i * 8, (w >> 54) * 8)
                    step = w - s.base & (1 << 46) - 1
                    e.time = s.base + (step if step < 1 << 45 else step - (1 << 46))
                    e.cpu = s.cpu
                    e.id = (s.sub_seq, s.first + n)
                    found.append(e)
                i += w >> 54
                n += 1
            words.release()
        d.release()
        found.sort(key=lambda e: e.time)  # stable: the order of one CPU stays
        return found

    @property
    def common_start(self):
        return self.loss.common_start_boot_ns


def main(argv):
    d = Dump(argv[1])
    if argv[2:]:
        for e in d.events(*argv[2:]):
            print(e)
        return
    print("trigger", d.trigger)
    print("host", d.host)
    print("window", [(c.cpu, c.oldest_boot_ns, d.loss.end_boot_ns - c.oldest_boot_ns)
                     for c in d.loss.cpus], "common", d.loss.end_boot_ns - d.common_start)
    for c in d.loss.cpus:
        print("cpu", c)
    print("counters", {c.name: c.value for c in d.loss.counters if c.value})
    print("unnamed", d.loss.unnamed_threads, d.loss.unnamed_sockets)
    print("threads", len(d.threads), "processes", len(d.processes), "sockets", len(d.sockets))
    print("chunks", len(d.chunks), "segments", len(d.segments), "bytes", len(d.data))
    for name, cnt in d.count.most_common():
        print("%10d %s" % (cnt, name))
    if d.unknown_kinds:
        print("unknown kinds", dict(d.unknown_kinds))


if __name__ == "__main__":
    main(sys.argv)
