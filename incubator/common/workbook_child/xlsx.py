"""Reading .xlsx row by row, without holding the sheet: what is read, and what a row costs, does not grow with it.

It knows the way in which Excel, WPS, LibreOffice and the usual libraries write cells. Anything else in a sheet raises
``Unusual``, and calamine, which knows all of the standard but holds the sheet in memory, goes on after the last row
that was read. Nothing is guessed: cells that were not understood are counted as such.
"""

import codecs
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from json.encoder import encode_basestring  # the one in C where there is one
from typing import Any

from incubator.common.workbook_child.archives import Archive
from incubator.common.workbook_child.number_formats import BUILT_IN, DAY, TIME, day_of, kind_of, time_of
from incubator.common.workbook_child.refusals import LONGEST_ROW, MOST_TEXTS, Refused, Unusual
from incubator.common.workbook_child.row_shapes import INSIDE, MOST_SHAPES, Shape

CELL = re.compile(
    r'<c r="([A-Z]{1,3})\d+"(?: s="(\d+)")?(?: t="([a-zA-Z]+)")?(?: [a-z]+="\d+")*\s*'
    r"(?:/>|>(?:<f[^<>]*(?:/>|>[^<]*</f>))?(?:<v[^<>]*>([^<]*)</v>|<v/>|<is>(.*?)</is>|<is/>)?</c>)",
    re.DOTALL,
)
ROW_NUMBER = re.compile(r'\sr="(\d{1,7})"')
MERGED = re.compile(rb'<mergeCell[^>]*? ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')
NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
PLAIN_TEXTS = re.compile(r'<si><t(?: xml:space="preserve")?>([^<]*)</t></si>')
PHONETIC = re.compile(r"<rPh\b.*?</rPh>", re.DOTALL)
TEXT = re.compile(r"<t(?:\s[^>]*)?>([^<]*)</t>")
ENTITY = re.compile(r"&(?:(lt|gt|amp|quot|apos)|#(\d{1,7})|#x([0-9a-fA-F]{1,6}));")
ENTITIES = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}
ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
MOST_MERGED = 50_000
SHEET = "worksheet"


