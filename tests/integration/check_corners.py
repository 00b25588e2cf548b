# SPDX-License-Identifier: BSD-2-Clause
"""check_corners.py TRUTH DUMP DUMP: what tests/workload/corners.py did, in the first dump; the
second one must not tell of the first one's making."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import frd  # noqa: E402

failures = 0


def verdict(name, truth, *why):
    global failures
    print("%s %s" % ("ok" if truth else "not ok", name))
    if not truth:
        failures += 1
        for line in why:
            print("# %s" % (line,))


def main():
    did = json.load(open(sys.argv[1]))
    d = frd.Dump(sys.argv[2])
    io = [e for e in d.events("sock_send", "sock_recv") if e.tid == did["pid"]]
    closes = {e.addr.local_port: e for e in d.events("sock_close")}

    verdict("unix_sockets_of_the_first_sub_buffer_are_named", d.loss.unnamed_sockets == 0,
            "%d sockets without a name" % d.loss.unnamed_sockets)
    again = closes[did["again"]]
    verdict("connected_after_a_refusal", again.flags == frd.SOCK["CONNECTED"] and again.sent == 10,
            again)
    resets = [e for e in d.events("tcp_reset") if did["reset"] in (e.local_port, e.remote_port)]
    own = {e.direction: e.sock for e in resets if e.local_port == did["reset"]}
    verdict("resets_name_their_sockets", len(resets) == 2 and all(e.sock for e in resets) and
            own == {0: closes[did["reset"]].sock}, *resets)
    for number, port in enumerate(did["fast"]):
        c = closes[port]
        sends = [e for e in io if e.sock == c.sock and e.kind == "sock_send"]
        verdict("fast_open_counts_from_its_first_byte_%d" % number,
                c.sent == 100 and c.received == 7 and
                [(e.off, e.result, e.flags & frd.IO["GAP"]) for e in sends] == [(0, 100, 0)],
                c, *sends)
    if not did["fast"]:
        print("skip fast_open the kernel refuses it")
    if did["mptcp"]:
        ends = [e for e in d.events("sock_close") if e.flags & frd.SOCK["MPTCP"] and
                did["mptcp"] in (e.addr.local_port, e.addr.remote_port)]
        verdict("mptcp_has_addresses_and_an_end",
                sorted((e.flags & 3, e.sent, e.received) for e in ends) == [(1, 5, 11), (2, 11, 5)]
                and all(e.addr.local_port and e.addr.remote_port for e in ends), *ends)
    else:
        print("skip mptcp_has_addresses_and_an_end no MPTCP here")
    errors = [e for e in io if e.kind == "sock_recv" and e.addr]
    verdict("error_queue_is_not_received", did["error_queue"] == 12 and not errors, *errors)
    if did["namespace"]:
        aborts = [e for e in d.events("proc_signal") if e.sig == 6]
        verdict("sender_in_a_namespace_blames_nobody",
                [e.sender_tgid for e in aborts] == [0], *aborts)
    else:
        print("skip sender_in_a_namespace no pid namespaces here")

    second = frd.Dump(sys.argv[3])
    # what was under way when recording began has ended by then
    orphans = [e for e in second.events("block_complete")
               if e.flags & 1 and e.time > d.loss.end_boot_ns]
    verdict("own_disk_requests_are_kept_out_whole", not orphans, *orphans[:5])
    sys.exit(failures != 0)


if __name__ == "__main__":
    main()
