"""test_convert: `platen convert` as a person or a script calls it, and the scripts that judge it.

Inputs are the project's own scans. What comes out is judged by qpdf, poppler, mupdf and libtiff; tests say so and are skipped
where one of these is not installed.

SPDX-License-Identifier: AGPL-3.0-or-later
"""
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from daemon import BUILD, PATIENCE, TOP, scan

FORMATS = ["pdf", "pdfa-1b", "pdfa-2b", "pdfa-3b", "tiff-g4", "tiff", "jpeg", "png", "thumbnail"]
MARKS = {"pdf": b"%PDF-", "pdfa-1b": b"%PDF-1.4", "pdfa-2b": b"%PDF-", "pdfa-3b": b"%PDF-", "tiff-g4": b"II*\0", "tiff": b"II*\0",
         "jpeg": b"\xff\xd8\xff", "png": b"\x89PNG", "thumbnail": b"\xff\xd8\xff"}


def tool(*names):
    missing = [name for name in names if shutil.which(name) is None]
    return unittest.skipIf(missing, "not installed: %s" % ", ".join(missing))


class Programs(unittest.TestCase):
    """The programs of this build where the sandbox's user may run them, and a folder for each test."""

    @classmethod
    def setUpClass(cls):
        cls.top = pathlib.Path(tempfile.mkdtemp(prefix="platen-convert."))
        cls.addClassCleanup(shutil.rmtree, cls.top)
        cls.top.chmod(0o755)
        for program in (BUILD / "api" / "platen", BUILD / "workers" / "platen-worker"):
            shutil.copy(program, cls.top)

    def setUp(self):
        self.folder = self.top / self.id().rsplit(".", 1)[1][:40]
        self.folder.mkdir()


