"""What was done to support periods, and reminders of their ends, when two records become one person and two again."""

from datetime import timedelta

import pytest
from django.utils import timezone

from incubator.common.errors import RuleBroken
from incubator.duplicates.services import merge_people, undo_merge, undo_obstacles
from incubator.programmes.models import Participation, SupportChange, SupportReminder
from incubator.programmes.reminders import remind_support
from incubator.programmes.support import move_open_pauses
from tests import factories
from tests.duplicates.world import ID_ONE, ID_OTHER, furnish, graduate, pair_of, picture, record
from tests.programmes.world import LAST, TODAY, days, ends_on, extend, pause, take_back

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff():
    return factories.superuser()


def people(staff, *, same_cohort):
    """Two records, both graduated that day; ``(one, other, participation of one, participation of the other)``."""
    one, other = record("T2026-9000001", id_number=ID_ONE), record("T2026-9000002", id_number=ID_OTHER)
    ours = furnish(one, staff, "one")
    theirs = furnish(other, staff, "other", cohort=ours.cohort if same_cohort else None)
    for participation in (ours, theirs):
        graduate(participation, staff)
    return one, other, ours, theirs


def merge(one, other, staff):
    return merge_people(pair_of(one, other), stays=one.pk, by=staff)


def undo(done, staff):
    return undo_merge(done.pair, by=staff, reason="they are sisters")


def test_changes_go_where_their_participation_goes_and_come_back(staff):
    one, other, ours, theirs = people(staff, same_cohort=False)
    extend(theirs, 10, by=staff)
    pause(theirs, TODAY - days(5), by=staff)
    pair_of(one, other)
    before = picture()

    done = merge(one, other, staff)
    assert set(SupportChange.objects.values_list("participation__trainee", flat=True)) == {one.pk}
    move_open_pauses(on=TODAY + days(3))
    assert (ends_on(theirs), ends_on(ours)) == (LAST + days(19), LAST)

    move_open_pauses(on=TODAY)
    undo(done, staff)
    assert picture() == before


def test_what_was_taken_back_moves_along_and_counts_for_nobody(staff):
    one, other, ours, theirs = people(staff, same_cohort=True)
    extend(ours, 5, by=staff)
    take_back(extend(theirs, 10, by=staff), by=staff)
    pair_of(one, other)
    before = picture()

    done = merge(one, other, staff)
    stays = Participation.objects.get()
    assert stays.pk == ours.pk and SupportChange.objects.filter(participation=stays).count() == 3
    assert ends_on(stays) == LAST + days(5)
    pause(stays, TODAY, TODAY, by=staff)
    assert ends_on(stays) == LAST + days(6)
    assert undo_obstacles(done, at=timezone.now())  # entered on what two became

    undone = [row for row in SupportChange.objects.all() if row.kind == "pause"]
    assert len(undone) == 1 and picture() != before


def test_undoing_gives_each_its_own_changes_back(staff):
    one, other, ours, theirs = people(staff, same_cohort=True)
    extend(ours, 5, by=staff)
    take_back(extend(theirs, 10, by=staff), by=staff)
    pair_of(one, other)
    before = picture()

    undo(merge(one, other, staff), staff)

    assert picture() == before


def test_two_periods_of_one_cohort_are_for_people_to_decide_where_that_which_goes_was_changed(staff):
    one, other, _ours, theirs = people(staff, same_cohort=True)
    change = extend(theirs, 10, by=staff)
    with pytest.raises(RuleBroken, match=other.number):
        merge(one, other, staff)

    take_back(change, by=staff)
    merge(one, other, staff)
    assert ends_on(Participation.objects.get()) == LAST


def test_of_two_open_reminders_one_is_left_and_it_is_true(staff):
    one, other, ours, _theirs = people(staff, same_cohort=True)
    extend(ours, 5, by=staff)
    on = LAST - timedelta(days=10)
    assert remind_support(on=on, at=timezone.now()) == 2
    pair_of(one, other)
    before = picture()

    done = merge(one, other, staff)
    reminder = SupportReminder.objects.get()
    assert (reminder.participation_id, reminder.ends_on) == (ours.pk, LAST + days(5))
    assert remind_support(on=on, at=timezone.now()) == 0

    undo(done, staff)
    assert picture() == before
