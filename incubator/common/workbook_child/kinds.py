"""What a file is, by its content: its name may say anything."""

import re
import struct
from enum import StrEnum
from typing import BinaryIO

from incubator.common.workbook_child.archives import Archive
from incubator.common.workbook_child.refusals import Refused

HEAD = 8192
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ENCRYPTED_OOXML = "EncryptedPackage".encode("utf-16-le")
OLDEST_EXCEL = (b"\x09\x00", b"\x09\x02", b"\x09\x04", b"\x09\x08")  # a stream of records without a container
BEGINNING, FILEPASS = b"\x09\x08\x10\x00\x00\x06", 0x2F  # records of an .xls
NO_TEXT = (b"%PDF", b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"{\\rtf")
ODS = b"application/vnd.oasis.opendocument.spreadsheet"
SPREADSHEET_XML = b"urn:schemas-microsoft-com:office:spreadsheet"
HTML = re.compile(rb"<\s*(?:!doctype\s+html|html|table|meta|head|body|tr|div|style)\b", re.IGNORECASE)
BOUND_PAGE = re.compile(rb"(?:\A|\n)(?:MIME-Version:|Content-Type:\s*multipart)", re.IGNORECASE)


class Kind(StrEnum):
    XLSX = "xlsx"
    CALAMINE = "calamine"  # .xls, .xlsb, .ods
    HTML = "html"
    XML = "xml"
    TEXT = "text"


def recognise(file: BinaryIO) -> Kind:
    """Raises ``Refused`` for what no reader here can read."""
    file.seek(0)
    head = file.read(HEAD)
    if head.startswith(b"PK"):
        return _in_archive(Archive(file))
    if head.startswith(OLE):
        return _in_ole(file)
    if head.startswith(OLDEST_EXCEL):
        raise Refused("old_excel")
    return _in_text(head)


def _in_archive(archive: Archive) -> Kind:
    if archive.is_encrypted:
        raise Refused("protected")
    if "mimetype" in archive.names and b"".join(archive.chunks("mimetype")).startswith(ODS):
        if b"encryption-data" in b"".join(archive.chunks("META-INF/manifest.xml")):
            raise Refused("protected")
        return Kind.CALAMINE
    if any(name.endswith("workbook.bin") for name in archive.names):
        return Kind.CALAMINE
    if "[Content_Types].xml" in archive.names and any("workbook" in name for name in archive.names):
        return Kind.XLSX
    raise Refused("not_a_workbook")


def _in_ole(file: BinaryIO) -> Kind:
    """A container of the old Office: an .xls, a newer workbook with a password, or no workbook at all."""
    file.seek(0)
    content = file.read()
    if ENCRYPTED_OOXML in content:
        raise Refused("protected")
    if "WordDocument".encode("utf-16-le") in content and "Workbook".encode("utf-16-le") not in content:
        raise Refused("not_a_workbook")
    if _is_locked(content):
        raise Refused("protected")
    return Kind.CALAMINE


def _is_locked(content: bytes) -> bool:
    """Whether one of the first records of an .xls says that the others are encrypted."""
    place = content.find(BEGINNING)
    for _record in range(5):
        if not 0 <= place <= len(content) - 4:
            return False
        kind, length = struct.unpack_from("<HH", content, place)
        if kind == FILEPASS:
            return True
        place += 4 + length
    return False


def _in_text(head: bytes) -> Kind:
    if head.startswith(NO_TEXT):
        raise Refused("not_a_workbook")
    plain = head.replace(b"\0", b"") if head.startswith((b"\xff\xfe", b"\xfe\xff")) else head
    if SPREADSHEET_XML in plain:
        return Kind.XML
    if BOUND_PAGE.search(plain):
        raise Refused("web_page")
    if HTML.search(plain):
        return Kind.HTML
    return Kind.TEXT
