"""ID numbers and phones as counties type them: understood where only one meaning is possible, else explained."""

from datetime import date

import phonenumbers
import pytest
import time_machine
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric

from incubator.common.errors import RuleBroken
from trainees.identity import check_digit, may_be_rounded, parse_id_number, parse_mobile


def id_number(start="620000", day="19980203", serial="121"):
    """A number with the right last character; nobody's card carries the code of a whole province."""
    number = f"{start}{day}{serial}"
    return number + check_digit(number)


GOOD = id_number()
ENDS_IN_X = next(number for n in range(100, 999) if (number := id_number(serial=str(n))).endswith("X"))
FULL_WIDTH = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (GOOD, GOOD),
        (f" {GOOD[:6]} {GOOD[6:14]}\u3000{GOOD[14:]}\n", GOOD),
        (f"{GOOD[:6]}-{GOOD[6:14]}-{GOOD[14:]}", GOOD),
        (f"\u200b{GOOD}\ufeff", GOOD),
        (f"'{GOOD}", GOOD),
        (f"‘{GOOD}", GOOD),
        (GOOD.translate(FULL_WIDTH), GOOD),
        (ENDS_IN_X.lower(), ENDS_IN_X),
        (ENDS_IN_X.translate(FULL_WIDTH), ENDS_IN_X),
        (ENDS_IN_X[:-1] + "Ⅹ", ENDS_IN_X),
        (ENDS_IN_X[:-1] + "×", ENDS_IN_X),
        (id_number("810000"), id_number("810000")),
        (id_number("820000"), id_number("820000")),
        (id_number("830000"), id_number("830000")),
    ],
)
def test_a_number_is_understood_however_it_is_typed(text, number):
    assert parse_id_number(text).number == number


def test_a_number_says_when_its_owner_was_born_and_of_which_sex():
    found = parse_id_number(id_number(serial="122"))
    assert (found.born_on, found.sex) == (date(1998, 2, 3), "female")
    assert parse_id_number(id_number(serial="131")).sex == "male"


ENDS_IN_ZEROS = [f"620000199802{day:02d}1000" for day in range(1, 29)]
ROUNDED_BADLY = next(number for number in ENDS_IN_ZEROS if check_digit(number) != "0")
ROUNDED_BY_CHANCE_WELL = next(number for number in ENDS_IN_ZEROS if check_digit(number) == "0")


def mistyped(number):
    return number[:-1] + ("1" if number[-1] == "0" else "0")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("620000980203121", "15 digits"),
        ("６２００００９８０２０３１２１", "15 digits"),
        (GOOD[:-1], "has 17"),
        (GOOD + "1", "has 19"),
        ("H12345678", "has 9"),
        ("无", "has 1"),
        ("620000********1234", "partly hidden"),
        ("620000199802031***", "partly hidden"),
        ("6200001998020312O1", "stands “O”"),
        (GOOD[:16] + "XX", "stands “X”"),
        (GOOD[:-1] + "Y", "stands “Y”"),
        (id_number("170000"), "province"),
        (id_number("000000"), "province"),
        (id_number("810101"), "province"),
        (id_number("830001"), "province"),
        (id_number(day="19980230"), "day of birth"),
        (id_number(day="19981301"), "day of birth"),
        (id_number(day="00000101"), "day of birth"),
        (id_number(day="18980203"), "year of birth"),
        (id_number(day="29980203"), "year of birth"),
        (mistyped(GOOD), "last character"),
        ("6.20000199802031E+17", "stored as a number"),
        ("6.20000199802031e+17", "stored as a number"),
        ("6.2E17", "stored as a number"),
        ("１.10105E+17", "stored as a number"),
        (ROUNDED_BADLY, "stored as a number"),
    ],
)
def test_every_mistake_is_explained(text, said):
    with override("en"), pytest.raises(RuleBroken, match=said):
        parse_id_number(text)


@pytest.mark.parametrize(("day", "is_born"), [("20261127", True), ("20261128", False)])
def test_nobody_is_born_tomorrow(day, is_born):
    with time_machine.travel(date(2026, 11, 27), tick=False):
        if is_born:
            assert parse_id_number(id_number(day=day)).born_on == date(2026, 11, 27)
        else:
            with pytest.raises(RuleBroken):
                parse_id_number(id_number(day=day))


def test_a_valid_number_that_ends_like_a_rounded_one_is_marked():
    assert may_be_rounded(parse_id_number(ROUNDED_BY_CHANCE_WELL).number) and not may_be_rounded(GOOD)


@given(st.text(alphabet="0123456789", min_size=17, max_size=17))
def test_the_check_digit_is_the_standard_ones(digits):
    assert check_digit(digits) == ric.calc_check_digit(digits + "0")


@given(st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_is_always_noticed(place, by):
    wrong = GOOD[:place] + str((int(GOOD[place]) + by) % 10) + GOOD[place + 1 :]
    with pytest.raises(RuleBroken):
        parse_id_number(wrong)


@pytest.mark.parametrize(
    "text",
    [
        "15412345678",
        "+8615412345678",
        "+86 154 1234 5678",
        "0086-154-1234-5678",
        "86 15412345678",
        "(+86) 154-1234-5678",
        "015412345678",
        "154 1234 5678",
        "154-1234-5678",
        "１５４１２３４５６７８",
        "154\n12345678",
        "\u202a15412345678\u202c",
        "'15412345678",
        "154.1234.5678",
        "154—1234—5678",
    ],
)
def test_a_mobile_is_understood_however_it_is_typed(text):
    assert parse_mobile(text) == "+8615412345678"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0930-7721234", "landline"),
        ("010-62345678", "landline"),
        ("09307721234", "landline"),
        ("7721234", "landline"),
        ("400-810-8888", "landline"),
        ("+86 930 7721234", "landline"),
        ("1541234567", "has 10"),
        ("154123456789", "has 12"),
        ("12345678901", "has 11|not a mobile"),
        ("+852 9123 4567", "abroad"),
        ("+1 650 253 0000", "abroad"),
        ("154****5678", "partly hidden"),
        ("1.54E+10", "stored as a number"),
        ("1.54123E+10", "stored as a number"),
        ("15412345678/15487654321", "two numbers"),
        ("15412345678、15487654321", "two numbers"),
        ("15412345678 15487654321", "two numbers"),
        ("无", "not a phone"),
        ("同上", "not a phone"),
    ],
)
def test_what_is_no_mobile_is_explained(text, said):
    with override("en"), pytest.raises(RuleBroken, match=said):
        parse_mobile(text)


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True))
def test_mobiles_are_written_as_the_world_writes_them(text):
    number = phonenumbers.parse(text, "CN")
    assert parse_mobile(text) == phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
