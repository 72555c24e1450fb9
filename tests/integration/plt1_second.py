#!/usr/bin/python3
"""plt1_second: PLT1 once more, from docs/plt1.md alone, over Debian's python3-cryptography.

Holds the C code against it in both directions (objects, refusals, derived keys) and both against
the published vectors. With --write it makes the vectors instead. Exit code 77: skipped.

    plt1_second.py TOOL VECTORS            check
    plt1_second.py --write VECTORS         make the file anew

SPDX-License-Identifier: AGPL-3.0-or-later
"""
import hashlib
import hmac
import json
import os
import struct
import subprocess
import sys

try:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
except ImportError:
    print("skipped: python3-cryptography is not installed (apt-get install python3-cryptography)")
    sys.exit(77)

CHUNK = 65536
TAG = 16
HEADER = 92
SUITE = 1


class Refused(Exception):
    pass


def context(tenant, job, role):
    parts = (name.encode() for name in (tenant, job, role))
    return hashlib.sha256(b"".join(struct.pack(">I", len(p)) + p for p in parts)).digest()


def expand(prk, info, size):
    return HKDFExpand(algorithm=hashes.SHA256(), length=size, info=info).derive(prk)


def derive(secret, salt, ctx):
    prk = hmac.new(salt, secret, hashlib.sha256).digest()
    suite = bytes([SUITE])
    return expand(prk, suite + b"DERIVEKEY" + ctx, 32), expand(prk, suite + b"COMMITKEY" + ctx, 32)


def derived_key(secret, key_id, label):
    prk = hmac.new(key_id, secret, hashlib.sha256).digest()
    made = expand(prk, b"PLT1 derived key/" + label.encode(), 48)
    return made[:32], made[32:]


def nonce(index, last):
    return index.to_bytes(11, "big") + (b"\1" if last else b"\0")


def make_header(secret, key_id, salt, ctx):
    commitment = derive(secret, salt, ctx)[1]
    return b"PLT1" + bytes([SUITE, 0, 0, 0]) + struct.pack(">I", CHUNK) + salt + key_id + commitment


def seal(secret, key_id, salt, ctx, plain):
    header = make_header(secret, key_id, salt, ctx)
    aead = AESGCM(derive(secret, salt, ctx)[0])
    aad = hashlib.sha256(header).digest()
    parts = [plain[at:at + CHUNK] for at in range(0, len(plain), CHUNK)] or [b""]
    sealed = [aead.encrypt(nonce(i, i == len(parts) - 1), part, aad) for i, part in enumerate(parts)]
    return header + b"".join(sealed)


def unseal(secret, key_id, ctx, sealed):
    header, body = sealed[:HEADER], sealed[HEADER:]
    fixed = b"PLT1" + bytes([SUITE, 0, 0, 0]) + struct.pack(">I", CHUNK)
    if len(header) < HEADER or header[:12] != fixed or header[44:60] != key_id:
        raise Refused("header")
    key, commitment = derive(secret, header[12:44], ctx)
    if not hmac.compare_digest(commitment, header[60:]):
        raise Refused("commitment")
    aead = AESGCM(key)
    aad = hashlib.sha256(header).digest()
    parts = [body[at:at + CHUNK + TAG] for at in range(0, len(body), CHUNK + TAG)]
    if not parts or len(parts[-1]) < TAG or (len(parts) > 1 and len(parts[-1]) == TAG):
        raise Refused("size")
    try:
        return b"".join(aead.decrypt(nonce(i, i == len(parts) - 1), part, aad)
                        for i, part in enumerate(parts))
    except InvalidTag:
        raise Refused("tag") from None


