"""test_full_disk: spool, store and ledger on one small disk that fills up, and gets room again.

What is refused is refused at once and leaves nothing; what was acknowledged is done once there is room; nobody has to
start the engine again. Needs root, for the small file system.

SPDX-License-Identifier: AGPL-3.0-or-later
"""
import os
import shutil
import signal
import subprocess
import time
import unittest

from daemon import PATIENCE, Daemon, scan

MIB = 1 << 20
SETTINGS = {"disk": {"reserve": "16MiB"}, "jobs": {"retry": "200ms", "retry_most": "1s"}}


class SmallDisk(Daemon):
    """An instance on a file system of 48 MiB of its own; 16 of them are the reserve."""

    def make(self, settings, pipeline):
        super().make(settings, pipeline)
        made = self.folder / "made"
        self.data.rename(made)
        self.data.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", self.data], check=True)
        subprocess.run(["cp", "-a", f"{made}/.", self.data], check=True)
        shutil.rmtree(made)

    def close(self):
        if self.process is not None:
            self.stop(signal.SIGKILL)
        subprocess.run(["umount", "-l", self.data], check=False)
        super().close()

    def fill(self):
        """Not a byte is left."""
        with open(self.data / "ballast", "wb", buffering=0) as ballast:
            for piece in (MIB, 4096):
                try:
                    while True:
                        ballast.write(bytes(piece))
                except OSError:
                    pass

    def free(self):
        (self.data / "ballast").unlink()


@unittest.skipUnless(os.geteuid() == 0, "a small file system can only be mounted by root")
class FullDisk(unittest.TestCase):
    def setUp(self):
        self.engine = SmallDisk(SETTINGS)
        self.addCleanup(self.engine.close)
        self.engine.start()
        self.letter = scan("letter.tif")

    def room(self):
        return shutil.disk_usage(self.engine.data).free

    def assert_goes_on(self, jobs):
        """Everything acknowledged is done, new scans are taken, and nothing else is on the disk."""
        jobs = [*jobs, self.engine.accept("after.tif", self.letter)]
        for job in jobs:
            # A job that met the full disk is held by the engine, which tries it again.
            self.assertEqual(self.engine.wait(job, states=("done", "dead", "cancelled"))["state"], "done")
        self.assertEqual(len(self.engine.jobs()), len(jobs))
        self.assertEqual(len(self.engine.files("spool")), len(jobs))
        self.assertEqual(len(self.engine.files("store")), len(jobs))
        self.assertEqual(self.engine.stop(), 0)

    def test_upload_of_unknown_length__takes_no_reserved_byte(self):
        least = self.room()

        def endless():
            nonlocal least
            for _ in range(64):
                yield os.urandom(MIB)
                least = min(least, self.room())
        started = time.monotonic()
        try:
            answer = self.engine.upload("endless.tif", endless(), encode_chunked=True,
                                        headers={"Transfer-Encoding": "chunked"})
            self.assertEqual(answer.status, 507)
        except OSError:
            pass # this client goes on writing and may not see the answer
        self.assertLess(time.monotonic() - started, 20 * PATIENCE)
        self.assertGreater(least, 14 * MIB)
        self.assert_goes_on([])

    def test_upload_under_way__counts_once__and_leaves_room_for_others(self):
        long, other = 16 * MIB, 6 * MIB
        self.assertGreater(self.room(), 16 * MIB + long + other)
        self.assertLess(self.room(), 16 * MIB + 2 * long + other - 2 * MIB) # else this shows nothing
        head = (f"PUT /in/{self.engine.credentials['drop']}/long.tif HTTP/1.1\r\nHost: a\r\n"
                f"Authorization: {self.engine.basic()}\r\nContent-Length: {long}\r\n\r\n").encode()
        with self.engine.socket() as stream, self.engine.socket() as third:
            stream.sendall(head + os.urandom(long - MIB))
            deadline = time.monotonic() + 10 * PATIENCE
            while sum(self.engine.files("spool").values()) < long - 2 * MIB and time.monotonic() < deadline:
                time.sleep(0.02)
            # What is left of the first is 1 MiB: the second fits, a third of 16 MiB does not.
            self.assertEqual(self.engine.upload("other.tif", os.urandom(other)).status, 201)
            third.sendall(head)
            self.assertTrue(third.recv(4096).startswith(b"HTTP/1.1 507 "))

    def test_disk_is_full__uploads_are_refused_at_once_and_leave_nothing(self):
        jobs = [self.engine.accept("before.tif", self.letter)]
        self.engine.wait(jobs[0])
        self.engine.fill()
        before = self.engine.files("spool")
        for _ in range(20):
            started = time.monotonic()
            self.assertEqual(self.engine.upload("full.tif", self.letter).status, 507)
            self.assertLess(time.monotonic() - started, 2 * PATIENCE)
        self.assertEqual(self.engine.files("spool"), before)
        self.engine.free()
        self.assert_goes_on(jobs)

    def test_disk_is_full_for_jobs_under_way__they_are_done_when_there_is_room(self):
        for pid in self.engine.workers():
            os.kill(pid, signal.SIGSTOP)
        stopped = self.engine.workers()
        jobs = [self.engine.accept(f"{i}.tif", self.letter) for i in range(40)]
        self.engine.fill()
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
        time.sleep(2 * PATIENCE ** 0.5)
        self.assertIsNone(self.engine.process.poll(), self.engine.log())
        self.engine.free()
        self.assert_goes_on(jobs)

    def test_disk_is_full_when_the_engine_stops__restart_does_the_jobs(self):
        for pid in self.engine.workers():
            os.kill(pid, signal.SIGSTOP)
        stopped = self.engine.workers()
        jobs = [self.engine.accept(f"{i}.tif", self.letter) for i in range(8)]
        self.engine.fill()
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
        time.sleep(0.5 * PATIENCE ** 0.5)
        self.assertEqual(self.engine.stop(), 0)
        self.engine.free()
        self.engine.start()
        self.assert_goes_on(jobs)


if __name__ == "__main__":
    unittest.main(verbosity=2)
