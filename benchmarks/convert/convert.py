"""convert: what `platen convert` costs beside the programs that one would call instead.

    PLATEN_CORPUS=... python3 benchmarks/convert/convert.py [-n ROUNDS] [-o RESULT.json] [--quiet-load N] [TASK...]

Each task runs Platen (PLATEN_BUILD, build/release unless set) and its peers in the same run, interleaved, after one round that
does not count: wall time with the start of the process, CPU time with that of all children, resident size of the largest
process (and, of Platen, the sum over its processes, looked at in rounds of their own), bytes that were written. Inputs are made
of real documents by libtiff's tools. Prints a table of medians, with the ratio and whether the bar is met; exit code 1 when a
bar is missed. A busy machine is said so. Standard library only.

SPDX-License-Identifier: AGPL-3.0-or-later
"""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from datetime import datetime

TOP = pathlib.Path(__file__).resolve().parents[2]
os.environ.setdefault("PLATEN_BUILD", str(TOP / "build" / "release"))
sys.path.insert(0, str(TOP / "tests" / "integration"))
from daemon import Daemon  # noqa: E402  (its folder is only known now)

BUILD = pathlib.Path(os.environ["PLATEN_BUILD"])
CORPUS = pathlib.Path(os.environ.get("PLATEN_CORPUS") or "/nonexistent")
JPEGS = ["photo/photo_rs_test.jpg", "colour/colour_fleming_OCR-D-IMG-fleming_jaeger01_1719-0117.jpg",
         "colour/colour_bengel_OCR-D-IMG-bengel_abriss01_1751-0007.jpg", "colour/colour_dcA_double-column-A.jpg",
         "grey/grey_kraken_170025120000003_0074.jpg", "colour/colour_input_input.jpg"]
GHOSTSCRIPT = ["gs", "-q", "-dBATCH", "-dNOPAUSE", "-dSAFER"]
# Of its strategies for PDF/A the quickest, and the one that leaves pictures as they are: RGB takes ten times as long.
PDFA = [*GHOSTSCRIPT, "-dPDFA=2", "-dPDFACompatibilityPolicy=1", "-sColorConversionStrategy=UseDeviceIndependentColor",
        "-sDEVICE=pdfwrite"]
REST_SECONDS = 0.3  # between jobs of an engine, whose next interpreter is started meanwhile
SAMPLE_SECONDS = 0.001


class Task:
    """inputs, format, pages; {peer: its command}; `bar` is the greatest ratio to `best`; `in_engine`: of a job of a running
    engine, whose interpreter is started ahead."""

    def __init__(self, name, inputs, to, pages, peers, best, bar, in_engine=False):
        self.name, self.inputs, self.to, self.pages, self.in_engine = name, inputs, to, pages, in_engine
        self.peers, self.best, self.bar = peers, best, bar

    def commands(self, platen, out):
        mine = [platen, "convert", "--force", "--to", self.to, *self.inputs, "-o", out / "platen.out"]
        return {"platen": mine, **{name: [*command] for name, command in self.peers.items()}}


def quiet(*command):
    subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def make_inputs(folder):
    """{name: path}, of the corpus."""
    made = {"two": CORPUS / "derived" / "derived_open_all_g4.tif"}
    if not made["two"].exists():
        made["two"] = folder / "two28.tif"
        bilevel = [path for path in sorted((CORPUS / "bilevel").glob("*.tif"))]
        quiet("tiffcp", "-c", "g4", *bilevel, made["two"])
    made["one"] = folder / "one28.tif"
    quiet("tiffcp", "-c", "g4", "-r", "10000", made["two"], made["one"])
    made["224"] = folder / "one224.tif"
    quiet("tiffcp", *[made["one"]] * 8, made["224"])
    made["pdf28"] = folder / "pictures28.pdf"
    quiet("tiff2pdf", "-o", made["pdf28"], made["one"])
    quiet("tiff2rgba", "-c", "none", "-n", CORPUS / "colour/colour_xerox_xerox-jpeg-ycbcr-weird-coefficients.tif",
          folder / "form.tif")
    made["flate"] = folder / "form.pdf"
    quiet("tiff2pdf", "-z", "-o", made["flate"], folder / "form.tif")
    made["stencils"] = CORPUS / "scanpdf/scanpdf_2col_2_column_crop_input.pdf"
    made["real"] = CORPUS / "colour/colour_lorem_loremipsum-flat.pdf"
    made["words"] = CORPUS / "grey/grey_unsocr_pdf-with-ocr-text.pdf"
    return made


