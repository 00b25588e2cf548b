# SPDX-License-Identifier: BSD-2-Clause
"""check_sql.py FLIGHTREC CASES: the official cases of the database conventions (a list of {name,
input, expected}) by `flightrec sql-normalize`: text and summary as expected, and of each text cut at
every byte no byte of a literal comes out."""
import json
import re
import subprocess
import sys

# What the cases have as literals. Words and numbers that are parts of names are none.
LITERAL = re.compile(r"'(?:[^']|'')*(?:'|\Z)|(?<![\w.])[+-]?0[xX][0-9a-fA-F]*|"
             r"(?<!\w)[+-]?(?:\d[\d.]*|\.\d+)(?:[eE][+-]?\d*)?|(?<=\d)[+-]\d+")
COMMENT = re.compile(r"--[^\n]*|/\*.*?(?:\*/|\Z)", re.S)


def normalize(program, inputs):
    lines = "".join(json.dumps(each) + "\n" for each in inputs)
    done = subprocess.run([program, "sql-normalize"], input=lines.encode(), stdout=subprocess.PIPE,
                  timeout=60)
    answers = [json.loads(line) for line in done.stdout.decode().splitlines()]
    if done.returncode or len(answers) != len(inputs):
        sys.exit(f"exit status {done.returncode}, {len(answers)} answers to {len(inputs)} lines")
    return answers


def shown_of(text):
    """What may be shown of a text: words outside of literals, by regular expressions."""
    return LITERAL.sub("?", COMMENT.sub("", text))


def main():
    program, path = sys.argv[1:]
    with open(path, encoding="utf-8") as f:
        cases = json.load(f)
    inputs = [{"system": c["input"]["db.system.name"], "query": c["input"]["query"]} for c in cases]
    bad = 0
    for case, got in zip(cases, normalize(program, inputs)):
        want = case["expected"]
        if got["text"] in want["db.query.text"] and got["summary"] == want["db.query.summary"]:
            print(f"ok {case['name']}")
        else:
            print(f"not ok {case['name']}")
            print(f"# got {got}, want {want}")
            bad += 1
    if not cases:
        sys.exit("there is no case")
    cuts = [{**each, "query": each["query"][:n], "cut": cut} for each in inputs
        for n in range(len(each["query"]) + 1) for cut in (False, True)]
    for cut, got in zip(cuts, normalize(program, cuts)):
        want = shown_of(cut["query"])
        # a sign or dot at the very end may begin a number, half a comment may be an operator
        if got["text"] not in (want, re.sub(r"[+-]?\.?\Z", "?", want, count=1)):
            print(f"# cut {cut}: got {got}, want {want!r}")
            bad += 1
    print(f"{'not ok' if bad else 'ok'} {len(cuts)} cut texts")
    return 1 if bad else 0


sys.exit(main())