def plain_of(size):
    """Byte i is the low byte of i * 31 + i / 251."""
    return bytes((i * 31 + i // 251) & 255 for i in range(size))


# --- vectors ---------------------------------------------------------------------------------

SIZES = (0, 1, 15, 16, 17, 37, 256, 65535, 65536, 65537, 131071, 131072, 131073, 200000)


def seeded(name, size):
    """Bytes that anybody can make again: SHA-256 of the name and a counter."""
    blocks = (hashlib.sha256(f"plt1 vectors/{name}/{n}".encode()).digest()
              for n in range(size // 32 + 1))
    return b"".join(blocks)[:size]


def make_object(name, tenant, job, role, size):
    secret, key_id, salt = seeded(f"{name}/key", 32), seeded(f"{name}/id", 16), \
        seeded(f"{name}/salt", 32)
    ctx = context(tenant, job, role)
    plain = plain_of(size)
    sealed = seal(secret, key_id, salt, ctx, plain)
    chunk_key, commitment = derive(secret, salt, ctx)
    row = {
        "name": name, "tenant": tenant, "job": job, "role": role, "key": secret.hex(),
        "key_id": key_id.hex(), "salt": salt.hex(), "plain_bytes": size,
        "plain_sha256": hashlib.sha256(plain).hexdigest(), "context": ctx.hex(),
        "chunk_key": chunk_key.hex(), "commitment": commitment.hex(),
        "sealed_bytes": len(sealed), "sealed_sha256": hashlib.sha256(sealed).hexdigest(),
    }
    if len(sealed) <= 1024:
        row["sealed"] = sealed.hex()
    return row


def make_refused(base):
    """Changes to the object named small-37, as hex, each with what is wrong with it."""
    good = bytes.fromhex(base["sealed"])
    secret, key_id, salt = (bytes.fromhex(base[k]) for k in ("key", "key_id", "salt"))
    ctx = bytes.fromhex(base["context"])

    def with_byte(at, value):
        return good[:at] + bytes([value]) + good[at + 1:]

    aead = AESGCM(bytes.fromhex(base["chunk_key"]))
    aad = hashlib.sha256(good[:HEADER]).digest()
    rows = [
        ("magic", with_byte(0, 0x51)), ("suite 2", with_byte(4, 2)),
        ("reserved byte not zero", with_byte(5, 1)), ("chunk size", with_byte(10, 1)),
        ("salt", with_byte(12, good[12] ^ 1)), ("key id", with_byte(44, good[44] ^ 1)),
        ("commitment", with_byte(91, good[91] ^ 1)), ("first byte", with_byte(92, good[92] ^ 1)),
        ("tag", with_byte(len(good) - 1, good[-1] ^ 1)), ("cut by one", good[:-1]),
        ("header alone", good[:HEADER]), ("cut in the header", good[:91]), ("nothing", b""),
        ("a byte more", good + b"\0"), ("sixteen bytes more", good + bytes(16)),
        ("last chunk not marked last",
         good[:HEADER] + aead.encrypt(nonce(0, False), plain_of(37), aad)),
        ("first chunk numbered one",
         good[:HEADER] + aead.encrypt(nonce(1, True), plain_of(37), aad)),
        ("no aad", good[:HEADER] + aead.encrypt(nonce(0, True), plain_of(37), None)),
        ("another tenant's context", seal(secret, key_id, salt, context("tenant-b", base["job"],
                                                                        base["role"]), plain_of(37))),
        ("another key of the same id",
         seal(seeded("other", 32), key_id, salt, ctx, plain_of(37))),
    ]
    # Headers changed by somebody who holds the key, with chunks that match the change: only the
    # header's own checks can refuse these.
    for why, at in (("magic", 0), ("suite", 4), ("reserved", 7), ("chunk size", 10), ("key id", 59),
                    ("commitment", 60), ("end of the commitment", 91)):
        header = with_byte(at, good[at] ^ 1)[:HEADER]
        body = aead.encrypt(nonce(0, True), plain_of(37), hashlib.sha256(header).digest())
        rows.append((f"{why}, with chunks to match", header + body))
    full = plain_of(CHUNK)
    marked_empty = good[:HEADER] + aead.encrypt(nonce(0, False), full, aad) \
        + aead.encrypt(nonce(1, True), b"", aad)
    out = [{"why": why, "of": base["name"], "sealed": sealed.hex()} for why, sealed in rows]
    out.append({"why": "an empty last chunk behind a full one", "of": base["name"],
                "full_chunks_then_empty": 1, "sealed_bytes": len(marked_empty),
                "sealed_sha256": hashlib.sha256(marked_empty).hexdigest()})
    return out


def make_refused_chunks(base):
    """Chunks with right tags that PLT1 has no place for: only the rules on sizes can refuse them."""
    aead = AESGCM(bytes.fromhex(base["chunk_key"]))
    aad = hashlib.sha256(bytes.fromhex(base["sealed"])[:HEADER]).digest()
    rows = (("an empty last chunk that is not the first", 1, True, 0),
            ("a short chunk that is not the last", 0, False, 37),
            ("an empty chunk that is not the last", 0, False, 0),
            ("a chunk past the 2^32nd", 1 << 32, True, 37))
    return [{"why": why, "of": base["name"], "index": index, "last": last,
             "sealed": aead.encrypt(nonce(index, last), plain_of(size), aad).hex()}
            for why, index, last, size in rows]


def make_vectors():
    objects = [make_object(f"size-{size}", "tenant-a", "job-1", "original", size) for size in SIZES]
    small = make_object("small-37", "tenant-a", "job-1", "original", 37)
    objects.append(small)
    objects.append(make_object("names-empty", "", "", "", 5))
    objects.append(make_object("names-utf-8", "büro", "job/ü", "document/1", 5))
    labels = ("document/1", "document/2", "", "d" * 96)
    keys = []
    for label in labels:
        secret, key_id = seeded("parent/key", 32), seeded("parent/id", 16)
        made, made_id = derived_key(secret, key_id, label)
        keys.append({"key": secret.hex(), "key_id": key_id.hex(), "label": label,
                     "derived_key": made.hex(), "derived_key_id": made_id.hex()})
    return {
        "format": "PLT1", "described_in": "docs/plt1.md",
        "plain": "byte i is the low byte of i * 31 + i / 251 (integer division)",
        "objects": objects, "derived_keys": keys, "refused": make_refused(small),
        "refused_chunks": make_refused_chunks(small),
    }


# --- checks ----------------------------------------------------------------------------------

class Tool:
    """Our C code, through tests/support/plt1_tool.c."""

    def __init__(self, path):
        self.path = path

    def run(self, words, data):
        done = subprocess.run([self.path, *words], input=data, capture_output=True, check=False)
        if done.returncode == 1:
            assert done.stdout == b"", "a refusal let bytes out"
            raise Refused(done.stderr.decode())
        assert done.returncode == 0, done.stderr
        return done.stdout

    def seal(self, key, key_id, names, plain, salt=None):
        more = [salt.hex()] if salt else []
        return self.run(["seal", key.hex(), key_id.hex(), *names, *more], plain)

    def open(self, key, key_id, names, sealed):
        return self.run(["open", key.hex(), key_id.hex(), *names], sealed)


def expect_refused(call, *arguments):
    try:
        call(*arguments)
    except Refused:
        return
    raise AssertionError("opened what must be refused")


def names_of(row):
    return [row["tenant"], row["job"], row["role"]]


def check_objects(tool, rows):
    for row in rows:
        key, key_id, salt = (bytes.fromhex(row[k]) for k in ("key", "key_id", "salt"))
        plain = plain_of(row["plain_bytes"])
        ours = tool.seal(key, key_id, names_of(row), plain, salt)
        second = seal(key, key_id, salt, context(*names_of(row)), plain)
        assert hashlib.sha256(ours).hexdigest() == row["sealed_sha256"], row["name"]
        assert ours == second, row["name"]


def check_both_ways(tool):
    for size in (*SIZES, 1000003):
        key, key_id, salt = os.urandom(32), os.urandom(16), os.urandom(32)
        names = ["tenant", "job", f"document/{size}"]
        ctx = context(*names)
        plain = os.urandom(size)
        written_by_c = tool.seal(key, key_id, names, plain)
        assert unseal(key, key_id, ctx, written_by_c) == plain, size
        written_here = seal(key, key_id, salt, ctx, plain)
        assert tool.open(key, key_id, names, written_here) == plain, size
        for other in (["tenanu", *names[1:]], ["tenant", "jo", "bdocument"], [*names[:2], "d"]):
            expect_refused(tool.open, key, key_id, other, written_here)
            expect_refused(unseal, key, key_id, context(*other), written_by_c)
        for cut in {1, 16, 17, len(written_here) // 2}:
            expect_refused(tool.open, key, key_id, names, written_here[:-cut])
            expect_refused(unseal, key, key_id, ctx, written_by_c[:-cut])
        expect_refused(tool.open, key, key_id, names, written_here + b"\0")
        expect_refused(unseal, key, key_id, ctx, written_by_c + b"\0")


def check_derived(tool, rows):
    for row in rows:
        key, key_id = bytes.fromhex(row["key"]), bytes.fromhex(row["key_id"])
        made, made_id = derived_key(key, key_id, row["label"])
        assert [made.hex(), made_id.hex()] == [row["derived_key"], row["derived_key_id"]]
        words = tool.run(["derive", row["key"], row["key_id"], row["label"]], b"").decode().split()
        assert words == [row["derived_key"], row["derived_key_id"]], row["label"]


def check_refused(tool, rows, objects):
    by_name = {row["name"]: row for row in objects}
    for row in rows:
        base = by_name[row["of"]]
        key, key_id = bytes.fromhex(base["key"]), bytes.fromhex(base["key_id"])
        if "sealed" in row:
            sealed = bytes.fromhex(row["sealed"])
        else:
            aead = AESGCM(bytes.fromhex(base["chunk_key"]))
            header = bytes.fromhex(base["sealed"])[:HEADER]
            aad = hashlib.sha256(header).digest()
            sealed = header + aead.encrypt(nonce(0, False), plain_of(CHUNK), aad) \
                + aead.encrypt(nonce(1, True), b"", aad)
            assert hashlib.sha256(sealed).hexdigest() == row["sealed_sha256"]
        expect_refused(tool.open, key, key_id, names_of(base), sealed)
        expect_refused(unseal, key, key_id, context(*names_of(base)), sealed)


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "--write":
        with open(sys.argv[2], "w", encoding="utf-8") as file:
            json.dump(make_vectors(), file, indent=1, ensure_ascii=False)
            file.write("\n")
        return
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    tool = Tool(sys.argv[1])
    with open(sys.argv[2], encoding="utf-8") as file:
        vectors = json.load(file)
    assert vectors == make_vectors(), "the vectors are not what this script makes"
    check_objects(tool, vectors["objects"])
    check_derived(tool, vectors["derived_keys"])
    check_refused(tool, vectors["refused"], vectors["objects"])
    check_both_ways(tool)
    print(f"{len(vectors['objects'])} objects, {len(vectors['refused'])} refusals, "
          f"{len(vectors['derived_keys'])} derived keys: both implementations agree")


if __name__ == "__main__":
    main()
