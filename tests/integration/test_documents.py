"""test_documents: jobs that end with several documents, through a real engine, whatever is killed meanwhile.

The worker is the real program with a pipeline that takes orders for a document ("many 12"), so that a job makes
as many as a test wants.

SPDX-License-Identifier: AGPL-3.0-or-later
"""
import hashlib
import os
import signal
import struct
import time
import unittest

from daemon import BUILD, Daemon, scan

PAYLOAD = BUILD / "tests" / "platen-worker-payload"
QUICK = {"jobs": {"retry": "100ms"}}


def to(form, **more):
    return {"name": "pictures", "steps": [{"op": "convert", "with": {"to": form, **more}}], "sinks": [{"sink": "store"}]}


class Documents(unittest.TestCase):
    def setUp(self):
        self.engine = Daemon(QUICK, worker=PAYLOAD)
        self.addCleanup(self.engine.close)
        self.engine.start()

    def objects(self, job):
        """Names of a job's objects in the store."""
        return sorted(p.name for p in (self.engine.data / "store").glob(f"*/{job}/v*/*"))

    def check(self, job, count):
        """The job is done, and all of its documents are there once, with their bytes."""
        job = self.engine.wait(job, seconds=60)
        self.assertEqual(job["state"], "done", job["error"])
        self.assertEqual(job["document_count"], count)
        self.assertEqual([d["n"] for d in job["documents"]], list(range(1, count + 1)))
        self.assertEqual(self.objects(job["id"]), sorted(f"document-{n}" for n in range(1, count + 1)))
        for document in job["documents"][:3] + job["documents"][-3:]:
            body = self.engine.document(job["id"], document["n"]).body
            self.assertEqual(body, b"document %d" % document["n"])
            self.assertEqual(hashlib.sha256(body).hexdigest(), document["sha256"])
            self.assertEqual(len(body), document["bytes"])
        self.assertEqual(self.engine.document(job["id"], count + 1).status, 404)
        self.assertEqual(job["bytes_out"], sum(d["bytes"] for d in job["documents"]))
        return job

    def test_job__of_twelve_documents__shows_all_with_names_and_page_ledgers(self):
        job = self.check(self.engine.accept("scan.tif", b"many 12"), 12)
        self.assertEqual([d["name"] for d in job["documents"]], [f"scan-{n:03}.pdf" for n in range(1, 13)])
        self.assertEqual([d["page_ledger"] for d in job["documents"]], [[n] for n in range(1, 13)])
        self.assertEqual((job["bytes_in"], job["pages"]["out"], job["repaired"], job["note"]), (7, 12, False, None))
        answer = self.engine.owner(f"/v1/jobs/{job['id']}/documents/12/pages")
        self.assertEqual((answer.status, answer.json()), (200, {"n": 12, "page_ledger": [12]}))
        self.assertEqual(self.engine.owner(f"/v1/jobs/{job['id']}/documents/13/pages").status, 404)
        [listed] = [j for j in self.engine.jobs() if j["id"] == job["id"]]
        self.assertEqual((listed["document_count"], len(listed["documents"])), (12, 10))
        self.assertEqual(listed["bytes_out"], job["bytes_out"])

    def test_job__of_one_document__has_no_number_in_its_name(self):
        job = self.engine.wait(self.engine.accept("scan.tif", b"pid"))
        self.assertEqual([d["name"] for d in job["documents"]], ["scan.pdf"])

    def test_job__repaired__says_so_with_the_reason(self):
        job = self.engine.wait(self.engine.accept("scan.tif", b"repair"))
        self.assertEqual((job["state"], job["repaired"]), ("done", True))
        self.assertIn("damaged", job["note"])
        self.assertEqual(job["pages"]["rendered"], 1)
        for data in (p.read_bytes() for p in (self.engine.data / "ledger").iterdir()):
            self.assertNotIn(b"damaged", data)

    def test_job__of_a_thousand_documents__is_done(self):
        self.check(self.engine.accept("scan.tif", b"many 1000"), 1000)

    def test_job__over_the_limit__is_dead_with_number_and_limit(self):
        job = self.engine.wait(self.engine.accept("scan.tif", b"many 1001"), seconds=60)
        self.assertEqual((job["state"], job["documents"]), ("dead", []))
        self.assertIn("more than 1000 documents, document 1001 is over the limit (limits.documents)",
                      job["error"]["reason"])
        self.assertEqual(self.objects(job["id"]), [])

    def test_limits__of_a_tenant__count_for_its_jobs(self):
        job = self.check(self.engine.accept("scan.tif", b"many 8"), 8)
        tenant = next((self.engine.data / "store").glob("0*")).name
        path = self.engine.data / "tenants" / f"{tenant}.yaml"
        path.write_text("limits:\n  documents: 7\n")
        path.chmod(0o644)
        self.engine.stop()
        self.engine.start()
        job = self.engine.wait(self.engine.accept("again.tif", b"many 8"))
        self.assertEqual(job["state"], "dead")
        self.assertIn("more than 7 documents", job["error"]["reason"])
        self.check(self.engine.accept("scan.tif", b"many 7"), 7)

    def test_limits__of_nobody_or_wrong__stop_the_start_by_name(self):
        self.engine.stop()
        wrong = self.engine.data / "tenants" / "customer.yaml"
        wrong.write_text("limits:\n  documents: 7\n")
        done = self.engine.run("serve", "--config", self.engine.data / "platen.yaml")
        self.assertEqual(done.returncode, 1)
        self.assertIn("customer.yaml: there is no such tenant", done.stderr)

    def test_engine__killed_at_any_moment__has_each_document_once(self):
        for delay in (0.0, 0.03, 0.06, 0.1, 0.15, 0.2, 0.3, 0.5):
            with self.subTest(delay):
                job = self.engine.accept("scan.tif", b"many 300", headers={"Idempotency-Key": str(delay)})
                time.sleep(delay)
                self.engine.kill()
                self.engine.start()
                self.check(job, 300)

    def test_worker__killed_among_its_documents__costs_an_attempt_only(self):
        job = self.engine.accept("scan.tif", b"many 300")
        for pid in self.engine.workers():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.check(job, 300)


