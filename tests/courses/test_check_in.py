"""Checking in and out: codes of a moment, the minutes at every edge, and everything that is refused."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.translation import override

from courses import check_in_codes as codes
from courses.models import Attendance, CheckIn, Enrolment, Taught
from courses.presence import Step, classes_of, own_session, own_sessions_now, sessions_of, timetable_of
from courses.services import check_in, check_out, close_session, mark_attendance, require_code
from courses.services.attendance import of_the_session
from courses.services.check_in import WRONG_CODES
from incubator.common.errors import RuleBroken
from tests import factories
from tests.courses.world import ENDS, MINUTES, STARTS, after, enrolled, make_session

SESSION = SimpleNamespace(pk=7, check_in_key="a key", starts_at=STARTS, ends_at=ENDS)


@pytest.fixture(autouse=True)
def in_english():
    with override("en"):
        yield


@pytest.fixture
def session(db):
    return make_session()


@pytest.fixture
def asking(db):
    """A session that asks people to check out too."""
    return make_session(asks_check_out=True)


def come(session, person, at=None, *, phone="", by=None, method="qr"):
    return check_in(
        session,
        person,
        method=method,
        device=phone or person.trainee.user.username,
        at=at or STARTS,
        by=by or person.trainee.user,
    )


def go(session, person, at=ENDS, *, phone=""):
    user = person.trainee.user
    return check_out(session, person, method="qr", device=phone or user.username, at=at, by=user)


def marks():
    return list(Attendance.objects.order_by("pk").values_list("state", "minutes", "method"))


# --- Codes ------------------------------------------------------------------------------------------------------------


def test_a_code_is_good_in_its_slot_and_the_next_and_no_longer():
    at = after(seconds=-1)  # the last second of a slot
    token, digits = codes.token_at(SESSION, at), codes.digits_at(SESSION, at)
    for seconds, is_good in ((-30, False), (-29, True), (0, True), (30, True), (31, False)):
        moment = at + timedelta(seconds=seconds)
        assert codes.is_token(SESSION, token, moment) == is_good, seconds
        assert codes.is_digits(SESSION, digits, moment) == is_good, seconds
    assert codes.seconds_left(at) == 1 and codes.seconds_left(STARTS) == codes.SLOT_SECONDS


def test_codes_are_of_one_session_its_key_and_this_site(settings):
    others = [
        SimpleNamespace(pk=8, check_in_key=SESSION.check_in_key),
        SimpleNamespace(pk=7, check_in_key="another key"),
    ]
    for other in others:
        assert not codes.is_token(other, codes.token_at(SESSION, STARTS), STARTS)
        assert not codes.is_digits(other, codes.digits_at(SESSION, STARTS), STARTS)
    token = codes.token_at(SESSION, STARTS)
    settings.SECRET_KEY = "of another site"
    assert not codes.is_token(SESSION, token, STARTS)


def test_digits_are_six_and_say_nothing_of_the_token():
    for n in range(500):
        at = after(minutes=n)
        digits = codes.digits_at(SESSION, at)
        assert len(digits) == 6 and digits.isdecimal()
        assert not codes.is_token(SESSION, digits, at)
    assert not codes.is_digits(SESSION, "", STARTS) and not codes.is_token(SESSION, "", STARTS)
    assert not codes.is_digits(SESSION, "六", STARTS) and not codes.is_token(SESSION, "六", STARTS)


def test_a_pass_is_for_one_person_one_session_and_two_minutes():
    text = codes.pass_for(SESSION, 1, STARTS)
    other = SimpleNamespace(pk=8, check_in_key=SESSION.check_in_key)
    assert codes.is_pass(SESSION, 1, text, after(minutes=2))
    assert not codes.is_pass(SESSION, 1, text, after(minutes=2, seconds=1))
    assert not codes.is_pass(SESSION, 1, text, after(seconds=-1))
    assert not codes.is_pass(SESSION, 2, text, STARTS)
    assert not codes.is_pass(other, 1, text, STARTS)
    assert not codes.is_pass(SESSION, 1, text[:-1] + ("a" if text[-1] != "a" else "b"), STARTS)
    assert not codes.is_pass(SESSION, 1, "", STARTS)


# --- Minutes ----------------------------------------------------------------------------------------------------------

WINDOW = [
    (after(-30, -1), False, False),
    (after(-30), True, False),
    (after(0, -1), True, False),
    (STARTS, True, True),
    (after(MINUTES, -1), True, True),
    (ENDS, False, True),
    (after(MINUTES + 30, -1), False, True),
    (after(MINUTES + 30), False, False),
]


@pytest.mark.parametrize(("at", "may_come", "may_leave"), WINDOW)
def test_window_of_a_session(at, may_come, may_leave):
    assert (codes.is_open(SESSION, at), codes.is_for_leaving(SESSION, at)) == (may_come, may_leave)


# When somebody came and left (None: nobody asks) → the minutes that count. The session has 180, from 8:00 to 11:00.
COUNTED = [
    (after(-30), None, 180),
    (STARTS, None, 180),
    (after(10), None, 180),  # up to ten minutes are nothing
    (after(10, 1), None, 169),  # then it counts from the arrival, full minutes only
    (after(11), None, 169),
    (after(11, 30), None, 168),
    (after(90), None, 90),
    (after(179), None, 1),
    (after(179, 1), None, 0),
    (after(180), None, 0),
    (STARTS, ENDS, 180),
    (STARTS, after(205), 180),  # nobody gathers minutes by staying
    (STARTS, after(170), 180),  # ten minutes before the end are the end
    (STARTS, after(170, -1), 169),
    (STARTS, after(90), 90),
    (STARTS, after(90, 59), 90),
    (after(-20), after(60), 60),  # nor by coming early
    (after(10, 1), after(170, -1), 159),
    (after(20), after(40), 20),
    (after(20), after(20, 59), 0),
    (after(5), after(1), 1),  # within ten minutes of the bell is at the bell
    (after(20), after(10), 0),
    (after(-20), after(-5), 0),
]


@pytest.mark.parametrize(("came_at", "left_at", "minutes"), COUNTED)
def test_minutes_at_every_edge(came_at, left_at, minutes):
    assert codes.minutes_there(SESSION, came_at, left_at) == minutes


@pytest.mark.parametrize("length", [1, 9, 20])
def test_short_sessions_count_no_more_than_they_have(length):
    short = SimpleNamespace(starts_at=STARTS, ends_at=after(length))
    for come_at in range(-30, length):
        for left_at in (None, *range(length + 30)):
            left = None if left_at is None else after(left_at)
            assert 0 <= codes.minutes_there(short, after(come_at), left) <= length


# --- Coming -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("at", "minutes"), [(after(-30), 180), (after(10), 180), (after(11), 169), (after(179), 1)])
def test_checking_in_marks_at_once(session, at, minutes):
    person = enrolled(session)
    row = come(session, person, at, method="code")
    assert (row.came_at, row.left_at, row.method) == (at, None, "code")
    mark = Attendance.objects.get()
    assert (mark.state, mark.minutes, mark.method, mark.marked_by) == ("present", minutes, "code", person.trainee.user)
    assert Taught.objects.get(participation=person).minutes == minutes


@pytest.mark.parametrize("at", [after(-30, -1), ENDS, after(MINUTES + 1), after(179, 30)])
@pytest.mark.parametrize("asks", [False, True])
def test_outside_the_window_nobody_checks_in(db, asks, at):
    session = make_session(asks_check_out=asks)
    with pytest.raises(RuleBroken):
        come(session, enrolled(session), at)
    assert not CheckIn.objects.exists() and marks() == []


def test_checking_in_again_changes_nothing(session):
    person = enrolled(session)
    first = come(session, person, after(5))
    again = come(session, person, after(60), phone="another")
    assert again == first and again.came_at == after(5)
    assert marks() == [("present", 180, "qr")]
    assert not Attendance.objects.get().changes.exists()


def test_nobody_checks_in_for_somebody_else(session):
    person, other = enrolled(session), enrolled(session, "T2")
    for by in (other.trainee.user, factories.superuser()):
        with pytest.raises(RuleBroken):
            come(session, person, by=by)
    person.trainee.user = None
    person.trainee.save()
    with pytest.raises(RuleBroken):
        come(session, person, by=other.trainee.user, phone="p")
    assert marks() == []


def test_a_phone_checks_in_one_person_a_session(session):
    first, second = enrolled(session), enrolled(session, "T2")
    come(session, first, phone="p")
    with pytest.raises(RuleBroken, match="this phone"):
        come(session, second, phone="p")
    assert len(marks()) == 1
    come(session, second, phone="q")
    next_session = make_session(training_class=session.training_class, starts_at=after(300))
    come(next_session, second, after(300), phone="p")
    devices = set(CheckIn.objects.values_list("device", flat=True))
    assert len(devices) == 3 and all(len(device) == 64 for device in devices)  # one phone is not known by two sessions


def test_the_database_refuses_doubles_too(session):
    first, second = enrolled(session), enrolled(session, "T2")
    row = come(session, first, phone="p")
    for person, device in ((first, "x"), (second, row.device)):
        with pytest.raises(IntegrityError), transaction.atomic():
            CheckIn.objects.create(session=session, participation=person, method="qr", came_at=STARTS, device=device)


@pytest.mark.parametrize("asks", [False, True])
def test_only_people_of_the_class_check_in(db, asks):
    session = make_session(asks_check_out=asks)
    stranger = enrolled(make_session())
    waiting = enrolled(session, "T2")
    Enrolment.objects.filter(participation=waiting).update(state="waiting")
    for person in (stranger, waiting):
        with pytest.raises(RuleBroken, match="not in this class"):
            come(session, person)
    assert marks() == [] and not CheckIn.objects.exists()


@pytest.mark.parametrize("state", ["present", "absent", "on_leave"])
def test_what_staff_marked_stands(session, asking, state):
    staff = factories.superuser()
    for n, one in enumerate((session, asking)):
        person = enrolled(one, f"T{n}")
        minutes = 20 if state == "present" else None
        mark_attendance(one, marks={person.pk: (state, minutes)}, by=staff, at=STARTS)
        before = marks()
        with pytest.raises(RuleBroken):
            come(one, person)
        assert marks() == before and before[n][2] == "staff"
        assert not CheckIn.objects.exists()


def test_a_mark_staff_made_meanwhile_outlasts_the_check_out(asking):
    person = enrolled(asking)
    come(asking, person)
    mark_attendance(asking, marks={person.pk: ("absent", None)}, by=factories.superuser(), at=after(5))
    with pytest.raises(RuleBroken):
        go(asking, person)
    assert marks() == [("absent", 0, "staff")]
    assert come(asking, person, after(20)).left_at is None  # asking again tells what was noted
    assert marks() == [("absent", 0, "staff")]


def test_a_closed_session_lets_nobody_in(session):
    person = enrolled(session)
    close_session(session, by=factories.superuser(), at=ENDS)
    before = marks()
    with pytest.raises(RuleBroken):
        come(session, person, after(5))
    assert marks() == before == [("absent", 0, "closing")]
    newcomer = enrolled(session, "T2")
    with pytest.raises(RuleBroken, match="closed"):
        come(session, newcomer, after(5))
    assert marks() == before


def other_class(session, person, **kwargs):
    """A session of another cohort's class, with the same person in it."""
    other = make_session(**kwargs)
    return other, enrolled(other, trainee=person.trainee)


