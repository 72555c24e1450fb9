"""corpus_table: converts every file of a folder, and judges each result by readers that are not ours.

What it looked like comes from libtiff, djpeg, poppler or mupdf, of the input; what it looks like from poppler and mupdf (and
libtiff, of TIFF), of the output, at the page's own resolution. A row that nothing explains makes exit code 1.

Called by scripts/corpus-table, which builds and installs what is needed. Standard library only.

SPDX-License-Identifier: AGPL-3.0-or-later
"""
import argparse
import collections
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests" / "integration"))
from pictures import read_pnm, read_raw_tiff, tiff_directories  # noqa: E402  (its folder is only known now)

PATIENCE_SECONDS = 300
PIXELS_MOST = 40e6  # of a page that is drawn; larger ones are drawn smaller
SAME_COEFFICIENTS_DB = 38  # JPEG data that each decoder smooths in its own way
SAME_PAGE_DB = 15  # below it, two drawings do not show the same page
POINTS_APART = 1
EXACT = float("inf")
COLUMNS = ["file", "kind", "pages", "done", "in", "out", "ms", "pixels", "qpdf", "veraPDF", "poppler", "mupdf", "remarks"]
COMPRESSIONS = {1: "raw", 2: "RLE", 3: "G3", 4: "G4", 5: "LZW", 6: "old JPEG", 7: "JPEG", 8: "Deflate",
                32773: "PackBits", 32946: "Deflate"}


