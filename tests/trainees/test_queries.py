"""How people are found by what is typed: each kind of word, and what it costs the database."""

import re

import pytest
from django.db import connection

from tests import factories
from trainees.models import Trainee
from trainees.queries import person_q, tidy
from trainees.services import NewTrainee, enter_trainees

pytestmark = pytest.mark.django_db
ID_NUMBER, PHONE = "11010519491231002X", "+8613800001234"


@pytest.fixture
def person():
    county = factories.region("622927")
    people = [
        NewTrainee(name="单小明", county=county, id_number=ID_NUMBER, phone=PHONE),
        NewTrainee(name="李四", county=county),
        NewTrainee(name="买买提·吐尔逊", county=county),
    ]
    trainee, other, _third = enter_trainees(people, year=2025)
    factories.CreatorAccountFactory(trainee=trainee, handle="XiaoMing_88")
    factories.CreatorAccountFactory(trainee=trainee, handle="8800123")
    factories.CreatorAccountFactory(trainee=other, handle="lisi")
    return trainee


def found(text):
    return set(Trainee.objects.filter(person_q(text)))


@pytest.mark.parametrize(
    "text",
    [
        "单小明",
        "单小",
        "　单小明 ",
        "单 小 明",
        "sxm",
        "SXM",
        "ｓｘ",
        "13800001234",
        "+86 138 0000 1234",
        "138-0000-1234",
        "１３８００００１２３４",
        ID_NUMBER,
        ID_NUMBER.lower(),
        "１１０１０５１９４９１２３１００２Ｘ",
        "xiaoming_88",
        "XIAOM",
        "@XiaoMing_88",
        "8800",
    ],
)
def test_a_person_is_found_by(person, text):
    assert found(text) == {person}


def test_a_person_is_found_by_number(person):
    for text in (person.number, person.number.lower(), person.number[1:], f" {person.number} "):
        assert found(text) == {person}


@pytest.mark.parametrize("text", ["买买提·吐尔逊", "买买提•吐", "买买提・吐", "买买提‧"])
def test_the_dot_in_a_name_may_be_any_dot(person, text):
    assert {p.name for p in found(text)} == {"买买提·吐尔逊"}


@pytest.mark.parametrize(
    "text", ["小明", "xm", "1380000", "110105", "110105194912310021", "138000012345", "iaoming", "%", "_", "·", "dxm"]
)
def test_parts_from_the_middle_and_wrong_numbers_find_nobody(person, text):
    assert found(text) == set()


def test_letters_are_initials_or_a_handle_and_both_are_found(person):
    """``ls``: 李四 by her initials, who also has such a handle; a stranger by a handle alone."""
    stranger = factories.TraineeFactory(name="赵六", initials="zl")
    factories.CreatorAccountFactory(trainee=stranger, handle="LSHOP")
    assert {p.name for p in found("lsho")} == {"赵六"}
    factories.CreatorAccountFactory(trainee=stranger, handle="lS")
    assert {p.name for p in found("ls")} == {"李四", "赵六"}


def test_of_two_or_three_letters_only_a_whole_handle_is_meant(person):
    """They are the initials of thousands: handles that begin with them would bury those."""
    stranger = factories.TraineeFactory(name="赵六", initials="zl")
    factories.CreatorAccountFactory(trainee=stranger, handle="LSHOP")
    assert {p.name for p in found("ls")} == {"李四"}
    assert found("lsh") == set()


def test_a_phone_may_be_a_handle_too(person):
    stranger = factories.TraineeFactory()
    factories.CreatorAccountFactory(trainee=stranger, handle=PHONE.removeprefix("+86"))
    assert found("13800001234") == {person, stranger}


def test_one_letter_is_the_beginning_of_initials_only(person):
    factories.CreatorAccountFactory(trainee=factories.TraineeFactory(), handle="s1")
    assert found("s") == {person}


def test_rows_of_other_lists_are_found_by_their_people(person):
    row = factories.ParticipationFactory(trainee=person)
    factories.ParticipationFactory()
    for text in ("sx", "xiaoming", "单", "13800001234", person.number):
        assert list(type(row).objects.filter(person_q(text, "trainee__"))) == [row]


@pytest.mark.parametrize(
    "text", ["T2025-0000001", "2025-0000001", "单小", "sx", "13800001234", ID_NUMBER, "ks0001", "xiaoming"]
)
def test_every_part_of_a_search_is_answered_by_an_index(person, text):
    """With scans of whole tables forbidden where there is another way, none is left; and nothing is joined by OR."""
    for _n in range(100):  # a table of one row is walked whatever it offers
        factories.CreatorAccountFactory()
    rows = Trainee.objects.filter(person_q(text)).order_by()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE trainees_trainee, metrics_creatoraccount; SET LOCAL enable_seqscan = off")
    lines = rows.explain().splitlines()
    scans = [n for n, line in enumerate(lines) if re.search(r"Index (Only )?Scan (using|on)", line)]
    assert scans
    assert [lines[n] for n in scans if "Index Cond" not in lines[n + 1]] == []  # entered by what was typed, not walked
    assert not [line for line in lines if "Seq Scan" in line]
    assert " OR " not in str(rows.query)


def test_tidy_leaves_words_apart_that_are_not_chinese():
    assert tidy(" Ａnna  Li ") == "Anna  Li"
    assert tidy("王　小明") == "王小明"