class Pipelines(unittest.TestCase):
    def test_init__with_a_definition__is_what_the_drop_runs(self):
        with Daemon(pipeline=to("tiff-g4")) as engine:
            job = engine.wait(engine.accept("letter.tif", scan("letter.tif")))
            self.assertEqual((job["state"], job["pipeline"]), ("done", "pictures"), job["error"])
            [document] = job["documents"]
            self.assertEqual((document["name"], document["type"]), ("letter.tif", "image/tiff"))
            self.assertEqual(engine.document(job["id"]).body[:4], b"II*\0")
            self.assertEqual(sum(job["pages"][how] for how in ("copied", "reencoded_exact")), 1)

    def pictures(self, form, name, pages):
        """The documents of a scan of several pages in a format of one page a file."""
        with Daemon(pipeline=to(form)) as engine:
            job = engine.wait(engine.accept(name, scan(name)), seconds=60)
            self.assertEqual(job["state"], "done", job["error"])
            self.assertEqual((job["document_count"], job["pages"]["in"], job["pages"]["out"]), (pages, pages, pages))
            self.assertEqual([d["pages"] for d in job["documents"]], [1] * pages)
            self.assertEqual([len(d["page_ledger"]) for d in job["documents"]], [1] * pages)
            self.assertEqual([d["page_ledger"][0]["page"] for d in job["documents"]], list(range(1, pages + 1)))
            return job, [engine.document(job["id"], d["n"]) for d in job["documents"]]

    def test_pages__as_jpeg__are_a_document_each_copied(self):
        job, answers = self.pictures("jpeg", "photo-colour.tif", 2)
        self.assertEqual([d["name"] for d in job["documents"]], ["photo-colour-001.jpg", "photo-colour-002.jpg"])
        self.assertEqual(job["pages"]["copied"], 2)
        for answer in answers:
            self.assertEqual(answer.headers["Content-Type"], "image/jpeg")
            self.assertEqual((answer.body[:3], answer.body[-2:]), (b"\xff\xd8\xff", b"\xff\xd9"))
        self.assertNotEqual(answers[0].body, answers[1].body)

    def test_pages__as_png__are_a_document_each_exact(self):
        job, answers = self.pictures("png", "contract.tif", 12)
        self.assertEqual([d["name"] for d in job["documents"]], [f"contract-{n:03}.png" for n in range(1, 13)])
        self.assertEqual(job["pages"]["reencoded_exact"], 12)
        for answer in answers:
            self.assertEqual(answer.headers["Content-Type"], "image/png")
            self.assertEqual(answer.body[:8], b"\x89PNG\r\n\x1a\n")
            self.assertEqual(struct.unpack(">II", answer.body[16:24]), (2480, 3508))

    def test_init__with_a_wrong_definition__says_what_and_makes_nothing(self):
        with self.assertRaisesRegex(AssertionError, "pipeline.json: .*did you mean 'png'"):
            Daemon(pipeline=to("pngg"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
