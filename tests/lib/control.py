# SPDX-License-Identifier: BSD-2-Clause
"""One request over the control socket: control.py PATH WORD...; prints the answer. Exit status 0
for "ok", the code of "error CODE ..." otherwise. With PATH=... and no words: reads the request
from standard input as it is, bytes and all."""
import socket
import sys

peer = socket.socket(socket.AF_UNIX)
peer.settimeout(60)
peer.connect(sys.argv[1])
words = sys.argv[2:]
try:
    peer.sendall((" ".join(words) + "\n").encode() if words else sys.stdin.buffer.read())
except BrokenPipeError:
    pass  # turned away already: the reason is there to be read
answer = b""
while True:
    part = peer.recv(65536)
    if not part:
        break
    answer += part
first, _, body = answer.partition(b"\n")
if first == b"ok":
    sys.stdout.buffer.write(body)
    sys.exit(0)
sys.stdout.buffer.write(answer)
sys.exit(int(first.split()[1]) if first.startswith(b"error ") else 99)
