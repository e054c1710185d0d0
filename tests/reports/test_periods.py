"""Periods: what people write, where they begin and end, and what is refused."""

from datetime import date

import pytest

from incubator.common.errors import RuleBroken
from incubator.reports.periods import Period


@pytest.mark.parametrize(
    ("text", "code", "starts_on", "ends_on"),
    [
        ("2026Q1", "2026Q1", date(2026, 1, 1), date(2026, 3, 31)),
        (" 2026q4 ", "2026Q4", date(2026, 10, 1), date(2026, 12, 31)),
        ("2026H2", "2026H2", date(2026, 7, 1), date(2026, 12, 31)),
        ("2026", "2026", date(2026, 1, 1), date(2026, 12, 31)),
        ("2028-02", "2028-02", date(2028, 2, 1), date(2028, 2, 29)),
        ("2026-12", "2026-12", date(2026, 12, 1), date(2026, 12, 31)),
        ("２０２６Ｑ３", "2026Q3", date(2026, 7, 1), date(2026, 9, 30)),
        ("2018Q1", "2018Q1", date(2018, 1, 1), date(2018, 3, 31)),
        ("2100", "2100", date(2100, 1, 1), date(2100, 12, 31)),
    ],
)
def test_period_is_read(text, code, starts_on, ends_on):
    assert Period.parse(text) == Period(code, starts_on, ends_on)


@pytest.mark.parametrize(
    "text",
    ["", " ", "2026Q0", "2026Q5", "2026H3", "2026-00", "2026-13", "2026-1", "26Q1", "2017Q4", "2101", "0000",
     "2026Q3 x", "2026Q3\x00", "-2026", "٢٠٢٦", "2026Q３a", "third quarter", "99999999999"],
)  # fmt: skip
def test_nonsense_is_refused_with_what_to_write(text):
    with pytest.raises(RuleBroken, match=r"2026Q3.*2026H1.*2026-08"):
        Period.parse(text)


def test_long_nonsense_is_not_repeated_in_full():
    with pytest.raises(RuleBroken) as refusal:
        Period.parse("9" * 5000)

    assert len(str(refusal.value)) < 120


@pytest.mark.parametrize(
    ("code", "before", "after"),
    [
        ("2026Q1", "2025Q4", "2026Q2"),
        ("2026H1", "2025H2", "2026H2"),
        ("2026", "2025", "2027"),
        ("2026-01", "2025-12", "2026-02"),
        ("2026-12", "2026-11", "2027-01"),
    ],
)
def test_neighbours_have_the_same_length(code, before, after):
    period = Period.parse(code)

    assert period.previous() == Period.parse(before)
    assert period.next() == Period.parse(after)


@pytest.mark.parametrize("code", ["2018Q1", "2018H1", "2018", "2018-01"])
def test_nothing_was_before_the_programme(code):
    assert Period.parse(code).previous() is None


@pytest.mark.parametrize(
    ("day", "code"), [(date(2026, 3, 31), "2026Q1"), (date(2026, 4, 1), "2026Q2"), (date(2026, 12, 31), "2026Q4")]
)
def test_current_period_is_the_quarter_of_the_day(day, code):
    assert Period.current(day).code == code
