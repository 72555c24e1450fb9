"""test_scans: real scans go all the way through a real engine, and only their owner gets them.

SPDX-License-Identifier: AGPL-3.0-or-later
"""
import hashlib
import pathlib
import unittest

from daemon import Daemon, pdf_pages, scan, scan_names, set_settings

CANARY = "Kuendigung-Mustermann-4711"


class Scans(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.engine = Daemon()
        cls.addClassCleanup(cls.engine.close)
        cls.engine.start()

    def test_scan__every_kind_the_project_makes__becomes_a_sound_pdf(self):
        for name, pages in scan_names():
            with self.subTest(name):
                body = scan(name)
                job = self.engine.wait(self.engine.accept(name, body))
                self.assertEqual(job["state"], "done", job["error"])
                self.assertEqual(job["sha256"], hashlib.sha256(body).hexdigest())
                [document] = job["documents"]
                self.assertEqual(document["pages"], pages)
                answer = self.engine.document(job["id"])
                self.assertEqual(answer.status, 200)
                self.assertEqual(answer.headers["Content-Type"], "application/pdf")
                self.assertEqual(len(answer.body), document["bytes"])
                self.assertEqual(hashlib.sha256(answer.body).hexdigest(), document["sha256"])
                self.assertEqual(pdf_pages(answer.body), pages)

    def test_result__asked_for_in_ranges__equals_the_whole(self):
        job = self.engine.wait(self.engine.accept("ranges.tif", scan("contract.tif")))
        whole = self.engine.document(job["id"]).body
        size = len(whole)
        for first, last in ((0, 0), (0, 65535), (65535, 65537), (size - 1, size - 1), (size // 2, size - 1)):
            answer = self.engine.document(job["id"], headers={"Range": f"bytes={first}-{last}"})
            self.assertEqual(answer.status, 206)
            self.assertEqual(answer.headers["Content-Range"], f"bytes {first}-{last}/{size}")
            self.assertEqual(answer.body, whole[first:last + 1])
        answer = self.engine.document(job["id"], headers={"Range": "bytes=-100"})
        self.assertEqual((answer.status, answer.body), (206, whole[-100:]))
        answer = self.engine.document(job["id"], headers={"Range": f"bytes={size}-"})
        self.assertEqual(answer.status, 416)

    def test_same_scan__sent_twice__gives_the_same_bytes(self):
        first = self.engine.wait(self.engine.accept("one.tif", scan("delivery.tif")))
        second = self.engine.wait(self.engine.accept("one.tif", scan("delivery.tif"),
                                                     headers={"Idempotency-Key": "second"}))
        self.assertNotEqual(first["id"], second["id"])
        self.assertEqual(first["documents"][0]["sha256"], second["documents"][0]["sha256"])

    def test_original__of_a_finished_job__comes_back_bit_for_bit(self):
        body = scan("fax.tif")
        job = self.engine.wait(self.engine.accept("original.tif", body))
        answer = self.engine.owner(f"/v1/jobs/{job['id']}/original")
        self.assertEqual((answer.status, answer.body), (200, body))

    def test_folder__after_a_scan__holds_no_plaintext_of_name_or_page(self):
        body = scan("letter.tif")
        job = self.engine.wait(self.engine.accept(f"{CANARY}.tif", body))
        self.assertEqual(job["name"], f"{CANARY}.tif")
        result = self.engine.document(job["id"]).body
        secrets = [CANARY.encode(), self.engine.credentials["device_password"].encode(),
                   self.engine.credentials["device_login"].encode(),
                   self.engine.credentials["admin_token"].encode(), body[1000:1064], result[2000:2064]]
        searched = 0
        for path in self.engine.data.rglob("*"):
            if not path.is_file() or path.name == "credentials.txt":
                continue
            data = path.read_bytes()
            searched += len(data)
            for secret in secrets:
                self.assertNotIn(secret, data, path)
        self.assertGreater(searched, len(body))
        log = self.engine.log()
        self.assertNotIn(CANARY, log)
        self.assertNotIn(self.engine.credentials["device_password"], log)

    def test_job__of_nobody__does_not_exist(self):
        job = self.engine.accept("mine.tif", scan("blank.tif"))
        other = job[:-1] + ("0" if job[-1] != "0" else "1")
        for path in (f"/v1/jobs/{other}", f"/v1/jobs/{other}/documents/1", f"/v1/jobs/{job}/documents/9",
                     f"/v1/jobs/{job}/documents/0", "/v1/jobs/..%2f", "/v1/nothing"):
            with self.subTest(path):
                answer = self.engine.owner(path)
                self.assertEqual(answer.status, 404)
                self.assertIn("application/problem+json", answer.headers["Content-Type"])

    def test_control__without_a_known_token__says_nothing(self):
        job = self.engine.accept("theirs.tif", scan("blank.tif"))
        for header in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": self.engine.basic()}):
            answer = self.engine.ask("control", "GET", f"/v1/jobs/{job}", headers=header)
            self.assertEqual(answer.status, 401)
            self.assertNotIn(job.encode(), answer.body)

    def test_control__health_and_metrics__answer(self):
        self.assertEqual(self.engine.ask("control", "GET", "/healthz").status, 200)
        self.assertEqual(self.engine.ask("control", "GET", "/readyz").status, 200)
        metrics = self.engine.ask("control", "GET", "/metrics")
        self.assertEqual(metrics.status, 200)
        self.assertRegex(metrics.body.decode(), r"(?m)^# TYPE platen_")

    def test_jobs__listed_by_cursor__come_newest_first_and_once(self):
        made = [self.engine.accept(f"{i}.tif", scan("blank.tif")) for i in range(5)]
        seen, path = [], "/v1/jobs?limit=2"
        while path and len(seen) < 1000:
            page = self.engine.owner(path).json()
            seen += [job["id"] for job in page["jobs"]]
            path = f"/v1/jobs?limit=2&cursor={page['next']}" if page["next"] else None
        self.assertEqual(len(seen), len(set(seen)))
        self.assertEqual([job for job in seen if job in made], made[::-1])


class Commands(unittest.TestCase):
    def setUp(self):
        self.engine = Daemon()
        self.addCleanup(self.engine.close)

    def test_convert__without_a_server__gives_what_the_server_gives(self):
        source, result = self.engine.folder / "in.tif", self.engine.folder / "out.pdf"
        source.write_bytes(scan("contract.tif"))
        done = self.engine.run("convert", "--to", "pdfa-2b", source, "-o", result)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(pdf_pages(result.read_bytes()), 12)
        self.engine.start()
        job = self.engine.wait(self.engine.accept("in.tif", scan("contract.tif")))
        self.assertEqual(job["documents"][0]["sha256"], hashlib.sha256(result.read_bytes()).hexdigest())

    def test_convert__of_no_image__says_so_in_one_line(self):
        source, result = self.engine.folder / "in.tif", self.engine.folder / "out.pdf"
        source.write_bytes(b"this is no scan")
        done = self.engine.run("convert", "--to", "pdfa-2b", source, "-o", result)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
        self.assertFalse(result.exists())

    def test_init__in_a_folder_that_holds_an_instance__refuses(self):
        before = (self.engine.data / "credentials.txt").read_bytes()
        done = self.engine.run("init", self.engine.data)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
        self.assertEqual((self.engine.data / "credentials.txt").read_bytes(), before)

    def test_init__leaves_secrets__to_nobody_else(self):
        for name in ("credentials.txt", "keys/root.key"):
            self.assertEqual((self.engine.data / name).stat().st_mode & 0o077, 0, name)

    def test_serve__with_a_wrong_setting__names_file_and_line(self):
        path = self.engine.data / "platen.yaml"
        set_settings(path, {"jobs": {"attempts": "many"}})
        line = next(i for i, text in enumerate(path.read_text().splitlines(), 1) if "attempts: many" in text)
        done = self.engine.run("serve", "--config", path)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"platen.yaml:{line}", done.stderr)

    def test_serve__on_a_port_that_is_taken__says_so(self):
        self.engine.start()
        host, port = self.engine.devices
        second = Daemon({"devices": {"address": f"{host}:{port}"}})
        self.addCleanup(second.close)
        done = second.run("serve", "--config", second.data / "platen.yaml")
        self.assertEqual(done.returncode, 1)
        self.assertIn(str(port), done.stderr.strip().splitlines()[-1])

    def test_serve__twice_on_one_instance__refuses_the_second(self):
        self.engine.start()
        done = self.engine.run("serve", "--config", self.engine.data / "platen.yaml")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(self.engine.ask("control", "GET", "/readyz").status, 200)

    def test_serve__told_to_stop__leaves_with_zero(self):
        self.engine.start()
        self.engine.accept("last.tif", scan("contract.tif"))
        self.assertEqual(self.engine.stop(), 0)
        self.assertFalse((self.engine.data / "run" / "devices").exists(), "run/ names an address of nobody")

    def test_user__of_a_root_start__is_not_root(self):
        self.engine.start()
        for pid in [self.engine.process.pid, *self.engine.workers()]:
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
            ids = next(line for line in status.splitlines() if line.startswith("Uid:")).split()[1:]
            self.assertNotIn("0", ids, status)


if __name__ == "__main__":
    unittest.main(verbosity=2)
