# SPDX-License-Identifier: BSD-2-Clause
"""check_traceparent.py FLIGHTREC VECTORS: header lines of the W3C's own tests, by `flightrec
traceparent`."""
import json
import subprocess
import sys


def members(text):
    """[["key","value"], ...] of a tracestate, order and duplicates kept."""
    return [member.split("=", 1) for member in text.split(",")] if text else []


def difference(got, want):
    if got.get("valid") is not want["valid"]:
        return "valid"
    if not want["valid"]:
        return "" if list(got) == ["valid"] else "more than valid"
    for key in ("trace_id", "parent_id", "flags"):
        if got[key] != want[key]:
            return key
    return "" if members(got["tracestate"]) == want["tracestate"] else "tracestate"


def main():
    program, path = sys.argv[1:]
    with open(path, encoding="utf-8") as f:
        vectors = json.load(f)["vectors"]
    lines = "".join(json.dumps({"headers": v["headers"]}) + "\n" for v in vectors)
    done = subprocess.run([program, "traceparent"], input=lines.encode(), stdout=subprocess.PIPE,
                  timeout=60)
    answers = [json.loads(line) for line in done.stdout.decode().splitlines()]
    if not vectors or done.returncode or len(answers) != len(vectors):
        sys.exit(f"exit status {done.returncode}, {len(answers)} answers to {len(vectors)} lines")
    bad = 0
    for number, (vector, got) in enumerate(zip(vectors, answers), 1):
        wrong = difference(got, vector["expect"])
        print(f"{'not ok' if wrong else 'ok'} {vector['test']}_{number}")
        if wrong:
            print(f"# {wrong}: got {got}, want {vector['expect']} from {vector['headers']}")
            bad += 1
    return 1 if bad else 0


sys.exit(main())
