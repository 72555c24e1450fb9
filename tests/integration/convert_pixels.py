"""convert_pixels: what comes out is what went in, pixel for pixel, as poppler and mupdf see it.

Files that this script writes itself are converted always; every TIFF and JPEG under PLATEN_CORPUS where that is set. Each
result passes `qpdf --check` and is drawn at its own resolution by two readers. What it must look like comes from libtiff
(tiff2rgba) or from the numbers that were written; JPEG data must be the bytes of the input.

convert_pixels.py CONVERT_FILE [NAME...]; exit code 77 when a program is missing.
SPDX-License-Identifier: AGPL-3.0-or-later
"""
import glob
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

from pictures import SMOOTHED, Image, read_pnm, read_raw_tiff, tiff_directories

NEEDED = ["qpdf", "pdftoppm", "pdfimages", "pdfinfo", "mutool", "tiff2rgba", "tiffcp", "tiffset"]
FATAL = 25  # differences that are printed before the script gives up


def write_tiff(path, width, height, rows, bits=1, samples=1, photometric=0, dpi=(300, 300), orientation=1):
    """One page, uncompressed, one strip."""
    pixels = b"".join(rows)
    tags = [(256, 4, width), (257, 4, height), (258, 3, bits), (259, 3, 1), (262, 3, photometric), (273, 4, 8),
            (274, 3, orientation), (277, 3, samples), (278, 4, height), (279, 4, len(pixels)), (282, 5, dpi[0]),
            (283, 5, dpi[1]), (296, 3, 2)]
    at = 8 + len(pixels) + len(pixels) % 2
    after = at + 2 + len(tags) * 12 + 4
    directory, extra = struct.pack("<H", len(tags)), b""
    for tag, kind, value in tags:
        if tag == 258 and samples > 2:
            directory += struct.pack("<HHII", tag, kind, samples, after + len(extra))
            extra += struct.pack("<H", bits) * samples
        elif kind == 5:
            directory += struct.pack("<HHII", tag, kind, 1, after + len(extra))
            extra += struct.pack("<II", int(value * 1000), 1000)
        elif kind == 3:
            directory += struct.pack("<HHIHH", tag, kind, 1, value, 0)
        else:
            directory += struct.pack("<HHII", tag, kind, 1, value)
    with open(path, "wb") as file:
        file.write(struct.pack("<2sHI", b"II", 42, at) + pixels + b"\0" * (len(pixels) % 2))
        file.write(directory + struct.pack("<I", 0) + extra)


def noise(seed):
    while True:
        seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
        yield seed >> 16 & 0xFF


