"""test_door: what devices do on the wire, the good, the odd and the broken; nothing is left behind.

SPDX-License-Identifier: AGPL-3.0-or-later
"""
import base64
import hashlib
import http.client
import os
import socket
import ssl
import time
import unittest

from daemon import Daemon, PATIENCE, hostile, scan


class Door(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.engine = Daemon()
        cls.addClassCleanup(cls.engine.close)
        cls.engine.start()

    def setUp(self):
        self.before = {job["id"] for job in self.engine.owner("/v1/jobs?limit=200").json()["jobs"]}
        self.spooled = self.engine.files("spool")

    def nothing_left(self):
        """No new job, and no new file in the spool once the door has tidied up."""
        deadline = time.monotonic() + 5 * PATIENCE
        while set(self.engine.files("spool")) - set(self.spooled) and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual(set(self.engine.files("spool")) - set(self.spooled), set())
        now = {job["id"] for job in self.engine.owner("/v1/jobs?limit=200").json()["jobs"]}
        self.assertEqual(now - self.before, set())

    def head(self, extra, name="raw.tif", version="HTTP/1.1", method="PUT"):
        return (f"{method} /in/{self.engine.credentials['drop']}/{name} {version}\r\nHost: localhost\r\n"
                f"Authorization: {self.engine.basic()}\r\n{extra}\r\n").encode()

    def raw(self, *parts, end=True, which="devices"):
        """Sends bytes as they are and reads until the other side closes or is quiet."""
        with self.engine.socket(which) as stream:
            stream.settimeout(10 * PATIENCE)
            answer = b""
            try:
                for part in parts:
                    stream.sendall(part)
                if end:
                    stream.unwrap().shutdown(socket.SHUT_WR)
            except (OSError, ssl.SSLError):
                pass
            try:
                while chunk := stream.recv(65536):
                    answer += chunk
            except (OSError, ssl.SSLError, ValueError):
                pass
        return answer

    def talk(self, *parts, which="devices"):
        """Sends bytes and reads one answer, then hangs up."""
        with self.engine.socket(which) as stream:
            stream.settimeout(20 * PATIENCE)
            for part in parts:
                stream.sendall(part)
            answer = http.client.HTTPResponse(stream)
            answer.begin()
            return answer.status, answer.headers, answer.read()

    def test_credentials__wrong_or_missing__earn_401_before_the_body(self):
        for header in (None, self.engine.basic(password="wrong"), self.engine.basic(login="nobody"),
                       "Basic !!!", "Bearer " + self.engine.credentials["admin_token"]):
            with self.subTest(header):
                request = f"PUT /in/{self.engine.credentials['drop']}/x.tif HTTP/1.1\r\nHost: localhost\r\n"
                if header:
                    request += f"Authorization: {header}\r\n"
                request += "Content-Length: 1000000\r\nExpect: 100-continue\r\n\r\n"
                status, headers, _ = self.talk(request.encode())
                self.assertEqual(status, 401)
                self.assertIn("Basic", headers["WWW-Authenticate"])
        self.nothing_left()

    def test_drop__that_is_not_there__earns_404(self):
        answer = self.engine.upload("x.tif", b"abc", drop="elsewhere")
        self.assertEqual(answer.status, 404)
        self.nothing_left()

    def test_expect__of_an_admitted_upload__is_answered_100_then_201(self):
        body = scan("blank.tif")
        with self.engine.socket() as stream:
            stream.settimeout(20 * PATIENCE)
            stream.sendall(self.head(f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\n"))
            first = stream.recv(4096)
            self.assertTrue(first.startswith(b"HTTP/1.1 100 "), first)
            stream.sendall(body)
            answer = http.client.HTTPResponse(stream)
            answer.begin()
            self.assertEqual(answer.status, 201)

    def test_chunked__body__is_taken_whole(self):
        body = scan("delivery.tif")

        def pieces():
            for at in range(0, len(body), 10007):
                yield body[at:at + 10007]
        answer = self.engine.upload("chunked.tif", pieces())
        self.assertEqual(answer.status, 201)
        self.assertEqual(answer.json()["sha256"], hashlib.sha256(body).hexdigest())
        self.assertEqual(answer.headers["Location"], f"/v1/jobs/{answer.json()['id']}")

    def test_post__is_an_upload_too(self):
        path = f"/in/{self.engine.credentials['drop']}/posted.tif"
        answer = self.engine.ask("devices", "POST", path, scan("blank.tif"), {"Authorization": self.engine.basic()})
        self.assertEqual(answer.status, 201)

    def test_http_1_0__client__gets_its_answer_and_a_close(self):
        body = scan("blank.tif")
        answer = self.raw(self.head(f"Content-Length: {len(body)}\r\n", version="HTTP/1.0", name="old.tif"), body, end=False)
        self.assertRegex(answer.split(b"\r\n")[0], rb"^HTTP/1\.[01] 201 ")

    def test_connection__kept_alive__takes_one_scan_after_another(self):
        connection = self.engine.connect()
        jobs = {self.engine.accept(f"{i}.tif", scan("blank.tif"), connection=connection) for i in range(20)}
        connection.close()
        self.assertEqual(len(jobs), 20)

    def test_digest__right__is_taken_and_wrong__leaves_nothing(self):
        body = scan("letter.tif")
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        bad = base64.b64encode(hashlib.sha256(body + b"x").digest()).decode()
        unread = [hashlib.sha256(body).hexdigest(), f'"{digest}"', f":{digest}", f":{digest[:20]}:", ":", ""]
        for value in [f":{bad}:", *unread]:
            answer = self.engine.upload("bad.tif", body, headers={"Content-Digest": f"sha-256={value}"})
            self.assertEqual(answer.status, 400, value)
        self.nothing_left()
        answer = self.engine.upload("good.tif", body, headers={"Content-Digest": f"sha-256=:{digest}:"})
        self.assertEqual(answer.status, 201)

    def test_body__that_breaks_off__leaves_nothing(self):
        body = scan("contract.tif")
        half = body[:len(body) // 2]
        self.raw(self.head(f"Content-Length: {len(body)}\r\n"), half)
        self.nothing_left()
        self.raw(self.head("Transfer-Encoding: chunked\r\n"), f"{len(half):x}\r\n".encode(), half, b"\r\n")
        self.nothing_left()
        with self.engine.socket() as stream: # no close_notify, just gone
            stream.sendall(self.head(f"Content-Length: {len(body)}\r\n") + half)
        self.nothing_left()

    def test_framing__that_two_readers_could_read_twice__is_refused(self):
        cases = {
            "CL and TE": "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            "two CL": "Content-Length: 5\r\nContent-Length: 6\r\n",
            "CL list": "Content-Length: 5, 5\r\n",
            "CL sign": "Content-Length: +5\r\n",
            "TE twice": "Transfer-Encoding: chunked, chunked\r\n",
            "TE unknown": "Transfer-Encoding: x, chunked\r\n",
            "obs-fold": "X-A: 1\r\n 2\r\nContent-Length: 5\r\n",
            "bare CR": "X-A: 1\rContent-Length: 5\r\nContent-Length: 5\r\n",
            "space before colon": "Content-Length : 5\r\n",
            "NUL": "X-A: a\0b\r\nContent-Length: 5\r\n",
        }
        for name, lines in cases.items():
            with self.subTest(name):
                answer = self.raw(self.head(lines), b"0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", end=False)
                self.assertRegex(answer, rb"^HTTP/1\.1 (400|501) ")
                self.assertEqual(answer.count(b"HTTP/1.1 "), 1, "what follows must not be read as a request")
        self.nothing_left()

    def test_head__without_end__is_refused_at_its_limit(self):
        answer = self.raw(b"PUT / HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 200000, end=False)
        self.assertTrue(answer.startswith(b"HTTP/1.1 431 "), answer[:80])

    def test_length__over_the_limit__is_refused_before_the_body(self):
        status, _, _ = self.talk(self.head(f"Content-Length: {1 << 50}\r\nExpect: 100-continue\r\n"))
        self.assertEqual(status, 413)
        self.nothing_left()

    def test_name__of_any_bytes__is_kept_and_never_a_path(self):
        names = ["%2e%2e%2f%2e%2e%2fetc%2fpasswd", "..%2f..%2fplaten.yaml", "%00null", "a%0d%0aX-B:%20c",
                 "%ff%fe%80", "sp%20ace", "%e2%82%ac.tif", "con", "x" * 200, "%25s%25n", "-rf", "%2fetc%2fpasswd"]
        known = {p for p in self.engine.files(".") if not p.startswith(("spool", "store", "ledger"))}
        for name in names:
            with self.subTest(name):
                answer = self.engine.upload(name, scan("blank.tif"))
                self.assertIn(answer.status, (201, 400, 404))
                self.assertNotIn("X-B", answer.headers)
                if answer.status == 201:
                    self.assertEqual(self.engine.wait(answer.json()["id"])["state"], "done")
        now = {p for p in self.engine.files(".") if not p.startswith(("spool", "store", "ledger"))}
        self.assertEqual(now, known)

    def test_empty__upload__ends_in_a_reason(self):
        answer = self.engine.upload("empty.tif", b"")
        if answer.status == 201:
            job = self.engine.wait(answer.json()["id"])
            self.assertEqual(job["state"], "dead")
            self.assertGreater(len(job["error"]["reason"]), 10)
        else:
            self.assertIn(answer.status, (400, 422))

    def test_many__at_once__are_all_taken(self):
        streams = []
        body = scan("letter.tif")
        for i in range(30):
            stream = self.engine.socket()
            stream.settimeout(30 * PATIENCE)
            stream.sendall(self.head(f"Content-Length: {len(body)}\r\n", name=f"m{i}.tif") + body[:100])
            streams.append(stream)
        for stream in streams:
            stream.sendall(body[100:])
        for stream in streams:
            answer = http.client.HTTPResponse(stream)
            answer.begin()
            self.assertEqual(answer.status, 201, answer.read())
            stream.close()

    def test_tls__versions__are_those_of_each_listener(self):
        for which, version, good in (("devices", ssl.TLSVersion.TLSv1_2, True),
                                     ("devices", ssl.TLSVersion.TLSv1_3, True),
                                     ("control", ssl.TLSVersion.TLSv1_2, False),
                                     ("control", ssl.TLSVersion.TLSv1_3, True)):
            with self.subTest(f"{which} {version.name}"):
                context = self.engine.tls()
                context.minimum_version = context.maximum_version = version
                with socket.create_connection(getattr(self.engine, which), timeout=10 * PATIENCE) as raw:
                    if good:
                        context.wrap_socket(raw, server_hostname="localhost").close()
                    else:
                        with self.assertRaises((ssl.SSLError, OSError)):
                            context.wrap_socket(raw, server_hostname="localhost")

    def test_garbage__instead_of_tls__costs_only_its_connection(self):
        for garbage in (b"GET / HTTP/1.1\r\n\r\n", os.urandom(2000), b"\x16\x03\x01\xff\xff" + b"\0" * 100):
            with socket.create_connection(self.engine.devices, timeout=10) as raw:
                raw.sendall(garbage)
                raw.settimeout(20 * PATIENCE)
                try:
                    while raw.recv(4096):
                        pass
                except OSError:
                    pass
        self.assertEqual(self.engine.ask("control", "GET", "/healthz").status, 200)

    def test_hostile_http__every_file__gets_an_answer_or_a_close(self):
        files = hostile("http")
        pid = self.engine.process.pid
        for which in ("devices", "control"):
            for file in files:
                with self.subTest(f"{which} {file.name}"):
                    began = time.monotonic()
                    self.raw(file.read_bytes(), which=which)
                    self.assertLess(time.monotonic() - began, 5 * PATIENCE)
        self.assertEqual(self.engine.ask("control", "GET", "/healthz").status, 200)
        self.assertEqual(self.engine.process.pid, pid)
        self.assertIsNone(self.engine.process.poll())


if __name__ == "__main__":
    unittest.main(verbosity=2)
