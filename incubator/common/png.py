"""Pictures that strangers' programs made, told apart, measured and written anew without a library.

Of a PNG only what is drawn is kept: comments, profiles, times and whatever hangs behind its end are left out.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from incubator.common.errors import RuleBroken

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PALETTE, GREY_ALPHA, COLOUR_ALPHA = 3, 4, 6
CHANNELS = {PALETTE: 1, GREY_ALPHA: 2, COLOUR_ALPHA: 4}
DRAWN = (b"PLTE", b"tRNS")


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG as it was written anew, and its size in pixels."""

    content: bytes
    width: int
    height: int


def transparent_png(content: bytes, *, smallest: int, largest: int) -> Picture:
    """The picture, written anew; its sides have ``smallest`` to ``largest`` pixels and its upper corners are clear.

    Raises ``RuleBroken`` for anything else: no PNG, a broken one, one without transparency, one that would unfold to
    more than its size says.
    """
    chunks = dict(_chunks(content))
    width, height, depth, colour = _head(chunks, smallest, largest)
    pixels = _pixels(chunks[b"IDAT"], width, height, depth * CHANNELS[colour])
    if not _has_clear_corners(pixels, width, depth, colour, chunks.get(b"tRNS", b"")):
        raise RuleBroken(_("The corners of this picture are not transparent. Cut out the background and save it anew."))
    head = struct.pack(">LLBBBBB", width, height, depth, colour, 0, 0, 0)
    kept = [(b"IHDR", head), *((name, chunks[name]) for name in DRAWN if name in chunks)]
    kept += [(b"IDAT", zlib.compress(pixels, 9)), (b"IEND", b"")]
    return Picture(SIGNATURE + b"".join(_chunk(name, body) for name, body in kept), width, height)


def _broken() -> RuleBroken:
    return RuleBroken(_("This PNG is damaged. Open it in a drawing program and save it anew."))


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Names and bodies up to the end, the parts of the pixels as one."""
    if not content.startswith(SIGNATURE):
        raise RuleBroken(_("This is no PNG. Save the seal as PNG with a transparent background."))
    at, pixels = len(SIGNATURE), []
    while at + 12 <= len(content):
        length, name = struct.unpack_from(">L4s", content, at)
        body = content[at + 8 : at + 8 + length]
        if len(body) != length or content[at + 8 + length : at + 12 + length] != _sum(name, body):
            raise _broken()
        at += 12 + length
        if name == b"IDAT":
            pixels.append(body)
        elif name == b"IEND":
            yield b"IDAT", b"".join(pixels)
            return
        else:
            yield name, body
    raise _broken()


def _head(chunks: dict[bytes, bytes], smallest: int, largest: int) -> tuple[int, int, int, int]:
    """Width, height, bits of a channel, kind of colours."""
    if len(chunks.get(b"IHDR", b"")) != 13:
        raise _broken()
    width, height, depth, colour, _packing, _filters, interlaced = struct.unpack(">LLBBBBB", chunks[b"IHDR"])
    if not (smallest <= width <= largest and smallest <= height <= largest):
        sentence = _(
            "This picture has %(width)s × %(height)s pixels. Make it %(smallest)s to %(largest)s on each side."
        )
        raise RuleBroken(sentence % {"width": width, "height": height, "smallest": smallest, "largest": largest})
    sees_through = colour in (GREY_ALPHA, COLOUR_ALPHA) or (colour == PALETTE and b"tRNS" in chunks)
    if not sees_through or interlaced or depth > 8:
        raise RuleBroken(
            _("This PNG cannot be taken. Save it with a transparent background, 8 bits a colour, not interlaced.")
        )
    if colour == PALETTE and b"PLTE" not in chunks:
        raise _broken()
    return width, height, depth, colour


def _pixels(packed: bytes, width: int, height: int, bits: int) -> bytes:
    """The rows, each with its filter before it; never more than the size says."""
    row = 1 + -(-width * bits // 8)
    unpacking = zlib.decompressobj()
    try:
        pixels = unpacking.decompress(packed, row * height + 1)
    except zlib.error:
        raise _broken() from None
    if len(pixels) != row * height or any(kind > 4 for kind in pixels[::row]):
        raise _broken()
    return pixels


def _has_clear_corners(pixels: bytes, width: int, depth: int, colour: int, clear: bytes) -> bool:
    row = _first_row(pixels, width, depth * CHANNELS[colour])
    return all(_alpha(row, x, depth, colour, clear) == 0 for x in (0, width - 1))


def _first_row(pixels: bytes, width: int, bits: int) -> bytes:
    """The topmost row unfiltered; the one above it counts as nothing, so only the pixel to the left matters."""
    kind, length, step = pixels[0], -(-width * bits // 8), max(1, bits // 8)
    row = bytearray(pixels[1 : 1 + length])
    for n in range(step, length):
        left = row[n - step]
        row[n] = (row[n] + {1: left, 3: left // 2, 4: left}.get(kind, 0)) & 255
    return bytes(row)


def _alpha(row: bytes, x: int, depth: int, colour: int, clear: bytes) -> int:
    if colour != PALETTE:
        step = CHANNELS[colour]
        return row[x * step + step - 1]
    per_byte = 8 // depth
    shift = 8 - depth * (x % per_byte + 1)
    entry = row[x // per_byte] >> shift & (1 << depth) - 1
    return clear[entry] if entry < len(clear) else 255


def _sum(name: bytes, body: bytes) -> bytes:
    return struct.pack(">L", zlib.crc32(name + body))


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">L", len(body)) + name + body + _sum(name, body)
