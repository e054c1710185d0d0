"""People who do not exist, the same for the same seed.

No real person can be meant: their ID numbers carry the address code of a whole province (620000, 520000), while every
card carries the code of a county; their phones begin with 154, a prefix that no operator has been allotted.
"""

import random
from dataclasses import dataclass
from datetime import date, timedelta

from stdnum.cn import ric

SURNAMES = list("马王李张杨刘陈赵黄周吴徐孙朱胡郭何罗高林唐丁安祁冶妥汪韩石谢")
GIVEN_ONE = list("强丽伟娟军霞磊敏静涛艳超燕波婷斌雪鹏慧龙兰杰梅明芳")
# fmt: off
GIVEN_TWO = [
    "小兰", "志强", "秀英", "建国", "晓梅", "文博", "春花", "海燕", "玉兰", "国栋", "雪梅", "永胜", "丽华", "成龙",
    "金花", "万福", "雅琴", "学文", "桂香", "生虎", "晓燕", "建军", "秀兰", "文斌", "玉梅", "志明", "海霞", "国强",
    "彩云", "占奎", "丽娟", "福海", "雨欣", "子涵", "浩然", "梦洁", "俊杰", "思雨", "佳琪", "天佑",
]
# fmt: on
ETHNIC_GIVEN = ["阿西木", "法图麦", "尔撒", "阿依莎", "麦力克", "索菲亚", "优素福", "海迪彻"]
ETHNIC_FAMILY = ["马哈迈德", "阿不都", "穆撒", "伊布拉黑", "哈力买"]
EDUCATION = ["初中", "高中", "中专", "大专", "大专", "本科"]
BACKGROUNDS = ["乡村创业者", "返乡大学生", "乡村生活记录者", "村干部"]
HANDLE_WORDS = ["shanli", "xiangcun", "nongjia", "huanghe", "liangshi", "mianyang", "tianyuan", "caihua"]


@dataclass(frozen=True, slots=True)
class InventedPerson:
    """One line of a demo roster, as the county would write it."""

    name: str
    sex: str
    id_number: str
    phone: str
    township: str
    education: str
    background: str
    handle: str


def invent_people(county: str, townships: list[str], count: int, *, seed: int, on: date) -> list[InventedPerson]:
    """``count`` people of a county (six-digit code), aged 19 to 34 on a day, no two with the same number or phone."""
    rng = random.Random(f"{seed}:{county}")  # noqa: S311 - invented people need no secrecy
    people = [_person(rng, county, townships[n * len(townships) // count], n, on) for n in range(count)]
    return sorted(people, key=lambda person: townships.index(person.township))


def _person(rng: random.Random, county: str, township: str, n: int, on: date) -> InventedPerson:
    is_male = rng.random() < 0.5
    born_on = on - timedelta(days=rng.randrange(19 * 366, 34 * 365))
    return InventedPerson(
        name=_name(rng, county),
        sex="男" if is_male else "女",
        id_number=_id_number(county[:2] + "0000", born_on, 2 * n + 100 + is_male),
        phone=f"154{county[2:]}{n:04d}",
        township=township,
        education=rng.choice(EDUCATION),
        background=rng.choice(BACKGROUNDS),
        handle=f"{rng.choice(HANDLE_WORDS)}{county[3:]}{n:03d}",
    )


def _name(rng: random.Random, county: str) -> str:
    if county.startswith("62") and rng.random() < 0.06:
        return f"{rng.choice(ETHNIC_GIVEN)}·{rng.choice(ETHNIC_FAMILY)}"
    return rng.choice(SURNAMES) + rng.choice(GIVEN_ONE if rng.random() < 0.3 else GIVEN_TWO)


def _id_number(province: str, born_on: date, serial: int) -> str:
    """A number with the right check digit; an odd serial is a man's."""
    number = f"{province}{born_on:%Y%m%d}{serial % 1000:03d}"
    return number + ric.calc_check_digit(number + "0")
