# SPDX-License-Identifier: BSD-2-Clause
"""follow_doc.py DOCUMENT TREE: does to TREE what the code blocks of DOCUMENT say. A block counts when
the line before it is one of

    A new file `PATH`:
    At the end of `PATH`:
    In `PATH`, above `TEXT`:        the line that begins with TEXT, blanks aside
    In `PATH`, below `TEXT`:

Prints what it did. Exit status 1 when a line like these leads nowhere: no such file, no such text,
or more than one."""
import os
import re
import sys

STEP = re.compile(r"^(?:A new file `(?P<new>[^`]+)`|At the end of `(?P<end>[^`]+)`"
          r"|In `(?P<path>[^`]+)`, (?P<where>above|below) `(?P<anchor>[^`]+)`):$")


def fail(text):
    sys.exit(f"follow_doc: {text}")


def steps(lines):
    """(match, block) of each step; a step without a block is an error."""
    for number, line in enumerate(lines):
        match = STEP.match(line)
        if not match:
            if re.match(r"(A new file|At the end of|In) `", line) and line.endswith(":"):
                fail(f"line {number + 1} is no step that I understand: {line}")
            continue
        if lines[number + 1] != "" or not lines[number + 2].startswith("```"):
            fail(f"line {number + 1} is not followed by a code block")
        end = lines.index("```", number + 3)
        yield match, "".join(text + "\n" for text in lines[number + 3:end])


def insert(tree, path, where, anchor, block):
    full = os.path.join(tree, path)
    with open(full, encoding="utf-8") as f:
        lines = f.readlines()
    at = [i for i, line in enumerate(lines) if line.strip().startswith(anchor)]
    if len(at) != 1:
        fail(f"{path} has {len(at)} lines that begin with: {anchor}")
    lines.insert(at[0] + (where == "below"), block)
    with open(full, "w", encoding="utf-8") as f:
        f.writelines(lines)


def main():
    document, tree = sys.argv[1:3]
    with open(document, encoding="utf-8") as f:
        lines = f.read().split("\n")
    count = 0
    for match, block in steps(lines):
        count += 1
        if match["new"]:
            full = os.path.join(tree, match["new"])
            if os.path.exists(full):
                fail(f"{match['new']} is there already")
            with open(full, "w", encoding="utf-8") as f:
                f.write(block)
        elif match["end"]:
            full = os.path.join(tree, match["end"])
            if not os.path.exists(full):
                fail(f"there is no {match['end']}")
            with open(full, "a", encoding="utf-8") as f:
                f.write(block)
        else:
            insert(tree, match["path"], match["where"], match["anchor"], block)
        print(match.group(0))
    if not count:
        fail(f"{document} has no step")


main()