class Convert(Programs):
    def input(self, name):
        path = self.folder / name
        path.write_bytes(scan(name))
        return path

    def run_platen(self, *arguments):
        return subprocess.run([str(part) for part in (self.top / "platen", "convert", *arguments)], capture_output=True, text=True,
                              timeout=60 * PATIENCE, check=False)

    def convert(self, *arguments):
        """The report of a conversion that must succeed without a word."""
        done = self.run_platen("--json", *arguments)
        self.assertEqual((done.returncode, done.stderr), (0, ""), arguments)
        return json.loads(done.stdout)

    def refused(self, code, *arguments):
        """The one line of a conversion that must be refused."""
        done = self.run_platen(*arguments)
        self.assertEqual(done.returncode, code, done)
        if code == 1:
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        return done.stderr

    def test_every_format__of_a_scan__is_what_its_name_says_and_its_report_is_true(self):
        letter = self.input("letter.tif")
        for to in FORMATS:
            with self.subTest(to):
                made = self.folder / ("out." + to)
                report = self.convert("--to", to, letter, "-o", made)
                data = made.read_bytes()
                self.assertTrue(data.startswith(MARKS[to]), data[:8])
                [output] = report["outputs"]
                self.assertEqual((output["bytes"], output["sha256"]), (len(data), hashlib.sha256(data).hexdigest()))
                self.assertEqual((report["bytes_in"], report["bytes_out"]), (letter.stat().st_size, len(data)))
                self.assertEqual((report["pages_in"], report["pages_out"], len(report["pages"])), (1, 1, 1))
                self.assertEqual(sum(report["how"].values()), 1)
                self.assertEqual(report["how"][report["pages"][0]["how"]], 1)

    def test_result__by_any_number_of_threads__has_the_same_bytes(self):
        contract = self.input("contract.tif")
        for to in ("pdfa-2b", "tiff"):
            made = []
            for threads in (1, 2, 4):
                out = self.folder / ("%s-%d" % (to, threads))
                self.convert("--threads", threads, "--to", to, contract, "-o", out)
                made.append(out.read_bytes())
            self.assertEqual(made[0], made[1])
            self.assertEqual(made[0], made[2])

    def test_pages__chosen_turned_and_merged__are_those_in_that_order(self):
        contract, letter = self.input("contract.tif"), self.input("letter.tif")
        pages = self.convert("--to", "pdf", "--pages", "2,-1,1", contract, letter, "-o", self.folder / "a.pdf")["pages"]
        self.assertEqual([(page["input"], page["page"]) for page in pages], [(1, 2), (2, 1), (1, 1)])
        report = self.convert("--to", "pdf", "--pages", "odd", "--rotate", "90", contract, "-o", self.folder / "b.pdf")
        self.assertEqual([page["page"] for page in report["pages"]], [1, 3, 5, 7, 9, 11])

    def test_pictures__of_several_pages__have_numbered_names(self):
        duplex = self.input("duplex.tif")
        report = self.convert("--to", "png", duplex, "-o", self.folder / "out.png")
        names = [pathlib.Path(output["name"]).name for output in report["outputs"]]
        self.assertEqual(names, ["out-%03d.png" % n for n in range(1, 9)])
        self.assertEqual(sorted(path.name for path in self.folder.iterdir() if path.suffix == ".png"), names)

    def test_output__that_is_there__is_kept_and_said(self):
        letter, out = self.input("letter.tif"), self.folder / "out.pdf"
        out.write_bytes(b"mine")
        self.assertIn("--force", self.refused(1, "--to", "pdf", letter, "-o", out))
        self.assertEqual(out.read_bytes(), b"mine")
        self.convert("--force", "--to", "pdf", letter, "-o", out)
        self.assertTrue(out.read_bytes().startswith(b"%PDF-"))

    def test_settings__that_exclude_each_other__are_refused_before_work(self):
        letter, secret = self.input("letter.tif"), self.folder / "secret"
        secret.write_text("4711-door\n")
        for to in ("pdfa-1b", "pdfa-2b", "pdfa-3b"):
            line = self.refused(2, "--to", to, "--password-file", secret, letter, "-o", self.folder / "out.pdf")
            self.assertIn("PDF/A", line)
            self.assertNotIn("4711", line)
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["letter.tif", "secret"])

    def test_input__that_is_none__leaves_one_line_and_nothing_else(self):
        broken, out = self.folder / "broken.tif", self.folder / "out.pdf"
        for data in (b"", b"Dear customer\n", scan("letter.tif")[:3000]):
            broken.write_bytes(data)
            self.assertTrue(self.refused(1, "--to", "pdf", broken, "-o", out))
            self.assertEqual([path.name for path in self.folder.iterdir()], ["broken.tif"])

    @tool("qpdf", "pdfinfo")
    def test_password__of_the_result__opens_it_and_nothing_else_does(self):
        letter, secret, out = self.input("letter.tif"), self.folder / "secret", self.folder / "out.pdf"
        secret.write_text("4711-door\n")
        self.convert("--to", "pdf", "--password-file", secret, letter, "-o", out)
        self.assertNotEqual(subprocess.run(["pdfinfo", out], capture_output=True, check=False).returncode, 0)
        shown = subprocess.run(["qpdf", "--password=4711-door", "--show-encryption", out], capture_output=True, text=True, check=False)
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertRegex(shown.stdout, r"R = 6")
        back = self.convert("--to", "tiff-g4", "--open-password-file", secret, out, "-o", self.folder / "back.tif")
        self.assertEqual(back["pages_in"], 1)

    @tool("qpdf")
    def test_document__made_linear__is_so_for_qpdf(self):
        contract, out = self.input("contract.tif"), self.folder / "out.pdf"
        self.convert("--to", "pdf", "--linearize", contract, "-o", out)
        shown = subprocess.run(["qpdf", "--check-linearization", out], capture_output=True, text=True, check=False)
        self.assertEqual(shown.returncode, 0, shown.stdout + shown.stderr)
        self.assertIn("no linearization errors", shown.stdout)

    @tool("tiffcmp")
    def test_fax_page__through_pdf_and_back__has_the_same_pixels(self):
        letter, there, back = self.input("letter.tif"), self.folder / "there.pdf", self.folder / "back.tif"
        self.convert("--to", "pdfa-2b", letter, "-o", there)
        report = self.convert("--to", "tiff-g4", there, "-o", back)
        self.assertEqual(report["how"]["copied"], 1)
        compared = subprocess.run(["tiffcmp", "-t", letter, back], capture_output=True, text=True, check=False)
        self.assertNotRegex(compared.stdout, r"Scanline")

    def test_help__names_every_format_and_option(self):
        done = self.run_platen("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for word in FORMATS + ["--pages", "--rotate", "--resolution", "--password-file", "--linearize", "--json", "--threads"]:
            self.assertIn(word, done.stdout)


class Table(Programs):
    """scripts/lib/corpus_table.py: its verdicts over a few scans, and over programs that do not tell the truth."""

    def table(self, platen, to="pdf"):
        documents = self.folder / "documents"
        documents.mkdir(exist_ok=True)
        (documents / "letter.tif").write_bytes(scan("letter.tif"))
        (documents / "grey.jpg").write_bytes(scan("letter-grey.jpg"))
        return subprocess.run([sys.executable, TOP / "scripts" / "lib" / "corpus_table.py", "--tsv", "--to", to, "--platen", platen,
                               "--compare", BUILD / "tests" / "picture_compare", documents],
                              capture_output=True, text=True, timeout=240 * PATIENCE, check=False)

    def liar(self, *change):
        """A program that calls Platen with more options, and then changes what it says or wrote."""
        path = self.folder / "liar"
        path.write_text("#!%s\nimport json, subprocess, sys\n%s" % (sys.executable, "\n".join((
            "done = subprocess.run([%r, *sys.argv[1:]%s], capture_output=True, text=True)" % (str(self.top / "platen"), change[0]),
            "report, made = json.loads(done.stdout), sys.argv[-1]", *change[1:], "print(json.dumps(report))",
            "sys.exit(done.returncode)\n"))))
        path.chmod(0o755)
        return path

    @tool("qpdf", "pdftoppm", "pdfinfo", "mutool", "tiff2rgba", "djpeg")
    def test_table__of_sound_conversions__explains_every_row(self):
        for to in ("pdf", "tiff", "png"):
            done = self.table(self.top / "platen", to)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn("2 files, 0 refused, 0 unexplained", done.stdout)
            self.assertTrue(re.search(r"exact", done.stdout), done.stdout)

    @tool("qpdf", "pdftoppm", "pdfinfo", "mutool", "tiff2rgba", "djpeg")
    def test_table__of_conversions_that_are_not_what_they_say__is_wrong(self):
        lies = {"pixels": ("", "subprocess.run([%r, 'convert', '--force', '--rotate', '180', '--to', 'pdf', sys.argv[-3], '-o', made])"
                           % str(self.top / "platen")),
                "growth": ("", "report['bytes_out'] *= 9", "report['note'] = ''"),
                "cut off": ("", "data = open(made, 'rb').read()", "open(made, 'wb').write(data[:-300])"),
                "silence": ("", "report['error'] = {'reason': ''}", "done.returncode = 1"),
                "a page less": ("", "report['pages'].pop()")}
        for name, change in lies.items():
            with self.subTest(name):
                done = self.table(self.liar(*change))
                self.assertEqual(done.returncode, 1, done.stdout)
                self.assertIn("2 unexplained", done.stdout)


if __name__ == "__main__":
    unittest.main()
