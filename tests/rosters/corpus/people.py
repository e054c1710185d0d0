"""The people and the lines that the corpus is made of. Nobody in it can exist: see ``incubator.demo.people``."""

from datetime import date

from incubator.demo.people import invent_people
from trainees.identity import check_digit

FILLED_ON = date(2026, 3, 2)
COUNTY, COUNTY_NAME = "622927", "积石山县"
TOWNSHIPS = ["吹麻滩镇", "大河家镇", "居集镇"]
PEOPLE = invent_people(COUNTY, TOWNSHIPS, 60, seed=4, on=FILLED_ON)
KNOWN = range(50, 53)  # people of the county who are entered already
ELSEWHERE = 59  # somebody whom another county entered
HEADERS = ["序号", "姓名", "性别", "身份证号码", "联系电话", "所在县", "乡镇", "文化程度", "人员类别", "快手号"]


def line(n: int, *, serial: object = None, **changes: object) -> list[object]:
    """A good row of the n-th person, in the order of ``HEADERS``; changes by header."""
    person = PEOPLE[n]
    values: dict[str, object] = {
        "序号": n + 1 if serial is None else serial,
        "姓名": person.name,
        "性别": person.sex,
        "身份证号码": person.id_number,
        "联系电话": person.phone,
        "所在县": COUNTY_NAME,
        "乡镇": person.township,
        "文化程度": person.education,
        "人员类别": person.background,
        "快手号": person.handle,
    }
    assert set(changes) <= set(values), changes
    return list((values | changes).values())


def lines(*numbers: int) -> list[list[object]]:
    return [line(n) for n in numbers]


def short(n: int, *headers: str, **changes: object) -> list[object]:
    """Only the cells of these headers."""
    values = dict(zip(HEADERS, line(n, **changes), strict=True))
    return [values[header] for header in headers]


def id_number(start: str = "620000", day: str = "19980203", serial: int = 121) -> str:
    number = f"{start}{day}{serial:03d}"
    return number + check_digit(number)


def mistyped(number: str) -> str:
    """With another last character than fits."""
    return number[:-1] + ("1" if number[-1] != "1" else "2")
