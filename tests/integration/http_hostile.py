"""http_hostile: every hostile HTTP input of the collection against a real server process.

Raw inputs: each gets an answer or a close within two seconds, and the server is alive afterwards.
Http11Probe pages: the request is read out of the page, sent, and the verdict it names is checked.
llhttp pages: what llhttp refuses in its strict mode must be refused here as well.

usage: http_hostile.py ECHO_PROGRAM      (PLATEN_HOSTILE names the collection; without it: skipped)

SPDX-License-Identifier: AGPL-3.0-or-later
"""

import asyncio
import glob
import os
import re
import subprocess
import sys
import tempfile

LIMIT_S = 2.0
DEADLINE_MS = "600"

# Where the server does not do what a page prefers, and why. Both pages are unscored.
EXPLAINED = {
    "SMUG-EXPECT-100-CL-DESYNC": "the body is read by its length, what follows is a request",
    "SMUG-OPTIONS-CL-BODY-DESYNC": "the body is read by its length, what follows is a request",
}


class Server:
    def __init__(self, program, profile="plain", folder=""):
        environment = dict(os.environ, ECHO_HEAD_MS=DEADLINE_MS, ECHO_IDLE_MS=DEADLINE_MS,
                           ECHO_BODY_MS=DEADLINE_MS, ECHO_HANDSHAKE_MS=DEADLINE_MS)
        self.process = subprocess.Popen([program, profile, "127.0.0.1:0"] + [folder] * (folder != ""),
                                        stdout=subprocess.PIPE,
                                        env=environment, text=True)
        self.port = int(self.process.stdout.readline().rsplit(":", 1)[1])

    def stop(self):
        """The exit code: a sanitizer's finding or a crash is not 0."""
        self.process.terminate()
        out, _ = self.process.communicate(timeout=20)
        print("   ", out.strip())
        return self.process.returncode


async def talk(port, steps):
    """Sends each step, after the answer to the one before; reads to the end of the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    heard = b""
    try:
        for number, step in enumerate(steps):
            writer.write(step)
            await writer.drain()
            if number + 1 < len(steps):
                heard += await asyncio.wait_for(reader.read(65536), LIMIT_S)
        heard += await asyncio.wait_for(reader.read(-1), LIMIT_S)
    except asyncio.TimeoutError:
        return heard, "hang"
    except ConnectionError:
        return heard, "reset"
    finally:
        writer.close()
    return heard, "closed"


async def talk_to_all(port, cases):
    gate = asyncio.Semaphore(48)

    async def one(steps):
        async with gate:
            return await talk(port, steps)

    return await asyncio.gather(*[one(steps) for steps in cases])


def statuses(heard):
    """Codes of the answers; None when something that is no answer came."""
    if heard and not heard.startswith(b"HTTP/1.1 "):
        return None
    return [int(code) for code in re.findall(rb"(?:^|\n|\r\n\r\n[^\r]*?)HTTP/1\.1 (\d{3}) ", heard)]


def raw_cases(folder):
    names = sorted(n for n in os.listdir(folder) if not n.endswith(".md"))
    return names, [[open(os.path.join(folder, n), "rb").read()] for n in names]


def check_raw(port, folder):
    names, cases = raw_cases(folder)
    bad = []
    counts = {}
    for name, (heard, end) in zip(names, asyncio.run(talk_to_all(port, cases))):
        codes = statuses(heard)
        if end == "hang" or codes is None:
            bad.append(f"{name}: {end}, {heard[:60]!r}")
            continue
        key = str(codes[0]) if codes else "close"
        counts[key] = counts.get(key, 0) + 1
    print(f"raw inputs: {len(names)}; first answers:",
          ", ".join(f"{k} x {v}" for k, v in sorted(counts.items())))
    return bad


def check_handshakes(program, hostile):
    """The same bytes, and the TLS collection, to a port that wants a handshake."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(program, "device", folder)
        cases = []
        for name in ("http", "tls"):
            cases += raw_cases(os.path.join(hostile, name))[1]
        answers = asyncio.run(talk_to_all(server.port, cases))
        bad = [f"handshake: {end}, {heard[:40]!r}" for heard, end in answers
               if end == "hang" or heard.startswith(b"HTTP/")]
        code = server.stop()
    print(f"handshakes: {len(cases)} inputs, none answered")
    return bad + ([f"the TLS server ended with {code}"] if code != 0 else [])


# -- Http11Probe --


def unescape(block):
    """The pages spell line ends and controls out; real line ends are layout."""
    text = "".join(block.split("\n"))
    text = re.sub(r"\\x([0-9A-Fa-f]{2})", lambda m: chr(int(m[1], 16)), text)
    for spelled, meant in (("\\r", "\r"), ("\\n", "\n"), ("\\t", "\t"), ("\\0", "\0")):
        text = text.replace(spelled, meant)
    return text.encode("latin-1", "replace")


def probe_case(path):
    page = open(path, encoding="utf-8").read()
    name = re.search(r"\| \*\*Test ID\*\* \| `([^`]+)`", page)
    expected = re.search(r"\| \*\*Expected\*\* \| (.*) \|", page)
    must = re.search(r"\| \*\*(?:Requirement|RFC Level)\*\* \| (.*) \|", page)
    start = re.search(r"## What it (sends|does)", page)
    if not (name and expected and start):
        return None
    section = page[start.end():]
    stop = re.search(r"\n## (What the RFC|Why|Verdicts|Sources|Deep)", section)
    section = section[:stop.start()] if stop else section
    blocks = re.findall(r"```http\n(.*?)\n```", section, re.S)
    if not blocks or any("..." in b or "×" in b or "\\r\\n" not in b for b in blocks):
        return None
    return {"name": name[1], "expected": expected[1], "must": must[1] if must else "",
            "steps": [unescape(b) for b in blocks]}


