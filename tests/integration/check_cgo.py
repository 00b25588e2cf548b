# SPDX-License-Identifier: BSD-2-Clause
"""check_cgo.py NAME TRUTH DUMP: sends of C code with anything in r14 have no goid; those of Go
code in between have the right one (or none, when the linker has moved the runtime's word)."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import truth  # noqa: E402
from frd import IO  # noqa: E402


def check(x, sends, learned):
    """Yields what is wrong with one line of the truth."""
    who = "%s %d on a %s thread" % (x["case"], x["n"], x["thread"])
    found = [e for e in sends if bytes(e.data) == x["text"].encode()]
    if len(found) != 1:
        yield "%s: %d records" % (who, len(found))
        return
    e = found[0]
    if x["case"] != "control":
        if e.flags & IO["GOID"] or e.goid:
            yield "%s: goid %d for C code: %s" % (who, e.goid, e)
        if e.tid != x["tid"]:
            yield "%s: tid %d instead of %d" % (who, e.tid, x["tid"])
        if e.g != int(x["r14"], 16):
            yield "%s: register %#x instead of %s" % (who, e.g, x["r14"])
        return
    if e.flags & IO["GOID"]:
        if e.goid != x["goid"]:
            yield "%s: goid %d instead of %d" % (who, e.goid, x["goid"])
    elif x["fs_word"] == x["g"] and e.time >= learned:
        yield "%s: no goid: %s" % (who, e)


def main():
    name, lines = sys.argv[1] + " ", truth.load_truth(sys.argv[2])
    lines = [x for x in lines if "case" in x]
    d = truth.load_dump(sys.argv[3], name)
    pid = lines[0]["pid"]
    tids = {t.tid for t in d.threads if t.tgid == pid}
    sends = [e for e in d.events("sock_send") if e.tid in tids]
    unknown = [e.time for e in sends if e.flags & IO["GO_UNKNOWN"]]
    learned = max(unknown, default=0) + 1
    truth.verdict(name + "goid", (w for x in lines for w in check(x, sends, learned)))
    judged = [x for x in lines if x["case"] != "control"]
    late = sum(1 for e in sends if e.time < learned and b"/cgo/" in bytes(e.data))
    print("# %d sends of C code, %d of them before the binary was known, %d controls with goid" % (
        len(judged), late, sum(1 for e in sends if e.flags & IO["GOID"] and b"/go/" in e.data)))
    truth.verdict(name + "C sends judged", [] if len(judged) - late >= len(judged) // 2 > 0 else
                  ["%d of %d came before the binary was known" % (late, len(judged))])
    truth.finish()


main()
