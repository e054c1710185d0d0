"""Workbooks as bytes, the same each time: .xlsx, .ods, .csv, containers of the old Office, web pages."""

import io
import re
import struct
import subprocess
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from xml.sax.saxutils import escape

import openpyxl
import xlsxwriter

Rows = Sequence[Sequence[object]]
MADE = (2026, 3, 2, 9, 0, 0)


def settled(content: bytes, change: dict[str, tuple[bytes, bytes]] | None = None) -> bytes:
    """The archive with a fixed time on each part; ``change`` replaces something in parts, by their names."""
    buffer = io.BytesIO()
    change = dict(change or {})
    with zipfile.ZipFile(io.BytesIO(content)) as was, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as book:
        for info in was.infolist():
            text = was.read(info)
            if info.filename in change:
                old, new = change.pop(info.filename)
                assert old in text, (info.filename, old)
                text = text.replace(old, new)
            if info.filename == "docProps/core.xml":
                text = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2026-03-02T09:00:00Z", text)
            book.writestr(zipfile.ZipInfo(info.filename, MADE), text, zipfile.ZIP_DEFLATED)
    assert not change, change
    return buffer.getvalue()


def archive(parts: dict[str, bytes | str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as book:
        for name, content in parts.items():
            book.writestr(zipfile.ZipInfo(name, MADE), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def xlsx(
    rows: Rows,
    *,
    sheet: str = "名单",
    merged: Iterable[tuple[int, int, int, int]] = (),
    before: dict[str, Rows] | None = None,
    after: dict[str, Rows] | None = None,
    hidden: dict[str, Rows] | None = None,
    **options: object,
) -> bytes:
    """Rows from the first; texts are texts, numbers numbers, days days. ``merged`` cells are counted from 0."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"strings_to_formulas": False, "strings_to_urls": False, **options})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    for name, cells in {**(before or {}), sheet: rows, **(after or {}), **(hidden or {})}.items():
        page = book.add_worksheet(name)
        for number, values in enumerate(cells):
            for place, value in enumerate(values):
                if isinstance(value, date):
                    page.write_datetime(number, place, value, day)
                elif isinstance(value, str) and value:
                    page.write_string(number, place, value)
                elif value not in ("", None):
                    page.write(number, place, value)
        if name == sheet:
            for first, left, last, right in merged:
                page.merge_range(first, left, last, right, rows[first][left])
        if name in (hidden or {}):
            page.hide()
    book.close()
    return settled(buffer.getvalue())


def by_openpyxl(rows: Rows) -> bytes:
    book = openpyxl.Workbook()
    for values in rows:
        book.active.append(list(values))
    buffer = io.BytesIO()
    book.save(buffer)
    return settled(buffer.getvalue())


def by_office(rows: Rows, kind: str, **options: object) -> bytes:
    """What LibreOffice makes of the rows: ``xls``, ``xlsx`` or ``ods``."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in").mkdir()
        (folder / "in" / "book.xlsx").write_bytes(xlsx(rows, **options))  # type: ignore[arg-type]
        command = ["soffice", f"-env:UserInstallation=file://{folder}/profile", "--headless", "--convert-to", kind]
        subprocess.run([*command, "--outdir", folder, folder / "in" / "book.xlsx"], check=True, capture_output=True)
        return (folder / f"book.{kind}").read_bytes()


def csv(rows: Rows, *, separator: str = ",", end: str = "\r\n") -> str:
    def cell(value: object) -> str:
        text = str(value)
        return '"' + text.replace('"', '""') + '"' if any(sign in text for sign in (separator, '"', "\n")) else text

    return "".join(separator.join(cell(value) for value in values) + end for values in rows)


def html(rows: Rows, *, charset: str = "utf-8", merged: dict[tuple[int, int], tuple[int, int]] | None = None) -> str:
    """A web page as many an office's system hands it out under the name .xls; ``merged``: rows and columns by cell."""
    covered = {
        (row + down, place + right)
        for (row, place), (height, width) in (merged or {}).items()
        for down in range(height)
        for right in range(width)
        if down or right
    }
    body = ""
    for row, values in enumerate(rows):
        body += "<tr>"
        for place, value in enumerate(values):
            if (row, place) not in covered:
                height, width = (merged or {}).get((row, place), (1, 1))
                text = escape(str(value)).replace("\n", "<br>")
                body += f'<td rowspan="{height}" colspan={width} class=x24>{text}</td>'
        body += "</tr>\n"
    return (
        '<html xmlns:x="urn:schemas-microsoft-com:office:excel">\n'
        f'<head><meta http-equiv="Content-Type" content="text/html; charset={charset}">'
        "<style>.x24{mso-number-format:'\\@';}</style></head>\n"
        f"<body><table border=1>\n{body}</table></body></html>"
    )


def spreadsheet_xml(rows: Rows) -> str:
    def cell(value: object) -> str:
        kind = "Number" if isinstance(value, int | float) else "String"
        return f'<Cell><Data ss:Type="{kind}">{escape(str(value))}</Data></Cell>'

    body = "".join(f"<Row>{''.join(cell(value) for value in values)}</Row>" for values in rows)
    return (
        '<?xml version="1.0"?>\n<?mso-application progid="Excel.Sheet"?>\n'
        '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
        'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">'
        f'<Worksheet ss:Name="名单"><Table>{body}</Table></Worksheet></Workbook>'
    )


ODS_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?><office:document-content '
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.2">'
    "<office:body><office:spreadsheet>"
)
ODS_FOOT = "</office:spreadsheet></office:body></office:document-content>"
ODS_KIND = "application/vnd.oasis.opendocument.spreadsheet"


def ods(rows: Rows, *, after_row: str = "", manifest: str = "", content: str | None = None) -> bytes:
    def cell(value: object) -> str:
        if value in ("", None):
            return "<table:table-cell/>"
        if isinstance(value, int | float):
            kind = f'office:value-type="float" office:value="{value}"'
            return f"<table:table-cell {kind}><text:p>{value}</text:p></table:table-cell>"
        paragraphs = "".join(f"<text:p>{escape(part)}</text:p>" for part in str(value).split("\n"))
        return f'<table:table-cell office:value-type="string">{paragraphs}</table:table-cell>'

    body = "".join(
        f"<table:table-row>{''.join(cell(v) for v in values)}{after_row}</table:table-row>" for values in rows
    )
    manifest = manifest or f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{ODS_KIND}"/>'
    space = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
    manifest = f'<manifest:manifest xmlns:manifest="{space}">{manifest}</manifest:manifest>'
    return archive(
        {
            "mimetype": ODS_KIND,
            "META-INF/manifest.xml": f'<?xml version="1.0"?>{manifest}',
            "content.xml": content or f'{ODS_HEAD}<table:table table:name="名单">{body}</table:table>{ODS_FOOT}',
        }
    )


def container(streams: dict[str, bytes]) -> bytes:
    """A compound file of the old Office with these streams, none of them under 4,096 bytes."""
    sector, free, end, fat_mark = 512, 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    assert all(len(content) >= 4096 for content in streams.values())
    chains: list[int] = []
    body = b""
    starts = []
    for content in streams.values():
        count = -(-len(content) // sector)
        starts.append(len(chains))
        chains += [*range(len(chains) + 1, len(chains) + count), end]
        body += content.ljust(count * sector, b"\0")
    directory = len(chains)
    entries = [_entry("Root Entry", 5, child=1, start=end, size=0)]
    for n, (name, content) in enumerate(streams.items(), 1):
        right = n + 1 if n < len(streams) else free
        entries.append(_entry(name, 2, right=right, start=starts[n - 1], size=len(content)))
    listing = b"".join(entries).ljust(-(-len(entries) * 128 // sector) * sector, b"\0")
    chains += [*range(directory + 1, directory + len(listing) // sector), end]
    table = len(chains)
    chains.append(fat_mark)
    fat = struct.pack(f"<{len(chains)}I", *chains).ljust(sector, b"\xff")
    assert len(fat) == sector
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<IIIIIIIII", 0, 1, directory, 0, 4096, end, 0, end, 0)
    header += struct.pack("<I", table) + b"\xff" * 4 * 108
    return header + body + listing + fat


def _entry(name: str, kind: int, *, right: int = 0xFFFFFFFF, child: int = 0xFFFFFFFF, start: int, size: int) -> bytes:
    text = name.encode("utf-16-le") + b"\0\0"
    head = text.ljust(64, b"\0") + struct.pack("<HBBIII", len(text), kind, 1, 0xFFFFFFFF, right, child)
    return head + bytes(36) + struct.pack("<IQ", start, size)
