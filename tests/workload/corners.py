# SPDX-License-Identifier: BSD-2-Clause
"""Rare things on sockets; prints one line of JSON that says what was done."""
import json
import os
import select
import signal
import socket
import struct
import time

TCP_FASTOPEN, MSG_FASTOPEN, IP_RECVERR, MSG_ERRQUEUE = 23, 0x20000000, 11, 0x2000
IPPROTO_MPTCP = 262
did = {"pid": os.getpid()}

# unix sockets in the first sub-buffer of a CPU, gone before anybody asks for them
for _ in range(20):
    a, b = socket.socketpair()
    a.send(b"hello")
    b.recv(10)
    a.close()
    b.close()

# refused, then connected
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
at = listener.getsockname()
c = socket.socket()
try:
    c.connect(at)
    raise SystemExit("nobody listened, and it connected")
except ConnectionRefusedError:
    pass
listener.listen()
c.connect(at)
s, _ = listener.accept()
did["again"] = c.getsockname()[1]
c.send(b"A" * 10)
s.recv(100)
c.close()
s.close()

# data that leaves with the SYN (the second time: the first one fetches a cookie)
fast = socket.socket()
try:
    fast.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN, 16)
except OSError:
    pass
fast.bind(("127.0.0.1", 0))
fast.listen()
did["fast"] = []
for _ in range(2):
    c = socket.socket()
    try:
        c.sendto(b"F" * 100, MSG_FASTOPEN, fast.getsockname())
    except OSError:
        break
    s, _ = fast.accept()
    s.recv(1000)
    s.send(b"R" * 7)
    c.recv(10)
    did["fast"].append(c.getsockname()[1])
    c.close()
    s.close()

# a connection that its client ends by a reset
c = socket.socket()
c.connect(at)
s, _ = listener.accept()
did["reset"] = c.getsockname()[1]
c.send(b"x")
s.recv(10)
c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
c.close()
try:
    s.recv(10)
except ConnectionResetError:
    pass
s.close()

# MPTCP: the socket that bytes pass through is none of those that go over the wire
did["mptcp"] = 0
try:
    several = socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP)
except OSError:
    several = None
if several:
    several.bind(("127.0.0.1", 0))
    several.listen()
    c = socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP)
    c.connect(several.getsockname())
    s, _ = several.accept()
    did["mptcp"] = c.getsockname()[1]
    c.send(b"Q" * 11)
    s.recv(100)
    s.send(b"A" * 5)
    c.recv(100)
    c.close()
    s.recv(100)
    s.close()

# an error message from the socket's queue is no data of the other end
c = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
c.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
gone = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
gone.bind(("127.0.0.1", 0))
port = gone.getsockname()[1]
gone.close()
c.sendto(b"nobody there", ("127.0.0.1", port))
answered = select.poll()
answered.register(c, 0)
answered.poll(20000)  # an error is always told
did["error_queue"] = len(c.recvmsg(100, 100, MSG_ERRQUEUE)[0])

# killed from inside of a pid namespace: the sender's number there is somebody else's here
try:
    os.unshare(0x20000000)  # CLONE_NEWPID, for children; Python 3.12
    unshared = True
except (AttributeError, OSError):
    import ctypes
    unshared = ctypes.CDLL(None).unshare(0x20000000) == 0
if unshared and os.fork() == 0:
    victim = os.fork()
    if victim == 0:
        time.sleep(10)
    os.kill(victim, signal.SIGABRT)
    os.waitpid(victim, 0)
    os._exit(0)
if unshared:
    os.wait()
did["namespace"] = unshared
print(json.dumps(did))
