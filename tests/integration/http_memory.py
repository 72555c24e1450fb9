"""http_memory: what connections and bodies cost the server process, against the figures we promise.

1,000 idle TLS connections: under 60 MB in all. A body of 1 GiB over TLS: memory moves by less than 8 MB.

usage: http_memory.py ECHO_PROGRAM

SPDX-License-Identifier: AGPL-3.0-or-later
"""

import re
import resource
import socket
import ssl
import subprocess
import sys
import tempfile
import time

IDLE = 1000
IDLE_MIB = 60
BODY = 1 << 30
BODY_MIB = 8


def memory_mib(process, name):
    text = open(f"/proc/{process.pid}/status", encoding="ascii").read()
    return int(re.search(rf"^{name}:\s+(\d+) kB", text, re.M)[1]) / 1024


def connect(context, port):
    plain = socket.create_connection(("127.0.0.1", port))
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context.wrap_socket(plain, server_hostname="localhost")


def upload(connection, size):
    block = bytes(1 << 20)
    connection.sendall(b"PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size)
    for _ in range(size // len(block)):
        connection.sendall(block)
    connection.sendall(block[:size % len(block)])
    return connection.recv(4096)


def main():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most < 2 * IDLE:
        print(f"skipped: only {most} open files allowed, {2 * IDLE} needed")
        return 77
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    bad = []
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen([sys.argv[1], "device", "127.0.0.1:0", folder],
                                  stdout=subprocess.PIPE, text=True)
        port = int(server.stdout.readline().rsplit(":", 1)[1])
        context = ssl.create_default_context(cafile=folder + "/p256-certificate.pem")
        empty = memory_mib(server, "VmRSS")

        with connect(context, port) as connection:
            upload(connection, 1 << 20)  # what the first use of the code costs is not the body's
            before = memory_mib(server, "VmHWM")
            start = time.monotonic()
            answer = upload(connection, BODY)
            seconds = time.monotonic() - start
            moved = memory_mib(server, "VmHWM") - before
        print(f"1 GiB body: memory moved by {moved:.1f} MiB, {BODY / seconds / 1e6:.0f} MB/s")
        if b"bytes=%d " % BODY not in answer or moved >= BODY_MIB:
            bad.append(f"body: {moved:.1f} MiB, {answer!r}")

        idle = [connect(context, port) for _ in range(IDLE)]
        for connection in idle:
            assert b" 200 OK" in upload(connection, 3)
        rss = memory_mib(server, "VmRSS")
        print(f"{IDLE} idle TLS connections: {rss:.1f} MiB, of which {empty:.1f} MiB without any; "
              f"{(rss - empty) * 1024 / IDLE:.1f} KiB each")
        if rss >= IDLE_MIB:
            bad.append(f"idle: {rss:.1f} MiB")
        for connection in idle:
            connection.close()
        server.terminate()
        print("   ", server.communicate(timeout=20)[0].strip())
        if server.returncode != 0:
            bad.append(f"the server ended with {server.returncode}")
    for line in bad:
        print("BAD", line)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
