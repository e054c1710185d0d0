"""Extending, pausing, resuming, taking back: limits at their edges, refusals in words, and two at once."""

import threading

import pytest
from django.db import IntegrityError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from courses.services import graduate as decide
from incubator.common.errors import RuleBroken, Stale
from incubator.programmes import queries
from incubator.programmes.choices import ParticipationState
from incubator.programmes.models import Cohort, Participation, SupportChange
from incubator.programmes.services import take_back_graduation, withdraw
from incubator.programmes.support import move_open_pauses
from tests import factories
from tests.programmes.world import (
    FIRST,
    LAST,
    TODAY,
    assert_ends_are_true,
    d,
    days,
    ends_on,
    extend,
    graduate,
    kinds,
    pause,
    resume,
    take_back,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff():
    return factories.UserFactory()


@pytest.fixture
def person():
    return graduate()


def refused(work):
    with pytest.raises(RuleBroken) as refusal, transaction.atomic():
        work()
    return str(refusal.value)


# The end moves


def test_an_extension_moves_the_end_and_keeps_what_was_given(person, staff):
    change = extend(person, 10, by=staff)
    person.refresh_from_db()

    assert (person.support_ends_on, person.support_base_ends_on) == (LAST + days(10), LAST)
    assert (change.days, change.by, change.reason, change.cause) == (10, staff, "迟开班", "other")
    extend(person, 5, by=staff)
    person.refresh_from_db()
    assert (person.support_ends_on, person.support_base_ends_on) == (LAST + days(15), LAST)


def test_a_pause_moves_the_end_by_its_days(person, staff):
    pause(person, d("2026-11-01"), d("2026-11-10"), by=staff)

    assert ends_on(person) == LAST + days(10)


def test_an_open_pause_moves_the_end_by_the_day_until_it_is_resumed(person, staff):
    pause(person, d("2026-11-19"), by=staff)
    assert ends_on(person) == LAST + days(2)  # the 19th and today

    for late in (1, 1, 4):  # the night ran twice, and then not for three days
        move_open_pauses(on=TODAY + days(late))
        assert ends_on(person) == LAST + days(2 + late)
    resume(person, TODAY + days(3), by=staff, on=TODAY + days(4))
    assert ends_on(person) == LAST + days(4)
    assert move_open_pauses(on=TODAY + days(30)) == 0


def test_an_open_pause_ends_where_the_limit_is_used_up(staff):
    person = graduate(cohort=factories.CohortFactory(most_pause_days=20))
    pause(person, d("2026-11-01"), d("2026-11-05"), by=staff)
    change = pause(person, TODAY, by=staff)

    assert change.last_day == TODAY + days(14)
    move_open_pauses(on=TODAY + days(400))
    assert ends_on(person) == LAST + days(20)


def test_a_pause_with_a_last_day_can_end_earlier(person, staff):
    pause(person, TODAY, TODAY + days(20), by=staff)
    resume(person, TODAY + days(5), by=staff, on=TODAY + days(5))

    assert ends_on(person) == LAST + days(5)


def test_what_is_taken_back_counts_no_more_and_stays_to_be_read(person, staff):
    extension, illness = extend(person, 10, by=staff), pause(person, d("2026-11-01"), d("2026-11-10"), by=staff)
    back = take_back(extension, by=staff)

    assert ends_on(person) == LAST + days(10)
    assert (back.about, back.reason, back.by) == (extension, "录错", staff)
    take_back(illness, by=staff)
    assert ends_on(person) == LAST
    assert kinds(person) == ["extension", "pause", "taking_back", "taking_back"]


def test_the_end_of_a_pause_can_be_taken_back(person, staff):
    pause(person, TODAY, TODAY + days(20), by=staff)
    early = resume(person, TODAY + days(5), by=staff)
    take_back(early, by=staff)
    assert ends_on(person) == LAST + days(21)

    resume(person, TODAY + days(6), by=staff)
    assert ends_on(person) == LAST + days(6)
    assert_ends_are_true()


def test_every_change_updates_the_days_that_others_listen_to(person, staff):
    """Also one that moves nothing yet: rooms above hear of it by a trigger on the table."""
    changes = [
        lambda: extend(person, by=staff),
        lambda: pause(person, LAST, LAST + days(3), by=staff),
        lambda: resume(person, LAST + days(2), by=staff),
        lambda: take_back(SupportChange.objects.get(kind="extension"), by=staff),
    ]
    for change in changes:
        with CaptureQueriesContext(connection) as captured:
            change()
        written = [q["sql"] for q in captured if q["sql"].startswith('UPDATE "programmes_participation"')]
        assert 'SET "support_ends_on"' in written[-1]


def test_graduating_notes_the_end_as_given(staff):
    training_class = factories.TrainingClassFactory()
    person = factories.ParticipationFactory(cohort=training_class.cohort, state="training")
    training_class.cohort.graduation_rules.update(min_days=0, min_professional_hours=0)
    decide(person, on=FIRST, by=staff)
    person.refresh_from_db()

    assert person.support_base_ends_on == person.support_ends_on == LAST


# Limits


@pytest.mark.parametrize(("first", "second", "goes"), [(89, 1, True), (90, 0, True), (90, 1, False), (89, 2, False)])
def test_extensions_stay_within_the_limit_of_the_cohort(person, staff, first, second, goes):
    extend(person, first, by=staff)
    if not goes:
        sentence = refused(lambda: extend(person, second, by=staff))
        assert "90" in sentence and str(first) in sentence
        assert ends_on(person) == LAST + days(first)
    elif second:
        extend(person, second, by=staff)
        assert ends_on(person) == LAST + days(first + second)


def test_what_was_taken_back_is_free_again(person, staff):
    take_back(extend(person, 90, by=staff), by=staff)
    extend(person, 90, by=staff)

    assert ends_on(person) == LAST + days(90)


@pytest.mark.parametrize(("length", "goes"), [(170, True), (171, False)])
def test_pauses_stay_within_the_limit_of_the_cohort(person, staff, length, goes):
    pause(person, d("2026-06-01"), d("2026-06-10"), by=staff)
    first = d("2026-07-01")

    def again():
        return pause(person, first, first + days(length - 1), by=staff)

    if goes:
        again()
        assert ends_on(person) == LAST + days(180)
        assert "180" in refused(lambda: pause(person, LAST + days(180), LAST + days(180), by=staff))
    else:
        assert "170" in refused(again)
        assert ends_on(person) == LAST + days(10)


def test_an_open_pause_keeps_all_days_that_are_left(person, staff):
    change = pause(person, TODAY, by=staff)
    resume(person, TODAY + days(3), by=staff, on=TODAY + days(3))
    assert change.last_day == TODAY + days(179)

    pause(person, TODAY + days(3), TODAY + days(3 + 176), by=staff, on=TODAY + days(3))
    assert ends_on(person) == LAST + days(180)


def test_a_cohort_that_allows_none_says_so(staff):
    person = graduate(cohort=factories.CohortFactory(name="严格", most_extension_days=0, most_pause_days=0))

    assert "严格" in refused(lambda: extend(person, 1, by=staff))
    assert "严格" in refused(lambda: pause(person, TODAY, TODAY, by=staff))
    assert "严格" in refused(lambda: pause(person, TODAY, by=staff))
    assert ends_on(person) == LAST and not SupportChange.objects.exists()


@pytest.mark.parametrize(("late", "goes"), [(0, True), (30, True), (31, False)])
def test_a_period_that_is_over_is_lengthened_within_the_grace_only(person, staff, late, goes):
    on = LAST + days(late)
    for change in (
        lambda: extend(person, 40, by=staff, on=on),
        lambda: pause(person, LAST, LAST + days(2), by=staff, on=on),
    ):
        if goes:
            with transaction.atomic():
                change()
                assert ends_on(person) > LAST
                transaction.set_rollback(True)
        else:
            assert "2026-11-27" in refused(change) and ends_on(person) == LAST


def test_a_cohort_without_grace_lengthens_nothing_that_is_over(staff):
    person = graduate(cohort=factories.CohortFactory(grace_days=0))

    assert refused(lambda: extend(person, 1, by=staff, on=LAST + days(1)))
    assert extend(person, 1, by=staff, on=LAST)


def test_shortening_is_no_matter_of_grace_and_taking_a_resumption_back_is(person, staff):
    """A mistake may be put right at any time; days are given in time only."""
    extension = extend(person, 10, by=staff)
    pause(person, d("2026-11-01"), d("2026-11-20"), by=staff)
    early = resume(person, d("2026-11-10"), by=staff)
    long_after = LAST + days(100)
    assert "2026-12-16" in refused(lambda: take_back(early, by=staff, on=long_after))

    take_back(extension, by=staff, on=long_after)
    assert ends_on(person) == LAST + days(9)


def test_a_period_may_go_on_from_the_last_day_of_a_pause(person, staff):
    pause(person, d("2026-11-09"), d("2026-11-12"), by=staff)

    resume(person, d("2026-11-12"), by=staff)

    assert ends_on(person) == LAST + days(3)


# Refusals


def test_pauses_have_no_day_in_common(person, staff):
    pause(person, d("2026-11-10"), d("2026-11-12"), by=staff)
    for first, last in (("2026-11-12", "2026-11-13"), ("2026-11-01", "2026-11-10"), ("2026-11-11", "2026-11-11")):
        assert "2026-11-10" in refused(lambda first=first, last=last: pause(person, d(first), d(last), by=staff))
    pause(person, d("2026-11-13"), d("2026-11-13"), by=staff)
    pause(person, d("2026-11-09"), d("2026-11-09"), by=staff)
    assert refused(lambda: pause(person, d("2026-11-01"), by=staff))  # reaches into all of them

    assert ends_on(person) == LAST + days(5)


def test_a_pause_begins_within_the_period(person, staff):
    assert "2026-06-01" in refused(lambda: pause(person, FIRST - days(1), FIRST, by=staff))
    assert "2026-11-27" in refused(lambda: pause(person, LAST + days(1), LAST + days(2), by=staff))
    pause(person, FIRST, FIRST, by=staff)
    pause(person, LAST + days(1), LAST + days(1), by=staff)  # the end has moved there

    assert ends_on(person) == LAST + days(2)


def test_a_pause_without_an_end_is_one_that_runs_today(staff):
    person = graduate(cohort=factories.CohortFactory(most_pause_days=5))

    assert refused(lambda: pause(person, TODAY + days(1), by=staff))
    assert "2026-11-14" in refused(lambda: pause(person, TODAY - days(10), by=staff))
    assert pause(person, TODAY - days(4), by=staff).last_day == TODAY


def test_days_are_in_order_and_there_is_one_at_least(person, staff):
    assert refused(lambda: pause(person, TODAY, TODAY - days(1), by=staff))
    assert refused(lambda: extend(person, 0, by=staff))
    assert refused(lambda: extend(person, -5, by=staff))


def test_only_a_pause_that_runs_is_ended_and_only_once(person, staff):
    assert refused(lambda: resume(person, by=staff))
    pause(person, TODAY, TODAY + days(9), by=staff)
    assert refused(lambda: resume(person, TODAY, by=staff))  # its first day: to be taken back
    assert refused(lambda: resume(person, TODAY + days(10), by=staff))  # the day after it: it goes on by itself
    resume(person, TODAY + days(5), by=staff)
    assert refused(lambda: resume(person, TODAY + days(4), by=staff))

    assert ends_on(person) == LAST + days(5)


def test_nothing_is_taken_back_twice_or_brought_back(person, staff):
    extension = extend(person, by=staff)
    back = take_back(extension, by=staff)
    with pytest.raises(Stale):
        take_back(extension, by=staff)
    assert refused(lambda: take_back(back, by=staff))


def test_the_end_of_a_pause_is_not_taken_back_where_another_one_came(person, staff):
    pause(person, d("2026-11-01"), d("2026-11-20"), by=staff)
    early = resume(person, d("2026-11-10"), by=staff)
    other = pause(person, d("2026-11-15"), d("2026-11-16"), by=staff)

    assert refused(lambda: take_back(early, by=staff))
    take_back(other, by=staff)
    take_back(early, by=staff)
    assert ends_on(person) == LAST + days(20)


def test_the_end_of_a_pause_is_not_taken_back_past_the_limit(staff):
    person = graduate(cohort=factories.CohortFactory(most_pause_days=20))
    pause(person, d("2026-11-01"), d("2026-11-20"), by=staff)
    early = resume(person, d("2026-11-10"), by=staff)
    pause(person, d("2026-11-21"), d("2026-11-21"), by=staff)

    assert "20" in refused(lambda: take_back(early, by=staff))


@pytest.mark.parametrize("state", ["nominated", "admitted", "training", "withdrawn", "refused", "concluded"])
def test_only_the_period_of_a_graduate_changes(staff, state):
    person = graduate() if state in ("withdrawn", "concluded") else factories.ParticipationFactory()
    Participation.objects.filter(pk=person.pk).update(state=state)

    for change in (lambda: extend(person, by=staff), lambda: pause(person, by=staff), lambda: resume(person, by=staff)):
        assert person.trainee.name in refused(change)


def test_what_was_done_to_a_withdrawn_period_is_not_taken_back(person, staff):
    extension = extend(person, by=staff)
    withdraw(person, by=staff, reason="外出务工")

    assert refused(lambda: take_back(extension, by=staff))


@pytest.mark.parametrize("reason", ["", "   "])
def test_every_change_says_why(person, staff, reason):
    extension = extend(person, by=staff)
    for change in (
        lambda: extend(person, by=staff, reason=reason),
        lambda: pause(person, by=staff, reason=reason),
        lambda: resume(person, by=staff, reason=reason),
        lambda: take_back(extension, by=staff, reason=reason),
    ):
        assert refused(change)


def test_a_graduation_taken_back_takes_its_changes_back(person, staff):
    extend(person, 10, by=staff)
    pause(person, by=staff)
    take_back_graduation(person, by=staff, reason="学时有误")
    assert person.support_ends_on is None and person.support_base_ends_on is None
    assert list(SupportChange.objects.filter(kind="taking_back").values_list("reason", flat=True)) == ["学时有误"] * 2
    assert not SupportChange.objects.in_force().exists()

    again = {"state": ParticipationState.GRADUATED, "graduated_on": TODAY, "support_starts_on": TODAY}
    Participation.objects.update(support_ends_on=TODAY + days(9), support_base_ends_on=TODAY + days(9), **again)
    move_open_pauses(on=TODAY + days(5))
    assert ends_on(person) == TODAY + days(9)
    extend(person, 90, by=staff)
    assert ends_on(person) == TODAY + days(99)


# What the database says


def raw(person, staff, **values):
    with transaction.atomic():
        return SupportChange.objects.create(participation=person, reason="x", by=staff, **values)


def test_the_database_keeps_the_limits_too(person, staff):
    extend(person, 80, by=staff)
    pause(person, d("2026-06-01"), d("2026-06-10"), by=staff)
    cause = {"cause": "other"}
    raw(person, staff, kind="extension", days=10, **cause)
    wrong = {
        "support_is_extended_within_the_limit": {"kind": "extension", "days": 1, **cause},
        "support_is_paused_within_the_limit": {
            "kind": "pause", "first_day": d("2026-07-01"), "last_day": d("2026-07-01") + days(170), **cause
        },
        "pauses_of_support_have_no_day_in_common": {
            "kind": "pause", "first_day": d("2026-06-10"), "last_day": d("2026-06-11"), **cause
        },
        "what_lengthens_support_has_a_cause_and_the_rest_a_subject": {
            "kind": "pause", "first_day": d("2026-07-01"), "last_day": d("2026-07-01")
        },
        "support_change_says_what_its_kind_needs": {
            "kind": "pause", "first_day": d("2026-07-02"), "last_day": d("2026-07-01"), **cause
        },
        "only_a_pause_is_open_ended": {"kind": "taking_back", "is_open": True, "about": SupportChange.objects.first()},
        "support_change_is_about_what_it_can_be": {
            "kind": "resumption", "last_day": TODAY, "about": SupportChange.objects.get(days=80)
        },
    }  # fmt: skip
    for name, values in wrong.items():
        with pytest.raises(IntegrityError) as broken:
            raw(person, staff, **values)
        assert broken.value.__cause__.diag.constraint_name == name


def test_a_change_is_about_one_of_the_same_participation(person, staff):
    elsewhere = extend(graduate(), by=staff)
    with pytest.raises(IntegrityError):
        raw(person, staff, kind="taking_back", about=elsewhere)


def test_nothing_changes_where_there_is_no_period(staff):
    with pytest.raises(IntegrityError):
        raw(factories.ParticipationFactory(), staff, kind="extension", days=1, cause="other")


def test_limits_lowered_since_do_not_keep_anybody_from_shortening(person, staff):
    extension = extend(person, 90, by=staff)
    pause(person, TODAY, TODAY + days(99), by=staff)
    Cohort.objects.update(most_extension_days=1, most_pause_days=1)
    resume(person, TODAY + days(50), by=staff)
    take_back(extension, by=staff)

    assert ends_on(person) == LAST + days(50)


def test_rows_are_never_changed_or_deleted(person, staff):
    change = extend(person, by=staff)
    for write in (
        lambda: SupportChange.objects.update(days=20),
        lambda: SupportChange.objects.update(reason="other"),
        lambda: SupportChange.objects.filter(pk=change.pk).delete(),
    ):
        with pytest.raises(IntegrityError, match="never changed or deleted"), transaction.atomic():
            write()
    other = graduate()
    SupportChange.objects.update(participation=other)  # two records of a person may become one
    assert SupportChange.objects.get().participation == other


# Many, and at once


def test_moving_open_pauses_takes_as_many_queries_for_thirty_as_for_one(staff):
    used = []
    for more in (1, 29):
        for _n in range(more):
            person = graduate()
            extend(person, by=staff)
            pause(person, TODAY, by=staff)
        with CaptureQueriesContext(connection) as captured:
            moved = move_open_pauses(on=TODAY + days(len(used) + 1))
        used.append((moved, len(captured)))

    assert used == [(1, used[0][1]), (30, used[0][1])]
    assert_ends_are_true(TODAY + days(2))


def test_lists_ask_for_those_who_are_supported_paused_near_the_end_and_over(staff):
    here = {name: graduate() for name in ("now", "paused", "lapsed", "withdrawn", "later")}
    pause(here["paused"], TODAY, by=staff)
    pause(here["lapsed"], TODAY - days(9), TODAY - days(1), by=staff)
    extend(here["later"], 40, by=staff)
    pause(here["withdrawn"], TODAY, by=staff)
    withdraw(here["withdrawn"], by=staff, reason="外出")
    names = {person.pk: name for name, person in here.items()}

    def found(question, on):
        return {names[row.pk] for row in question(Participation.objects.all(), on)}

    assert found(queries.supported, TODAY) == {"now", "paused", "lapsed", "later"}
    assert found(queries.paused, TODAY) == {"paused"}
    assert found(queries.ending_soon, TODAY) == {"now", "paused", "lapsed"}
    assert found(queries.over, LAST + days(1)) == {"now"}
    assert found(queries.over, LAST) == set()


def at_once(works):
    """Each in a thread with a connection of its own, all beginning together; what each gave or was refused with."""
    gate, results = threading.Barrier(len(works)), [None] * len(works)

    def run(place, work):
        gate.wait(30)
        try:
            results[place] = work()
        except RuleBroken as refusal:
            results[place] = refusal
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return results


@pytest.mark.django_db(transaction=True)
def test_of_extensions_at_once_no_more_come_through_than_the_limit_allows():
    staff, person = factories.UserFactory(), graduate()
    results = at_once([lambda: extend(person, 20, by=staff)] * 8)

    assert sum(isinstance(one, SupportChange) for one in results) == 4
    assert sum(isinstance(one, RuleBroken) for one in results) == 4
    assert ends_on(person) == LAST + days(80)


@pytest.mark.django_db(transaction=True)
def test_past_the_services_two_at_once_do_not_pass_the_limit_either():
    staff, person = factories.UserFactory(), graduate()
    Participation.objects.update(support_base_ends_on=LAST)

    def enter():
        try:
            return raw(person, staff, kind="extension", days=20, cause="other")
        except IntegrityError:
            raise RuleBroken("past the limit") from None

    results = at_once([enter] * 8)

    assert sum(isinstance(one, SupportChange) for one in results) == 4


@pytest.mark.django_db(transaction=True)
def test_the_night_and_a_resumption_at_once_come_to_one_end():
    staff, person = factories.UserFactory(), graduate()
    pause(person, TODAY, by=staff)
    on = TODAY + days(3)
    at_once([lambda: move_open_pauses(on=on), lambda: resume(person, on, by=staff, on=on)] * 2)

    assert ends_on(person) == LAST + days(3)
