"""test_crash: what was acknowledged is done, whatever is killed meanwhile; nothing is done twice.

SPDX-License-Identifier: AGPL-3.0-or-later
"""
import itertools
import os
import signal
import threading
import time
import unittest

from daemon import PATIENCE, Daemon, pdf_pages, scan

QUICK = {"jobs": {"retry": "100ms"}}


class Crash(unittest.TestCase):
    def setUp(self):
        self.engine = Daemon(QUICK)
        self.addCleanup(self.engine.close)
        self.engine.start()

    def done(self, job, pages):
        job = self.engine.wait(job, seconds=60)
        self.assertEqual(job["state"], "done", job["error"])
        self.assertEqual(len(job["documents"]), 1)
        self.assertEqual(pdf_pages(self.engine.document(job["id"]).body), pages)
        return job

    def test_worker__killed_in_mid_job__costs_an_attempt_only(self):
        # A stopped worker cannot finish early, so the kill is certain to come in mid-job.
        for pid in self.engine.workers():
            os.kill(pid, signal.SIGSTOP)
        stopped = self.engine.workers()
        self.assertTrue(stopped)
        job = self.engine.accept("contract.tif", scan("contract.tif"))
        self.engine.wait(job, states=("running",))
        for pid in stopped:
            os.kill(pid, signal.SIGKILL)
        job = self.done(job, 12)
        self.assertGreaterEqual(job["attempts"], 1)
        self.assertIsNone(self.engine.process.poll())
        self.assertFalse(set(stopped) & set(self.engine.workers()))

    def test_workers__killed_again_and_again__do_not_stop_the_engine(self):
        jobs = []
        for i in range(6):
            jobs.append(self.engine.accept(f"{i}.tif", scan("letter.tif")))
            for pid in self.engine.workers():
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        ends = [self.engine.wait(job, seconds=60)["state"] for job in jobs]
        self.assertTrue(set(ends) <= {"done", "dead"}, ends)
        self.done(self.engine.accept("after.tif", scan("letter.tif")), 1)

    def test_engine__killed_in_mid_job__does_the_job_after_its_restart(self):
        for pid in self.engine.workers():
            os.kill(pid, signal.SIGSTOP)
        job = self.engine.accept("contract.tif", scan("contract.tif"))
        self.engine.wait(job, states=("running",))
        self.engine.kill()
        self.engine.start()
        self.done(job, 12)

    def test_engine__killed_at_any_moment__keeps_what_it_acknowledged(self):
        acknowledged, over = [], threading.Event()

        def device(number):
            for scans in itertools.count():
                if over.is_set():
                    break
                try:
                    answer = self.engine.upload(f"{number}-{scans}.tif", scan("letter.tif"))
                except OSError:
                    time.sleep(0.02)
                    continue
                if answer.status == 201:
                    acknowledged.append(answer.json()["id"])
        scan("letter.tif")
        devices = [threading.Thread(target=device, args=(n,)) for n in range(3)]
        for thread in devices:
            thread.start()
        try:
            for pause in (0.3, 0.05, 0.7, 0.15):
                time.sleep(pause)
                self.engine.kill()
                self.engine.start()
            time.sleep(0.3)
        finally:
            over.set()
            for thread in devices:
                thread.join()
        self.assertGreater(len(acknowledged), 3)
        self.assertEqual(len(acknowledged), len(set(acknowledged)))
        for job in acknowledged:
            self.done(job, 1)

    def test_engine__cut_short_while_logins_are_checked__ends_well(self):
        with Daemon({"instance": {"grace": "1s"}}) as engine:
            devices = [engine.socket() for _ in range(250)]
            for number, device in enumerate(devices):
                device.sendall(f"PUT /in/inbox/a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
                               f"Authorization: {engine.basic(f'guess-{number}', 'x')}\r\n\r\n".encode())
            self.assertEqual(engine.stop(), 0)
            for device in devices:
                device.close()

    def test_launcher__killed__engine_ends_and_its_restart_does_the_job(self):
        launcher = self.engine.launcher()
        for pid in self.engine.workers():
            os.kill(pid, signal.SIGSTOP)
        job = self.engine.accept("contract.tif", scan("contract.tif"))
        os.kill(launcher, signal.SIGKILL)
        self.assertEqual(self.engine.process.wait(timeout=30 * PATIENCE), 1)
        self.assertIn("must be started again", self.engine.log())
        self.engine.stop()
        self.engine.start()
        self.done(job, 12)

    def test_engine__stopped_while_jobs_wait__does_them_after_its_restart(self):
        jobs = [self.engine.accept(f"{i}.tif", scan("delivery.tif")) for i in range(5)]
        self.assertEqual(self.engine.stop(), 0)
        self.engine.start()
        for job in jobs:
            self.done(job, 4)


if __name__ == "__main__":
    unittest.main(verbosity=2)
