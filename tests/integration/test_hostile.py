"""test_hostile: bad documents end in a verdict that an admin understands, and cost nobody else anything.

SPDX-License-Identifier: AGPL-3.0-or-later
"""
import hashlib
import pathlib
import struct
import time
import unittest

from daemon import Daemon, PATIENCE, hostile, pdf_pages, scan

VERDICT_SECONDS = 2


def tiff(*entries, data=b""):
    """A little-endian TIFF of one directory at 8; entries are (tag, type, count, value)."""
    body = struct.pack("<H", len(entries))
    for tag, kind, count, value in sorted(entries):
        body += struct.pack("<HHII", tag, kind, count, value)
    return b"II*\0" + struct.pack("<I", 8) + body + struct.pack("<I", 0) + data


def made_up():
    """Documents that are wrong in one way each."""
    good = scan("letter.tif")
    pages = b"II*\0" + struct.pack("<I", 8)
    for i in range(65000):
        after = 8 + (i + 1) * 18 if i < 64999 else 0
        pages += struct.pack("<HHHIII", 1, 256, 3, 1, 1, after)
    cyclic = bytearray(tiff((256, 3, 1, 8), (257, 3, 1, 8)))
    cyclic[8 + 2 + 24:8 + 2 + 28] = struct.pack("<I", 8)
    bomb = ((256, 4, 1, 60000), (257, 4, 1, 60000), (258, 3, 1, 8), (262, 3, 1, 1), (277, 3, 1, 3))
    jpeg = bytearray(scan("letter-grey.jpg"))
    sof = jpeg.index(b"\xff\xc0")
    jpeg[sof + 5:sof + 9] = struct.pack(">HH", 60000, 60000)
    return {
        "one byte": b"I",
        "text": b"Dear customer, this is not an image.\n" * 40,
        "zeroes": bytes(100000),
        "cut in the strip": good[:3000],
        "cut in the header": good[:5],
        "cut jpeg head": scan("letter-grey.jpg")[:200],
        "bomb": tiff(*bomb, (259, 3, 1, 1), (273, 4, 1, 200), (279, 4, 1, 100), data=bytes(4000)),
        "bomb of g4": tiff(*bomb[:2], (258, 3, 1, 1), (259, 3, 1, 4), (262, 3, 1, 0), (273, 4, 1, 200),
                           (279, 4, 1, 4000), (278, 4, 1, 60000), data=bytes(8000)),
        "jpeg bomb": bytes(jpeg),
        "65000 pages": pages,
        "directory in a circle": bytes(cyclic),
        "unknown compression": tiff((256, 3, 1, 8), (257, 3, 1, 8), (258, 3, 1, 1), (259, 3, 1, 60001),
                                    (262, 3, 1, 0), (273, 4, 1, 8), (279, 4, 1, 8)),
        "no strips": tiff((256, 3, 1, 8), (257, 3, 1, 8), (258, 3, 1, 1), (259, 3, 1, 4), (262, 3, 1, 0)),
    }


def memory_kb(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


class Hostile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.engine = Daemon()
        cls.addClassCleanup(cls.engine.close)
        cls.engine.start()
        cls.engine.wait(cls.engine.accept("warm.tif", scan("letter.tif")))

    def verdict(self, name, body):
        """Uploads, waits, and gives the job and the seconds that it took."""
        began = time.monotonic()
        answer = self.engine.upload(name, body)
        self.assertIn(answer.status, (201, 400, 413, 415, 422), answer.body)
        if answer.status != 201:
            return None, 0
        job = self.engine.wait(answer.json()["id"], seconds=20)
        return job, time.monotonic() - began

    def judge(self, name, job, seconds):
        self.assertLess(seconds, VERDICT_SECONDS * PATIENCE, name)
        self.assertIn(job["state"], ("done", "dead"), name)
        if job["state"] == "dead":
            self.assertIn(job["error"]["code"], ("bad_document", "too_large", "unsupported"), name)
            self.assertGreater(len(job["error"]["reason"]), 15, name)

    def test_made_up__bad_documents__die_with_a_sentence(self):
        before = memory_kb(self.engine.process.pid)
        for name, body in made_up().items():
            with self.subTest(name):
                job, seconds = self.verdict("bad.tif", body)
                self.judge(name, job, seconds)
                self.assertEqual(job["state"], "dead")
                self.assertEqual(job["attempts"], 1, "a bad document is not tried twice")
                original = self.engine.owner(f"/v1/jobs/{job['id']}/original")
                self.assertEqual(original.status, 200)
                self.assertEqual(hashlib.sha256(original.body).digest(), hashlib.sha256(body).digest())
        if PATIENCE == 1: # a sanitizer keeps what was freed
            self.assertLess(memory_kb(self.engine.process.pid) - before, 16 * 1024)

    def test_hostile__tiff_and_jpeg__all_end_in_a_verdict(self):
        pid = self.engine.process.pid
        slowest, dead = ("", 0), 0
        for file in hostile("tiff", "jpeg"):
            with self.subTest(file.name):
                job, seconds = self.verdict("hostile.tif", file.read_bytes())
                if job is None:
                    continue
                self.judge(file.name, job, seconds)
                slowest = max(slowest, (file.name, seconds), key=lambda pair: pair[1])
                dead += job["state"] == "dead"
                if job["state"] == "done":
                    pdf_pages(self.engine.document(job["id"]).body)
        print(f"slowest verdict: {slowest[0]} {slowest[1]:.2f} s; {dead} dead")
        self.assertIsNone(self.engine.process.poll())
        self.assertEqual(self.engine.process.pid, pid)
        job, _ = self.verdict("good.tif", scan("letter.tif"))
        self.assertEqual(job["state"], "done")


if __name__ == "__main__":
    unittest.main(verbosity=2)
