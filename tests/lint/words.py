# SPDX-License-Identifier: BSD-2-Clause
"""What no committed file may name: a machine's own paths, and the hosts of package registries.

The words are put together from pieces here, so that this file itself is clean.
"""
import re

from tree import rule_zero

REGISTRIES = [".".join(parts) for parts in (
    ("proxy", "golang", "org"), ("sum", "golang", "org"), ("registry", "npmjs", "org"),
    ("registry", "yarnpkg", "com"), ("pypi", "org"), ("files", "pythonhosted", "org"),
    ("crates", "io"), ("rubygems", "org"), ("repo", "maven", "apache", "org"),
    ("deb", "debian", "org"), ("security", "debian", "org"), ("snapshot", "debian", "org"),
    ("ftp", "debian", "org"), ("archive", "ubuntu", "com"), ("registry-1", "docker", "io"),
    ("ghcr", "io"), ("mirrors", "kernel", "org"),
)]
# Folders of whoever works on it; the home of a user called "user" may stand in an example.
MACHINE = [r"(?<![\w.-])/" + "work" + r"/\w", r"(?<![\w.$}-])/" + "root" + r"/\w",
       r"(?<![\w.-])/" + "home" + r"/(?!user\b)\w"]


def texts(tree):
    return [p for p in tree.paths if tree.is_text(p)]


def words_registries(tree, found):
    """No host name of a package registry: which mirror is used is the machine's business."""
    pattern = re.compile(r"(?<![\w-])(%s)" % "|".join(map(re.escape, REGISTRIES)))
    for path in texts(tree):
        for number, line in enumerate(tree.lines(path), 1):
            match = pattern.search(line)
            if match:
                found(path, number, f"{match.group(1)} is a package registry: leave it to the machine")


def words_paths(tree, found):
    """No path of one machine."""
    pattern = re.compile("|".join(MACHINE))
    for path in texts(tree):
        for number, line in enumerate(tree.lines(path), 1):
            match = pattern.search(line)
            if match and not rule_zero(line):
                found(path, number, f"{match.group(0)}... is a path of one machine")


def words_unfinished(tree, found):
    """No marks of unfinished work in code: do it, or write an issue."""
    pattern = re.compile(r"\b(%s)\b" % "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX")))
    for path in tree.match(r"\.(c|h|sh|py|go)$"):
        for number, line in enumerate(tree.lines(path), 1):
            if pattern.search(line) and not re.search("X" * 4, line):
                found(path, number, "unfinished: " + line.strip())


CHECKS = [words_registries, words_paths, words_unfinished]
