"""Who is asked about by night, and who is not asked about again."""

from datetime import date

import pytest
from django.db.models import ProtectedError
from django.utils import timezone

from incubator.common.errors import RuleBroken
from incubator.duplicates.models import DuplicatePair
from incubator.duplicates.services import ask_again, decide_different, find_pairs, merge_people, name_pair
from incubator.duplicates.tasks import find_pairs as nightly
from incubator.duplicates.tasks import forget_merges
from tests import factories
from tests.duplicates.world import pair_of, record
from trainees.signals import people_look_alike

pytestmark = pytest.mark.django_db

PHONE = "+8613800000001"


def asked():
    return set(DuplicatePair.objects.values_list("first__number", "second__number", "why"))


def test_those_who_share_a_mobile_or_name_county_and_birth_are_asked_about():
    one, other = record("T1", phone=PHONE, name="甲"), record("T2", phone=PHONE, name="乙")
    record("T3", name="丙", born_on=date(1999, 1, 1))
    record("T4", name="丙", born_on=date(1999, 1, 1))
    record("T5", name="丙", born_on=date(1999, 1, 2))  # another day
    record("T6", name="丙", born_on=date(1999, 1, 1), county=factories.region("622926"))  # another county
    record("T7", name="丁", born_on=None)
    record("T8", name="丁", born_on=None)

    assert find_pairs(at=timezone.now()) == 2
    assert asked() == {("T1", "T2", "phone"), ("T3", "T4", "name")}
    assert find_pairs(at=timezone.now()) == 0
    assert (one.pk, other.pk) == DuplicatePair.objects.values_list("first", "second").get(why="phone")


def test_a_decided_pair_is_not_asked_about_again():
    one, other = record("T1", phone=PHONE), record("T2", phone=PHONE)
    staff = factories.superuser()
    nightly()
    pair = DuplicatePair.objects.get()
    decide_different(pair, by=staff, remark="husband and wife")

    nightly()
    people_look_alike.send(sender=None, pairs=[(other.pk, one.pk, "account")])

    kept = DuplicatePair.objects.get()
    assert (kept.state, kept.remark, kept.decided_by, kept.why) == ("different", "husband and wife", staff, "phone")
    with pytest.raises(RuleBroken):
        name_pair(one, other, by=staff)
    ask_again(kept, by=staff)
    assert DuplicatePair.objects.open().get().decided_at is None


def test_a_mobile_of_many_is_an_offices():
    for n in range(6):
        record(f"T{n}", phone=PHONE, name=f"村民{n}")
    assert find_pairs(at=timezone.now()) == 0


def test_after_a_merge_nobody_is_left_to_ask_about():
    one, _other = record("T1", phone=PHONE), record("T2", phone=PHONE)
    nightly()
    merge_people(DuplicatePair.objects.get(), stays=one.pk, by=factories.superuser())

    assert find_pairs(at=timezone.now()) == 0
    forget_merges()
    assert DuplicatePair.objects.get().merges.get().before  # it is not yet time


def test_lower_rooms_announce_whom_they_come_across():
    one, other = record("T1"), record("T2")

    people_look_alike.send(sender=None, pairs=[(other.pk, one.pk, "account"), (one.pk, one.pk, "phone")])

    assert asked() == {("T1", "T2", "account")}


def test_staff_name_people_whom_they_see():
    one, other = record("T1"), record("T2")
    stranger = record("T3", county=factories.region("520526"))
    clerk = factories.official("622927")

    assert name_pair(other, one, by=clerk).asked_by == clerk
    assert name_pair(one, other, by=clerk) == DuplicatePair.objects.get()
    for wrong in (stranger, one):
        with pytest.raises(RuleBroken):
            name_pair(one, wrong, by=clerk)


def test_both_halves_must_be_visible():
    one, other = record("T1"), record("T2")
    stranger = record("T3", county=factories.region("520526"))
    same_prefecture = record("T4", county=factories.region("622926"))
    pairs = [pair_of(one, other), pair_of(one, stranger), pair_of(one, same_prefecture)]
    head, clerk, prefecture = factories.superuser(), factories.official("622927"), factories.official("622900")

    seen = {user: set(DuplicatePair.objects.visible_to(user)) for user in (head, clerk, prefecture)}

    assert seen == {head: set(pairs), clerk: {pairs[0]}, prefecture: {pairs[0], pairs[2]}}
    assert not DuplicatePair.objects.visible_to(factories.UserFactory()).exists()
    merge_people(pairs[2], stays=one.pk, by=head)  # a half is gone: where it was counts
    assert set(DuplicatePair.objects.visible_to(clerk)) == {pairs[0]}
    assert set(DuplicatePair.objects.visible_to(prefecture)) == {pairs[0], pairs[2]}
    assert set(DuplicatePair.objects.visible_to(head)) == set(pairs)


def test_a_question_goes_with_a_person_whose_entry_is_taken_back():
    one, other, third = record("T1"), record("T2"), record("T3")
    pair_of(one, other)
    merged = pair_of(one, third)

    other.delete()

    assert DuplicatePair.objects.get() == merged
    merge_people(merged, stays=one.pk, by=factories.superuser())
    with pytest.raises(ProtectedError):
        one.delete()
