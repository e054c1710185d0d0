"""Documents on paper: templates of typst, set in fonts of our own so that they look the same everywhere."""

import json
import struct
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import typst
from django.conf import settings

FONTS = Path(__file__).parent / "fonts"
TEMPLATES = Path(settings.BASE_DIR) / "templates" / "paper"
PDF = "application/pdf"
NOT_DRAWN = frozenset("\t\n\r\u00ad\u200b\u200c\u200d\u2060\ufeff")  # characters that ask for no glyph
SEGMENTS = 12  # the format of a table of characters that reaches beyond 65,535


def render_pdf(template: str, data: Mapping[str, Any], *, tagged: bool = True) -> bytes:
    """The PDF that ``templates/paper/<template>.typ`` makes of ``data``, which goes there as JSON.

    Texts of ``data`` are texts there, never markup. The same data gives the same bytes. ``tagged`` says what is a
    heading and what a table to those who do not see; without, many pages take a third less room.

    Raises ``typst.TypstError`` for a template that does not fit.
    """
    made = typst.compile(
        str(TEMPLATES / f"{template}.typ"),
        root=str(TEMPLATES),
        font_paths=[str(FONTS)],
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
        format="pdf",
        pdf_tags=tagged,
    )
    return bytes(made)  # type: ignore[arg-type]


def missing_glyphs(text: str) -> list[str]:
    """The characters of ``text`` that no font here has, each once, in their order; empty when it can be printed."""
    known = _characters()
    return list(dict.fromkeys(c for c in text if ord(c) not in known and c not in NOT_DRAWN))


@cache
def _characters() -> frozenset[int]:
    """What the fonts can draw, by their own tables."""
    return frozenset().union(*(_characters_in(path.name) for path in FONTS.glob("*.otf")))


@cache
def _characters_in(file: str) -> frozenset[int]:
    return frozenset(characters_of(FONTS / file))


def is_drawn_by(file: str, text: str) -> bool:
    """Whether one font file has every character of ``text``."""
    return all(ord(c) in _characters_in(file) or c in NOT_DRAWN for c in text)


def characters_of(path: Path) -> Iterator[int]:
    """The code points that a font file draws, read from its table ``cmap``."""
    font = path.read_bytes()
    (count,) = struct.unpack_from(">H", font, 4)
    tables = (struct.unpack_from(">4sLLL", font, 12 + 16 * n) for n in range(count))
    start = next(offset for tag, _sum, offset, _length in tables if tag == b"cmap")
    (subtables,) = struct.unpack_from(">H", font, start + 2)
    for n in range(subtables):
        _platform, _encoding, offset = struct.unpack_from(">HHL", font, start + 4 + 8 * n)
        (form,) = struct.unpack_from(">H", font, start + offset)
        if form == SEGMENTS:
            yield from _segments(font, start + offset)
            return
    raise ValueError(f"{path.name} has no table of characters that is understood.")


def _segments(font: bytes, start: int) -> Iterator[int]:
    (groups,) = struct.unpack_from(">L", font, start + 12)
    for n in range(groups):
        first, last, _glyph = struct.unpack_from(">LLL", font, start + 16 + 12 * n)
        yield from range(first, last + 1)
