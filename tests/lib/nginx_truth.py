# SPDX-License-Identifier: BSD-2-Clause
"""nginx_truth.py LOG CLIENT... TRUTH: the truth of an nginx that is a proxy, as truth_requests.py wants it.
LOG has a line "PID METHOD PATH STATUS" for each request; the path goes upstream behind /up. CLIENT is
the truth of who asked: nginx did its part within the client's times, more is not known."""
import json
import sys


def main(log, *clients, truth):
    asked = {}
    for client in clients:
        with open(client) as f:
            for line in map(json.loads, f):
                if line["side"] == "client":
                    asked[line["path"]] = line
    with open(truth, "w") as out:
        pids = set()
        for line in open(log):
            pid, method, path, status = line.split()
            pids.add(int(pid))
            during = [asked[path]["start"][0], asked[path]["end"][1]]
            both = {"pid": int(pid), "method": method, "status": int(status), "start": during, "end": during}
            print(json.dumps(dict(both, side="server", path=path, out=[{"path": "/up" + path, "spread": True}])),
                  file=out)
            print(json.dumps(dict(both, side="client", path="/up" + path)), file=out)
        for pid in pids:
            print(json.dumps({"side": "end", "pid": pid}), file=out)


main(*sys.argv[1:-1], truth=sys.argv[-1])
