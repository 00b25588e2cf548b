# SPDX-License-Identifier: BSD-2-Clause
"""What every check uses: the files of the tree, and how findings are told.

A check is a function check(tree, found): it calls found(path, line, text) for what must not be, or
found.warn(...) for what is only doubtful. Its first line of documentation says what it wants.
"""
import os
import re
import subprocess

FINDINGS_SHOWN = 100000 if os.environ.get("FR_LINT_ALL") else 40
BINARY = (".frd", ".png", ".gz", ".zst", ".bin", ".lz4", ".data")


class Tree:
    def __init__(self, root):
        self.root = os.path.abspath(root)
        self.paths = self._list()
        self._texts = {}

    def _list(self):
        """What is committed or would be: with git where it can say so, else all but build/."""
        git = subprocess.run(
            ["git", "-C", self.root, "ls-files", "-z", "-co", "--exclude-standard"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        if git.returncode == 0 and os.path.exists(os.path.join(self.root, ".git")):
            paths = [p for p in git.stdout.decode().split("\0") if p]
        else:
            paths = []
            for folder, names, files in os.walk(self.root):
                names[:] = [n for n in names if n not in ("build", ".git")]
                paths += [os.path.relpath(os.path.join(folder, f), self.root) for f in files]
        return sorted(p for p in set(paths) if os.path.isfile(os.path.join(self.root, p)))

    def match(self, pattern):
        return [p for p in self.paths if re.search(pattern, p)]

    def has(self, path):
        return path in self.paths

    def text(self, path):
        if path not in self._texts:
            try:
                with open(os.path.join(self.root, path), "rb") as f:
                    raw = f.read()
            except FileNotFoundError:  # a file that went while we looked
                raw = b""
            self._texts[path] = raw.decode("utf-8", "replace")
        return self._texts[path]

    def lines(self, path):
        return self.text(path).split("\n")

    def is_text(self, path):
        return not path.endswith(BINARY) and "\0" not in self.text(path)[:4096] \
            and "/corpus/" not in path


class Findings:
    def __init__(self, name):
        self.name = name
        self.errors = []
        self.warnings = []

    def __call__(self, path, line, text):
        self.errors.append(f"{path}:{line}: {text}" if line else f"{path}: {text}")

    def warn(self, path, line, text):
        self.warnings.append(f"{path}:{line}: {text}")

    def skip(self, reason):
        print(f"skip {self.name} {reason}")
        self.name = None

    def tell(self):
        if self.name is None:
            return True
        for text in self.warnings:
            print(f"# doubtful: {text}")
        print(f"{'not ' if self.errors else ''}ok {self.name}")
        for text in self.errors[:FINDINGS_SHOWN]:
            print(f"# {text}")
        if len(self.errors) > FINDINGS_SHOWN:
            print(f"# ... and {len(self.errors) - FINDINGS_SHOWN} more (FR_LINT_ALL=1 shows them)")
        return not self.errors


def rule_zero(line):
    """A rule may be broken with a reason on that line."""
    return re.search(r"rule zero: \S", line) is not None


def code_only(text):
    """C text with comments, strings and character constants blanked, line for line."""
    def blank(match):
        s = match.group(0)
        keep = s[0] if s[0] in "\"'" else " "
        return keep + re.sub(r"[^\n]", " ", s[1:-1]) + (keep if len(s) > 1 else "")

    return re.sub(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", blank, text,
              flags=re.S)
