"""pictures: images as independent readers decode them, for scripts that judge what was converted.

Portable bitmaps, the directories of classic TIFF files, and the two turned by an orientation. Standard library only.

SPDX-License-Identifier: AGPL-3.0-or-later
"""
import math
import mmap
import re
import struct

SMOOTHED = -1  # as a tolerance: the same coefficients, whose chroma each decoder smooths in its own way


class Image:
    """Width, height and three planes of bytes."""

    def __init__(self, width, height, planes):
        self.width, self.height, self.planes = width, height, planes

    def turned(self, orientation):
        """As it must be seen: TIFF 6.0, tag 274."""
        width, height, planes = self.width, self.height, self.planes
        if orientation in (2, 7):  # mirrored left to right first
            planes = [b"".join(p[y * width:(y + 1) * width][::-1] for y in range(height)) for p in planes]
        if orientation in (4, 5):  # mirrored top to bottom first
            planes = [b"".join(p[y * width:(y + 1) * width] for y in range(height - 1, -1, -1)) for p in planes]
        if orientation == 3:
            planes = [p[::-1] for p in planes]
        elif orientation in (5, 6, 7):  # clockwise
            planes = [b"".join(p[x::width][::-1] for x in range(width)) for p in planes]
            width, height = height, width
        elif orientation == 8:
            planes = [b"".join(p[x::width] for x in range(width - 1, -1, -1)) for p in planes]
            width, height = height, width
        return Image(width, height, planes)

    def difference(self, other, tolerance=0):
        """None, or what is not the same."""
        if (self.width, self.height) != (other.width, other.height):
            return "%dx%d instead of %dx%d" % (other.width, other.height, self.width, self.height)
        if self.planes == other.planes:
            return None
        worst, first = 0, None
        for mine, theirs in zip(self.planes, other.planes):
            for y in range(self.height):
                a, b = mine[y * self.width:(y + 1) * self.width], theirs[y * self.width:(y + 1) * self.width]
                if a != b:
                    d = max(abs(p - q) for p, q in zip(a, b))
                    worst = max(worst, d)
                    first = y if first is None and d > tolerance else first
        if tolerance == SMOOTHED:
            return None if worst == 0 or self.noise(other) > 38 else "%.1f dB only" % self.noise(other)
        return None if worst <= tolerance else "differs by up to %d, first in row %d" % (worst, first)

    def save(self, path):
        """As a PPM file."""
        pixels = bytearray(3 * self.width * self.height)
        for i in range(3):
            pixels[i::3] = self.planes[i]
        with open(path, "wb") as file:
            file.write(b"P6 %d %d 255\n" % (self.width, self.height) + pixels)

    def noise(self, other):
        """PSNR in dB."""
        total = sum((p - q) * (p - q) for mine, theirs in zip(self.planes, other.planes) for p, q in zip(mine, theirs) if p != q)
        return 10 * math.log10(255 * 255 * 3 * self.width * self.height / total)


BITS = [bytes(0 if byte >> (7 - i) & 1 else 255 for i in range(8)) for byte in range(256)]  # P4: 1 is black


def read_pnm(path):
    """The images of a PBM, PGM or PPM file, one after the other."""
    data, images = open(path, "rb").read(), []
    at = 0
    while at < len(data):
        head = re.compile(rb"P([456])\s+(\d+)\s+(\d+)\s+(?:(255)\s)?").match(data, at)
        kind, width, height = int(head[1]), int(head[2]), int(head[3])
        at = head.end()
        if kind == 4:
            if head[4] is not None:
                raise ValueError("unlucky bitmap")
            stride = (width + 7) // 8
            plane = b"".join(b"".join(BITS[byte] for byte in data[at + y * stride:at + (y + 1) * stride])[:width]
                             for y in range(height))
            planes, size = [plane] * 3, stride * height
        elif kind == 5:
            size = width * height
            planes = [data[at:at + size]] * 3
        else:
            size = width * height * 3
            planes = [data[at + i:at + size:3] for i in range(3)]
        images.append(Image(width, height, planes))
        at += size
    return images


def tiff_directories(data):
    """The tags of every page of a classic TIFF; numbers only."""
    order, directories = "<" if data[:2] == b"II" else ">", []
    at, = struct.unpack_from(order + "I", data, 4)
    while at:
        count, = struct.unpack_from(order + "H", data, at)
        tags = {}
        for i in range(count):
            tag, kind, number, value = struct.unpack_from(order + "HHII", data, at + 2 + i * 12)
            letter = {1: "B", 3: "H", 4: "I"}.get(kind)
            if letter:
                inline = struct.calcsize(letter) * number <= 4
                tags[tag] = struct.unpack_from(order + letter * number, data, at + 10 + i * 12 if inline else value)
        directories.append(tags)
        at, = struct.unpack_from(order + "I", data, at + 2 + count * 12)
    return directories


def read_raw_tiff(path):
    """Every page of an uncompressed RGB TIFF, as tiff2rgba writes it; one after the other, for they are large."""
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for tags in tiff_directories(data):
            width, height, samples = tags[256][0], tags[257][0], tags[277][0]
            pixels = b"".join(data[o:o + n] for o, n in zip(tags[273], tags[279]))
            yield Image(width, height, [pixels[i:width * height * samples:samples] for i in range(3)])
