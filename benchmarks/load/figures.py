"""figures: what a running engine costs and how fast it answers: the figures that issue after issue must keep.

    PLATEN_BUILD=build/release python3 benchmarks/load/figures.py [latency] [idle] [large]

latency: one-page G4 scans, one at a time, over one kept connection: first byte sent to 201, and to done.
idle:    memory of the engine with 1,000 TLS connections that say nothing.
large:   memory of the engine while one upload of 1 GiB goes in.
Prints JSON with machine, commit, inputs, median and p99. Standard library only.

SPDX-License-Identifier: AGPL-3.0-or-later
"""
import json
import os
import pathlib
import resource
import socket
import statistics
import subprocess
import sys
import threading
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
os.environ.setdefault("PLATEN_BUILD", str(TOP / "build" / "release"))
sys.path.insert(0, str(TOP / "tests" / "integration"))
from daemon import Daemon, scan  # noqa: E402  (its folder is only known now)

IDLE_CONNECTIONS = 1000
LARGE_BYTES = 1 << 30


def memory_kb(pid, row="VmRSS"):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(row + ":"):
            return int(line.split()[1])
    return 0


def spread(values):
    values = sorted(values)
    return {"n": len(values), "median_ms": round(statistics.median(values), 2),
            "p99_ms": round(values[min(len(values) - 1, int(len(values) * 0.99))], 2),
            "least_ms": round(values[0], 2)}


def latency(engine, rounds=200):
    """The time to done is the engine's own (finished_at - received_at) on top of the time to 201."""
    body = scan("letter.tif")
    connection = engine.connect()
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    accepted, done = [], []
    for i in range(rounds + 20):
        began = time.perf_counter()
        job = engine.accept(f"{i}.tif", body, connection=connection)
        mid = time.perf_counter()
        end = engine.wait(job)
        if i < 20: # the first ones warm caches and prove the password
            continue
        accepted.append((mid - began) * 1000)
        done.append((mid - began) * 1000 + wall_ms(end["finished_at"]) - wall_ms(end["received_at"]))
    connection.close()
    return {"input": f"letter.tif, {len(body)} bytes", "to_201": spread(accepted), "to_done": spread(done)}


def wall_ms(text):
    from datetime import datetime
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000


def idle(engine):
    before = memory_kb(engine.process.pid)
    context = engine.tls()
    held = []
    for _ in range(IDLE_CONNECTIONS):
        raw = socket.create_connection(engine.devices, timeout=30)
        held.append(context.wrap_socket(raw, server_hostname="localhost"))
    time.sleep(0.5)
    after = memory_kb(engine.process.pid)
    for stream in held:
        stream.close()
    return {"connections": IDLE_CONNECTIONS, "before_kb": before, "after_kb": after,
            "per_connection_kb": round((after - before) / IDLE_CONNECTIONS, 1)}


def large(engine):
    """The greatest resident size seen while the upload runs, against the size before it."""
    chunk = bytes(range(256)) * 4096
    before = memory_kb(engine.process.pid)
    most, over = [before], threading.Event()

    def watch():
        while not over.wait(0.01):
            most[0] = max(most[0], memory_kb(engine.process.pid))
    watcher = threading.Thread(target=watch)
    watcher.start()
    began = time.perf_counter()
    answer = engine.upload("large.bin", (chunk for _ in range(LARGE_BYTES // len(chunk))),
                           headers={"Content-Length": str(LARGE_BYTES)})
    seconds = time.perf_counter() - began
    over.set()
    watcher.join()
    if answer.status != 201:
        raise SystemExit(f"figures: the large upload was answered {answer.status}: {answer.body[:200]!r}")
    return {"bytes": LARGE_BYTES, "seconds": round(seconds, 2), "mb_per_s": round(LARGE_BYTES / 1e6 / seconds),
            "before_kb": before, "most_kb": most[0], "moved_kb": most[0] - before}


def machine():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo", encoding="ascii", errors="replace")
                  if line.startswith("model name")), "?")
    commit = subprocess.run(["git", "-C", TOP, "rev-parse", "--short", "HEAD"], capture_output=True, text=True,
                            check=False).stdout.strip()
    return {"machine": f"{model}, {os.cpu_count()} cores, Linux {os.uname().release.split('-')[0]}",
            "commit": commit or "unknown"}


def main():
    figures = {"latency": latency, "idle": idle, "large": large}
    chosen = sys.argv[1:] or list(figures)
    unknown = [name for name in chosen if name not in figures]
    if unknown:
        raise SystemExit(f"figures: there is no {unknown[0]}: {', '.join(figures)}")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4096)), hard))
    result = machine()
    for name in chosen: # a fresh engine for each, so that none pays for another
        with Daemon() as engine:
            engine.wait(engine.accept("warm.tif", scan("letter.tif")))
            result[name] = figures[name](engine)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
