# SPDX-License-Identifier: BSD-2-Clause
"""tshark_eyes.py SPANS TEXT FLIGHTREC HTTP_PORT PG_PORT REDIS_PORT: what tshark saw on the wire
(standard input: its fields, see FIELDS) against the spans and the text of the same time. Each exchange
is taken as often as it was there, on both sides of its connection. `tshark_eyes.py --fields` names the
fields, one a line."""
import collections
import json
import re
import subprocess
import sys

import otlp_spans
import truth
from otlp_spans import CLIENT, SERVER

FIELDS = ("tcp.stream tcp.srcport tcp.dstport http.request.method http.request.uri http.response.code "
          "pgsql.type pgsql.query pgsql.tag pgsql.code resp.array.length resp.bulk_string.value "
          "resp.error resp.string").split()
BETWEEN = "\x1f"  # values of one field in one frame
TEXT_TAG = r'protocol=postgresql .* tag="?([A-Z]+).* (?:local|remote)=[^ ]*:%d(?: |$)'


class Wire:
    """What tshark says, in order of each stream."""

    def __init__(self, lines):
        self.frames = []
        for line in lines:
            values = line.rstrip("\n").split("\t")
            values += [""] * (len(FIELDS) - len(values))
            frame = {name: value.split(BETWEEN) if value else [] for name, value in zip(FIELDS, values)}
            frame.update(src=int(frame["tcp.srcport"][0]), dst=int(frame["tcp.dstport"][0]))
            self.frames.append(frame)

    def http(self, port):
        """(client's port, method, path, status), n-th answer to n-th request."""
        asked, answered = collections.defaultdict(list), collections.defaultdict(list)
        for f in self.frames:
            if f["dst"] == port:
                asked[f["src"]] += zip(f["http.request.method"], f["http.request.uri"])
            elif f["src"] == port:
                answered[f["dst"]] += [int(c) for c in f["http.response.code"] if c[0] != "1"]
        for client, requests in asked.items():
            for (method, uri), status in zip(requests, answered[client]):
                yield client, method, uri.partition("?")[0], status

    def sql(self, port):
        """(texts, tags, codes): of the queries and what came of them."""
        texts, tags, codes = [], collections.Counter(), collections.Counter()
        for f in self.frames:
            if f["dst"] == port:
                texts += f["pgsql.query"]
            elif f["src"] == port:
                tags.update(t.split()[0] for t in f["pgsql.tag"] if t)
                codes.update(c for c in f["pgsql.code"] if c[:2] not in ("00", "01"))
        return texts, tags, codes

    def executed(self, port):
        """How many simple queries and Executes were sent."""
        kinds = collections.Counter(k for f in self.frames if f["dst"] == port for k in f["pgsql.type"])
        return kinds["Simple query"] + kinds["Execute"]

    def redis(self, port):
        commands, errors = collections.Counter(), collections.Counter()
        for f in self.frames:
            if f["dst"] == port:
                words = [bytes.fromhex(w.replace(":", "")).decode() for w in f["resp.bulk_string.value"]]
                for length in f["resp.array.length"]:
                    commands[words[0].upper()] += 1
                    del words[:int(length)]
            elif f["src"] == port:
                errors.update(e.lstrip("-").split()[0] for e in f["resp.error"])
        return commands, errors


def differ(what, got, want):
    """got: ours; want: tshark's."""
    got, want = collections.Counter(got), collections.Counter(want)
    print("# %s: %d by tshark, %d by us" % (what, sum(want.values()), sum(got.values())))
    truth.verdict(what, ["%s: tshark %d times, we %d times" % (k, want[k], got[k])
                         for k in sorted(set(got) | set(want), key=str) if got[k] != want[k]] +
                  ([] if want else ["tshark saw none"]))


def normalized(program, texts):
    asked = "".join(json.dumps({"system": "postgresql", "query": t}) + "\n" for t in texts)
    done = subprocess.run([program, "sql-normalize"], input=asked.encode(), stdout=subprocess.PIPE, timeout=60)
    return [json.loads(line)["text"] for line in done.stdout.decode().splitlines()]


def of_port(spans, port, system, kind):
    return [s for s in spans if s.kind == kind and s.get("db.system.name") == system and
            s.get("server.port") == port]


def command_of(s):
    return s.get("db.operation.name", s.name).split()[0].upper()


def main(spans_path, text_path, program, http_port, pg_port, redis_port):
    wire = Wire(sys.stdin)
    spans = otlp_spans.read(spans_path)[0]
    http = list(wire.http(http_port))
    servers = [s for s in spans if s.kind == SERVER and s.get("server.port") == http_port]
    clients = [s for s in spans if s.kind == CLIENT and s.get("server.port") == http_port]
    differ("HTTP server: peer, method, path, status",
           [(s.get("network.peer.port"), s.get("http.request.method"), s.path,
             s.get("http.response.status_code")) for s in servers], http)
    differ("HTTP client: method, path, status",
           [(s.get("http.request.method"), s.path, s.get("http.response.status_code"))
            for s in clients], [h[1:] for h in http])

    texts, tags, codes = wire.sql(pg_port)
    shown = set(normalized(program, texts))
    for side, kind in (("client", CLIENT), ("server", SERVER)):
        mine = of_port(spans, pg_port, "postgresql", kind)
        differ("SQL %s: requests" % side, {"all": len(mine)}, {"all": wire.executed(pg_port)})
        differ("SQL %s: SQLSTATE" % side, [s.get("db.response.status_code") for s in mine
                                           if s.get("db.response.status_code")], codes)
        truth.verdict("SQL %s: each text was on the wire" % side,
                      ["%s was not" % t for t in {str(s.get("db.query.text")) for s in mine} - shown])
    with open(text_path, encoding="utf-8") as f:
        tag = re.compile(TEXT_TAG % pg_port)
        differ("SQL: command tags, both sides", [m.group(1) for m in map(tag.search, f) if m],
               {k: 2 * n for k, n in tags.items()})

    commands, errors = wire.redis(redis_port)
    for side, kind in (("server", SERVER), ("client", CLIENT)):
        mine = of_port(spans, redis_port, "redis", kind)
        differ("Redis %s: commands" % side, [command_of(s) for s in mine], commands)
        differ("Redis %s: errors" % side, [s.get("db.response.status_code") for s in mine
                                           if s.get("db.response.status_code")], errors)
    truth.finish()


if sys.argv[1:] == ["--fields"]:
    print("\n".join(FIELDS))
else:
    main(*sys.argv[1:4], *map(int, sys.argv[4:]))
