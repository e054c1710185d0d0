"""``python -m incubator.demo.rosters.make``: the sample rosters, the same bytes each time.

They look like what a county mails: a title, a line with 填报单位 and the date, a header, a serial column, people by
township, a total, signatures. The county is written as counties write it.
"""

from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO
from pathlib import Path

import xlsxwriter

from incubator.demo.people import InventedPerson, invent_people

HERE = Path(__file__).parent
SEED = 20260901
FILLED_ON = date(2026, 3, 2)
HEADERS = ["序号", "姓名", "性别", "身份证号码", "联系电话", "所在县", "乡镇", "文化程度", "人员类别", "快手号", "备注"]
WIDTHS = [6, 14, 6, 22, 15, 12, 12, 10, 16, 18, 10]


@dataclass(frozen=True, slots=True)
class SampleRoster:
    """One county's workbook."""

    code: str
    county: str
    filled_by: str
    townships: list[str]
    count: int

    @property
    def file_name(self) -> str:
        return f"{self.code}-{self.county}-报名表.xlsx"


SAMPLES = [
    SampleRoster(
        "622927", "积石山县", "积石山县农业农村局", ["吹麻滩镇", "大河家镇", "居集镇", "癿藏镇", "刘集乡"], 76
    ),
    SampleRoster("622926", "东乡县", "东乡族自治县农业农村局", ["锁南镇", "达板镇", "河滩镇", "唐汪镇"], 72),
    SampleRoster("520526", "威宁县", "威宁县农业农村局", ["草海街道", "麻乍镇", "黑石头镇", "雪山镇", "迤那镇"], 74),
]


def make(sample: SampleRoster) -> bytes:
    """The workbook's bytes."""
    buffer = BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False})
    book.set_properties({"title": sample.file_name, "created": datetime(2026, 3, 2, 9)})
    sheet = book.add_worksheet("报名表")
    title = book.add_format({"bold": True, "font_size": 16, "align": "center", "valign": "vcenter"})
    head = book.add_format({"bold": True, "border": 1, "align": "center", "bg_color": "#F2E6D8", "text_wrap": True})
    text = book.add_format({"border": 1, "num_format": "@"})
    last = len(HEADERS) - 1
    sheet.merge_range(0, 0, 0, last, f"{sample.county}农村青年主播培育项目学员报名表", title)
    sheet.merge_range(1, 0, 1, 6, f"填报单位（盖章）：{sample.filled_by}")
    sheet.merge_range(1, 7, 1, last, f"填报日期：{FILLED_ON:%Y年%m月%d日}")
    for column, (header, width) in enumerate(zip(HEADERS, WIDTHS, strict=True)):
        sheet.set_column(column, column, width)
        sheet.write_string(2, column, header, head)
    people = invent_people(sample.code, sample.townships, sample.count, seed=SEED, on=FILLED_ON)
    for n, person in enumerate(people, 1):
        _write_person(sheet, 2 + n, n, person, sample, text)
    foot = 3 + len(people)
    sheet.write_string(foot, 0, "合计", head)
    sheet.write_string(foot, 1, f"{len(people)}人", text)
    sheet.write_string(foot + 1, 0, "填表人：　　　　　　　审核人：　　　　　　　联系电话：")
    sheet.freeze_panes(3, 2)
    book.close()
    return buffer.getvalue()


def _write_person(sheet, row: int, n: int, person: InventedPerson, sample: SampleRoster, text) -> None:  # type: ignore[no-untyped-def]
    values = [
        person.name, person.sex, person.id_number, person.phone, sample.county,
        person.township, person.education, person.background, person.handle, "",
    ]  # fmt: skip
    sheet.write_number(row, 0, n, text)
    for column, value in enumerate(values, 1):
        sheet.write_string(row, column, value, text)


def main() -> None:
    for sample in SAMPLES:
        (HERE / sample.file_name).write_bytes(make(sample))


if __name__ == "__main__":
    main()
