# SPDX-License-Identifier: BSD-2-Clause
"""The documentation against what it speaks of: events, options, settings, exit codes, targets."""
import os
import re
import subprocess
import tempfile

EVENTS = "formats/dump/EVENTS.md"
TABLE = "formats/abi/event.h"
SETTINGS = "recorder/settings.c"
MAN = {"flightrec": "tools/flightrec.1", "flightrecd": "recorder/flightrecd.8"}
MAN_INI = "recorder/flightrec.ini.5"
COMPLETION = "tools/completion.bash"
OPTION = re.compile(r"(?<![\w-])--([a-z][a-z0-9-]*)")


def event_rows(tree):
    """(id, name) of each row of FR_EVENTS."""
    return [(int(i), name) for i, name in
        re.findall(r"^\s*X\((\d+), [A-Z_0-9]+, (\w+), [A-Z]+, \w+\)", tree.text(TABLE), re.M)]


def need(tree, found, path):
    if not tree.has(path):
        found(path, 0, "there is no such file")
        return False
    return True


def docs_events(tree, found):
    """Each row of FR_EVENTS has a section "## name (id)" in EVENTS.md, and each section a row."""
    if not need(tree, found, EVENTS) or not need(tree, found, TABLE):
        return
    rows = {name: number for number, name in event_rows(tree)}
    if not rows:
        found(TABLE, 0, "no row of FR_EVENTS was understood")
    sections = {}
    for line, text in enumerate(tree.lines(EVENTS), 1):
        match = re.match(r"#+ .*?`?\b([a-z]+_[a-z_]+)\b`?(.*)$", text)
        if match:
            sections[match.group(1)] = (line, match.group(2))
    for name, number in sorted(rows.items()):
        if name not in sections:
            found(EVENTS, 0, f"event {name} ({number}) has no section")
        elif not re.search(rf"(?<!\d){number}(?!\d)", sections[name][1]):
            found(EVENTS, sections[name][0], f"the heading of {name} must give its id, {number}")
    for name, (line, _) in sorted(sections.items()):
        if name not in rows:
            found(EVENTS, line, f"{name} is no event of {TABLE}")


def docs_decoders(tree, found):
    """Each row of FR_EVENTS has one fr_ev_fields_<name>() in formats/events, and no others are."""
    rows = {name for _, name in event_rows(tree)}
    defined = {}
    for path in tree.match(r"^formats/events/.*\.c$"):
        for line, text in enumerate(tree.lines(path), 1):
            match = re.match(r"(?:\w[\w ]*\s)?fr_ev_fields_(\w+)\(", text)
            if match and not text.rstrip().endswith(";"):
                defined.setdefault(match.group(1), []).append((path, line))
    for name in sorted(rows - set(defined)):
        found("formats/events", 0, f"no decoder fr_ev_fields_{name}()")
    for name in sorted(set(defined) - rows):
        found(*defined[name][0], f"fr_ev_fields_{name}(): no such event in {TABLE}")
    for name, places in sorted(defined.items()):
        if len(places) > 1:
            found(*places[1], f"a second fr_ev_fields_{name}()")


def program(tree, name):
    out = os.environ.get("O") or os.path.join(tree.root, "build")
    path = os.path.join(out, name)
    return path if os.access(path, os.X_OK) else None


def output(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                  stdin=subprocess.DEVNULL, timeout=20)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def help_options(text):
    """Options that --help lists: each begins a line, after a short one perhaps."""
    return set(re.findall(r"^ +(?:-\w, )?--([a-z][a-z0-9-]*)", text, re.M))


def commands_of(path):
    """Commands that flightrec --help lists: a word at the start of an indented line."""
    _, text = output(path, "--help")
    names = re.findall(r"^ {2,4}([a-z][a-z-]+)\s{2,}\S|^ {2,4}([a-z][a-z-]+)$", text, re.M)
    return [a or b for a, b in names]


def all_options(tree):
    """{program: {command or "": options}} by asking the programs; None when not built."""
    result = {}
    for name in MAN:
        path = program(tree, name)
        if not path:
            return None
        result[name] = {"": help_options(output(path, "--help")[1])}
        if name == "flightrec":
            for command in commands_of(path):
                result[name][command] = help_options(output(path, command, "--help")[1])
    return result


