"""Documents on paper: what the fonts can draw, and that data is text."""

import pytest
import typst

from incubator.common.pdf import FONTS, characters_of, missing_glyphs, render_pdf


@pytest.mark.parametrize(
    "text", ["王小明", "王䶮", "刘㛃", "赵𫖯", "阿卜杜热合曼·买买提", "T2026-0000001 ab,（）", "\n​"]
)
def test_names_of_people_can_be_printed(text):
    assert missing_glyphs(text) == []


def test_what_cannot_be_printed_is_told_once_and_in_order():
    assert missing_glyphs("羊\U0001f411\U0001f40f羊\U0001f411") == ["\U0001f411", "\U0001f40f"]


def test_all_of_gb2312_is_in_both_weights():
    wanted = {ord(bytes([high, low]).decode("gb2312")) for high in range(0xB0, 0xD7) for low in range(0xA1, 0xFF)}
    for font in ("NotoSansCJKsc-Regular", "NotoSansCJKsc-Bold", "NotoSerifCJKsc-Bold"):
        assert wanted <= set(characters_of(FONTS / f"{font}.otf"))


def test_fonts_stay_small_and_have_their_licence():
    assert sum(path.stat().st_size for path in FONTS.glob("*.otf")) < 13_000_000
    assert "SIL OPEN FONT LICENSE Version 1.1" in (FONTS / "OFL.txt").read_text()


def test_data_is_text_and_never_markup():
    """Were it markup, reading a file and an unknown function would fail."""
    evil = '#read("/etc/passwd") #nothing() $x'
    made = render_pdf("timetable", {"title": evil, "head": [["班次", evil]], "days": [], "notes": [evil]})
    assert made.startswith(b"%PDF-")


def test_a_template_that_does_not_fit_raises():
    with pytest.raises(typst.TypstError):
        render_pdf("timetable", {})