def test_nobody_is_at_two_places(session):
    person = enrolled(session)
    other, elsewhere = other_class(session, person, starts_at=after(60))
    come(other, elsewhere, after(60))
    with pytest.raises(RuleBroken) as refusal:
        come(session, person, after(61))
    assert other.training_class.name in str(refusal.value)
    asking, there = other_class(session, person, starts_at=after(100), asks_check_out=True)
    with pytest.raises(RuleBroken, match="another session"):
        come(asking, there, after(100))
    later, there = other_class(session, person, starts_at=after(240), minutes=60)  # when the other one ends
    come(later, there, after(240))
    assert len(marks()) == 2


def test_nobody_is_at_two_places_before_checking_out(asking, session):
    person = enrolled(asking)
    here = enrolled(session, trainee=person.trainee)
    come(asking, person)
    with pytest.raises(RuleBroken):
        come(session, here)
    mark_attendance(asking, marks={person.pk: ("absent", None)}, by=factories.superuser(), at=after(1))
    come(session, here)  # staff said that it was a mistake
    assert ("present", 180, "qr") in marks()


# --- Leaving ----------------------------------------------------------------------------------------------------------


def test_where_people_check_out_coming_alone_counts_nothing(asking):
    person = enrolled(asking)
    come(asking, person, after(11))
    assert marks() == []
    row = go(asking, person, after(100))
    assert row.left_at == after(100)
    assert marks() == [("present", 89, "qr")]


