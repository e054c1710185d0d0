"""Makes the fonts beside this file: ``make_fonts.py FOLDER LIST...``; needs fonttools, which the product does not.

FOLDER holds ``NotoSansCJK-Regular.ttc``, ``-Bold.ttc`` and ``NotoSerifCJK-Bold.ttc`` (Debian's ``fonts-noto-cjk``); a
LIST is a text file with the characters of 通用规范汉字表 (2013), in any number of lines.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTCollection

HERE = Path(__file__).parent
SIMPLIFIED = 2  # the face of simplified Chinese in the collection
HAN = [(0x2E80, 0x3000), (0x3007, 0x3008), (0x3400, 0xA000), (0xF900, 0xFB00), (0x20000, 0x32000)]
SIGNS = [
    (0x20, 0x7F), (0xA0, 0x180), (0x2010, 0x20D0), (0x2100, 0x2201), (0x3000, 0x3040), (0xFF00, 0xFFF0),
]  # fmt: skip
SHAPES = "∈√≠≤≥■□▲△○●★☆✓✗・"


def of(ranges: Iterable[tuple[int, int]]) -> set[int]:
    return {code for first, last in ranges for code in range(first, last)}


def gb2312() -> set[int]:
    """All characters of GB 2312, as the codec knows them."""
    found = set()
    for high in range(0xA1, 0xF8):
        for low in range(0xA1, 0xFF):
            text = bytes([high, low]).decode("gb2312", "ignore")
            found |= {ord(character) for character in text}
    return found


def listed(paths: Iterable[str]) -> set[int]:
    texts = "".join(Path(path).read_text("utf-8") for path in paths)
    return {ord(character) for character in texts if ord(character) > 0x2E7F}


def save(folder: Path, weight: str, characters: set[int], family: str, name: str, kind: str = "Sans") -> None:
    """A subset without hints and layout tables, under a family name of its own."""
    font = TTCollection(str(folder / f"Noto{kind}CJK-{weight}.ttc")).fonts[SIMPLIFIED]
    options = Options()
    options.layout_features, options.hinting = [], False
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14, 16, 17]
    options.drop_tables += ["vhea", "vmtx", "VORG", "BASE", "GPOS", "GSUB", "GDEF", "DSIG"]
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=characters)
    subsetter.subset(font)
    full = f"{family} {weight}"
    names = {1: family, 16: family, 2: weight, 17: weight, 3: f"{full} subset", 4: full, 6: full.replace(" ", "")}
    for record in font["name"].names:
        if record.nameID in names:
            record.string = names[record.nameID]
    font.save(str(HERE / name))


def main(folder: Path, lists: list[str]) -> None:
    common = of(SIGNS) | {ord(shape) for shape in SHAPES} | gb2312() | listed(lists)
    for weight in ("Regular", "Bold"):
        save(folder, weight, common, "Noto Sans CJK SC", f"NotoSansCJKsc-{weight}.otf")
    save(folder, "Bold", common, "Noto Serif CJK SC", "NotoSerifCJKsc-Bold.otf", kind="Serif")
    save(folder, "Regular", of(HAN) - common, "Noto Sans CJK SC Rare", "NotoSansCJKsc-Rare-Regular.otf")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
