"""pdf_structure: our reader of PDF structure against qpdf and mupdf, over real files and hostile ones.

Over PLATEN_CORPUS: as many pages as qpdf and mutool find, and every stream that qpdf decodes has the same bytes here. Over
PLATEN_HOSTILE: a verdict within a second (ten under a sanitizer) and a ceiling of memory; where qpdf finds nothing to warn
about, its number of pages. What others see differently is printed. Neither folder: skipped, and says so.

pdf_structure.py PDF_PROBE; exit code 77 when a program or all data is missing.
SPDX-License-Identifier: AGPL-3.0-or-later
"""
import base64
import glob
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys

NEEDED = ["qpdf", "mutool"]
SANITIZED = bool(os.environ.get("PLATEN_SANITIZED"))
SECONDS = 10 if SANITIZED else 1
MEMORY_KIB = (800 if SANITIZED else 200) * 1024


def run(*command):
    done = subprocess.run(command, capture_output=True, timeout=120, check=False)
    return done.returncode, done.stdout


class Probe:
    """What pdf_probe says of one file."""

    def __init__(self, program, path, *options):
        code, text = run(program, *options, path)
        if code != 0:
            raise AssertionError("%s: the probe died with %d" % (path, code))
        lines = [line.split("\t") for line in text.decode("utf-8", "replace").rstrip("\n").split("\n")]
        self.streams = {int(line[1]): line[2:] for line in lines if line[0] == "stream" and len(line) == 6}
        last = lines[-1]
        self.status, self.pages, self.sentence = last[1], int(last[2]) if last[1] == "ok" else None, last[11]
        self.repaired, self.open_ms, self.peak_kib = last[3] == "repaired", float(last[5]), int(last[10])


def qpdf_pages(path):
    """Exit code (3: with warnings) and the number, or None."""
    code, text = run("qpdf", "--show-npages", path)
    return code, int(text) if code in (0, 3) and text.strip().isdigit() else None


def mutool_pages(path):
    found = re.search(rb"^Pages: (\d+)", run("mutool", "info", path)[1], re.M)
    return int(found.group(1)) if found else None


def qpdf_streams(path):
    """By object number: size and digest of decoded data, of streams without image filters."""
    code, text = run("qpdf", "--json-output=2", "--json-stream-data=inline", "--decode-level=generalized", path)
    if code not in (0, 3):
        return {}
    streams = {}
    for name, entry in json.loads(text)["qpdf"][1].items():
        number = re.match(r"obj:(\d+) \d+ R", name)
        if number and "stream" in entry and "/Filter" not in entry["stream"]["dict"]:
            data = base64.b64decode(entry["stream"]["data"])
            streams[int(number.group(1))] = (len(data), hashlib.sha256(data).hexdigest())
    return streams


def compare_streams(path, probe):
    """Sentences of what differs. Streams that structure itself needed are gone from qpdf's output."""
    wrong = []
    for number, (size, digest) in qpdf_streams(path).items():
        ours = probe.streams.get(number)
        if ours is None:
            wrong.append("stream %d is not here" % number)
        elif ours[0] == "ok" and (int(ours[2]) != size or ours[3] != digest):
            wrong.append("stream %d has %s bytes here, %d in qpdf, or others" % (number, ours[2], size))
    return wrong


def check_corpus(program, folder):
    wrong, compared = [], 0
    for path in sorted(glob.glob(folder + "/*/*.pdf")):
        probe = Probe(program, path, "--streams")
        pages = (probe.pages, qpdf_pages(path)[1], mutool_pages(path))
        if len(set(pages)) != 1:
            wrong.append("%s: pages %s here, %s in qpdf, %s in mutool" % (path, *pages))
        wrong += ["%s: %s" % (path, sentence) for sentence in compare_streams(path, probe)]
        compared += len(probe.streams)
    print("corpus: %d streams compared" % compared)
    return wrong


def check_hostile(program, folder):
    wrong, slowest, largest, files = [], 0.0, 0, 0
    for path in sorted(glob.glob(folder + "/pdf/*")):
        probe = Probe(program, path)
        files += 1
        slowest, largest = max(slowest, probe.open_ms), max(largest, probe.peak_kib)
        if probe.open_ms > SECONDS * 1000 or probe.peak_kib > MEMORY_KIB:
            wrong.append("%s: %.0f ms, %d KiB" % (path, probe.open_ms, probe.peak_kib))
        if probe.status != "ok" and not probe.sentence:
            wrong.append("%s: %s without a sentence" % (path, probe.status))
        code, pages = qpdf_pages(path)
        if pages == probe.pages:
            continue
        print("differs: %s: %s here (%s), %s in qpdf (exit %d), %s in mutool" % (
            os.path.basename(path), probe.pages, probe.sentence or ("repaired" if probe.repaired else "as it stands"),
            pages, code, mutool_pages(path)))
        if code == 0 and pages == mutool_pages(path):
            wrong.append("%s: %s pages here, %s elsewhere, without a warning" % (path, probe.pages, pages))
    print("hostile: %d files, at most %.0f ms and %d KiB" % (files, slowest, largest))
    return wrong


def main():
    missing = [program for program in NEEDED if shutil.which(program) is None]
    corpus, hostile = os.environ.get("PLATEN_CORPUS"), os.environ.get("PLATEN_HOSTILE")
    if missing or not (corpus or hostile):
        print("skipped: " + (", ".join(missing) + " not installed" if missing
                             else "PLATEN_CORPUS and PLATEN_HOSTILE are not set"))
        return 77
    wrong = check_corpus(sys.argv[1], corpus) if corpus else []
    wrong += check_hostile(sys.argv[1], hostile) if hostile else []
    for line in wrong:
        print("wrong: " + line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
