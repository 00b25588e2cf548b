# SPDX-License-Identifier: BSD-2-Clause
"""otlp_same.py NAME A B: whether two files say the same in OTLP. Each is JSON lines, or, called *.txt,
what `protoc --decode` shows of protobuf; fields that the schema does not know are an error there. What
is compared is each span and log record with its resource and scope, field by field, in any order."""
import collections
import json
import re
import sys

import otlp_spans
import truth

REPEATED = {"resource_spans", "scope_spans", "spans", "attributes", "events", "links", "values",
            "resource_logs", "scope_logs", "log_records"}
IDS = {"trace_id", "span_id", "parent_span_id"}
ENUMS = {
    "SPAN_KIND": "UNSPECIFIED INTERNAL SERVER CLIENT PRODUCER CONSUMER".split(),
    "STATUS_CODE": "UNSET OK ERROR".split(),
    "SEVERITY_NUMBER": ["UNSPECIFIED"] + [level + n for level in "TRACE DEBUG INFO WARN ERROR FATAL".split()
                                          for n in ("", "2", "3", "4")],
}
TOKEN = re.compile(r'\s*(?:(\w+)\s*(\{)|(\w+):\s*("(?:[^"\\]|\\.)*"|[^\s{}]+)|(\}))')
ESCAPE = re.compile(rb"\\([0-7]{1,3}|x[0-9a-fA-F]{1,2}|.)", re.S)
PLAIN = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}


class Bad(Exception):
    pass


def unescape(text):
    def one(match):
        code = match.group(1)
        if code[:1].isdigit():
            return bytes([int(code, 8)])
        if code[:1] == b"x" and len(code) > 1:
            return bytes([int(code[1:], 16)])
        return PLAIN.get(code, code)
    return ESCAPE.sub(one, text[1:-1].encode())


def scalar(name, text):
    if text.startswith('"'):
        raw = unescape(text)
        return raw.hex() if name in IDS else raw.decode()
    for prefix, names in ENUMS.items():
        if text.startswith(prefix + "_"):
            return names.index(text[len(prefix) + 1:])
    if text in ("true", "false"):
        return text == "true"
    return float(text) if re.search(r"[.e]|inf|nan", text) and not text.startswith("0x") else int(text, 0)


def put(into, name, value):
    if name.isdigit():
        raise Bad("field %s is not in the schema" % name)
    if name in REPEATED:
        into.setdefault(name, []).append(value)
    elif name in into:
        raise Bad("%s comes twice" % name)
    else:
        into[name] = value


def from_text(path):
    with open(path, encoding="utf-8") as f:
        text = f.read().rstrip()
    top, stack, at = {}, [], 0
    now = top
    while at < len(text):
        match = TOKEN.match(text, at)
        if not match:
            raise Bad("not understood: %.60r" % text[at:])
        at = match.end()
        opened, _, name, value, closed = match.groups()
        if opened:
            inner = {}
            put(now, opened, inner)
            stack.append(now)
            now = inner
        elif closed:
            now = stack.pop()
        else:
            put(now, name, scalar(name, value))
    return [top]


def snake(name):
    return re.sub(r"[A-Z]", lambda m: "_" + m.group(0).lower(), name)


def from_json(value, name=""):
    if isinstance(value, dict):
        return {snake(k): from_json(v, snake(k)) for k, v in value.items()}
    if isinstance(value, list):
        return [from_json(v, name) for v in value]
    if isinstance(value, str) and (name.endswith("_nano") or name == "int_value"):
        return int(value)
    return value


def tidy(value, any_value=False):
    """Without what is as if it were not there."""
    if isinstance(value, list):
        return [tidy(v, any_value) for v in value]
    if not isinstance(value, dict):
        return value
    out = {}
    for k, v in value.items():
        v = tidy(v, k in ("value", "values", "body"))
        if k == "attributes":
            v = sorted(v, key=lambda pair: pair["key"])
        if any_value or v not in ({}, [], "", 0, None):
            out[k] = v
    return out


def items(tops):
    out = collections.Counter()
    for top in tops:
        for signal, scopes, leaves in (("resource_spans", "scope_spans", "spans"),
                                       ("resource_logs", "scope_logs", "log_records")):
            for r in top.get(signal, ()):
                for s in r.get(scopes, ()):
                    for leaf in s.get(leaves, ()):
                        out[json.dumps(tidy({
                            "what": leaves, "resource": r.get("resource"), "schema": r.get("schema_url"),
                            "scope": s.get("scope"), "scope_schema": s.get("schema_url"), "it": leaf}),
                            sort_keys=True)] += 1
    return out


def load(path):
    if path.endswith(".txt"):
        return items(from_text(path))
    return items(from_json(top) for top in otlp_spans.each_object(path))


def main(name, a, b):
    try:
        left, right = load(a), load(b)
    except (Bad, ValueError, KeyError) as why:
        truth.verdict(name, ["%s or %s: %s" % (a, b, why)])
        truth.finish()
    print("# %s: %d and %d items" % (name, sum(left.values()), sum(right.values())))
    wrong = ["only in %s: %s" % (a, text) for text in (left - right).elements()]
    wrong += ["only in %s: %s" % (b, text) for text in (right - left).elements()]
    truth.verdict(name, wrong if left else ["there is nothing in it"])
    truth.finish()


main(*sys.argv[1:])