IMF_FIXDATE = (rb"\r\nDate: (Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep"
               rb"|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT\r\n")


def probe_matches(case, codes, heard, end):
    """True, False, or None where the page judges the application and not the protocol."""
    name, expected = case["name"], case["expected"]
    if name.startswith(("CAP-", "COOK-")) or name in ("COMP-OPTIONS-ALLOW", "COMP-NO-CL-IN-204",
                                                      "COMP-UNKNOWN-METHOD", "COMP-TRACE-SENSITIVE",
                                                      "COMP-CONTENT-TYPE", "MAL-RANGE-OVERLAPPING"):
        return None
    if ("SMUGGLED" in name or "DESYNC" in name) and len(codes) > 1:
        return False
    if name == "COMP-DATE-FORMAT":
        return b"Date: " in heard and re.search(IMF_FIXDATE, heard) is not None
    if not codes:
        return bool(re.search("close|timeout|reject", expected, re.I))
    code = codes[-1] if codes[0] == 100 else codes[0]
    if code == 408:
        return "timeout" in expected or "close" in expected
    wanted = set(re.findall(r"\b([1-5](?:\d\d|xx))\b", expected))
    if f"{code}" in wanted or f"{code // 100}xx" in wanted:
        return True
    if "non-1xx" in expected.lower() or re.search(r"any (status|response|non)", expected, re.I):
        return code >= 200
    if re.search(r"non-`?101|not `?101|reject", expected, re.I):
        return code != 101
    # A refusal with a more precise code than 400, followed by a close, is a refusal.
    return code >= 400 and end in ("closed", "reset") and bool(re.search("close|400", expected))


def check_probes(port, folder):
    paths = sorted(glob.glob(os.path.join(folder, "Http11Probe-*.md")))
    cases = [c for c in map(probe_case, paths) if c is not None]
    answers = asyncio.run(talk_to_all(port, [c["steps"] for c in cases]))
    tally = {True: 0, False: 0, None: 0}
    must = [0, 0]
    bad = []
    for case, (heard, end) in zip(cases, answers):
        codes = statuses(heard)
        match = False if codes is None or end == "hang" else probe_matches(case, codes, heard, end)
        if match is False and case["name"] in EXPLAINED:
            print(f"    {case['name']}: {codes}: {EXPLAINED[case['name']]}")
            match = None
        tally[match] += 1
        if "MUST" in case["must"] and match is not None:
            must[0] += match
            must[1] += 1
        if match is False:
            bad.append(f"{case['name']}: wanted {case['expected']}, got {codes} {end}")
    print(f"Http11Probe: {len(paths)} pages, {len(cases)} sent; as the page wants {tally[True]}, "
          f"not {tally[False]}, unscored or about an application {tally[None]}; MUST: {must[0]} of {must[1]}")
    return bad


# -- llhttp --


def llhttp_cases(folder):
    pattern = re.compile(r'<!-- meta=\{"type": "request"[^>]*-->\n```http\n(.*?)\n```\n\n```log\n'
                         r"(.*?)\n```", re.S)
    for path in sorted(glob.glob(os.path.join(folder, "llhttp-*.md"))):
        for block, log in pattern.findall(open(path, encoding="utf-8").read()):
            text = re.sub(r"\\(\n)", "", block)
            text = text.replace("\n", "\r\n")
            for spelled, meant in (("\\r", "\r"), ("\\n", "\n"), ("\\t", "\t"), ("\\f", "\f")):
                text = text.replace(spelled, meant)
            text = re.sub(r"\\x([0-9A-Fa-f]{2})", lambda m: chr(int(m[1], 16)), text)
            if "host:" not in text.lower():
                text = text.replace("\r\n", "\r\nHost: a\r\n", 1)
            yield os.path.basename(path), text.encode("latin-1", "replace"), log


def check_llhttp(port, folder):
    cases = list(llhttp_cases(folder))
    answers = asyncio.run(talk_to_all(port, [[raw] for _, raw, _ in cases]))
    bad = []
    refused = accepted = 0
    for (page, raw, log), (heard, end) in zip(cases, answers):
        codes = statuses(heard)
        if end == "hang" or codes is None:
            bad.append(f"{page}: {end} for {raw[:60]!r}")
            continue
        if "error code=" not in log or "Pause on" in log:
            accepted += 200 in codes
            continue
        # Requests that came whole before the error may be answered; the faulty one may not.
        if codes and codes[-1] == 200 and codes.count(200) > log.count("message complete"):
            bad.append(f"{page}: accepted what llhttp refuses: {raw!r} -> {codes}")
        refused += 1
    print(f"llhttp: {len(cases)} strict cases; {refused} that it refuses are refused, "
          f"{accepted} that it accepts are accepted")
    return bad


def main():
    folder = os.path.join(os.environ.get("PLATEN_HOSTILE", ""), "http")
    if not os.path.isdir(folder):
        print("skipped: PLATEN_HOSTILE does not name the collection of hostile inputs")
        return 77
    server = Server(sys.argv[1])
    bad = check_raw(server.port, folder)
    bad += check_probes(server.port, folder)
    bad += check_llhttp(server.port, folder)
    code = server.stop()
    if code != 0:
        bad.append(f"the server ended with {code}")
    bad += check_handshakes(sys.argv[1], os.environ["PLATEN_HOSTILE"])
    for line in bad:
        print("BAD", line)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
