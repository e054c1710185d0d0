"""Seals and other pictures: what is taken, what is refused, and that nothing but the drawing is kept."""

import struct
import zlib

import pytest
from django.utils.translation import override

from incubator.common.errors import RuleBroken
from incubator.common.png import SIGNATURE, transparent_png


@pytest.fixture(autouse=True)
def in_english():
    with override("en"):
        yield


SIDES = {"smallest": 4, "largest": 64}


def chunk(name, body):
    return struct.pack(">L", len(body)) + name + body + struct.pack(">L", zlib.crc32(name + body))


def png(width=8, height=8, *, depth=8, colour=6, pixels=None, before=b"", after=b"", interlaced=0, extra=b""):
    """A picture of ``height`` rows, clear all over unless told otherwise."""
    if pixels is None:
        pixels = (b"\0" + b"\0" * -(-width * depth * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour] // 8)) * height
    head = struct.pack(">LLBBBBB", width, height, depth, colour, 0, 0, interlaced)
    packed = zlib.compress(pixels) + extra
    return SIGNATURE + chunk(b"IHDR", head) + before + chunk(b"IDAT", packed) + chunk(b"IEND", b"") + after


PALETTE = chunk(b"PLTE", b"\xff\0\0\0\0\xff") + chunk(b"tRNS", b"\xff\0")


@pytest.mark.parametrize(
    "content",
    [
        png(),
        png(colour=4),
        png(colour=3, depth=8, before=PALETTE, pixels=(b"\0" + b"\1" * 8) * 8),
        png(colour=3, depth=1, before=PALETTE, pixels=(b"\0" + b"\xff") * 8),
        png(colour=3, depth=2, before=PALETTE, pixels=(b"\0" + b"\x55\x55") * 8),
    ],
)
def test_pictures_with_clear_corners_are_taken(content):
    picture = transparent_png(content, **SIDES)
    assert (picture.width, picture.height) == (8, 8)
    again = transparent_png(picture.content, **SIDES)
    assert again == picture


def test_nothing_but_the_drawing_is_kept():
    said = chunk(b"tEXt", b"Author\0Zhang") + chunk(b"eXIf", b"GPS 35.6") + chunk(b"acTL", b"\0\0\0\1\0\0\0\0")
    kept = transparent_png(png(before=said, after=b"<script>"), **SIDES).content
    assert kept == transparent_png(png(), **SIDES).content
    for word in (b"Zhang", b"GPS", b"acTL", b"script"):
        assert word not in kept


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "no PNG"),
        (b"<svg/>", "no PNG"),
        (b"\xff\xd8\xff\xe0 JPEG", "no PNG"),
        (SIGNATURE, "damaged"),
        (png()[:-20], "damaged"),
        (png()[:-1] + b"\0", "damaged"),
        (png().replace(b"IDAT", b"IDAX"), "damaged"),
        (png(pixels=b"\0" * 10), "damaged"),
        (png(pixels=b"\5" + b"\0" * 263), "damaged"),
        (png(pixels=b"\0" * 50_000_000), "damaged"),
        (png(3, 8), "3 × 8"),
        (png(8, 65), "8 × 65"),
        (png(2**31, 2**31, pixels=b"\0"), "pixels"),
        (png(colour=2), "transparent background"),
        (png(colour=0), "transparent background"),
        (png(colour=3, before=chunk(b"PLTE", b"\0\0\0")), "transparent background"),
        (png(colour=3, before=chunk(b"tRNS", b"\0")), "damaged"),
        (png(depth=16), "8 bits"),
        (png(interlaced=1), "interlaced"),
        (png(pixels=(b"\0" + b"\0\0\0\xff" * 8) * 8), "corners"),
        # The left corner is clear, the right is not: filters "left", "average" and "Paeth" carry the first pixel on.
        (png(pixels=(b"\1" + b"\0\0\0\0" + b"\0\0\0\xff" + b"\0\0\0\0" * 6) * 8), "corners"),
        (png(pixels=(b"\4" + b"\0\0\0\0" + b"\0\0\0\xff" + b"\0\0\0\0" * 6) * 8), "corners"),
    ],
)
def test_anything_else_is_refused_with_a_sentence(content, word):
    with pytest.raises(RuleBroken) as refusal:
        transparent_png(content, **SIDES)
    assert word in str(refusal.value)