def man_text(tree, path):
    return re.sub(r"\\f[BIRP]|\\&", "", tree.text(path).replace(r"\-", "-"))


def docs_options(tree, found):
    """Each option and command of both programs is in its man page, and no others are."""
    asked = all_options(tree)
    if asked is None:
        return found.skip("the programs are not built")
    every = set().union(*[o for commands in asked.values() for o in commands.values()])
    for name, page in MAN.items():
        own = set().union(*asked[name].values())
        if not own:
            found(name, 0, "--help lists no option")
        if not need(tree, found, page):
            continue
        text = man_text(tree, page)
        described = set(OPTION.findall(text))
        for option in sorted(own - described - {"help"}):
            found(page, 0, f"--{option} of {name} is not described")
        for option in sorted(described - every - {"help"}):
            found(page, 0, f"--{option} is no option of {name}")
        for command in sorted(set(asked[name]) - {""}):
            if not re.search(rf"(?<![\w-]){re.escape(command)}(?![\w-])", text):
                found(page, 0, f"command {command} is not described")


COMPLETE = r"""
. "$1"
line=("${@:2}")
spec=$(complete -p "${line[0]}") || exit 3
COMP_WORDS=("${line[@]}") COMP_CWORD=$((${#line[@]} - 1))
COMP_LINE="${line[*]}" COMP_POINT=${#COMP_LINE}
function=${spec##*-F } function=${function%% *}
COMPREPLY=()
"$function" "${line[0]}" "${line[-1]}" "${line[-2]}"
printf '%s\n' "${COMPREPLY[@]}"
"""


# one value of each option that has a list of them
VALUES = [("--families", "dns"), ("--redact", "strict"), ("--codec", "zstd"),
    ("--hooks", "syscalls"), ("--log-level", "debug"), ("--trigger", "oom=off")]


def docs_completion(tree, found):
    """The completion offers each command its options and no others, and what they may be."""
    asked = all_options(tree)
    if asked is None:
        return found.skip("the programs are not built")
    if not need(tree, found, COMPLETION):
        return None
    script = os.path.join(tree.root, COMPLETION)
    out = os.path.dirname(program(tree, "flightrec"))

    def offers(*line):
        done = subprocess.run(["bash", "-c", COMPLETE, "complete", script, *line], timeout=20,
                      stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                      stdin=subprocess.DEVNULL,
                      env={**os.environ, "PATH": out + ":" + os.environ["PATH"]})
        if done.returncode != 0:
            found(COMPLETION, 0, f"completing {' '.join(line)!r} fails: "
                  + done.stderr.decode().strip())
        return {w.strip().rstrip("=") for w in done.stdout.decode().split("\n") if w.strip()}

    names = set(asked["flightrec"]) - {""}
    for command in sorted(names - offers("flightrec", "")):
        found(COMPLETION, 0, f"flightrec: command {command} is not offered")
    for name, commands in asked.items():
        for command, options in sorted(commands.items()):
            if name == "flightrec" and not command:
                continue
            line = [name] + ([command] if command else []) + ["--"]
            offered = {o[2:] for o in offers(*line) if o.startswith("--")}
            for option in sorted(options - offered - {"help"}):
                found(COMPLETION, 0, f"{' '.join(line[:-1])}: --{option} is not offered")
            for option in sorted(offered - options - {"help"}):
                found(COMPLETION, 0, f"{' '.join(line[:-1])} has no --{option}")
    for option, value in VALUES:
        if option[2:] in asked["flightrecd"][""] and value not in offers("flightrecd", option, ""):
            found(COMPLETION, 0, f"flightrecd {option}: {value} is not offered")
    return None


def setting_keys(tree):
    """Keys that the file may have: rows of the table without the mark of command-line ones."""
    table = tree.text(SETTINGS).partition("fr_setting_rows[] = {")[2].partition("\n};")[0]
    rows = re.findall(r'\{ "([a-z-]+)",(.*?)\}', table, re.S)
    return {name.replace("-", "_") for name, rest in rows if not re.search(r"\bCLI\b", rest)}


