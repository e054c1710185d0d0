"""A long roster of people who do not exist, as a county mails it: 20 columns, shared texts, a title and a total."""

import random
from collections.abc import Iterator
from datetime import date
from itertools import chain
from pathlib import Path

import xlsxwriter

from incubator.demo.people import BACKGROUNDS, EDUCATION, GIVEN_TWO, SURNAMES
from trainees.identity import check_digit

HEADERS = [
    "序号", "姓名", "性别", "民族", "身份证号码", "联系电话", "所在县", "乡镇", "村", "政治面貌", "文化程度",
    "人员类别", "快手号", "粉丝数", "开户日期", "从事产业", "家庭人口", "是否脱贫户", "推荐单位", "备注",
]  # fmt: skip
FIRST, LAST = date(1993, 1, 1).toordinal(), date(2007, 12, 31).toordinal()
# The codes of whole provinces, which are on nobody's card.
PROVINCES = ("620000", "520000", "530000", "450000", "610000", "630000", "150000", "510000")


def write_roster(path: Path, people: int, *, county: str = "积石山县", first: int = 0, is_bare: bool = False) -> None:
    """A workbook of that many people; with another ``first`` none of them is in both. A bare one begins with its header
    and ends with the last person.
    """
    book = xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "tmpdir": str(path.parent)})
    sheet = book.add_worksheet("报名表")
    above = [[f"{county}农村青年主播培育项目学员报名表"], [f"填报单位（盖章）：{county}农业农村局"]]
    below = [["合计", f"{people}人"]]
    rows = chain([] if is_bare else above, [HEADERS], invented_rows(people, county, first), [] if is_bare else below)
    for place, row in enumerate(rows):
        sheet.write_row(place, 0, row)
    book.close()


def invented_rows(people: int, county: str, first: int = 0) -> Iterator[list]:
    """Rows of ``HEADERS``; the same for the same numbers."""
    rng = random.Random(first)
    for n in range(first, first + people):
        number = id_number(n)
        yield [
            n + 1,
            rng.choice(SURNAMES) + rng.choice(GIVEN_TWO),
            "男" if int(number[16]) % 2 else "女",
            "汉族",
            number,
            f"154{n:08d}",
            county,
            f"第{n % 23}镇",
            f"第{n % 400}村",
            "群众",
            rng.choice(EDUCATION),
            rng.choice(BACKGROUNDS),
            f"ks{n:09d}",
            rng.randrange(100_000),
            "2024年3月5日",
            "种植养殖",
            rng.randrange(1, 8),
            "否",
            f"{county}农业农村局",
            "",
        ]


def id_number(n: int) -> str:
    """The n-th valid number of nobody: counted through days, serials and provinces; no two are the same."""
    days = LAST - FIRST + 1
    day, rest = n % days, n // days
    serial, province = rest % 1000, rest // 1000
    number = f"{PROVINCES[province % len(PROVINCES)]}{date.fromordinal(FIRST + day):%Y%m%d}{serial:03d}"
    return number + check_digit(number)
