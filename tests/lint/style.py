# SPDX-License-Identifier: BSD-2-Clause
"""The house rules that a program can check. A line with "rule zero: WHY" is let through."""
import os
import re

from tree import code_only, rule_zero

SOURCE = r"\.(c|h|sh|py|go|proto|bash)$|^\.ci/run$|(^|/)Makefile$"
COLUMNS = 100
COLUMNS_ELSEWHERE = 120  # scripts and tables: what is no C
INDENT_WRONG = (  # by the end of the path; the first that fits
    (".py", r" *\t"),
    ((".c", ".h"), r" {8,}[^ ]| +\t|\t+ {8}"),
    ((".proto", ".bash"), r"(?!)"),
    ("", r" {4,}[^ ]"),
)
FILE_LINES = 800
FUNCTION_LINES_DOUBTFUL = 60
FUNCTION_LINES = 100

LICENCE_OF = (  # first match wins
    (r"^bpf/", "GPL-2.0-only"),
    (r"^formats/abi/", "GPL-2.0-only OR BSD-2-Clause"),
    (r"\.bpf\.c$", "GPL-2.0-only"),  # test programs run in the kernel too
    (r"", "BSD-2-Clause"),
)

# name -> what to use instead
BANNED = {
    "sprintf": "snprintf", "vsprintf": "vsnprintf", "strcpy": "memcpy with a known length",
    "strcat": "snprintf", "strncpy": "memcpy with a known length", "atoi": "fr_parse_u64",
    "atol": "fr_parse_u64", "atof": "strtod", "strtok": "strtok_r or strcspn", "gets": "fgets",
    "system": "posix_spawn or fork and execve", "signal": "signalfd, or sigaction in a test",
    "usleep": "a wait with an event or a deadline", "alloca": "a fixed buffer or malloc",
    "tmpnam": "mkstemp", "mktemp": "mkstemp",
}
CALL = re.compile(r"(?<![\w.>])(%s)\s*\(" % "|".join(BANNED))


def sources(tree, pattern=SOURCE):
    return [p for p in tree.match(pattern) if tree.is_text(p)]


def style_spdx(tree, found):
    """The first line (after #!) names the licence of that part of the tree."""
    for path in sources(tree):
        lines = tree.lines(path)
        first = lines[1] if lines[0].startswith("#!") and len(lines) > 1 else lines[0]
        match = re.match(r"(?:/\*|//|#) SPDX-License-Identifier: ([^*]*?)(?: \*/)?$", first)
        want = next(licence for pattern, licence in LICENCE_OF if re.search(pattern, path))
        if not match:
            found(path, 1, f"the first line must be SPDX-License-Identifier: {want}")
        elif match.group(1) != want and not rule_zero("\n".join(lines[:5])):
            found(path, 1, f"licence {match.group(1)}, this part of the tree is {want}")


def style_whitespace(tree, found):
    """Tabs (blanks in Python), no trailing blanks, lines of at most 100 columns (C), one newline at the end."""
    for path in sources(tree):
        is_c = path.endswith((".c", ".h"))
        limit = COLUMNS if is_c else COLUMNS_ELSEWHERE
        indent = next(pattern for end, pattern in INDENT_WRONG if path.endswith(end))
        wrong = "indented with tabs: 4 blanks in Python" if path.endswith(".py") \
            else "indented with blanks: use tabs of 8"
        text = tree.text(path)
        if text and (not text.endswith("\n") or text.endswith("\n\n")):
            found(path, text.count("\n"), "the file must end with exactly one newline")
        for number, line in enumerate(text.split("\n"), 1):
            if line != line.rstrip():
                found(path, number, "blanks at the end of the line")
            if re.match(indent, line) and line.strip() != "\\" and not rule_zero(line):
                found(path, number, wrong)
            columns = len(line.expandtabs(8))
            if columns > limit and not rule_zero(line):
                found(path, number, f"{columns} columns, at most {limit}")


def style_comments(tree, found):
    """No // comments in C; the SPDX line of a .c file may be one."""
    for path in sources(tree, r"\.[ch]$"):
        text = re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m.group(0)), tree.text(path),
                  flags=re.S)
        text = re.sub(r'"(?:\\.|[^"\\\n])*"', '""', text)
        for number, line in enumerate(text.split("\n"), 1):
            if "//" in line and not (number == 1 and "SPDX" in line) \
               and not rule_zero(tree.lines(path)[number - 1]):
                found(path, number, "a // comment: use /* */")


def style_banned(tree, found):
    """No banned function; exit() in main.c and tests only; no sleeping loops."""
    for path in sources(tree, r"\.[ch]$"):
        original = tree.lines(path)
        for number, line in enumerate(code_only(tree.text(path)).split("\n"), 1):
            for match in CALL.finditer(line):
                if not rule_zero(original[number - 1]):
                    found(path, number, f"{match.group(1)}(): use {BANNED[match.group(1)]}")
            if re.search(r"(?<![\w.>])exit\s*\(", line) and not path.startswith("tests/") \
               and os.path.basename(path) != "main.c" and not rule_zero(original[number - 1]):
                found(path, number, "exit() belongs to main.c: return an error")


def style_file_length(tree, found):
    """At most 800 lines a file."""
    for path in sources(tree):
        count = len(tree.lines(path)) - 1
        if count > FILE_LINES and not rule_zero("\n".join(tree.lines(path)[:10])):
            found(path, 0, f"{count} lines, at most {FILE_LINES}: one noun per file")


def functions(text):
    """(name, first line, lines) of each function: its body starts and ends in column 0."""
    lines = code_only(text).split("\n")
    start = None
    for number, line in enumerate(lines, 1):
        if line.startswith("{"):
            start = number
        elif start and line.startswith("}"):
            head = " ".join(lines[max(0, start - 6):start - 1])
            names = re.findall(r"(\w+)\s*\(", re.split(r"[;}]", head)[-1])
            if names and line.rstrip() == "}":
                plain = [n for n in names if n not in ("SEC", "__attribute__", "format")]
                yield (plain or names)[0], start, number - start + 1
            start = None


def style_function_length(tree, found):
    """Functions of more than 60 lines are doubtful, of more than 100 wrong."""
    for path in sources(tree, r"\.[ch]$"):
        for name, first, count in functions(tree.text(path)):
            near = "\n".join(tree.lines(path)[max(0, first - 8):first])
            if rule_zero(near) or count <= FUNCTION_LINES_DOUBTFUL:
                continue
            if count > FUNCTION_LINES:
                found(path, first, f"{name}() has {count} lines, at most {FUNCTION_LINES}")
            else:
                found.warn(path, first,
                       f"{name}() has {count} lines, better {FUNCTION_LINES_DOUBTFUL}")


def style_shell(tree, found):
    """Scripts can be run, and say with what."""
    for path in sources(tree, r"\.sh$|^\.ci/run$"):
        first = tree.lines(path)[0]
        runs = os.access(os.path.join(tree.root, path), os.X_OK)
        if runs and not re.match(r"#!/(bin/(ba)?sh|usr/bin/env bash)$", first):
            found(path, 1, "the first line must be #!/bin/sh or #!/bin/bash")
        if not runs and first.startswith("#!"):
            found(path, 1, "it has a #! line but cannot be run: chmod +x")


CHECKS = [style_spdx, style_whitespace, style_comments, style_banned, style_file_length, style_shell,
    style_function_length]
