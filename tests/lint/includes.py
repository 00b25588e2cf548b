# SPDX-License-Identifier: BSD-2-Clause
"""Who may include whom: the layers of the tree, as a program."""
import os
import re

# Who may include whom beside itself. Parts of one level (redact, wire, events, dump) may use each
# other as long as that makes no circle.
LEVEL = ["formats/redact", "formats/wire", "formats/events", "formats/dump"]
BASE = ["formats/exe", "formats/abi", "formats/base"]
MAY = {
    "bpf": ["bpf/lib", "formats/abi"],
    "bpf/aux": ["bpf/lib", "formats/abi"],
    "bpf/lib": ["formats/abi"],
    "formats/abi": [],
    "formats/base": [],
    "formats/exe": ["formats/abi", "formats/base"],
    **{part: LEVEL + BASE for part in LEVEL},
    "formats/model": LEVEL + BASE,
    "formats/out": ["formats/model"] + LEVEL + BASE,
    "recorder": ["formats/abi", "formats/base", "formats/dump", "formats/wire", "formats/redact",
             "formats/exe"],
    "tools": ["formats/out", "formats/model"] + LEVEL + BASE,
}

# Headers of the system that a part may not use, with the reason.
KERNEL = r"^(linux|asm|bpf)/"
MAY_NOT_SYSTEM = {
    "formats": (KERNEL + r"|^sys/(epoll|signalfd|syscall|prctl)\.h$", "formats/ builds and runs "
            "anywhere: no libbpf, no kernel headers"),
    "tools": (r"^bpf/", "tools/ never needs libbpf"),
    "formats/abi": (r"^(?!std(int|def)\.h$)", "formats/abi is compiled for BPF too: <stdint.h> "
            "and <stddef.h> only"),
    "bpf": (r"^(?!bpf/)", "bpf/ takes kernel types from bpf/lib/vmlinux.h, and <bpf/...> helpers"),
}

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')


def part_of(path):
    folder = os.path.dirname(path)
    while folder and folder not in MAY:
        folder = os.path.dirname(folder)
    return folder


def includes(tree, path):
    for number, line in enumerate(tree.lines(path), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1) == "<", match.group(2)


def resolve(tree, path, name):
    """The tree's file that "name" means in path, or None. -I. and, for BPF, -Ibpf/lib."""
    roots = [os.path.dirname(path), ""]
    if ".bpf." in path or path.startswith("bpf/"):
        roots.append("bpf/lib")
    for root in roots:
        candidate = os.path.normpath(os.path.join(root, name))
        if tree.has(candidate):
            return candidate
    return None


def sources(tree):
    return [p for p in tree.match(r"\.[ch]$") if part_of(p)]


def includes_exist(tree, found):
    """Every include with quotes names a file of the tree, and none with <> does."""
    for path in tree.match(r"\.[ch]$"):
        for number, is_system, name in includes(tree, path):
            target = resolve(tree, path, name)
            if not is_system and not target:
                found(path, number, f'"{name}" is no file of this tree: use <> for the system\'s')
            if is_system and tree.has(name):
                found(path, number, f'<{name}> is a file of this tree: use ""')


def includes_layers(tree, found):
    """bpf -> bpf/lib, abi; formats: out -> model -> redact, wire, events, dump -> exe, abi, base;
    recorder never model, out, events or tools; tools never recorder."""
    for path in sources(tree):
        own = part_of(path)
        for number, is_system, name in includes(tree, path):
            target = None if is_system else resolve(tree, path, name)
            if not target:
                continue
            part = part_of(target)
            if part != own and part not in MAY[own]:
                found(path, number, f'{own} must not include {target}: it may use '
                      + (", ".join(sorted(MAY[own])) or "nothing but itself"))


def includes_circles(tree, found):
    """Parts of one level may use each other, without a circle."""
    uses = {}
    for path in sources(tree):
        for number, is_system, name in includes(tree, path):
            target = None if is_system else resolve(tree, path, name)
            if target and part_of(target) != part_of(path):
                uses.setdefault(part_of(path), {}).setdefault(part_of(target), f"{path}:{number}")

    circles = {}

    def walk(part, trail):
        for to, where in sorted(uses.get(part, {}).items()):
            if to in trail:
                circle = trail[trail.index(to):] + [to]
                if to == min(circle):  # it closes there from wherever it is entered
                    circles.setdefault(" -> ".join(circle), where)
            else:
                walk(to, trail + [to])

    for part in sorted(uses):
        walk(part, [part])
    for circle, where in sorted(circles.items()):
        found(where, 0, f"a circle: {circle}")


def includes_system(tree, found):
    """formats: no libbpf, no kernel headers; abi: <stdint.h>, <stddef.h>; tools: no libbpf."""
    for path in sources(tree):
        for scope, (pattern, why) in MAY_NOT_SYSTEM.items():
            if not path.startswith(scope + "/"):
                continue
            for number, is_system, name in includes(tree, path):
                if is_system and re.search(pattern, name):
                    found(path, number, f"<{name}>: {why}")


CHECKS = [includes_exist, includes_layers, includes_circles, includes_system]
