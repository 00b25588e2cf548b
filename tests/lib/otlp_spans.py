# SPDX-License-Identifier: BSD-2-Clause
"""OTLP as JSON lines (or one object), read into plain spans: attributes as a dict, times as numbers.
What the format forbids is an error here: wrong ids, enum names, numbers as they must not be."""
import json
import re

SERVER, CLIENT = 2, 3
HEX_TRACE = re.compile(r"[0-9a-f]{32}\Z")
HEX_SPAN = re.compile(r"[0-9a-f]{16}\Z")


class BadOtlp(Exception):
    pass


def value_of(v):
    """An AnyValue as Python has it."""
    if len(v) != 1:
        raise BadOtlp("a value of %d kinds: %r" % (len(v), v))
    (kind, x), = v.items()
    if kind == "intValue":
        if not isinstance(x, str):
            raise BadOtlp("intValue is no string: %r" % (x,))
        return int(x)
    if kind == "arrayValue":
        return [value_of(each) for each in x.get("values", [])]
    if kind == "kvlistValue":
        return attributes_of(x.get("values", []))
    if kind not in ("stringValue", "boolValue", "doubleValue", "bytesValue"):
        raise BadOtlp("unknown kind of value %s" % kind)
    return x


def attributes_of(pairs):
    out = {}
    for pair in pairs:
        if not pair["key"] or pair["key"] in out:
            raise BadOtlp("key %r is empty or comes twice" % pair["key"])
        out[pair["key"]] = value_of(pair["value"])
    return out


class Span:
    def __init__(self, resource, scope, s):
        self.resource, self.scope, self.raw = resource, scope, s
        self.trace, self.id, self.parent = s["traceId"], s["spanId"], s.get("parentSpanId", "")
        self.name, self.kind = s["name"], s["kind"]
        self.start, self.end = int(s["startTimeUnixNano"]), int(s["endTimeUnixNano"])
        self.attributes = attributes_of(s.get("attributes", []))
        self.status = s.get("status", {}).get("code", 0)
        for name, pattern, text in (("traceId", HEX_TRACE, self.trace), ("spanId", HEX_SPAN, self.id),
                                    ("parentSpanId", HEX_SPAN, self.parent or "1" * 16)):
            if not pattern.match(text) or not text.strip("0"):
                raise BadOtlp("%s is %r" % (name, text))
        if not self.name or not isinstance(self.kind, int) or self.kind not in range(1, 6):
            raise BadOtlp("name %r, kind %r" % (self.name, self.kind))
        if not isinstance(s["startTimeUnixNano"], str) or self.end < self.start:
            raise BadOtlp("times %r to %r" % (s["startTimeUnixNano"], s["endTimeUnixNano"]))

    def get(self, key, default=None):
        return self.attributes.get(key, default)

    @property
    def pid(self):
        return self.resource.get("process.pid")

    @property
    def path(self):
        """Of an HTTP request; of a client by its full URL."""
        if "url.path" in self.attributes:
            return self.attributes["url.path"]
        full = self.attributes.get("url.full")
        match = re.match(r"https?://[^/?#]*([^?#]*)", full) if full else None
        return match.group(1) if match else None

    def __str__(self):
        return "%s %s %s %s" % (self.name, "kind %d" % self.kind, self.id,
                                {k: v for k, v in self.attributes.items() if not k.startswith("flightrec.time")})


def each_object(path):
    """Objects of a file: one a line."""
    with open(path, encoding="utf-8") as f:
        for line in f:
            if line.strip():
                yield json.loads(line)


def read(path):
    """(spans, logs): logs as (resource, record)."""
    spans, logs = [], []
    for top in each_object(path):
        for rs in top.get("resourceSpans", []):
            resource = attributes_of(rs.get("resource", {}).get("attributes", []))
            for ss in rs.get("scopeSpans", []):
                spans += [Span(resource, ss.get("scope", {}), s) for s in ss.get("spans", [])]
        for rl in top.get("resourceLogs", []):
            resource = attributes_of(rl.get("resource", {}).get("attributes", []))
            for sl in rl.get("scopeLogs", []):
                logs += [(resource, r) for r in sl.get("logRecords", [])]
    return spans, logs