def run(*command):
    """Exit code, output and the words on stderr; a program that hangs counts as one that failed."""
    try:
        done = subprocess.run([str(part) for part in command], capture_output=True, timeout=PATIENCE_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return 124, b"", "no answer in %d s" % PATIENCE_SECONDS
    return done.returncode, done.stdout, done.stderr.decode(errors="replace").strip()


def kind_of(data):
    """By content, as Platen has it."""
    for mark, kind in ((b"%PDF-", "PDF"), (b"II*\0", "TIFF"), (b"MM\0*", "TIFF"), (b"II+\0", "BigTIFF"), (b"MM\0+", "BigTIFF"),
                       (b"\xff\xd8", "JPEG"), (b"\x89PNG", "PNG"), (b"%!", "PostScript")):
        if mark in (data[:1024] if kind == "PDF" else data[:len(mark)]):
            return kind
    return "other"


def png_kind(data):
    bits, colour = data[24], data[25]
    return "PNG %s %d" % ({0: "grey", 2: "RGB", 3: "palette", 4: "grey+alpha", 6: "RGB+alpha"}.get(colour, "?"), bits)


def jpeg_orientation(data):
    """Of the EXIF block, whose inside is a TIFF file."""
    at = data.find(b"Exif\0\0", 0, 65536)
    try:
        return tiff_directories(data[at + 6:at + 65536])[0].get(274, (1,))[0] if at > 0 else 1
    except (struct.error, IndexError):
        return 1


class Source:
    """An input: what it is, and its pages as others see them."""

    def __init__(self, path, folder):
        self.path, self.folder, self.data = path, folder, path.read_bytes()
        self.kind, self.detail = kind_of(self.data), ""
        self.is_jpeg_coded = self.kind == "JPEG"
        self.directories, self.sizes, self.said = [], [], set()
        if self.kind == "TIFF":
            self.look_at_tiff()
        elif self.kind == "PDF":
            self.sizes = pdf_sizes(path)
            lines = run("pdfimages", "-list", path)[1].decode().splitlines()[2:]
            self.detail = ", ".join(sorted({line.split()[8] for line in lines if len(line.split()) > 8})) or "no pictures"
        elif self.kind == "PNG":
            self.detail = png_kind(self.data)[4:]

    def look_at_tiff(self):
        try:
            found = tiff_directories(self.data)
        except (struct.error, TypeError):
            found = []
        self.directories = [tags for tags in found if not tags.get(254, (0,))[0] & 1] or found
        self.is_jpeg_coded = any(tags.get(259, (0,))[0] in (6, 7) for tags in self.directories)
        if self.directories:
            tags = self.directories[0]
            self.detail = "%s %dx%d bit" % (COMPRESSIONS.get(tags.get(259, (1,))[0], "?"), tags.get(277, (1,))[0],
                                            tags.get(258, (1,))[0])

    def pages(self):
        """How many an independent reader sees; 0 when none says."""
        return {"TIFF": len(self.directories), "PDF": len(self.sizes), "JPEG": 1, "PNG": 1}.get(self.kind, 0)

    def decoded(self):
        """Each page as libtiff or djpeg decodes it, the way it lies on the table: a path, or None."""
        target = self.folder / "decoded.ppm"
        if self.kind == "JPEG":
            code, _, _ = run("djpeg", "-ppm", "-outfile", self.folder / "raw.ppm", self.path)
            if code == 0:
                [image] = read_pnm(self.folder / "raw.ppm")
                image.turned(jpeg_orientation(self.data)).save(target)
            yield target if code == 0 else None
        elif self.kind == "TIFF":
            yield from self.decoded_tiff(target)

    def decoded_tiff(self, target):
        lying, raw = self.folder / "lying.tif", self.folder / "raw.tif"
        all_tags = tiff_directories(self.data)
        shutil.copyfile(self.path, lying)
        for n, tags in enumerate(all_tags):
            if tags.get(274, (1,))[0] != 1:  # tiff2rgba would turn some of them
                run("tiffset", "-d", n, "-s", "274", "1", lying)
        run("tiff2rgba", "-c", "none", "-n", lying, raw)
        if raw.exists() and raw.stat().st_size > 8:
            for image, tags in zip(read_raw_tiff(raw), all_tags):
                if tags in self.directories:
                    image.turned(tags.get(274, (1,))[0]).save(target)
                    yield target
        for path in (lying, raw):
            path.unlink(missing_ok=True)

    def drawn(self, page, size):
        """The page as readers of documents draw it."""
        if self.kind == "PDF":
            yield from draw_pdf(self.path, page, size, self.folder / "in", self.said)
        elif self.kind in ("JPEG", "PNG", "TIFF"):
            yield "mupdf", draw_mupdf(self.path, page, size, self.folder / "in", set())


def pdf_sizes(path):
    """Width and height of each page as it is seen, in points."""
    code, out, _ = run("pdfinfo", "-f", "1", "-l", "99999", path)
    text = out.decode(errors="replace")
    sizes = [(float(w), float(h)) for w, h in re.findall(r"^Page +\d+ size: +([\d.]+) x ([\d.]+)", text, re.M)]
    turns = [int(turn) for turn in re.findall(r"^Page +\d+ rot: +(\d+)", text, re.M)]
    return [(h, w) if turn % 180 else (w, h) for (w, h), turn in zip(sizes, turns)] if code == 0 else []


def heard(words, said):
    """Remembers what a reader complained of, without the places."""
    said.update(re.sub(r"\d+", "N", line) for line in words.splitlines() if line.strip())


def draw_poppler(path, page, size, stem, said):
    """pdftoppm means the sides before /Rotate."""
    turn = re.search(rb"rot: +(\d+)", run("pdfinfo", "-f", page, "-l", page, path)[1])
    x, y = size[::-1] if turn and int(turn[1]) % 180 else size
    target = pathlib.Path("%s.poppler" % stem)
    drawn = pathlib.Path("%s.ppm" % target)
    drawn.unlink(missing_ok=True)  # a reader may complain, exit with 1 and draw all the same
    _, _, words = run("pdftoppm", "-f", page, "-l", page, "-singlefile", "-scale-to-x", x, "-scale-to-y", y, path, target)
    heard(words, said)
    return drawn if drawn.exists() else None


def draw_mupdf(path, page, size, stem, said):
    target = pathlib.Path("%s.mupdf.ppm" % stem)
    target.unlink(missing_ok=True)
    _, _, words = run("mutool", "draw", "-q", "-N", "-f", "-w", size[0], "-h", size[1], "-c", "rgb", "-o", target, path, page)
    heard(words, said)
    return target if target.exists() else None


def draw_pdf(path, page, size, stem, said):
    yield "poppler", draw_poppler(path, page, size, stem, said)
    yield "mupdf", draw_mupdf(path, page, size, stem, said)


def picture_size(path):
    """Of a PPM file."""
    with open(path, "rb") as file:
        found = re.match(rb"P6\s+(\d+)\s+(\d+)", file.read(64))
    return int(found[1]), int(found[2])


class Table:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.platen, self.compare_tool = options.platen, options.compare
        self.is_pdf = options.to.startswith("pdf")
        self.rows, self.kept = [], []

    def file(self, path, number):
        source = Source(path, self.folder)
        row = dict.fromkeys(COLUMNS, "-")
        row.update({"file": str(path.relative_to(self.options.folder)), "kind": (source.kind + " " + source.detail).strip(),
                    "in": len(source.data), "wrong": [], "notes": []})
        suffix = "pdf" if self.is_pdf else self.options.to
        made = self.folder / "results" / ("%04d-%s.%s" % (number, path.stem, suffix))
        began = time.monotonic()
        code, out, words = run(self.platen, "convert", "--json", "--to", self.options.to, path, "-o", made)
        row["ms"] = round((time.monotonic() - began) * 1000)
        try:
            report = json.loads(out)
        except ValueError:
            report = None
        if code not in (0, 1) or report is None:
            row["wrong"].append("exit code %d: %s" % (code, words[:200]))
        elif code == 1:
            self.refused(row, report, words)
        else:
            self.judged(row, source, report)
        self.rows.append(row)
        return row

    def refused(self, row, report, words):
        error = report.get("error") or {}
        row["done"] = "refused: %s" % error.get("reason", "")
        if not error.get("reason") or "\n" in words or error["reason"] not in words:
            row["wrong"].append("refused without one clear line: %r" % words[:200])

    def judged(self, row, source, report):
        pages, names = report["pages"], [output["name"] for output in report["outputs"]]
        row["pages"], row["out"] = report["pages_in"], report["bytes_out"]
        counts = {how: count for how, count in report["how"].items() if count}
        row["done"] = ", ".join("%d %s" % (count, how) for how, count in counts.items())
        notes = collections.Counter(page["note"] for page in pages if page.get("note"))
        row["notes"] += ["%s (%d)" % item if item[1] > 1 else item[0] for item in notes.items()]
        row["notes"] += [report["note"]] if report["note"] else []
        row["wrong"] += ["repaired without a reason"] if report["repaired"] and not report["note"] else []
        if report["bytes_out"] > report["bytes_in"] and "larger" not in report["note"]:
            row["wrong"].append("grew by %d bytes without a note" % (report["bytes_out"] - report["bytes_in"]))
        if source.pages() and source.pages() != report["pages_in"]:
            row["wrong"].append("%d pages, others see %d" % (report["pages_in"], source.pages()))
        if sum(counts.values()) != len(pages) or len(pages) != report["pages_out"]:
            row["wrong"].append("%d pages out, %d in the page ledger, %s" % (report["pages_out"], len(pages), row["done"]))
        if self.is_pdf:
            self.kept.append((row, names[0]))
            self.qpdf(row, names[0])
        self.pixels(row, source, pages, names)
        if not self.is_pdf and not self.options.keep:
            for name in names:
                os.unlink(name)

    def qpdf(self, row, name):
        code, _, words = run("qpdf", "--check", name)
        row["qpdf"] = "ok" if code == 0 else "%d: %s" % (code, words.splitlines()[-1] if words else "")
        if code != 0:
            row["wrong"].append("qpdf: " + row["qpdf"])

    def pixels(self, row, source, pages, names):
        """All pages, each against what others saw of the input."""
        said, found = set(), collections.defaultdict(list)
        sizes = pdf_sizes(names[0]) if self.is_pdf else []
        if self.is_pdf and len(sizes) != len(pages):
            row["wrong"].append("%d pages written, poppler sees %d" % (len(pages), len(sizes)))
            return
        for page, size in zip(pages, sizes):
            before = source.sizes[page["page"] - 1] if source.kind == "PDF" and page["page"] <= len(source.sizes) else size
            if max(abs(size[0] - before[0]), abs(size[1] - before[1])) > POINTS_APART:
                row["wrong"].append("page %d: %gx%g points, was %gx%g" % (page["n"], *size, *before))
        decoded = source.decoded()
        outputs = self.decoded_output(names, pages)
        for page, size in zip(pages, sizes or [None] * len(pages)):
            reference = next(decoded, None)
            by_reader = self.page(source, page, size, reference, next(outputs, None), names, said)
            for reader, value in by_reader.items():
                found[reader].append(value)
            self.explain(row, source, page, by_reader, names[0])
        row["pixels"] = "; ".join("%s %s" % (reader, summary(values)) for reader, values in found.items()) or "not compared"
        for reader in ("poppler", "mupdf") if self.is_pdf else ():
            row[reader] = "ok" if found[reader] and None not in found[reader] else "cannot draw"
        new = sorted(said - source.said)
        if new:
            row["wrong"].append("readers say of the result: %s" % "; ".join(new)[:200])

    def decoded_output(self, names, pages):
        """Of outputs that are pictures: each page as libtiff or djpeg decodes it."""
        folder = self.folder / "output"
        folder.mkdir(exist_ok=True)
        for name in [] if self.is_pdf else names:
            yield from Source(pathlib.Path(name), folder).decoded()

    def draw_output(self, page, size, names, said):
        stem = self.folder / "out"
        if self.is_pdf:
            return draw_pdf(names[0], page["n"], size, stem, said)
        name, n = (names[0], page["n"]) if len(names) == 1 else (names[page["document"] - 1], 1)
        return [("mupdf", draw_mupdf(name, n, size, stem, said))]

    def page(self, source, page, points, reference, output, names, said):
        """{reader: the best PSNR against any drawing of the input; None: it draws nothing}."""
        size = picture_size(reference) if reference and self.is_pdf else drawing_size(page, points)
        references = [reference] if reference else []
        same = dict(source.drawn(page["page"], size))
        drawn = dict(self.draw_output(page, size, names, said))
        if output:
            drawn["libtiff" if self.options.to.startswith("tiff") else "djpeg"] = output
        found = {}
        for reader, path in drawn.items():
            others = references + [p for name, p in same.items() if p and (name == reader or reader not in same)]
            if not path or others:
                found[reader] = max(self.compare(other, path) for other in others) if path else None
        return found

    def compare(self, one, other):
        code, out, _ = run(self.compare_tool, one, other)
        words = out.decode().split()
        if code != 0 or words[0] == "A":
            return -EXACT
        return EXACT if words[0] == "exact" else float(words[0])

    def explain(self, row, source, page, by_reader, name):
        """A page that was kept exactly must be so for one reader, and look like it for the others."""
        values = [value for value in by_reader.values() if value is not None]
        where, changed = "page %d: " % page["n"], page["how"] in ("rendered", "reencoded_loss")
        if None in by_reader.values():
            row["wrong"].append(where + "a reader cannot draw it")
        if not values or (source.kind == "PostScript" and page["how"] == "rendered"):
            return
        best = max(values)
        wanted = SAME_PAGE_DB if changed else SAME_COEFFICIENTS_DB if source.is_jpeg_coded else EXACT
        if changed and self.options.to in ("tiff-g4", "thumbnail"):
            return  # grey made black and white, or small, is as far away as it is
        if best < wanted:
            row["wrong"].append(where + "%s, but %s" % (page["how"], decibels(best)))
        elif min(values) < SAME_PAGE_DB and not has_profile(name):
            row["wrong"].append(where + "readers disagree: %s" % decibels(min(values)))

    def vera(self):
        """All PDF/A results at once: Java takes longer to start than to look."""
        flavour = self.options.to.removeprefix("pdfa-")
        if not self.options.to.startswith("pdfa-") or not self.kept or not self.options.verapdf:
            return
        _, out, _ = run("java", "-cp", self.options.verapdf, "org.verapdf.apps.GreenfieldCliWrapper", "--flavour", flavour,
                        "--format", "text", *[name for _, name in self.kept])
        found = re.findall(r"^(PASS|FAIL) (.+) %s$" % flavour, out.decode(), re.M)
        verdicts = {path: verdict for verdict, path in found}
        for row, name in self.kept:
            row["veraPDF"] = verdicts.get(name, "no verdict").lower()
            if row["veraPDF"] != "pass":
                row["wrong"].append("veraPDF: " + row["veraPDF"])

    def show(self, row):
        cells = {**row, "remarks": "; ".join(row["notes"] + ["UNEXPLAINED: " + text for text in row["wrong"][:3]])}
        texts = [re.sub(r"[\t\n|]", " ", str(cells[column])) for column in COLUMNS]
        print("\t".join(texts) if self.options.tsv else "| %s |" % " | ".join(texts), flush=True)


def drawing_size(page, points):
    """Pixels of a page: those of its picture, as it lies; 150 dpi where it is no picture."""
    width, height = page["width"], page["height"]
    if width == 0 or height == 0:
        width, height = (round(side * 150 / 72) for side in points or (612, 792))
    elif points and (points[0] > points[1]) != (width > height) and width != height:
        width, height = height, width
    shrink = max(1.0, (width * height / PIXELS_MOST) ** 0.5)
    return max(1, round(width / shrink)), max(1, round(height / shrink))


def has_profile(name):
    with open(name, "rb") as file:
        data = file.read()
    return b"/ICCBased" in data or b"/DeviceCMYK" in data


def decibels(value):
    if value is None:
        return "nothing drawn"
    return "exact" if value == EXACT else "not the same size" if value == -EXACT else "%.1f dB" % value


def summary(values):
    exact = values.count(EXACT)
    if exact == len(values):
        return "exact"
    least = decibels(min((value for value in values if value is not None), default=None))
    return least if len(values) == 1 else "%d of %d exact, least %s" % (exact, len(values), least)


def main():
    parser = argparse.ArgumentParser(prog="corpus-table")
    parser.add_argument("--to", default="pdfa-2b")
    parser.add_argument("--tsv", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--only")
    parser.add_argument("--platen", required=True)
    parser.add_argument("--compare", required=True)
    parser.add_argument("--verapdf")
    parser.add_argument("folder", type=pathlib.Path)
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="platen-table.", dir="/var/tmp"))
    (folder / "results").mkdir()
    table = Table(options, folder)
    files = sorted(path for path in options.folder.rglob("*") if path.is_file() and path.suffix not in (".tsv", ".txt", ".md"))
    files = [path for path in files if not options.only or options.only in str(path)]
    try:
        for number, path in enumerate(files):
            row = table.file(path, number)
            print("corpus-table: %d of %d: %s%s" % (number + 1, len(files), row["file"], ": " + row["wrong"][0] if row["wrong"]
                                                    else ""), file=sys.stderr, flush=True)
        table.vera()
        print("\t".join(COLUMNS) if options.tsv else "| %s |\n|%s" % (" | ".join(COLUMNS), "---|" * len(COLUMNS)))
        for row in table.rows:
            table.show(row)
    finally:
        if options.keep:
            print("corpus-table: results are in %s" % folder, file=sys.stderr)
        else:
            shutil.rmtree(folder)
    wrong = sum(1 for row in table.rows if row["wrong"])
    print("\n%d files, %d refused, %d unexplained" % (len(table.rows), sum(row["done"].startswith("refused") for row in table.rows),
                                                     wrong))
    return 1 if wrong or not table.rows else 0


if __name__ == "__main__":
    sys.exit(main())