@pytest.mark.parametrize(("at", "minutes"), [(after(1), 1), (after(170), 180), (ENDS, 180), (after(209), 180)])
def test_checking_out_counts_to_the_end_when_it_is_near(asking, at, minutes):
    person = enrolled(asking)
    come(asking, person, after(-5))
    go(asking, person, at)
    assert marks() == [("present", minutes, "qr")]


@pytest.mark.parametrize("at", [after(0, -1), after(0, 59), after(MINUTES + 30)])
def test_nobody_checks_out_too_soon_or_too_late(asking, at):
    person = enrolled(asking)
    come(asking, person, after(-5))
    with pytest.raises(RuleBroken):
        go(asking, person, at)
    assert marks() == [] and CheckIn.objects.get().left_at is None


def test_checking_out_again_changes_nothing(asking):
    person = enrolled(asking)
    come(asking, person)
    go(asking, person, after(50))
    assert go(asking, person, after(90)).left_at == after(50)
    assert come(asking, person, after(95)).left_at == after(50)
    assert marks() == [("present", 50, "qr")]


def test_only_who_came_checks_out_with_no_phone_of_others(asking, session):
    person, other = enrolled(asking), enrolled(asking, "T2")
    with pytest.raises(RuleBroken):
        go(asking, person)
    come(asking, person)
    come(asking, other)
    with pytest.raises(RuleBroken):
        go(asking, person, phone="T2")
    plain = enrolled(session, "T3")
    come(session, plain)
    with pytest.raises(RuleBroken):
        go(session, plain)
    go(asking, person, phone="a new one")
    assert marks() == [("present", 180, "qr")] * 2


