"""What of a JSON-LD document is signed: its canonical N-Quads (RDFC-1.0).

A term that no context defines disappears on the way, and would be unsigned without a word. So each leaf of the JSON is
accounted for: ``canonical`` refuses a document that loses one.

PyLD takes about 8 ms a document. Thousands of documents of one shape (the same keys, only other texts) are quicker:
``canonical_quickly`` asks PyLD once for the quads of the shape with a place-holder in each text's place, then fills
them in and names the blank nodes as RDFC-1.0 says. The result is the same text, letter by letter.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any

from pyld import jsonld

from incubator.credentials.pinned import load_document

Document = dict[str, Any]

# Texts that are names of terms: they expand to addresses of their own, so they belong to a shape.
TERMS = {"type", "proofPurpose"}
# What is no absolute address is resolved against this one, so that it is seen and refused: a verifier would drop it.
_RELATIVE = "https://relative.invalid/"
_PLACE = "urn:place:"
# What varies in the quads of a shape: an address, a text, a blank node.
_VARIES = re.compile(rf'<{_PLACE}(\d+)>|"{_PLACE}(\d+)"|(_:b\d+)')
_IRI = re.compile(r"<([^<>]*)>")
_LITERAL = re.compile(r'"(?:[^"\\]|\\.)*"')
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_NOT_IN_IRI = re.compile(r'[\x00-\x20<>"{}|^`\\]')
_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*:.")


class Unsignable(Exception):
    """A document of which a part would not be signed, or that different programs would write differently."""


# --- The long way -----------------------------------------------------------------------------------------------------


def canonical(document: Document) -> str:
    """Canonical N-Quads. Raises ``Unsignable`` unless every leaf of the JSON is in them."""
    _require_plain(document)
    quads = _options(jsonld.normalize, document, algorithm="URDNA2015")
    found = quads.count("\n")  # splitlines() would count other separators within texts
    if found != _expected_quads(document):
        raise Unsignable(f"{_expected_quads(document)} statements were made and {found} would be signed.")
    for address in _IRI.findall(_LITERAL.sub("", quads)):
        _iri(address)
    return quads


def _options(function: Any, document: Document, **more: Any) -> str:
    options = {"format": "application/n-quads", "documentLoader": load_document, "base": _RELATIVE, **more}
    try:
        return function(document, options)
    except jsonld.JsonLdError as error:
        raise Unsignable(f"This is no JSON-LD: {error.code or error.type}") from error


def _expected_quads(document: Document) -> int:
    """One for each leaf but the ids, which are subjects, and one for each object within another.

    A leaf makes no more than one quad and a nested object no more than one link, so an equal number means that all are
    there.
    """
    leaves = sum(1 for path, _value in leaves_of(document) if path[-1] != "id")
    return leaves + _nested(document) - 1


def _nested(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(_nested(part) for key, part in value.items() if key != "@context")
    return sum(map(_nested, value)) if isinstance(value, list) else 0


def leaves_of(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """``(path, value)`` of each leaf beside the contexts; the path's last part is the key a list stands under."""
    if isinstance(value, dict):
        for key, part in value.items():
            if key != "@context":
                yield from leaves_of(part, (*path, key))
    elif isinstance(value, list):
        for part in value:
            yield from leaves_of(part, path)
    else:
        yield path, value


def _require_plain(document: Document) -> None:
    """No keywords within, no numbers, no nothing, no control characters: programs differ in how they write those."""
    for path, value in leaves_of(document):
        where = ".".join(map(str, path))
        if any(str(key).startswith("@") for key in path):
            raise Unsignable(f"{where}: a keyword within a document")
        if not isinstance(value, str | bool):
            raise Unsignable(f"{where}: neither a text nor yes or no")
        if isinstance(value, str) and _CONTROL.search(value):
            raise Unsignable(f"{where}: a control character")


# --- The quick way ----------------------------------------------------------------------------------------------------


class Kind(Enum):
    """What stands in a place of a quad."""

    PLAIN = "plain"
    IRI = "iri"
    TEXT = "text"
    BLANK = "blank"


Part = tuple[Kind, Any]  # with the plain text, the number of the text that goes there, or the blank node's name
Name = Callable[[str], str]  # what a blank node is called