class Workbook:
    """An .xlsx by its parts. Parts are found by the relations the archive names, whatever they are called."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        root = archive.small(self._main_part())
        self._from_1904 = any(_is(e, "workbookPr") and e.get("date1904") in ("1", "true") for e in root.iter())
        relations = self._relations()
        self._parts: dict[str, str] = {}
        self.sheets: list[tuple[str, bool]] = []  # name, and whether it is hidden
        for element in root.iter():
            if _is(element, "sheet"):
                name, place = element.get("name", ""), _relation(element)
                if relations.get(place, ("", ""))[0] == SHEET:
                    self._parts[name] = relations[place][1]
                    self.sheets.append((name, element.get("state", "visible") != "visible"))
        self._kinds = self._kinds_of_styles(relations)
        self._texts_part = next((part for kind, part in relations.values() if kind == "sharedStrings"), "")
        self._texts: list[str] | None = None

    def _main_part(self) -> str:
        for relation in self._archive.small("_rels/.rels"):
            if relation.get("Type", "").endswith("/officeDocument"):
                return relation.get("Target", "").lstrip("/")
        raise Refused("not_a_workbook")

    def _relations(self) -> dict[str, tuple[str, str]]:
        """Kind and part of each relation of the workbook, by its id."""
        folder, _slash, name = self._main_part().rpartition("/")
        found = {}
        for relation in self._archive.small(f"{folder}/_rels/{name}.rels".lstrip("/")):
            target = relation.get("Target", "")
            part = target.lstrip("/") if target.startswith("/") else f"{folder}/{target}".lstrip("/")
            found[relation.get("Id", "")] = (relation.get("Type", "").rpartition("/")[2], part)
        return found

    def _kinds_of_styles(self, relations: dict[str, tuple[str, str]]) -> dict[str, str]:
        """``DAY`` or ``TIME`` by the number of the cell style, for those that show one."""
        part = next((part for kind, part in relations.values() if kind == "styles"), "")
        if part not in self._archive.names:
            return {}
        root = self._archive.small(part)
        formats: dict[int, str | None] = dict(BUILT_IN)
        for element in root.iter():
            if _is(element, "numFmt"):
                formats[int(element.get("numFmtId", 0))] = kind_of(element.get("formatCode", ""))
        styles = next((e for e in root.iter() if _is(e, "cellXfs")), ())
        kinds = {str(n): formats.get(int(style.get("numFmtId", 0))) for n, style in enumerate(styles)}
        return {n: kind for n, kind in kinds.items() if kind}

    # --- Rows ---

    def rows(self, sheet: str, most_columns: int) -> Iterator[tuple[int, str]]:
        """Number and cells (JSON) of the rows that have something in them."""
        texts = self._shared_texts()
        self._shapes: list[Shape] = []
        last = 0
        for head, cells in self._row_parts(sheet):
            found = ROW_NUMBER.search(head)
            last = int(found[1]) if found else last + 1
            row = self._of_a_shape(cells)
            if row is None:
                row = ",".join(self._values(cells, texts, most_columns))
            if row:
                yield last, f"[{row}]"

    def _row_parts(self, sheet: str) -> Iterator[tuple[str, str]]:
        """The opening tag of each row that is not closed at once, and what it holds."""
        rest, is_inside = "", False
        for text in decoded(self._archive.chunks(self._parts[sheet])):
            rest += text
            if not is_inside:
                start = rest.find("<sheetData")
                if start < 0:
                    if len(rest) > LONGEST_ROW:
                        raise Unusual
                    continue
                rest, is_inside = rest[start + 10 :], True
            *rows, rest = rest.split("</row>")
            for row in rows:
                start = row.rfind("<row")
                end = row.find(">", start)
                if start < 0 or row.count("<c", 0, start):
                    raise Unusual
                yield row[start:end], row[end + 1 :]
            if "</sheetData>" in rest:
                break
            if len(rest) > LONGEST_ROW:
                raise Refused("too_large")
        if not is_inside or rest.count("<c", 0, rest.find("</sheetData>")):
            raise Unusual

    def _values(self, text: str, texts: list[str], most_columns: int) -> list[str]:
        """A row's cells, each as JSON, up to the last that holds something."""
        cells = CELL.findall(text)
        if text.count("<c") != len(cells):
            raise Unusual
        values: list[str] = []
        kinds = self._kinds
        for letters, style, kind, value, inline in cells:
            if kind == "s":
                if not value:
                    continue
                json = texts[int(value)]
            elif not kind or kind == "n":
                if not value:
                    continue
                json = self._number(value, kinds[style]) if style in kinds else number(value)
            else:
                json = other(kind, value, inline)
            if json == '""':
                continue
            column = COLUMNS.get(letters) or column_of(letters)
            if column > most_columns:
                raise Refused("too_many_columns")
            while len(values) < column - 1:
                values.append('""')
            if len(values) >= column:
                raise Unusual  # not from left to right
            values.append(json)
        self._learn(cells)
        return values

    def _of_a_shape(self, text: str) -> str | None:
        for shape in self._shapes:
            if found := shape.pattern.fullmatch(text):
                return shape.row(found)
        return None

    def _learn(self, cells: list[tuple[str, ...]]) -> None:
        """Remember what the cells of this row look like."""
        if cells and len(self._shapes) < MOST_SHAPES and all(kind in INSIDE for _l, _s, kind, _v, _i in cells):
            places = [(column_of(letters) - 1, letters, style, kind) for letters, style, kind, _v, _i in cells]
            self._shapes.insert(0, Shape(places, [self._converter(style, kind) for _l, style, kind, _v, _i in cells]))

    def _converter(self, style: str, kind: str) -> Callable[[str], str] | None:
        if kind == "s":
            texts = self._shared_texts()
            return lambda place: texts[int(place)]
        if kind in ("", "n"):
            shown = self._kinds.get(style)
            return lru_cache(20_000)(lambda text: self._number(text, shown)) if shown else None
        return quoted

    def _number(self, text: str, kind: str) -> str:
        """A number that its style shows as a day or a time."""
        try:
            serial = float(text)
        except ValueError:
            return quoted(text)
        day = day_of(serial, from_1904=self._from_1904) if kind == DAY else None
        if day is not None:
            return f'{{"d":"{day.isoformat()}"}}'
        return f'"{time_of(serial)}"' if kind == TIME else number(text)

    # --- Texts ---

    def _shared_texts(self) -> list[str]:
        """The shared texts, each as JSON already: most are written many times."""
        if self._texts is None:
            self._texts = []
            if self._texts_part in self._archive.names:
                for block in self._blocks_of_texts():
                    self._texts += map(encode_basestring, texts_of(block))
                    if len(self._texts) > MOST_TEXTS:
                        raise Refused("too_large")
        return self._texts

    def _blocks_of_texts(self) -> Iterator[str]:
        """The part of the shared texts in pieces that end with ``</si>``."""
        rest = ""
        for text in decoded(self._archive.chunks(self._texts_part)):
            rest += text
            end = rest.rfind("</si>") + 5
            if end > 5:
                yield rest[:end].replace("<si/>", "<si><t></t></si>")
                rest = rest[end:]
            if len(rest) > LONGEST_ROW:
                raise Refused("too_large")
        if "<si>" in rest or "<t" in rest:
            raise Unusual

    # --- What is said of a sheet ---

    def survey(self, sheet: str) -> tuple[int, list[tuple[int, int, int, int]]]:
        """How many rows the sheet is written with, and what is merged: first row and column, last row and column.

        Rows are counted from 1, columns from 0.
        """
        height, found, before = 0, [], b""
        for chunk in self._archive.chunks(self._parts[sheet]):
            window = before + chunk
            height += window.count(b"</row>")
            if b"<mergeCell" in window:
                found += [(int(b), column_of(a) - 1, int(d), column_of(c) - 1) for a, b, c, d in _merged(window)]
            cut = max(window.rfind(b"</row>") + 6, window.rfind(b'"/>') + 3, len(window) - 100)
            before = window[cut:]
            if len(found) > MOST_MERGED:
                break
        return height, found


