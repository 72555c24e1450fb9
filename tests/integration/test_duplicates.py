"""test_duplicates: a device that did not hear our answer and sends its scan again makes no second job.

SPDX-License-Identifier: AGPL-3.0-or-later
"""
import os
import signal
import socket
import struct
import threading
import time
import unittest

from daemon import PATIENCE, Daemon, scan


class Duplicates(unittest.TestCase):
    def setUp(self):
        self.engine = Daemon()
        self.addCleanup(self.engine.close)
        self.engine.start()
        self.letter = scan("letter.tif")

    def head(self, name, size, more=""):
        return (f"PUT /in/{self.engine.credentials['drop']}/{name} HTTP/1.1\r\nHost: a\r\n"
                f"Authorization: {self.engine.basic()}\r\nContent-Length: {size}\r\n{more}\r\n").encode()

    def send_and_vanish(self, name, body):
        """Everything but the ears: the last byte goes out, and the connection is reset."""
        stream = self.engine.socket()
        stream.sendall(self.head(name, len(body)) + body)
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        stream.close()

    def wait_for_jobs(self, number):
        """Not for long: where the cut came early there will be none."""
        deadline = time.monotonic() + 1
        while len(self.engine.jobs()) < number and time.monotonic() < deadline:
            time.sleep(0.02)

    def assert_one_result(self, job, originals=1):
        self.assertEqual(self.engine.wait(job)["state"], "done")
        self.assertEqual([j["id"] for j in self.engine.jobs()], [job])
        deadline = time.monotonic() + 5 * PATIENCE # what came twice is removed in the background
        while len(self.engine.files("spool")) > originals and time.monotonic() < deadline:
            time.sleep(0.02)
        self.assertEqual(len(self.engine.files("spool")), originals)
        self.assertEqual(len(self.engine.files("store")), 1)

    def test_scan__sent_again__is_the_first_job(self):
        first = self.engine.upload("a.tif", self.letter)
        self.assertEqual(first.status, 201)
        self.assertNotIn("Platen-Duplicate-Of", first.headers)
        job = first.json()["id"]
        for state in ("queued", "done"):
            again = self.engine.upload("a.tif", self.letter)
            self.assertEqual(again.status, 200)
            self.assertEqual(again.headers["Platen-Duplicate-Of"], job)
            self.assertEqual(again.headers["Location"], f"/v1/jobs/{job}")
            for field in ("id", "pipeline", "device", "name", "received_at", "bytes", "sha256"):
                self.assertEqual(again.json()[field], first.json()[field], field)
            self.engine.wait(job)
        self.assertEqual(again.json()["state"], "done")
        self.assert_one_result(job)

    def test_answer__that_was_not_heard__is_told_again(self):
        for number in range(10 if PATIENCE == 1 else 3):
            name = f"{number}.tif"
            self.send_and_vanish(name, self.letter)
            if number % 2:
                self.wait_for_jobs(number + 1)
            answer = self.engine.upload(name, self.letter)
            # 201 when the cut came before the last byte was read: then nothing of the first was kept.
            self.assertIn(answer.status, (200, 201))
            self.assertEqual(answer.json()["name"], name)
            self.assertEqual(len(self.engine.jobs()), number + 1)

    def test_twenty__at_once__make_one_job(self):
        answers = []

        def device():
            answers.append(self.engine.upload("same.tif", self.letter))
        devices = [threading.Thread(target=device) for _ in range(20)]
        for thread in devices:
            thread.start()
        for thread in devices:
            thread.join()
        self.assertEqual(sorted(a.status for a in answers), [200] * 19 + [201])
        jobs = {a.json()["id"] for a in answers}
        self.assertEqual(len(jobs), 1)
        self.assert_one_result(jobs.pop())

    def test_engine__killed_between__still_knows(self):
        for pid in self.engine.workers(): # the job must not be over too soon
            os.kill(pid, signal.SIGSTOP)
        job = self.engine.accept("a.tif", self.letter)
        self.engine.kill()
        self.engine.start()
        again = self.engine.upload("a.tif", self.letter)
        self.assertEqual((again.status, again.json()["id"]), (200, job))
        self.assert_one_result(job)

    def test_engine__killed_while_the_answer_is_awaited__doubles_nothing(self):
        for number in range(6 if PATIENCE == 1 else 3):
            name = f"{number}.tif"
            stream = self.engine.socket()
            stream.sendall(self.head(name, len(self.letter)) + self.letter)
            time.sleep(0.003 * number * PATIENCE)
            self.engine.kill()
            stream.close()
            self.engine.start()
            answer = self.engine.upload(name, self.letter)
            self.assertIn(answer.status, (200, 201))
            self.assertEqual(len([j for j in self.engine.jobs() if j["name"] == name]), 1)

    def test_scan__under_another_name_or_with_other_bytes__is_another(self):
        jobs = {self.engine.accept("a.tif", self.letter), self.engine.accept("b.tif", self.letter),
                self.engine.accept("a.tif", scan("blank.tif"))}
        self.assertEqual(len(jobs), 3)

    def test_key__same_request__gets_the_first_answer(self):
        key = {"Idempotency-Key": '"8e03978e-40d5-43dd-bc93-6894a57f9324"'}
        first = self.engine.upload("a.tif", self.letter, headers=key)
        again = self.engine.upload("a.tif", self.letter, headers=key)
        self.assertEqual((first.status, again.status), (201, 201))
        self.assertEqual(first.json()["id"], again.json()["id"])
        self.assertEqual(again.headers["Platen-Duplicate-Of"], first.json()["id"])
        self.engine.kill()
        self.engine.start()
        again = self.engine.upload("a.tif", self.letter, headers=key)
        self.assertEqual((again.status, again.json()["id"]), (201, first.json()["id"]))
        self.assert_one_result(first.json()["id"])

    def test_key__other_bytes__is_refused_and_leaves_nothing(self):
        key = {"Idempotency-Key": "k-1"}
        job = self.engine.accept("a.tif", self.letter, headers=key)
        for name, body in (("a.tif", scan("blank.tif")), ("b.tif", self.letter)):
            answer = self.engine.upload(name, body, headers=key)
            self.assertEqual(answer.status, 422)
            self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
        self.assert_one_result(job)

    def test_key__another_one__is_another_request(self):
        jobs = {self.engine.accept("a.tif", self.letter, headers={"Idempotency-Key": k} if k else None)
                for k in ("1", "2", None)}
        self.assertEqual(len(jobs), 3)

    def test_key__that_is_none__is_refused(self):
        for key in ("", '""', "a b", "x" * 256, "a, a"):
            self.assertEqual(self.engine.upload("a.tif", self.letter, headers={"Idempotency-Key": key}).status, 400, key)
        self.assertEqual(self.engine.files("spool"), {})


class SwitchedOff(unittest.TestCase):
    def test_setting__of_zero__takes_every_scan_anew(self):
        with Daemon({"uploads": {"duplicates": "0s"}}) as engine:
            self.assertEqual(len({engine.accept("a.tif", scan("blank.tif")) for _ in range(3)}), 3)

    def test_window__that_is_over__makes_it_a_new_scan(self):
        with Daemon({"uploads": {"duplicates": "1s"}}) as engine:
            first = engine.accept("a.tif", scan("blank.tif"))
            time.sleep(1.1)
            self.assertNotEqual(engine.accept("a.tif", scan("blank.tif")), first)

    def test_drop__that_says_so_itself__comes_before_the_setting(self):
        with Daemon(options=("--duplicates", "0s")) as engine:
            self.assertEqual(len({engine.accept("a.tif", scan("blank.tif")) for _ in range(3)}), 3)


if __name__ == "__main__":
    unittest.main(verbosity=2)
