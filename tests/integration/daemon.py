"""daemon: a real engine in a folder of its own, for integration tests.

Starts `platen` of the build under test on 127.0.0.1:0, speaks to both listeners as a device and as an owner,
kills it, starts it again, and keeps its log for when a test fails. Standard library only.

Environment: PLATEN_BUILD is the build folder; PLATEN_HOSTILE and PLATEN_CORPUS name data that some tests want.

SPDX-License-Identifier: AGPL-3.0-or-later
"""
import base64
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("PLATEN_BUILD", TOP / "build" / "dev"))
PATIENCE = 20 if os.environ.get("PLATEN_SANITIZED") else 1  # how much slower this build may be
END_STATES = ("done", "dead", "held", "cancelled", "erased")
# Started by root, the engine leaves root behind; these users are in every Debian.
ROOT_USERS = ["--user", "daemon", "--worker-user", "nobody"]


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


def set_settings(path, changes):
    """Changes values of platen.yaml in place: {"section": {"key": value}}."""
    section, lines = "", []
    left = {(s, k) for s in changes for k in changes[s]}
    for line in path.read_text().splitlines():
        top = re.match(r"^([a-z_]+):\s*$", line)
        row = re.match(r"^(\s+)([a-z_]+):", line)
        if top:
            section = top.group(1)
        elif row and row.group(2) in changes.get(section, {}):
            line = f"{row.group(1)}{row.group(2)}: {changes[section][row.group(2)]}"
            left.discard((section, row.group(2)))
        lines.append(line)
    if left:
        raise AssertionError(f"platen.yaml has no {sorted(left)}")
    path.write_text("\n".join(lines) + "\n")


