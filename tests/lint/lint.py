# SPDX-License-Identifier: BSD-2-Clause
"""lint.py ROOT [CHECK...]: all checks of a tree, or the named ones. One line per check, "ok NAME",
"not ok NAME" or "skip NAME REASON", findings below it. Exit status 1 when one failed."""
import sys

import docs
import includes
import style
import words
from tree import Findings, Tree


def main():
    if len(sys.argv) < 2:
        sys.exit(f"usage: {sys.argv[0]} ROOT [CHECK...]")
    tree = Tree(sys.argv[1])
    good = True
    for check in includes.CHECKS + style.CHECKS + words.CHECKS + docs.CHECKS:
        if sys.argv[2:] and check.__name__ not in sys.argv[2:]:
            continue
        found = Findings(check.__name__)
        check(tree, found)
        good = found.tell() and good
    sys.exit(0 if good else 1)


main()
