"""Names by the first letters of their pinyin."""

from importlib import import_module

import pytest
from django.apps import apps
from pypinyin import Style, lazy_pinyin

from tests import factories
from trainees.names import SURNAMES, initials, surname_of


@pytest.mark.parametrize(
    ("name", "letters"),
    [("王小明", "wxm"), ("迪丽热巴·迪力木拉提", "dlrbdlmlt"), ("Anna 李", "annal"), ("䶮", "y"), ("", "")],
)
def test_initials_are_the_first_letters_of_the_pinyin(name, letters):
    assert initials(name) == letters


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("单雄信", "sxx"),
        ("仇英", "qy"),
        ("查良镛", "zly"),
        ("曾国藩", "zgf"),
        ("解缙", "xj"),
        ("区楚良", "ocl"),
        ("尉迟恭", "ycg"),
        ("万俟卨", "mqx"),
        ("澹台灭明", "ttmm"),
        ("翟让", "zr"),
        ("覃辉", "qh"),
        ("乐毅", "yy"),
    ],
)
def test_surnames_are_read_as_surnames(name, letters):
    assert initials(name) == letters


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("王单", "wd"),  # not a surname where it stands
        ("李解放", "ljf"),
        ("尉平", "wp"),  # alone it is wèi
        ("单", "d"),  # nothing follows: one cannot know
        ("解尔·买买提", "jemmt"),  # a name of several parts has no surname
    ],
)
def test_the_same_characters_elsewhere_are_read_as_ever(name, letters):
    assert initials(name) == letters


def test_every_row_of_the_table_is_needed():
    """One that begins with the letters of its usual reading would say nothing."""
    usual = {surname: "".join(lazy_pinyin(surname, style=Style.FIRST_LETTER)) for surname in SURNAMES}
    assert {s: initials(s + "一")[:-1] for s in SURNAMES if initials(s + "一")[:-1] == usual[s]} == {}


def test_a_double_surname_goes_before_a_single_one():
    assert surname_of("尉迟恭") == "尉迟"
    assert surname_of("单雄信") == "单"
    assert surname_of("王小明") == ""


@pytest.mark.django_db
def test_people_who_are_there_already_are_read_anew(monkeypatch):
    """Also when they are more than a batch."""
    module = import_module("trainees.migrations.0008_surnames")
    monkeypatch.setattr(module, "BATCH", 2)
    people = [
        factories.TraineeFactory(name=name, initials="old") for name in ("单一", "单二", "单三", "尉迟恭", "王五")
    ]

    module.read_anew(apps, None)

    for person in people:
        person.refresh_from_db()
    assert [person.initials for person in people] == ["sy", "se", "ss", "ycg", "old"]