def make_tasks(made, out):
    """The rows of the table; commands are those of the peers' own manuals for it."""
    jpegs = [CORPUS / name for name in JPEGS]

    def pdf_write(source):
        return [*PDFA, "-o", out / "gs.pdf", source]

    def tiff_write(source):
        return [*GHOSTSCRIPT, "-sDEVICE=tiffg4", "-r300", "-o", out / "gs.tif", source]

    def tiff2pdf(source):
        return {"tiff2pdf": ["tiff2pdf", "-o", out / "tiff2pdf.pdf", source],
                "img2pdf": ["img2pdf", "--pillow-limit-break", "-o", out / "img2pdf.pdf", source]}
    return [
        Task("g4-224", [made["224"]], "pdf", 224, tiff2pdf(made["224"]), "tiff2pdf", 0.8),
        Task("g4-two-strips-28", [made["two"]], "pdf", 28, tiff2pdf(made["two"]), "tiff2pdf", 0.1),
        Task("jpegs-6", jpegs, "pdf", 6, {"mutool": ["mutool", "convert", "-o", out / "mutool.pdf", *jpegs],
                                          "img2pdf": ["img2pdf", "-o", out / "img2pdf.pdf", *jpegs]}, "mutool", 0.7),
        Task("pictures-to-pdfa-28", [made["pdf28"]], "pdfa-2b", 28, {"gs": pdf_write(made["pdf28"])}, "gs", 0.05),
        Task("ccitt-to-tiff-5", [made["stencils"]], "tiff-g4", 5,
             {"pdfimages": ["pdfimages", "-all", made["stencils"], out / "pdfimages"], "gs": tiff_write(made["stencils"])},
             "pdfimages", 0.2),
        Task("ccitt-to-tiff-28", [made["pdf28"]], "tiff-g4", 28,
             {"pdfimages": ["pdfimages", "-all", made["pdf28"], out / "pdfimages"]}, "pdfimages", 0.2),
        Task("flate-to-tiff", [made["flate"]], "tiff-g4", 1, {"gs": tiff_write(made["flate"])}, "gs", 0.3),
        Task("content-to-pdfa", [made["real"]], "pdfa-2b", 1, {"gs": pdf_write(made["real"])}, "gs", 0.6, True),
        Task("text-to-pdfa", [made["words"]], "pdfa-2b", 1, {"gs": pdf_write(made["words"])}, "gs", 0.6, True),
    ]


def written(out, name):
    return sum(path.stat().st_size for path in out.glob(name + "*"))


