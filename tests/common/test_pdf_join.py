"""Many PDFs as one: all pages, in order, with their own fonts."""

import io
import subprocess

import pytest

from incubator.common.pdf import render_pdf
from incubator.common.pdf_join import NotOurs, _moved, join_pdfs


def sheet(title, notes=(), *, tagged=False):
    return render_pdf("timetable", {"title": title, "head": [], "days": [], "notes": list(notes)}, tagged=tagged)


def joined(*parts, title="一份"):
    out = io.BytesIO()
    return join_pdfs(parts, out, title=title), out.getvalue()


def run(tmp_path, program, content, *arguments):
    path = tmp_path / "a.pdf"
    path.write_bytes(content)
    done = subprocess.run([program, path, *arguments], capture_output=True, check=True)
    assert done.stderr == b""  # poppler complains of everything that is not right
    return done.stdout.decode()


def test_pages_come_in_the_order_of_the_parts(tmp_path):
    parts = [sheet("甲班"), sheet("乙班", ["一"] * 120), sheet("丙班")]
    count, whole = joined(*parts)
    pages = run(tmp_path, "pdftotext", whole, "-").split("\f")[:-1]
    assert count == len(pages) == 5
    found = [next(name for name in ("甲班", "乙班", "丙班") if name in page) for page in pages]
    assert found == ["甲班", "乙班", "乙班", "乙班", "丙班"]
    info = run(tmp_path, "pdfinfo", whole)
    assert "Title:           一份" in info and "A4" in info


def test_what_looks_like_a_reference_in_a_text_stays(tmp_path):
    _count, whole = joined(sheet("5 0 R (7 0 R) \\ )("), sheet("8 0 R"))
    text = run(tmp_path, "pdftotext", whole, "-")
    assert "5 0 R (7 0 R) \\ )(" in text and "80R" in text.replace(" ", "")


def test_references_are_moved_and_neither_strings_nor_streams():
    body = b"<</T(5 0 R \\) 6 0 R)/P 5 0 R/K[6 0 R 17 0 R]/D(x)>>\nstream\n8 0 R\nendstream"
    moved = b"<</T(5 0 R \\) 6 0 R)/P 15 0 R/K[16 0 R 27 0 R]/D(x)>>\nstream\n8 0 R\nendstream"
    assert _moved(body, 10) == moved


def test_what_belongs_to_a_part_as_a_document_is_left_behind():
    _count, whole = joined(sheet("甲班"), sheet("乙班"))
    assert whole.count(b"/Catalog") == 1 and b"/Metadata" not in whole


def test_same_parts_give_the_same_bytes():
    assert joined(sheet("甲班"), sheet("乙班")) == joined(sheet("甲班"), sheet("乙班"))


@pytest.mark.parametrize("other", [b"", b"GIF89a", b"%PDF-1.7\nstartxref\n0\n%%EOF"])
def test_what_another_writer_made_is_refused(other):
    with pytest.raises(NotOurs):
        joined(sheet("甲班"), other)


def test_tags_are_not_lost_without_a_word():
    with pytest.raises(NotOurs):
        joined(sheet("甲班", tagged=True))
