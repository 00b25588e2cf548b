# SPDX-License-Identifier: BSD-2-Clause
"""An HTTP server of one thread, called fr_crash, that reads address 0 when asked for /crash. Prints its port."""
import ctypes
import http.server


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/crash":
            ctypes.string_at(0)
        self.send_response(204)
        self.end_headers()


open("/proc/self/comm", "w").write("fr_crash")
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
