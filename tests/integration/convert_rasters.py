"""convert_rasters: real scans to TIFF, PNG and JPEG, judged by readers that are not ours.

Every TIFF, PNG and JPEG under PLATEN_CORPUS goes to tiff (LZW and Deflate), tiff-g4, png and jpeg. tiffinfo decodes each TIFF
without a word and counts its pages; a TIFF of one page that was no JPEG shows, as libtiff's RGBA reader sees it, the pixels of
the one it came from; pngcheck and djpeg have nothing to say; a JPEG that nothing was asked of comes out byte for byte, and two
runs with different numbers of threads write the same bytes.

convert_rasters.py CONVERT_FILE; exit code 77 when a program or the corpus is missing.
SPDX-License-Identifier: AGPL-3.0-or-later
"""
import collections
import glob
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile

NEEDED = ["tiffinfo", "tiff2rgba", "pngcheck", "djpeg"]
FORMATS = [("tiff", "tif", []), ("tiff", "tif", ["-c", "deflate"]), ("tiff-g4", "tif", []),
           ("png", "png", ["-p", "1"]), ("jpeg", "jpg", ["-p", "1"])]
BYTES_MOST = 3000000  # larger files only take time


def run(*command):
    return subprocess.run(command, capture_output=True, check=False)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def rgba(path, scratch):
    """Width, height and pixels of the first page as libtiff shows it, or None."""
    made = os.path.join(scratch, "rgba.tif")
    if os.path.exists(made):
        os.remove(made)
    if run("tiff2rgba", "-c", "none", "-n", path, made).returncode != 0 or not os.path.exists(made):
        return None
    data = read(made)
    order = "<" if data[:2] == b"II" else ">"
    at = struct.unpack_from(order + "I", data, 4)[0]
    tags = {}
    for n in range(struct.unpack_from(order + "H", data, at)[0]):
        entry = at + 2 + 12 * n
        tag, kind, count = struct.unpack_from(order + "HHI", data, entry)
        if kind not in (3, 4):
            continue
        size = 2 if kind == 3 else 4
        place = entry + 8 if size * count <= 4 else struct.unpack_from(order + "I", data, entry + 8)[0]
        tags[tag] = struct.unpack_from(order + str(count) + ("H" if kind == 3 else "I"), data, place)
    return tags[256][0], tags[257][0], b"".join(data[a:a + b] for a, b in zip(tags[273], tags[279]))


def judge_tiff(source, out, pages, scratch, counts):
    seen = run("tiffinfo", "-D", out)
    if seen.returncode != 0 or seen.stderr:
        return "tiffinfo: " + seen.stderr.decode()[:200]
    if seen.stdout.count(b"=== TIFF directory") != len(pages):
        return "%d directories for %d pages" % (seen.stdout.count(b"=== TIFF directory"), len(pages))
    exact = all(page["how"] in ("copied", "reencoded_exact") for page in pages)
    jpeg = b"JPEG" in seen.stdout or b"JPEG" in run("tiffinfo", source).stdout  # each decoder smooths chroma in its own way
    if not source.lower().endswith((".tif", ".tiff")) or len(pages) != 1 or jpeg or not exact:
        return None
    counts["compared"] += 1
    return None if rgba(source, scratch) == rgba(out, scratch) else "other pixels than libtiff sees in the input"


def judge_png(out):
    seen = run("pngcheck", "-q", out)
    return "pngcheck: " + seen.stdout.decode()[:200] if seen.returncode != 0 or seen.stdout else None


def judge_jpeg(source, out, scratch):
    seen = run("djpeg", "-outfile", os.path.join(scratch, "jpeg.pnm"), out)
    if seen.returncode != 0 or seen.stderr:
        return "djpeg: " + seen.stderr.decode()[:200]
    if source.lower().endswith((".jpg", ".jpeg")) and read(source) != read(out):
        return "not the bytes of the input"
    return None


def convert(program, source, scratch, counts, fmt):
    """None, or what is wrong."""
    name, ending, extra = fmt
    out, again = os.path.join(scratch, "out." + ending), os.path.join(scratch, "again." + ending)
    ledger = os.path.join(scratch, "ledger.json")
    made = run(program, "-t", "2", "-f", name, "-l", ledger, *extra, out, source)
    if made.returncode != 0:
        return "refused: " + made.stderr.decode().strip()[:200]
    if run(program, "-t", "0", "-f", name, *extra, again, source).returncode != 0 or read(out) != read(again):
        return "other bytes with other threads"
    with open(ledger, encoding="utf-8") as file:
        pages = json.load(file)
    for page in pages:
        counts[name + " " + page["how"]] += 1
    if ending == "tif":
        return judge_tiff(source, out, pages, scratch, counts)
    return judge_png(out) if ending == "png" else judge_jpeg(source, out, scratch)


def main():
    missing = [name for name in NEEDED if shutil.which(name) is None]
    corpus = os.environ.get("PLATEN_CORPUS")
    if missing or not corpus:
        print("skipped: " + ("no " + ", ".join(missing) if missing else "PLATEN_CORPUS is not set"))
        return 77
    endings = (".tif", ".tiff", ".png", ".jpg", ".jpeg")
    files = sorted(path for path in glob.glob(os.path.join(corpus, "**", "*"), recursive=True)
                   if path.lower().endswith(endings) and os.path.getsize(path) <= BYTES_MOST)
    counts, wrong = collections.Counter(), 0
    with tempfile.TemporaryDirectory() as scratch:
        for path in files:
            for fmt in FORMATS:
                fault = convert(sys.argv[1], path, scratch, counts, fmt)
                if fault is not None:
                    wrong += 1
                    print("%s to %s: %s" % (os.path.relpath(path, corpus), " ".join([fmt[0]] + fmt[2]), fault))
    print("%d files, %d formats, %d wrong; pages %s" % (len(files), len(FORMATS), wrong, dict(sorted(counts.items()))))
    return 1 if wrong > 0 or not files else 0


if __name__ == "__main__":
    sys.exit(main())