def test_who_came_before_nobody_asked_for_check_out_any_more_is_marked(asking):
    person = enrolled(asking)
    come(asking, person, after(30))
    asking.asks_check_out = False
    asking.save()
    come(asking, person, after(60))
    assert marks() == [("present", 150, "qr")]


# --- Typed codes ------------------------------------------------------------------------------------------------------


def test_wrong_codes_are_counted_by_person(session, clean_cache):
    user, other = enrolled(session).trainee.user, enrolled(session, "T2").trainee.user
    right = codes.digits_at(session, STARTS)
    wrong = "000000" if right != "000000" else "000001"
    for _n in range(WRONG_CODES + 1):  # right ones do not count
        require_code(session, right, at=STARTS, by=user)
    for _n in range(WRONG_CODES):
        with pytest.raises(RuleBroken):
            require_code(session, wrong, at=STARTS, by=user)
    with pytest.raises(RuleBroken, match="Too many"):
        require_code(session, right, at=STARTS, by=user)
    require_code(session, right, at=STARTS, by=other)


def test_an_old_code_is_refused(session, clean_cache):
    person = enrolled(session)
    with pytest.raises(RuleBroken):
        require_code(session, codes.digits_at(session, STARTS), at=after(seconds=60), by=person.trainee.user)


# --- What one reads ---------------------------------------------------------------------------------------------------


def test_step_says_what_the_services_allow(session, asking):
    """The button that a page shows works, and where there is none the service refuses."""
    for one in (session, asking):
        for n, (at, _may_come, _may_leave) in enumerate([*WINDOW, (after(60), True, True)]):
            person = enrolled(one, f"{one.pk}-{n}")
            step = own_session(person.trainee, one.pk, at=at).step
            try:
                come(one, person, at)
            except RuleBroken:
                assert step == Step.NOTHING or codes.minutes_there(one, at) == 0
                continue
            assert step == Step.CHECK_IN
            assert own_session(person.trainee, one.pk, at=at).step == (
                Step.CHECK_OUT if one.asks_check_out and codes.is_for_leaving(one, at) else Step.NOTHING
            )


def test_own_sessions_are_those_of_the_classes_one_is_in(session):
    """``sessions_of`` and ``of_the_session`` are two sides of one rule."""
    person = enrolled(session)
    sessions = [
        session,
        *[make_session(training_class=session.training_class, starts_at=after(n * 600)) for n in (1, 2, 3)],
    ]
    make_session(starts_at=after(60))
    enrolment = Enrolment.objects.get()
    for state, since in [("enrolled", STARTS), ("waiting", STARTS), *[("left", after(n * 600)) for n in range(4)]]:
        Enrolment.objects.update(state=state, since=since)
        theirs = {s.pk for s in sessions if Enrolment.objects.filter(of_the_session(s), pk=enrolment.pk).exists()}
        assert {s.pk for s in sessions_of(person.trainee)} == theirs, (state, since)
        assert {s.own_id for s in sessions_of(person.trainee)} <= {person.pk}


def test_place_in_the_queue_moves(session):
    people = [enrolled(session, f"T{n}") for n in range(4)]
    for n, person in enumerate(people[1:]):
        Enrolment.objects.filter(participation=person).update(state="waiting", since=after(n // 2))
    assert [classes_of(person.trainee)[0].place for person in people[1:]] == [1, 2, 3]
    Enrolment.objects.filter(participation=people[1]).update(state="left")
    assert [[e.place for e in classes_of(person.trainee)] for person in people[1:]] == [[], [1], [2]]


def queries_of(act):
    with CaptureQueriesContext(connection) as captured:
        act()
    return len(captured)


def test_queries_of_a_check_in_do_not_grow(session):
    """For the first of a class of one, and for one more of a class of forty with twenty sessions."""
    first = enrolled(session)
    few = queries_of(lambda: come(session, first))
    people = [enrolled(session, f"P{n}") for n in range(40)]
    for n in range(20):
        past = make_session(training_class=session.training_class, starts_at=STARTS - timedelta(days=n + 1))
        mark_attendance(past, marks={p.pk: ("present", None) for p in people}, by=factories.superuser())
    for person in people[1:]:
        come(session, person)
    assert queries_of(lambda: come(session, people[0])) == few <= 21
    timetable = queries_of(lambda: timetable_of(people[0].trainee, at=timezone.now()))
    assert timetable <= 6
    assert queries_of(lambda: own_sessions_now(people[0].trainee, at=STARTS)) == 3