class Daemon:
    """One instance. Use as a context manager; `settings` changes rows of platen.yaml, `pipeline` is the
    definition of the drop's, `worker` another worker program of the build, `options` go to platen init."""

    def __init__(self, settings=None, pipeline=None, worker=None, options=()):
        self.options = options
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="platen-test."))
        os.chmod(self.folder, 0o755)
        self.bin = self.folder / "bin"
        self.bin.mkdir()
        for program in (BUILD / "api" / "platen", BUILD / "workers" / "platen-worker"):
            shutil.copy(program, self.bin)
        if worker:
            shutil.copy(worker, self.bin / "platen-worker")
        self.data = self.folder / "instance"
        self.log_path = self.folder / "engine.log"
        self.process = None
        self.make(settings or {}, pipeline)

    def make(self, settings, pipeline):
        options = [*self.options, *(ROOT_USERS if os.geteuid() == 0 else [])]
        if pipeline:
            path = self.folder / "pipeline.json"
            path.write_text(json.dumps(pipeline))
            options = [*options, "--pipeline", path]
        done = self.run("init", self.data, "--devices", "127.0.0.1:0", "--control", "127.0.0.1:0", *options)
        if done.returncode != 0:
            raise AssertionError(f"init failed: {done.stderr}")
        if settings:
            set_settings(self.data / "platen.yaml", settings)
        text = (self.data / "credentials.txt").read_text()
        self.credentials = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)

    def run(self, *arguments, **more):
        """Runs a command of platen to its end."""
        more.setdefault("timeout", 60 * PATIENCE)
        return subprocess.run([self.bin / "platen", *map(str, arguments)], capture_output=True, text=True,
                              check=False, **more)

    def start(self):
        for old in ("devices", "control"): # an engine that was killed left them
            (self.data / "run" / old).unlink(missing_ok=True)
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [self.bin / "platen", "serve", "--config", self.data / "platen.yaml"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + 20 * PATIENCE
        while True:
            try:
                self.devices = self.address("devices")
                self.control = self.address("control")
                return self
            except (OSError, ValueError):
                pass
            if self.process.poll() is not None:
                raise AssertionError(f"the engine left with {self.process.returncode}:\n{self.log()}")
            if time.monotonic() > deadline:
                raise AssertionError(f"the engine does not listen:\n{self.log()}")
            time.sleep(0.02)

    def address(self, which):
        host, port = (self.data / "run" / which).read_text().strip().rsplit(":", 1)
        return host, int(port)

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def stop(self, how=signal.SIGTERM):
        """Ends the engine and gives its exit code; None when it was not running."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(how)
        code = self.process.wait(timeout=60 * PATIENCE)
        self.process = None
        return code

    def kill(self):
        """As when the power goes, but for the disk: the engine at once, what it started with it."""
        workers = self.workers()
        self.stop(signal.SIGKILL)
        deadline = time.monotonic() + 10
        while any(pathlib.Path(f"/proc/{pid}").exists() and alive(pid) for pid in workers):
            if time.monotonic() > deadline:
                raise AssertionError("workers outlive the engine that was killed")
            time.sleep(0.02)

    def workers(self):
        """Process ids of the workers of this engine; the path of their program is this instance's own."""
        path = os.fsencode(self.bin / "platen-worker")
        found = []
        for entry in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if (entry / "cmdline").read_bytes().split(b"\0")[0] == path:
                    found.append(int(entry.name))
            except OSError:
                continue # gone meanwhile
        return found

    def launcher(self):
        """Process id of the one child of the engine, which starts the workers."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        if len(children) != 1:
            raise AssertionError(f"the engine has the children {children}")
        return int(children[0])

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, value, trace):
        if kind is not None and not issubclass(kind, unittest.SkipTest):
            sys.stderr.write("---- the engine's log, its last lines ----\n")
            sys.stderr.write("\n".join(self.log().splitlines()[-40:]) + "\n")
        self.close()

    def close(self):
        if self.process is not None:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- as a device --

    def tls(self):
        return ssl.create_default_context(cafile=str(self.data / self.credentials["ca_file"]))

    def socket(self, which="devices"):
        """A bare TLS connection, for what no HTTP library would send."""
        raw = socket.create_connection(getattr(self, which), timeout=30 * PATIENCE)
        return self.tls().wrap_socket(raw, server_hostname="localhost")

    def basic(self, login=None, password=None):
        pair = f"{login or self.credentials['device_login']}:{password or self.credentials['device_password']}"
        return "Basic " + base64.b64encode(pair.encode()).decode()

    def connect(self, which="devices"):
        host, port = getattr(self, which)
        return http.client.HTTPSConnection(host, port, context=self.tls(), timeout=60 * PATIENCE)

    def ask(self, which, method, path, body=None, headers=None, connection=None, **more):
        mine = connection or self.connect(which)
        try:
            mine.request(method, path, body=body, headers=headers or {}, **more)
            answer = mine.getresponse()
            return Reply(answer.status, answer.headers, answer.read())
        finally:
            if connection is None:
                mine.close()

    def upload(self, name, body, drop=None, headers=None, **more):
        """PUT as the device; the whole answer."""
        path = f"/in/{drop or self.credentials['drop']}/{name}"
        return self.ask("devices", "PUT", path, body, {"Authorization": self.basic(), **(headers or {})}, **more)

    def accept(self, name, body, **more):
        """PUT that must be taken: the job's id."""
        answer = self.upload(name, body, **more)
        if answer.status != 201:
            raise AssertionError(f"{name}: {answer.status} {answer.body[:300]!r}")
        return answer.json()["id"]

    # -- as the owner --

    def owner(self, path, method="GET", headers=None, **more):
        token = {"Authorization": f"Bearer {self.credentials['admin_token']}"}
        return self.ask("control", method, path, None, {**token, **(headers or {})}, **more)

    def job(self, job):
        answer = self.owner(f"/v1/jobs/{job}")
        if answer.status != 200:
            raise AssertionError(f"job {job}: {answer.status} {answer.body[:300]!r}")
        return answer.json()

    def jobs(self):
        return self.owner("/v1/jobs").json()["jobs"]

    def wait(self, job, seconds=30, states=END_STATES):
        """The job once it is in one of the states."""
        deadline = time.monotonic() + seconds * PATIENCE
        while True:
            now = self.job(job)
            if now["state"] in states:
                return now
            if time.monotonic() > deadline:
                raise AssertionError(f"job {job} is still {now['state']} after {seconds * PATIENCE} s: {now}")
            time.sleep(0.02)

    def document(self, job, n=1, headers=None):
        return self.owner(f"/v1/jobs/{job}/documents/{n}", headers=headers)

    def files(self, *folders):
        """Every file below folders of the instance, with its size."""
        return {str(p.relative_to(self.data)): p.stat().st_size
                for f in folders for p in (self.data / f).rglob("*") if p.is_file()}


def alive(pid):
    """False for a process that is only waited for."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


_scans = {}


def scan_names():
    """Name and pages of every scan that the project makes."""
    listed = subprocess.run([TOP / "scripts" / "make-scans", "--list"], check=True, capture_output=True, text=True)
    rows = [line.split("|") for line in listed.stdout.splitlines()]
    return [(row[0].strip(), len(row[2].split())) for row in rows]


def scan(name):
    """The bytes of one of the project's own scans (scripts/make-scans --list)."""
    if name not in _scans:
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([TOP / "scripts" / "make-scans", "--maker", BUILD / "tests" / "scan_maker", "--only", name,
                            folder], check=True, capture_output=True)
            _scans[name] = pathlib.Path(folder, name).read_bytes()
    return _scans[name]


def pdf_pages(data):
    """Page count by poppler, after qpdf found nothing wrong."""
    with tempfile.NamedTemporaryFile(suffix=".pdf") as file:
        file.write(data)
        file.flush()
        checked = subprocess.run(["qpdf", "--check", file.name], capture_output=True, text=True, check=False)
        if checked.returncode != 0:
            raise AssertionError(f"qpdf: {checked.stdout}{checked.stderr}")
        info = subprocess.run(["pdfinfo", file.name], capture_output=True, text=True, check=True)
        return int(re.search(r"^Pages:\s+(\d+)", info.stdout, re.M).group(1))


def hostile(*kinds):
    """Files of hostile inputs by kind; skips the test where there are none."""
    folder = os.environ.get("PLATEN_HOSTILE", "")
    files = [p for k in kinds for p in sorted(pathlib.Path(folder, k).glob("*"))] if folder else []
    if not files:
        raise unittest.SkipTest("PLATEN_HOSTILE does not name a folder of hostile inputs")
    return files
