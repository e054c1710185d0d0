"""Days as people write them; what could be two days is refused."""

from datetime import date

import pytest
from django.utils.translation import override

from incubator.common.dates import read_date
from incubator.common.errors import RuleBroken

DAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-20",
        "2026/11/20",
        "2026.11.20",
        "2026年11月20日",
        "2026年11月20号",
        "2026 年 11 月 20 日",
        "２０２６年１１月２０日",
        "2026、11、20",
        "2026 11 20",
        "20261120",
        "2026-11-20 00:00:00",
        "2026-11-20T08:30",
        "2026年11月20日 星期五",
        "2026-11-20（周五）",
        " '2026-11-20 ",
        "20/11/2026",
        "11/20/2026",
        "20.11.2026",
        "二〇二六年十一月二十日",
        "二零二六年十一月二十日",
        "2026-11-20\u200b",
    ],
)
def test_the_styles_people_use_are_one_day(text):
    assert read_date(text) == DAY


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-1-2", date(2026, 1, 2)),
        ("2026年1月2日", date(2026, 1, 2)),
        ("05/05/2026", date(2026, 5, 5)),  # whichever is the month
        ("2024-02-29", date(2024, 2, 29)),
        ("一九九八年十月三十一日", date(1998, 10, 31)),
        ("一九九八年二月三日", date(1998, 2, 3)),
        ("一九九八年十二月二十三日", date(1998, 12, 23)),
    ],
)
def test_short_and_edge_days(text, day):
    assert read_date(text) == day


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("03/04/05", "two digits"),
        ("98.3.5", "two digits"),
        ("26-11-20", "two digits"),
        ("98年3月5日", "two digits"),
        ("03/04/2026", "two different days"),
        ("1-2-2026", "two different days"),
        ("1998.3", "day of the month"),
        ("1998年3月", "day of the month"),
        ("1998-03", "day of the month"),
        ("199803", "day of the month"),
        ("1998", "day of the month"),
        ("1998年", "day of the month"),
        ("3月5日", "year is missing"),
        ("11月20日", "year is missing"),
        ("3.5", "year is missing"),
        ("46000", "number"),
        ("46000.5", "number"),
        ("2026-02-29", "no such day"),
        ("2026-13-01", "no such day"),
        ("20261320", "no such day"),
        ("31/02/2026", "no such day"),
        ("0000-01-01", "no such day"),
        ("今天", "not a day"),
        ("", "not a day"),
        ("2026-11-201", "not a day"),
        ("12026-11-20", "not a day"),
        ("民国115年11月20日", "not a day"),
        ("腊月初八", "not a day"),
    ],
)
def test_what_is_no_day_or_several_is_refused_with_the_reason(text, said):
    with override("en"), pytest.raises(RuleBroken, match=said):
        read_date(text)
