# SPDX-License-Identifier: BSD-2-Clause
"""check_otlp.py BASE EVENT TEST [SPANTEST...]: in BASE.logs.jsonl there is a log record of that event
name for which TEST holds, in the trace of a span of BASE.jsonl for which each SPANTEST holds. TEST sees
a (attributes), r (the resource's), body; SPANTEST sees s (otlp_spans.Span), spans (of the same trace)."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import otlp_spans  # noqa: E402


def main(base, event, test, *span_tests):
    spans, _ = otlp_spans.read(base + ".jsonl")
    _, logs = otlp_spans.read(base + ".logs.jsonl")
    bodies = []
    for resource, log in logs:
        a = otlp_spans.attributes_of(log["attributes"])
        body = log["body"]["stringValue"]
        if log["eventName"] != event or not eval(test, {"a": a, "r": resource, "body": body}):
            continue
        bodies.append(body)
        if not span_tests:
            return 0
        found = [s for s in spans if s.id == log.get("spanId") and s.trace == log.get("traceId")]
        if len(found) != 1:
            print("wrong: %s is in no trace: %s" % (body, log))
            continue
        sees = {"s": found[0], "spans": [s for s in spans if s.trace == found[0].trace]}
        failed = [t for t in span_tests if not eval(t, sees)]
        if not failed:
            return 0
        print("wrong: %s: not %s: %s" % (body, failed[0], found[0].raw))
    print("wrong: no %s of %d is such" % (event, len(logs)) if not bodies else "none of %r is right" % bodies)
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