def docs_settings(tree, found):
    """Each key of the INI file is in its man page, and no others are."""
    if not need(tree, found, SETTINGS) or not need(tree, found, MAN_INI):
        return None
    keys = setting_keys(tree)
    if not keys:
        found(SETTINGS, 0, "no row of fr_setting_rows was understood")
    described = set()
    lines = man_text(tree, MAN_INI).split("\n")
    for number, line in enumerate(lines):
        if line.strip() in (".TP", ".TQ") and number + 1 < len(lines):
            tag = re.sub(r"^\.[BIR]+ ", "", lines[number + 1])
            described.update(re.findall(r"\b[a-z][a-z_]+\b", tag.split("=")[0])[:1])
    trigger_keys = None
    path = program(tree, "flightrecd")
    if path:
        with tempfile.NamedTemporaryFile(suffix=".ini") as empty:
            status, text = output(path, "--config", empty.name, "--check-config")
        if status != 0:
            found("flightrecd", 0, f"--check-config of an empty file ends with {status}: {text}")
        trigger_keys = set(re.findall(r"^(\w+) = ", text.partition("[trigger.")[2], re.M))
        for key in sorted(set(re.findall(r"^(\w+) = ", text.partition("\n[")[0], re.M)) - keys):
            found(SETTINGS, 0, f"--check-config prints {key}, which is no key")
        for key in sorted(trigger_keys - described):
            found(MAN_INI, 0, f"key {key} of [trigger.NAME] is not described (.TP)")
    for key in sorted(keys - described):
        found(MAN_INI, 0, f"key {key} is not described (.TP)")
    if trigger_keys is not None:
        for key in sorted(described - keys - trigger_keys):
            found(MAN_INI, 0, f"{key} is no key of the configuration")
    return None


def docs_exit_codes(tree, found):
    """Both man pages explain each exit code of enum fr_exit."""
    if not need(tree, found, "formats/base/cli.h"):
        return
    codes = re.findall(r"FR_EXIT_\w+ = (\d+)", tree.text("formats/base/cli.h"))
    for page in MAN.values():
        if not need(tree, found, page):
            continue
        section = re.search(r'^\.SH "?EXIT (?:STATUS|CODES)"?$(.*?)(?=^\.SH|\Z)', tree.text(page),
                    re.M | re.S)
        if not section:
            found(page, 0, "no section EXIT STATUS")
            continue
        for code in codes:
            if not re.search(rf"(?<!\d){code}(?!\d)", section.group(1)):
                found(page, 0, f"exit code {code} is not explained")


def docs_targets(tree, found):
    """make help lists each public target, and the documents name no target that isn't there."""
    text = tree.text("Makefile")
    helped = set(re.findall(r"^([a-z-]+):.*## ", text, re.M))
    public = re.search(r"^\.PHONY: ((?:.*\\\n)*.*)", text, re.M)
    for target in sorted(set((public.group(1) if public else "").replace("\\", "").split())):
        if target.islower() and target not in helped and target != "check-deps":
            found("Makefile", 0, f"target {target} has no '## description', so make help omits it")
    for path in tree.match(r"\.md$|^\.ci/run$|^tests/(?!lint/).*\.sh$"):
        for number, line in enumerate(tree.lines(path), 1):
            for target in re.findall(r"(?:`|^(?: {4}|\t)\s*|\$ )make ([a-z][a-z-]*)", line):
                if target not in helped:
                    found(path, number, f"make {target}: there is no such target")


def docs_links(tree, found):
    """Relative links between documents lead somewhere."""
    for path in tree.match(r"\.md$"):
        for number, line in enumerate(tree.lines(path), 1):
            for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", line):
                if re.match(r"[a-z]+:", target):
                    continue
                to = os.path.normpath(os.path.join(os.path.dirname(path), target))
                if not os.path.exists(os.path.join(tree.root, to)):
                    found(path, number, f"the link to {target} leads nowhere")


CHECKS = [docs_events, docs_decoders, docs_options, docs_completion, docs_settings, docs_exit_codes,
    docs_targets, docs_links]
