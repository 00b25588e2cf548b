# SPDX-License-Identifier: BSD-2-Clause
"""tshark_mysql_dns.py SPANS DID FLIGHTREC MYSQL_PORT DNS_PORT: what tshark saw on the wire (standard
input: its fields) and what the client said (DID) against the spans of the same time, both ends.
`tshark_mysql_dns.py --fields` names the fields, one a line."""
import collections
import json
import subprocess
import sys

import otlp_spans
import truth
from otlp_spans import CLIENT, SERVER

FIELDS = ("tcp.srcport tcp.dstport udp.srcport udp.dstport mysql.command mysql.query mysql.error_code "
          "dns.id dns.flags.response dns.flags.rcode dns.qry.name "
          "dns.qry.type").split()
BETWEEN = "\x1f"  # values of one field in one frame
QUERY, EXECUTE = 3, 23
PROGRESS = "65535"  # of MariaDB: looks like an error, and is none
TOLD = ("QUERY", "EXECUTE")  # other commands are told when they fail
TYPES = {"1": "A", "28": "AAAA"}
RCODES = {"0": "", "2": "SERVFAIL", "3": "NXDOMAIN"}


def frames_of(lines):
    for line in lines:
        values = line.rstrip("\n").split("\t")
        values += [""] * (len(FIELDS) - len(values))
        yield {name: value.split(BETWEEN) if value else [] for name, value in zip(FIELDS, values)}


def differ(what, got, want):
    got, want = collections.Counter(got), collections.Counter(want)
    print("# %s: %d wanted, %d by us" % (what, sum(want.values()), sum(got.values())))
    truth.verdict(what, ["%s: wanted %d times, we %d times" % (k, want[k], got[k])
                         for k in sorted(set(got) | set(want), key=str) if got[k] != want[k]] +
                  ([] if want else ["there were none"]))


def normalized(program, texts):
    asked = "".join(json.dumps({"system": "mysql", "query": t}) + "\n" for t in texts)
    done = subprocess.run([program, "sql-normalize"], input=asked.encode(), stdout=subprocess.PIPE,
                          timeout=60)
    return [json.loads(line)["text"] for line in done.stdout.decode().splitlines()]


def mysql(spans, frames, did, program, port):
    asked = [int(c, 0) for f in frames if str(port) in f["tcp.dstport"] for c in f["mysql.command"]]
    errors = collections.Counter(e for f in frames for e in f["mysql.error_code"]
                                 if e != PROGRESS)
    asked = collections.Counter(asked)
    told = [(command, number, text) for command, number, text in did
            if command in TOLD or number != "0"]
    texts = normalized(program, [t[2] for t in told])
    for side, kind in (("server", SERVER), ("client", CLIENT)):
        mine = [s for s in spans if s.kind == kind and s.get("server.port") == port and
                s.get("db.system.name") in ("mysql", "mariadb")]
        truth.verdict("MySQL %s: as many as tshark saw commands" % side, [] if len(mine) == sum(
            (asked[QUERY], asked[EXECUTE], *(1 for t in told if t[0] not in TOLD))) else
            ["%d spans, %s" % (len(mine), asked)])
        differ("MySQL %s: errors that tshark saw" % side, [str(s.get("db.response.status_code"))
               for s in mine if s.get("db.response.status_code")], errors)
        differ("MySQL %s: text and error of each, as the client says" % side,
               [(s.get("db.query.text"), str(s.get("db.response.status_code", "0"))) for s in mine],
               [(text, t[1]) for t, text in zip(told, texts)])


def dns(spans, frames, port):
    asked, answers = [], {}
    for f in frames:
        if not f["dns.id"]:
            continue
        other = f["udp.srcport" if str(port) in f["udp.dstport"] else "udp.dstport"][0]
        key = (int(other), f["dns.id"][0])
        if f["dns.flags.response"][0] in ("1", "True"):
            answers[key] = f["dns.flags.rcode"][0]
        else:
            asked.append((key, f["dns.qry.name"][0], TYPES[f["dns.qry.type"][0]]))
    want = [(name, kind, RCODES[answers[key]] if key in answers else None)
            for key, name, kind in asked]
    for side, kind in (("server", SERVER), ("client", CLIENT)):
        differ("DNS %s: name, type, result" % side, [
            (s.get("dns.question.name"), s.name.split()[-1],
             None if "end_unseen" in json.dumps(s.raw) else s.get("error.type", ""))
            for s in spans if s.kind == kind and s.name.startswith("DNS")], want)


def main(spans_path, did_path, program, mysql_port, dns_port):
    frames = list(frames_of(sys.stdin))
    spans = otlp_spans.read(spans_path)[0]
    with open(did_path, encoding="utf-8") as f:
        did = [line.rstrip("\n").split("\t") for line in f]
    mysql(spans, [f for f in frames if f["tcp.srcport"]], did, program, mysql_port)
    dns(spans, [f for f in frames if f["udp.srcport"]], dns_port)
    truth.finish()


if sys.argv[1:] == ["--fields"]:
    print("\n".join(FIELDS))
else:
    main(*sys.argv[1:4], *map(int, sys.argv[4:]))