def _merged(window: bytes) -> list[tuple[str, str, str, str]]:
    return [tuple(part.decode() for part in found) for found in MERGED.findall(window)]  # type: ignore[misc]


def _is(element: Any, name: str) -> bool:
    return element.tag.rpartition("}")[2] == name


def _relation(element: Any) -> str:
    return next((value for key, value in element.items() if key.endswith("}id")), "")


def column_of(letters: str) -> int:
    """``A`` → 1, ``AA`` → 27."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


COLUMNS = {chr(64 + n): n for n in range(1, 27)}
COLUMNS |= {f"{a}{b}": column_of(f"{a}{b}") for a in "ABCDEFGHIJ" for b in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


def decoded(chunks: Iterator[bytes]) -> Iterator[str]:
    """The text of a part, piece by piece. Comments, declarations and other encodings are ``Unusual``.

    CDATA is refused: nobody's program writes it here, and calamine loses what stands in it.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    before = ""
    for chunk in chunks:
        try:
            text = decoder.decode(chunk)
        except UnicodeDecodeError:
            raise Unusual from None
        if "<!" in before + text:
            raise Refused("broken") if "<![CDATA[" in before + text else Unusual
        if not before and "encoding=" in text[:100] and "utf-8" not in text[:100].lower():
            raise Unusual
        before = text[-1:]
        yield text


def texts_of(block: str) -> list[str]:
    """The texts of all ``<si>`` in a block."""
    count = block.count("</si>")
    found = PLAIN_TEXTS.findall(block)
    if len(found) == count:
        return [unescaped(text) for text in found] if "&" in block or "_x" in block else found
    return [text_of(part) for part in block.split("</si>")[:count]]


def text_of(part: str) -> str:
    """The text of one ``<si>`` or ``<is>``, its runs put together, without what is written above it to be read."""
    return unescaped("".join(TEXT.findall(PHONETIC.sub("", part))))


def unescaped(text: str) -> str:
    if "&" in text:
        text = ENTITY.sub(_entity, text)
    return ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


def _entity(found: re.Match) -> str:
    name, decimal, hexadecimal = found.groups()
    code = int(decimal) if decimal else int(hexadecimal, 16) if hexadecimal else 0
    return ENTITIES[name] if name else chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else ""


def quoted(text: str) -> str:
    """A text of XML as JSON."""
    return encode_basestring(unescaped(text) if "&" in text or "_x" in text else text)


def number(text: str) -> str:
    """A number as JSON; what is none stays a text."""
    if (text.isdigit() and text.isascii() and text[0] != "0") or NUMBER.fullmatch(text):
        return text
    return quoted(text)


def other(kind: str, value: str, inline: str) -> str:
    """Inline texts, results of formulas, truth values and days in ISO 8601. Errors are the text they show."""
    if kind == "inlineStr":
        return encode_basestring(text_of(inline))
    if kind == "b":
        return "true" if value == "1" else "false"
    if kind == "d" and re.match(r"\d{4}-\d\d-\d\d", value):
        return f'{{"d":"{value[:10]}"}}'
    if kind in ("str", "e", "d"):
        return quoted(value)
    raise Unusual