def once(name, command, out):
    """One run: milliseconds, CPU milliseconds, KB of the largest process, bytes. None, and why, when it fails."""
    for old in out.iterdir():
        old.unlink()
    result = out.parent / "measured"
    done = subprocess.run([str(part) for part in (BUILD / "tests" / "run_measured", result, *command)],
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    said = done.stderr.decode(errors="replace").strip().splitlines()
    code, wall_us, cpu_us, largest_kb = (int(word) for word in result.read_text().split())
    if done.returncode != 0 or code != 0:
        return None, "exit code %d: %s" % (code, said[-1] if said else "")
    return {"wall_ms": wall_us / 1000, "cpu_ms": cpu_us / 1000, "largest_kb": largest_kb, "bytes": written(out, name)}, ""


def wall_ms(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000


def once_in(engine, source, connection):
    """One job of a running engine: from the first byte that is sent to done. Its processes are no children of ours."""
    time.sleep(REST_SECONDS)
    began = time.perf_counter()
    job = engine.accept(source.name, source.read_bytes(), connection=connection)
    sent = (time.perf_counter() - began) * 1000
    end = engine.wait(job)
    if end["state"] != "done":
        return None, "job %s: %s" % (end["state"], end["error"])
    return {"wall_ms": sent + wall_ms(end["finished_at"]) - wall_ms(end["received_at"]), "cpu_ms": 0, "largest_kb": 0,
            "bytes": end["bytes_out"]}, ""


def family(pid):
    """A process and all below it."""
    found = [pid]
    try:
        for task in os.listdir("/proc/%d/task" % pid):
            with open("/proc/%d/task/%s/children" % (pid, task), encoding="ascii") as file:
                for child in file.read().split():
                    found += family(int(child))
    except OSError:
        pass
    return found


def memory_of(command):
    """KB at the moment when all processes together held most: pages that two share are counted twice."""
    child = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
    most, over = [0, 0], threading.Event()

    def watch():
        while not over.is_set():
            sizes = []
            for pid in family(child.pid):
                try:
                    with open("/proc/%d/statm" % pid, encoding="ascii") as file:
                        sizes.append(int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024)
                except (OSError, IndexError):
                    pass
            most[0], most[1] = max(most[0], sum(sizes)), max(most[1], len(sizes))
            over.wait(SAMPLE_SECONDS)
    watcher = threading.Thread(target=watch)
    watcher.start()
    child.wait()
    over.set()
    watcher.join()
    return most


def figures_of(runs):
    """Medians, and how far the times lie apart: least and most over the median."""
    middle = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
    walls = [run["wall_ms"] for run in runs]
    return {"wall_ms": round(middle["wall_ms"], 2), "cpu_ms": round(middle["cpu_ms"], 2), "largest_kb": round(middle["largest_kb"]),
            "bytes": round(middle["bytes"]), "runs": len(runs), "least_ms": round(min(walls), 2),
            "spread": "%.2f-%.2f" % (min(walls) / middle["wall_ms"], max(walls) / middle["wall_ms"])}


def rounds_of(task, commands, rounds, out, engine):
    """{program: its runs}, and {program: why} of those that failed."""
    runs, failed = {name: [] for name in commands}, {}
    connection = engine.connect() if engine else None
    if engine:
        runs["engine"] = []
    for count in range(rounds + 1):
        for name in runs:
            if name in failed:
                continue
            run, why = once_in(engine, task.inputs[0], connection) if name == "engine" else once(name, commands[name], out)
            if run is None:
                failed[name] = why
            elif count > 0:
                runs[name].append(run)
    return runs, failed


def measure(task, platen, rounds, out):
    commands = {name: command for name, command in task.commands(platen, out).items()
                if name == "platen" or shutil.which(str(command[0]))}
    if task.in_engine:
        definition = {"name": "figures", "steps": [{"op": "convert", "with": {"to": task.to}}], "sinks": [{"sink": "store"}]}
        with Daemon(pipeline=definition) as engine:
            runs, failed = rounds_of(task, commands, rounds, out, engine)
    else:
        runs, failed = rounds_of(task, commands, rounds, out, None)
    result = {"task": task.name, "pages": task.pages, "best": task.best, "bar": task.bar, "load": os.getloadavg()[0],
              "failed": failed, "commands": {name: " ".join(map(str, command)) for name, command in commands.items()},
              "figures": {name: figures_of(list_of) for name, list_of in runs.items() if list_of and name not in failed}}
    if "platen" in result["figures"]:
        samples = [memory_of(commands["platen"]) for _ in range(5)]
        result["figures"]["platen"].update(together_kb=max(kb for kb, _ in samples), processes=max(n for _, n in samples))
    judge(result)
    return result


def judge(result):
    mine, peer = result["figures"].get("platen"), result["figures"].get(result["best"])
    quickest = result["figures"].get("engine", mine)  # where the bar is meant for one that is started ahead
    result["ratio"] = round(quickest["wall_ms"] / peer["wall_ms"], 3) if quickest and peer else None
    result["cpu_ratio"] = round(mine["cpu_ms"] / peer["cpu_ms"], 3) if mine and peer else None
    result["met"] = result["ratio"] is not None and result["ratio"] <= result["bar"]
    result["memory_ratio"] = round(mine["largest_kb"] / peer["largest_kb"], 2) if mine and peer else None
    result["memory_met"] = result["memory_ratio"] is not None and result["memory_ratio"] <= 1


def show(result):
    for name, why in result["failed"].items():
        print("| %s | %s | FAILED: %s ||||||" % (result["task"], name, why))
    for name, f in result["figures"].items():
        verdict = ""
        if name == "platen" and result["ratio"] is not None:
            verdict = "%.3f x %s (bar %g): %s; CPU %.3f x; memory %.2f x: %s" % (
                result["ratio"], result["best"], result["bar"], "met" if result["met"] else "MISSED", result["cpu_ratio"],
                result["memory_ratio"], "met" if result["memory_met"] else "MISSED")
        memory = "%.1f" % (f["largest_kb"] / 1024) if f["largest_kb"] else "-"
        if "together_kb" in f:
            memory += " (%d together %.1f)" % (f["processes"], f["together_kb"] / 1024)
        print("| %s | %s | %.1f (%s) | %.3f | %s | %s | %d | %s |" % (
            result["task"], name, f["wall_ms"], f["spread"], f["wall_ms"] / result["pages"],
            "%.1f" % f["cpu_ms"] if f["cpu_ms"] else "-", memory, f["bytes"], verdict),
            flush=True)


def machine():
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "?")
    said = subprocess.run([BUILD / "api" / "platen", "version"], capture_output=True, text=True, check=False).stdout
    commit = said.partition("(")[2].partition(")")[0]  # of the program that is measured, not of the checkout
    return {"machine": "%s, %d cores, Linux %s" % (model, os.cpu_count(), os.uname().release.split("-")[0]),
            "commit": commit or "unknown", "date": time.strftime("%Y-%m-%d")}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-n", type=int, default=7, dest="rounds")
    parser.add_argument("-o", dest="result", type=pathlib.Path)
    parser.add_argument("--quiet-load", type=float, default=1.5)
    parser.add_argument("tasks", nargs="*")
    options = parser.parse_args()
    if not CORPUS.is_dir():
        print("skipped: no real documents (PLATEN_CORPUS does not name a folder of them)")
        return 0
    missing = [tool for tool in ("tiffcp", "tiff2pdf", "tiff2rgba", "mutool", "pdfimages", "gs") if not shutil.which(tool)]
    if missing:
        print("skipped: %s not installed" % ", ".join(missing))
        return 0
    folder = pathlib.Path(tempfile.mkdtemp(prefix="platen-bench.", dir="/var/tmp"))
    folder.chmod(0o755)
    out = folder / "out"
    out.mkdir()
    try:
        for program in (BUILD / "api" / "platen", BUILD / "workers" / "platen-worker"):
            shutil.copy(program, folder)
        tasks = [task for task in make_tasks(make_inputs(folder), out) if not options.tasks or task.name in options.tasks]
        record = {**machine(), "rounds": options.rounds, "load_before": os.getloadavg()[0], "tasks": []}
        print("%(machine)s, commit %(commit)s, %(date)s" % record + ", medians of %d" % options.rounds)
        print("| task | program | wall ms (spread) | ms a page | CPU ms | largest process MB | bytes | verdict |\n|" + "---|" * 8)
        for task in tasks:
            record["tasks"].append(measure(task, folder / "platen", options.rounds, out))
            show(record["tasks"][-1])
        record["load_after"] = os.getloadavg()[0]
    finally:
        shutil.rmtree(folder)
    busiest = max([record["load_before"], record["load_after"], *(task["load"] for task in record["tasks"])])
    record["quiet"] = busiest < options.quiet_load
    if not record["quiet"]:
        print("\nthe machine was busy (load %.1f): ratios hold roughly, times do not; measure again" % busiest)
    if options.result:
        options.result.write_text(json.dumps(record, indent=1) + "\n")
    return 0 if all(task["met"] and task["memory_met"] for task in record["tasks"]) else 1


if __name__ == "__main__":
    sys.exit(main())