def text_like(width, height, seed):
    """Rows of bits with strokes and edges at all four sides, so that a shift of one pixel shows."""
    random, rows = noise(seed), []
    for y in range(height):
        if y % 7 == 0:
            row = bytearray(next(random) & next(random) for _ in range((width + 7) // 8))
        row = bytearray(row)
        row[0] |= 0x80
        row[(width - 1) // 8] |= 0x80 >> (width - 1) % 8
        if y in (0, height - 1):
            row = bytearray(b"\xaa" * len(row))
        rows.append(bytes(row))
    return rows


def made_bilevel(folder):
    shapes = [(2550, 3300, (300, 300)), (1728, 1082, (204, 98)), (1729, 2201, (203.2, 195.58)), (1, 1, (300, 300)),
              (17, 3, (300, 300)), (640, 480, (72, 72)), (5001, 701, (600, 600)), (2481, 3509, (299.9994, 299.9994)),
              (300, 20001, (200, 200))]
    for n, (width, height, dpi) in enumerate(shapes):
        for photometric in (0, 1):
            name = "%s/bilevel_%dx%d_%d" % (folder, width, height, photometric)
            write_tiff(name + ".tif", width, height, text_like(width, height, n), photometric=photometric, dpi=dpi)
            yield name + ".tif"
            for rows in {1 if height < 100 else 64, (height + 1) // 2, height}:
                path = "%s_g4_%d.tif" % (name, rows)
                subprocess.run(["tiffcp", "-c", "g4", "-r", str(rows), name + ".tif", path], check=True)
                yield path


def made_orientations(folder):
    for orientation in range(1, 9):
        name = "%s/orientation_%d" % (folder, orientation)
        write_tiff(name + ".tif", 301, 202, text_like(301, 202, 9), dpi=(100, 100), orientation=orientation)
        subprocess.run(["tiffcp", "-c", "g4", "-r", "77", name + ".tif", name + "_g4.tif"], check=True)
        random = noise(orientation)
        rows = [bytes(next(random) for _ in range(3 * 301)) for _ in range(202)]
        write_tiff(name + "_rgb.tif", 301, 202, rows, 8, 3, 2, (100, 100), orientation)
        yield from (name + ".tif", name + "_g4.tif", name + "_rgb.tif")


def made_colours(folder):
    random = noise(4)
    for bits, samples, photometric in ((8, 1, 0), (8, 1, 1), (16, 1, 1), (8, 3, 2), (16, 3, 2)):
        width, height = 333, 97
        row = width * samples * bits // 8
        path = "%s/colour_%d_%d_%d.tif" % (folder, bits, samples, photometric)
        rows = [bytes((next(random) & 31) + x * 200 // row for x in range(row)) for _ in range(height)]
        write_tiff(path, width, height, rows, bits, samples, photometric, (150, 150))
        yield path


def run(*command):
    done = subprocess.run(command, capture_output=True)
    if done.returncode != 0:
        raise RuntimeError("%s: exit %d: %s" % (command[0], done.returncode, done.stderr.decode()[:300]))
    return done.stdout


class Check:
    def __init__(self, tool, folder):
        self.tool, self.folder = tool, folder
        self.pdf, self.reference = folder + "/out.pdf", folder + "/reference.tif"
        self.failures, self.pages, self.files, self.refused = 0, 0, 0, 0

    def wrong(self, path, text):
        self.failures += 1
        print("WRONG %s: %s" % (os.path.basename(path), text), flush=True)
        if self.failures >= FATAL:
            sys.exit("too much is wrong")

    def drawn(self, page, width, height, lying):
        """The page as poppler and as mupdf draw it, at its own size. pdftoppm means the sides before /Rotate."""
        stem = self.folder + "/drawn"
        x, y = (height, width) if lying else (width, height)
        run("pdftoppm", "-f", str(page), "-l", str(page), "-singlefile", "-scale-to-x", str(x), "-scale-to-y", str(y),
            self.pdf, stem)
        yield "poppler", read_pnm(stem + ".ppm")[0]
        run("mutool", "draw", "-q", "-N", "-f", "-w", str(width), "-h", str(height), "-c", "rgb", "-o", stem + ".mu.ppm",
            self.pdf, str(page))
        yield "mupdf", read_pnm(stem + ".mu.ppm")[0]

    def decoded(self, page):
        """The parts of the page as poppler decodes them, stacked."""
        stem = self.folder + "/parts"
        for old in glob.glob(stem + "*"):
            os.remove(old)
        run("pdfimages", "-f", str(page), "-l", str(page), self.pdf, stem)
        parts = [read_pnm(path)[0] for path in sorted(glob.glob(stem + "-*"))]
        planes = [b"".join(part.planes[i] for part in parts) for i in range(3)]
        return Image(parts[0].width, sum(part.height for part in parts), planes)

    def jpeg_data(self, page):
        """The file that pdfimages takes out of the page, from its first table on."""
        stem = self.folder + "/jpeg"
        for old in glob.glob(stem + "*"):
            os.remove(old)
        run("pdfimages", "-all", "-f", str(page), "-l", str(page), self.pdf, stem)
        return open(glob.glob(stem + "-*")[0], "rb").read()

    def file(self, path):
        ledger = self.folder + "/ledger.json"
        done = subprocess.run([self.tool, "-l", ledger, self.pdf, path], capture_output=True)
        if done.returncode != 0:
            self.refused += 1
            sentence = done.stderr.decode().strip()
            if not sentence or "\n" in sentence:
                self.wrong(path, "refused without one clear line: %r" % sentence)
            print("refused %s: %s" % (os.path.basename(path), sentence))
            return
        self.files += 1
        run("qpdf", "--check", self.pdf)
        pages = json.load(open(ledger))
        references = self.references(path, pages)
        profiled = b"/ICCBased" in open(self.pdf, "rb").read()
        for page in pages:
            self.pages += 1
            self.page(path, page, references, profiled)

    def references(self, path, pages):
        """For each page how it lies in the file and its orientation; the picture is None for a JPEG file."""
        data = open(path, "rb").read()
        if data[:2] == b"\xff\xd8":
            found = re.search(r"Landscape_(\d)", path)  # the corpus names them by their EXIF orientation
            return [(None, int(found[1]) if found else 1)]
        directories = tiff_directories(data)
        orientations = [tags.get(274, (1,))[0] for tags in directories]
        for n, orientation in enumerate(orientations):
            if orientation != 1:  # tiff2rgba would turn some of them
                path = path if path.startswith(self.folder + "/lying") else shutil.copy(path, self.folder + "/lying.tif")
                run("tiffset", "-d", str(n), "-s", "274", "1", path)
        run("tiff2rgba", "-c", "none", "-n", path, self.reference)
        images = [(image, orientation)
                  for image, tags, orientation in zip(read_raw_tiff(self.reference), directories, orientations)
                  if not tags.get(254, (0,))[0] & 1]  # a smaller copy of another page is none
        if len(images) != len(pages):
            self.wrong(path, "%d pages, libtiff sees %d" % (len(pages), len(images)))
        return images

    def directories(self, path):
        data = open(path, "rb").read()
        return [] if data[:2] == b"\xff\xd8" else tiff_directories(data)

    def page(self, path, page, references, profiled):
        n = page["n"]
        where = "%s page %d" % (path, n)
        expected, orientation = references[n - 1]
        if expected is None:
            if self.jpeg_data(n) not in open(path, "rb").read():
                self.wrong(where, "JPEG data is not that of the input")
            if "cmyk" in path:
                return
            expected = self.decoded(n)
        if (expected.width, expected.height) != (page["width"], page["height"]):
            self.wrong(where, "the page ledger says %dx%d" % (page["width"], page["height"]))
        expected = expected.turned(orientation)
        tolerance = 1 if "colour_16" in path else 0
        if page["how"] != "rendered" and any(tags.get(259, (0,))[0] in (6, 7) for tags in self.directories(path)):
            tolerance = SMOOTHED
        for reader, drawn in self.drawn(n, expected.width, expected.height, orientation > 4):
            if profiled and reader == "poppler":
                continue  # it converts by the profile; mupdf is told not to
            difference = expected.difference(drawn, tolerance)
            if difference:
                self.wrong(where, "%s: %s" % (reader, difference))


def main():
    missing = [program for program in NEEDED if shutil.which(program) is None]
    if missing:
        print("skipped: %s not installed" % ", ".join(missing))
        return 77
    with tempfile.TemporaryDirectory() as folder:
        check = Check(sys.argv[1], folder)
        made = folder + "/made"
        os.mkdir(made)
        files = [*made_bilevel(made), *made_orientations(made), *made_colours(made)]
        corpus = os.environ.get("PLATEN_CORPUS")
        if corpus:
            files += sorted(path for ending in ("tif", "tiff", "jpg") for path in glob.glob("%s/*/*.%s" % (corpus, ending)))
        else:
            print("skipped: real scans (PLATEN_CORPUS is not set)")
        for path in files:
            if len(sys.argv) > 2 and not any(name in path for name in sys.argv[2:]):
                continue
            try:
                check.file(path)
            except (RuntimeError, OSError, IndexError, TypeError, KeyError) as error:
                check.wrong(path, "%s: %s" % (type(error).__name__, error))
        print("%d files, %d pages compared, %d files refused, %d wrong"
              % (check.files, check.pages, check.refused, check.failures))
        return 1 if check.failures or not check.files else 0


if __name__ == "__main__":
    sys.exit(main())
