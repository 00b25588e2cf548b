# SPDX-License-Identifier: BSD-2-Clause
"""check_info.py DUMP < `flightrec info --json DUMP`: the tool and this reader, which share no code,
say the same of a dump."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import frd  # noqa: E402
import truth  # noqa: E402

COUNTS = ("emitted", "kept", "overwritten", "overtaken", "unfinished", "recursion_misses")
NEAR_NS = 1000000  # between two ways to map boot time to real time


def differences(d, info):
    def same(what, ours, tools):
        if ours != tools:
            yield "%s: %s here, %s there" % (what, ours, tools)

    yield from same("events", {k: str(n) for k, n in d.count.items()}, info["events"])
    yield from same("unnamed", d.loss.unnamed_threads + d.loss.unnamed_sockets, info["unnamed"])
    yield from same("incomplete", d.incomplete, info["incomplete"])
    yield from same("redact", d.config.redact, info["redact"])
    yield from same("kernel", d.host.kernel_release, info["kernel"])
    yield from same("boot id", d.host.boot_id, info["host"]["boot_id"])
    yield from same("trigger", d.trigger.name, info["trigger"]["name"])
    for what, rows, key in (("sockets", d.sockets, ("id",)),
                            ("processes", d.processes, ("tgid", "start_boot_ns")),
                            ("threads", d.threads, ("tid", "start_boot_ns"))):
        each = len({tuple(r[k] for k in key) for r in rows})
        # one may have several rows, and the tool counts rows
        if not each <= info[what] <= len(rows):
            yield "%s: %d in %d rows here, %d there" % (what, each, len(rows), info[what])
    for ours, tools in zip(d.loss.cpus, info["cpus"]):
        for name in COUNTS:
            yield from same("cpu %d %s" % (ours.cpu, name), str(ours[name]), tools[name])
        for cause in ("retry", "busy", "nocpu"):
            yield from same("cpu %d dropped %s" % (ours.cpu, cause),
                            str(ours["dropped_" + cause]), tools["dropped"][cause])
    yield from same("CPUs", len(d.loss.cpus), len(info["cpus"]))
    boot = int(info["window"]["common_start_unix_nano"]) - d.trigger.unix_ns + d.trigger.boot_ns
    first = min((e.time for e in d.events() if e.time >= d.common_start), default=d.common_start)
    if not d.common_start - NEAR_NS <= boot <= first + NEAR_NS:
        yield "common start: %d here, first event %d, %d there" % (d.common_start, first, boot)


def main():
    d = frd.Dump(sys.argv[1])
    truth.verdict("the tool says the same", differences(d, json.load(sys.stdin)))
    truth.finish()


main()
