"""The search that the test of leaks rests on finds what it is to find."""

import base64
import io
import zipfile
from urllib.parse import quote, quote_plus

import pytest

from tests.personal.search import Search

ID_NUMBER, PHONE = "62000019980203121X", "15429270001"
SEARCH = Search([ID_NUMBER, PHONE])

WRITTEN = [
    (PHONE, PHONE),
    (PHONE, f"+86{PHONE}"),
    (PHONE, f"+86 {PHONE[:3]} {PHONE[3:7]} {PHONE[7:]}"),
    (PHONE, f"{PHONE[:3]}-{PHONE[3:7]}-{PHONE[7:]}"),
    (PHONE, "".join(chr(ord(c) + 0xFEE0) for c in PHONE)),
    (PHONE, f"T{PHONE}x"),
    (ID_NUMBER, ID_NUMBER),
    (ID_NUMBER, ID_NUMBER.lower()),
    (ID_NUMBER, f"{ID_NUMBER[:6]} {ID_NUMBER[6:14]} {ID_NUMBER[14:]}"),
]
ENCODED = {
    "utf-8": str.encode,
    "utf-16-le": lambda text: text.encode("utf-16-le"),
    "utf-16-be": lambda text: text.encode("utf-16-be"),
    "hex": lambda text: text.encode().hex().encode(),
    "HEX": lambda text: text.encode().hex().upper().encode(),
    "url": lambda text: quote(text).encode(),
    "url plus": lambda text: quote_plus(text).encode(),
    "bytea": lambda text: b"\\\\x" + text.encode().hex().encode() + b"\t1",
}


@pytest.mark.parametrize("encode", ENCODED.values(), ids=ENCODED)
@pytest.mark.parametrize(("number", "written"), WRITTEN)
def test_it_finds_a_number_however_it_is_written(number, written, encode):
    if not written.isascii() and encode not in (ENCODED["utf-8"],):
        return  # full width is looked for as text
    assert SEARCH.within(b"before, " + encode(written) + b", behind") == {number}


@pytest.mark.parametrize("before", ["", "a", "ab"])
@pytest.mark.parametrize("number", [PHONE, ID_NUMBER])
def test_it_finds_base64_at_any_offset(number, before):
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        assert SEARCH.within(b'{"x": "' + encode(f"{before}name {number} more".encode()) + b'"}') == {number}


def test_hexadecimal_utf16_is_found():
    assert SEARCH.within(PHONE.encode("utf-16-le").hex().encode()) == {PHONE}


def test_it_finds_nothing_where_there_is_nothing():
    other = b"15429270002 62000019980203121 154****0001 620000********121X "
    assert SEARCH.within(other + bytes(range(256)) * 50) == set()


def test_it_looks_into_packed_files_and_at_names(tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", f"<t>{PHONE}</t>" * 50)
    (tmp_path / "a.xlsx").write_bytes(packed.getvalue())
    (tmp_path / f"{PHONE}.txt").write_text("empty")

    assert PHONE.encode() not in packed.getvalue()
    assert SEARCH.within_file(tmp_path / "a.xlsx") == SEARCH.within_file(tmp_path / f"{PHONE}.txt") == {PHONE}
