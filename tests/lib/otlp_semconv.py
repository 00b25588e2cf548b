# SPDX-License-Identifier: BSD-2-Clause
"""otlp_semconv.py REGISTRY [--own KEY]... FILE...: holds OTLP/JSON lines against the registry of
semantic conventions: every attribute is known and not deprecated, or below flightrec.; its type is
right; each span has what its kind requires, and nothing that its kind doesn't have; names and status
follow the rules. --own: keys that the processes' own environments bring."""
import json
import sys

import otlp_spans

TYPES = {"string": str, "int": int, "boolean": bool, "double": float, "string[]": list}
SERVER, CLIENT, ERROR = otlp_spans.SERVER, otlp_spans.CLIENT, 2
# what is said of every connection, whatever the span's own page lists
EVERYWHERE = {"network.transport"}
# conventions have only the client's side of a database: at the server's, who asked
DB_SERVER = {"client.address", "network.peer.address", "network.peer.port"}
DNS = {"dns.question.name", "error.type", "server.address", "server.port", "network.peer.address",
       "network.peer.port", "client.address"}
METHODS = set("GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH QUERY HTTP".split())
# without the request's head these can't be known
OF_THE_HEAD = {"url.path", "url.full"}


class Judge:
    def __init__(self, registry, own):
        with open(registry, encoding="utf-8") as f:
            self.registry = json.load(f)
        self.own, self.wrong, self.seen = own, [], {"http": 0, "db": 0, "dns": 0, "logs": 0}

    def say(self, what, key, problem):
        self.wrong.append("%s: %s %s" % (what, key, problem))

    def attribute(self, what, key, value):
        if key.startswith("flightrec.") or key in self.own:
            return
        known = self.registry["attributes"].get(key)
        if not known:
            self.say(what, key, "is unknown")
        elif "d" in known:
            self.say(what, key, "is deprecated")
        elif known["t"] == "enum":
            # new members may come, but for what is spelled like one of them
            if not isinstance(value, str):
                self.say(what, key, "is no string")
            elif key in ("http.request.method", "db.system.name", "host.arch", "os.type", "network.transport") and \
                    value not in known["m"]:
                self.say(what, key, "has no member %r" % value)
        elif not isinstance(value, TYPES[known["t"]]) or (known["t"] == "int" and isinstance(value, bool)):
            self.say(what, key, "is %r, not of type %s" % (value, known["t"]))

    def attributes(self, what, attributes):
        for key, value in attributes.items():
            self.attribute(what, key, value)
        return attributes

    def resource(self, resource):
        self.attributes("resource", resource)
        if not resource.get("service.name"):
            self.say("resource", "service.name", "is missing")
        if resource.get("process.executable.name") and "process.creation.time" not in resource:
            self.say("resource", "process.creation.time", "is missing beside the pid")

    def rules(self, s):
        """What the registry has of spans of this kind: (attributes, more that may be there)."""
        if "http.request.method" in s.attributes:
            self.seen["http"] += 1
            return "span.http." + ("server" if s.kind == SERVER else "client"), set()
        if "db.system.name" in s.attributes:
            self.seen["db"] += 1
            # the systems' own pages take it for said
            return ("span.db.%s.client" % s.get("db.system.name"),
                    {"db.system.name"} | (DB_SERVER if s.kind == SERVER else set()))
        if s.name.startswith("DNS"):
            self.seen["dns"] += 1
            return None, DNS
        return None, set()

    def requirements(self, what, s):
        name, more = self.rules(s)
        has = {k for k in s.attributes if not k.startswith("flightrec.")}
        lists = self.registry["spans"][name]["a"] if name else {}
        for key in has - set(lists) - more - EVERYWHERE:
            self.say(what, key, "is not one of its kind's")
        unseen = "start_unseen" in s.get("flightrec.marks", [])
        for key, (level, *_) in lists.items():
            if level == "required" and key not in has and not (unseen and key in OF_THE_HEAD) and \
                    not (key == "url.path" and s.get("http.request.method") == "CONNECT") and \
                    not (key == "url.full" and s.get("http.request.method") in ("CONNECT", "_OTHER")):
                self.say(what, key, "is required")

    def status(self, what, s):
        raw = s.raw.get("status", {})
        code = s.get("http.response.status_code")
        if s.status not in (0, ERROR):
            self.say(what, "status", "is %r: OK is the application's word" % s.status)
        if (s.status == ERROR) != ("error.type" in s.attributes):
            self.say(what, "error.type", "and the status do not agree")
        if code is not None and (s.status == ERROR) != (code >= (500 if s.kind == SERVER else 400)):
            self.say(what, "status", "is %r at %r" % (s.status, code))
        if code is not None and "message" in raw:
            self.say(what, "status", "has a description where the code says it")

    def span(self, s):
        what = "span %s %s" % (s.id, s.name)
        self.attributes(what, s.attributes)
        self.requirements(what, s)
        self.status(what, s)
        if "http.request.method" in s.attributes and s.name not in METHODS:
            self.say(what, "name", "is no method")
        flags = s.raw.get("flags", 0)
        if flags & ~0x3ff or (flags & 0x200 and not flags & 0x100) or (flags & 0x100 and not s.parent):
            self.say(what, "flags", "are %#x" % flags)
        for event in s.raw.get("events", []):
            self.attributes(what + " event", otlp_spans.attributes_of(event.get("attributes", [])))
            if not s.start <= int(event["timeUnixNano"]) <= s.end:
                self.say(what, "event", "lies outside of it")

    def log(self, r):
        self.seen["logs"] += 1
        what = "log %s" % r.get("eventName")
        self.attributes(what, otlp_spans.attributes_of(r.get("attributes", [])))
        if not r.get("eventName") or not 1 <= r["severityNumber"] <= 24 or not int(r["timeUnixNano"]):
            self.say(what, "eventName, severity or time", "is missing")
        if bool(r.get("traceId")) != bool(r.get("spanId")):
            self.say(what, "traceId", "without spanId")


def main(args):
    own, files = set(), []
    registry = args.pop(0)
    while args:
        arg = args.pop(0)
        if arg == "--own":
            own.add(args.pop(0))
        else:
            files.append(arg)
    judge = Judge(registry, own)
    for path in files:
        spans, logs = otlp_spans.read(path)
        for s in spans:
            judge.resource(s.resource)
            judge.span(s)
        for resource, r in logs:
            judge.resource(resource)
            judge.log(r)
    for problem in sorted(set(judge.wrong))[:20]:
        print("# " + problem)
    print("# seen: %s" % judge.seen)
    return 1 if judge.wrong or not judge.seen["http"] or not judge.seen["logs"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