@dataclass(frozen=True, slots=True)
class Shape:
    """Quads of documents with the same keys: ``named`` those without blank nodes, ``nameless`` those with some."""

    named: tuple[tuple[Part, ...], ...]
    nameless: tuple[tuple[Part, ...], ...]
    blanks: tuple[str, ...]

    def fill(self, texts: list[str]) -> str:
        """Canonical N-Quads with these texts in their places; blank nodes named as RDFC-1.0 names them.

        Refuses documents whose blank nodes the hashes of first degree do not tell apart.
        """
        hashes = {blank: self._first_degree_hash(blank, texts) for blank in self.blanks}
        if len(set(hashes.values())) != len(self.blanks):
            raise Unsignable("Two things without a name are the same.")
        order = sorted(self.blanks, key=hashes.__getitem__)
        names = {blank: f"_:c14n{place}" for place, blank in enumerate(order)}
        lines = {_line(quad, texts, names.__getitem__) for quad in (*self.named, *self.nameless)}
        return "".join(sorted(lines))

    def _first_degree_hash(self, blank: str, texts: list[str]) -> str:
        def name(other: str) -> str:
            return "_:a" if other == blank else "_:z"

        own = [quad for quad in self.nameless if (Kind.BLANK, blank) in quad]
        return hashlib.sha256("".join(sorted(_line(quad, texts, name) for quad in own)).encode()).hexdigest()


def canonical_quickly(document: Document) -> str:
    """The same as ``canonical``, for documents of which many have the same shape."""
    _require_plain(document)
    texts: list[str] = []
    outline = _outline(document, texts)
    return _shape(json.dumps(outline)).fill(texts)


def _outline(value: Any, texts: list[str], key: str = "") -> Any:
    """The document with a numbered place for each text, which goes into ``texts``."""
    if isinstance(value, dict):
        return {k: part if k == "@context" else _outline(part, texts, k) for k, part in value.items()}
    if isinstance(value, list):
        return [_outline(part, texts, key) for part in value]
    if isinstance(value, bool) or key in TERMS:
        return value
    texts.append(value)
    return f"{_PLACE}{len(texts) - 1}"


@lru_cache(maxsize=64)
def _shape(outline: str) -> Shape:
    document = json.loads(outline)
    canonical(document)  # refuses what would lose a leaf
    quads = [_parts(quad) for quad in _options(jsonld.to_rdf, document).splitlines(keepends=True)]
    blanks = {what for quad in quads for kind, what in quad if kind is Kind.BLANK}
    named = [quad for quad in quads if not any(kind is Kind.BLANK for kind, _what in quad)]
    nameless = [quad for quad in quads if quad not in named]
    return Shape(tuple(named), tuple(nameless), tuple(sorted(blanks)))


def _parts(quad: str) -> tuple[Part, ...]:
    found: list[Part] = []
    after = 0
    for place in _VARIES.finditer(quad):
        found.append((Kind.PLAIN, quad[after : place.start()]))
        iri, text, blank = place.groups()
        if blank is not None:
            found.append((Kind.BLANK, blank))
        else:
            found.append((Kind.IRI, int(iri)) if iri is not None else (Kind.TEXT, int(text)))
        after = place.end()
    return (*found, (Kind.PLAIN, quad[after:]))


def _line(quad: tuple[Part, ...], texts: list[str], name: Name) -> str:
    return "".join([_written(kind, what, texts, name) for kind, what in quad])


def _written(kind: Kind, what: Any, texts: list[str], name: Name) -> str:
    if kind is Kind.PLAIN:
        return what
    if kind is Kind.BLANK:
        return name(what)
    if kind is Kind.IRI:
        return f"<{_iri(texts[what])}>"
    return '"' + texts[what].replace("\\", "\\\\").replace('"', '\\"') + '"'


def _iri(text: str) -> str:
    """As it is. Raises ``Unsignable`` for what is no absolute address: some programs would leave it out."""
    if _NOT_IN_IRI.search(text) or not _SCHEME.match(text) or text.startswith(_RELATIVE):
        raise Unsignable(f"No address: {text}")
    return text
