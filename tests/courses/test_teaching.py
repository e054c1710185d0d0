"""Versions, places in a class, corrections, and what becomes of a graduation whose figures were corrected."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, transaction

from courses.models import (
    AttendanceChange,
    CourseVersion,
    Enrolment,
    Graduation,
    GraduationHold,
    GraduationQuestion,
    GraduationRule,
    Session,
)
from courses.queries import training_standings
from courses.services import (
    add_course,
    close_session,
    decide_graduation,
    enrol,
    graduate,
    leave_class,
    mark_attendance,
    revise_course,
    revoke_graduation,
    set_graduation_rule,
    transfer,
    uphold_graduation,
)
from incubator.certification.models import Award, Candidate
from incubator.common.errors import RuleBroken, Stale
from incubator.programmes.models import Participation
from tests import factories
from tests.factories import SHANGHAI

pytestmark = pytest.mark.django_db
ON = date(2026, 8, 1)


@pytest.fixture
def staff():
    return factories.UserFactory()


# --- Courses ----------------------------------------------------------------------------------------------------------


def test_a_change_of_a_course_rewrites_no_old_hours(staff):
    course = add_course("ZY-01", by=staff, title="直播话术", kind="professional", hours=8)
    session = factories.SessionFactory(course=course)
    revise_course(course, by=staff, hours=6, kind="general", note="缩短")
    course.refresh_from_db()
    session.refresh_from_db()
    assert (course.current.number, course.current.hours, course.current.title) == (2, 6, "直播话术")
    assert (session.version.number, session.version.hours, session.version.kind) == (1, 8, "professional")


def test_a_version_never_changes_whoever_tries(staff):
    add_course("ZY-01", by=staff, title="直播话术", kind="professional", hours=8)
    for attempt in (lambda: CourseVersion.objects.update(hours=1), lambda: CourseVersion.objects.all().delete()):
        with pytest.raises(DatabaseError), transaction.atomic():
            attempt()
    assert CourseVersion.objects.get().hours == 8


def test_a_course_needs_hours_its_own_code_and_a_difference(staff):
    course = add_course("ZY-01", by=staff, title="直播话术", kind="professional", hours=8)
    with pytest.raises(RuleBroken):
        add_course("ZY-01", by=staff, title="别的", kind="general", hours=1)
    with pytest.raises(RuleBroken):
        revise_course(course, by=staff, hours=Decimal(8))
    with pytest.raises(ValidationError), transaction.atomic():
        add_course("ZY-02", by=staff, title="空", kind="general", hours=0)
    assert CourseVersion.objects.count() == 1


# --- Places -----------------------------------------------------------------------------------------------------------


def admitted(cohort, number):
    return [factories.ParticipationFactory(cohort=cohort, state="admitted") for _n in range(number)]


def states(training_class):
    return dict(training_class.enrolments.values_list("participation", "state"))


def test_who_finds_no_place_waits_and_moves_up_in_order(staff):
    training_class = factories.TrainingClassFactory(capacity=2)
    people = admitted(training_class.cohort, 4)
    assert enrol(people, training_class=training_class, by=staff, queue=True) == 2
    assert [states(training_class)[p.pk] for p in people] == ["enrolled", "enrolled", "waiting", "waiting"]
    assert Participation.objects.filter(state="training").count() == 2

    moved = leave_class(training_class.enrolments.get(participation=people[0]), by=staff, reason="外出务工")
    assert moved.participation == people[2]
    assert [states(training_class)[p.pk] for p in people] == ["left", "enrolled", "enrolled", "waiting"]
    people[2].refresh_from_db()
    assert people[2].state == "training"
    moves = list(Enrolment.objects.get(participation=people[2]).moves.values_list("before", "after"))
    assert moves == [("", "waiting"), ("waiting", "enrolled")]


def test_leaving_needs_a_reason_and_happens_once_and_from_the_queue_nobody_moves_up(staff):
    training_class = factories.TrainingClassFactory(capacity=1)
    people = admitted(training_class.cohort, 3)
    enrol(people, training_class=training_class, by=staff, queue=True)
    first, second, _third = (training_class.enrolments.get(participation=p) for p in people)
    with pytest.raises(RuleBroken):
        leave_class(first, by=staff, reason="  ")
    assert leave_class(second, by=staff, reason="不来了") is None
    with pytest.raises(RuleBroken):
        leave_class(second, by=staff, reason="不来了")
    assert list(states(training_class).values()).count("enrolled") == 1


def test_somebody_withdrawn_does_not_move_up(staff):
    training_class = factories.TrainingClassFactory(capacity=1)
    people = admitted(training_class.cohort, 3)
    enrol(people, training_class=training_class, by=staff, queue=True)
    Participation.objects.filter(pk=people[1].pk).update(state="withdrawn")
    moved = leave_class(training_class.enrolments.get(participation=people[0]), by=staff, reason="病")
    assert moved.participation == people[2]


@pytest.mark.parametrize(
    ("level", "years_later", "may"), [("basic", 1, False), ("basic", 2, True), ("advanced", 1, True)]
)
def test_the_same_kind_and_level_is_not_attended_twice_within_two_years(staff, level, years_later, may):
    first = factories.TrainingClassFactory(starts_on=date(2024, 5, 6))
    person = admitted(first.cohort, 1)[0]
    enrol([person], training_class=first, by=staff)
    again = factories.ParticipationFactory(trainee=person.trainee, state="admitted")
    second = factories.TrainingClassFactory(cohort=again.cohort, level=level, starts_on=date(2024 + years_later, 5, 6))
    if may:
        assert enrol([again], training_class=second, by=staff) == 1
        return
    with pytest.raises(RuleBroken) as refusal:
        enrol([again], training_class=second, by=staff)
    assert person.trainee.name in str(refusal.value) and first.name in str(refusal.value)


def test_two_years_are_a_setting(staff, settings):
    settings.TRAINING_REPEAT_YEARS = 0
    first = factories.TrainingClassFactory(starts_on=date(2026, 5, 6))
    person = admitted(first.cohort, 1)[0]
    enrol([person], training_class=first, by=staff)
    again = factories.ParticipationFactory(trainee=person.trainee, state="admitted")
    second = factories.TrainingClassFactory(cohort=again.cohort, starts_on=date(2026, 6, 6))
    assert enrol([again], training_class=second, by=staff) == 1


def test_hours_are_carried_to_another_cohort_once_and_do_not_travel_back(staff, settings):
    settings.TRAINING_REPEAT_YEARS = 0
    session = factories.SessionFactory()
    person = admitted(session.training_class.cohort, 1)[0]
    enrol([person], training_class=session.training_class, by=staff)
    mark_attendance(session, marks={person.pk: ("present", 90)}, by=staff)
    other = factories.TrainingClassFactory()
    enrolment = Enrolment.objects.get()
    with pytest.raises(RuleBroken):
        transfer(enrolment, to=other, by=staff, reason="转班")
    there = factories.ParticipationFactory(trainee=person.trainee, cohort=other.cohort, state="admitted")
    moved = transfer(enrolment, to=other, by=staff, reason="转班")
    assert (moved.participation, moved.state) == (there, "enrolled")

    def told():
        found = training_standings([person, there])
        return [(s.days, s.professional_minutes) for s in (found[person.pk], found[there.pk])]

    assert told() == [(1, 90), (1, 90)]
    back = transfer(moved, to=session.training_class, by=staff, reason="转回")
    assert back.state == "enrolled"
    assert told() == [(1, 90), (1, 90)]


# --- Sessions ---------------------------------------------------------------------------------------------------------


def test_sessions_of_a_class_do_not_overlap_but_may_touch():
    session = factories.SessionFactory()
    more = {"training_class": session.training_class, "version": session.version}
    with pytest.raises(IntegrityError), transaction.atomic():
        Session.objects.create(
            starts_at=session.ends_at - timedelta(minutes=1), ends_at=session.ends_at + timedelta(hours=1), **more
        )
    Session.objects.create(starts_at=session.ends_at, ends_at=session.ends_at + timedelta(hours=1), **more)
    factories.SessionFactory(starts_at=session.starts_at)  # another class at that time


@pytest.fixture
def taught(staff):
    """A session that is over and two people of its class."""
    session = factories.SessionFactory()
    people = admitted(session.training_class.cohort, 2)
    enrol(people, training_class=session.training_class, by=staff)
    return session, people


def test_a_correction_keeps_what_was_there_with_method_author_and_time(taught, staff):
    session, (person, _other) = taught
    mark_attendance(session, marks={person.pk: ("present", None)}, by=staff, method="paper")
    was = session.attendances.get()
    corrector = factories.UserFactory()
    with pytest.raises(RuleBroken):
        mark_attendance(session, marks={person.pk: ("absent", None)}, by=corrector, reason=" ")
    mark_attendance(session, marks={person.pk: ("absent", None)}, by=corrector, reason="代签")
    change = AttendanceChange.objects.get()
    assert (change.state_before, change.minutes_before, change.method_before) == ("present", 360, "paper")
    assert (change.marked_by_before, change.marked_at_before) == (staff, was.marked_at)
    assert (change.state_after, change.minutes_after, change.by, change.reason) == ("absent", 0, corrector, "代签")


def test_the_same_mark_again_changes_nothing_and_needs_no_reason(taught, staff):
    session, (person, _other) = taught
    mark_attendance(session, marks={person.pk: ("present", None)}, by=staff, method="qr")
    before = session.attendances.values().get()
    assert mark_attendance(session, marks={person.pk: ("present", 360)}, by=factories.UserFactory()) == 0
    assert session.attendances.values().get() == before


def test_closing_marks_the_rest_absent_once_and_not_before_the_end(taught, staff):
    session, (person, other) = taught
    mark_attendance(session, marks={person.pk: ("present", 100)}, by=staff)
    with pytest.raises(RuleBroken):
        close_session(session, by=staff, at=session.ends_at - timedelta(seconds=1))
    assert close_session(session, by=staff, at=session.ends_at) == 1
    assert dict(session.attendances.values_list("participation", "state")) == {person.pk: "present", other.pk: "absent"}
    assert session.attendances.get(participation=other).method == "closing"
    with pytest.raises(RuleBroken):
        close_session(session, by=staff, at=session.ends_at)


def test_a_session_to_come_is_not_marked(taught, staff):
    session, (person, _other) = taught
    early = session.starts_at - timedelta(minutes=31)
    with pytest.raises(RuleBroken):
        mark_attendance(session, marks={person.pk: ("present", None)}, by=staff, at=early)
    mark_attendance(session, marks={person.pk: ("present", None)}, by=staff, at=early + timedelta(minutes=1))


def test_nobody_is_at_two_places_at_once(taught, staff, settings):
    settings.TRAINING_REPEAT_YEARS = 0
    session, (person, _other) = taught
    elsewhere = factories.SessionFactory(starts_at=session.starts_at + timedelta(hours=1))
    again = factories.ParticipationFactory(
        trainee=person.trainee, cohort=elsewhere.training_class.cohort, state="admitted"
    )
    enrol([again], training_class=elsewhere.training_class, by=staff)
    mark_attendance(session, marks={person.pk: ("present", None)}, by=staff)
    with pytest.raises(RuleBroken) as refusal:
        mark_attendance(elsewhere, marks={again.pk: ("present", None)}, by=staff)
    assert person.trainee.name in str(refusal.value)
    assert session.training_class.name not in str(refusal.value)  # who may not see that class is not told its name
    with pytest.raises(RuleBroken) as refusal:
        mark_attendance(elsewhere, marks={again.pk: ("present", None)}, by=factories.superuser())
    assert session.training_class.name in str(refusal.value)
    mark_attendance(elsewhere, marks={again.pk: ("absent", None)}, by=staff)


def test_who_left_is_marked_for_the_sessions_before(taught, staff):
    session, (person, _other) = taught
    enrolment = Enrolment.objects.get(participation=person)
    leave_class(enrolment, by=staff, reason="外出")
    mark_attendance(session, marks={person.pk: ("present", None)}, by=staff)
    Enrolment.objects.filter(pk=enrolment.pk).update(since=session.starts_at)
    later = factories.SessionFactory(training_class=session.training_class, starts_at=session.ends_at)
    with pytest.raises(RuleBroken):
        mark_attendance(later, marks={person.pk: ("present", None)}, by=staff)


# --- Graduation and afterwards ----------------------------------------------------------------------------------------


@pytest.fixture
def graduated(staff):
    """Somebody who graduated with exactly 3 days and 16 hours, and the last of three sessions."""
    training_class = factories.TrainingClassFactory()
    person = admitted(training_class.cohort, 1)[0]
    enrol([person], training_class=training_class, by=staff)
    for day in (1, 2, 3):
        starts_at = datetime(2026, 6, day, 8, tzinfo=SHANGHAI)
        session = factories.SessionFactory(
            training_class=training_class, starts_at=starts_at, ends_at=starts_at + timedelta(minutes=240)
        )
        mark_attendance(session, marks={person.pk: ("present", None)}, by=staff)
    person.refresh_from_db()
    return graduate(person, on=ON, by=staff), session


def correct(session, person, minutes, by):
    mark_attendance(session, marks={person.pk: ("present", minutes)}, by=by, reason="核对签到表")


def test_a_correction_opens_a_question_and_changes_nothing(graduated, staff):
    graduation, session = graduated
    person, facts = graduation.participation, graduation.facts
    correct(session, person, 239, staff)
    question = GraduationQuestion.objects.get()
    assert (question.graduation, question.answer, question.facts["professional_minutes"]) == (graduation, "", 719)
    graduation.refresh_from_db()
    person.refresh_from_db()
    assert graduation.facts == facts and graduation.revoked_at is None
    assert (person.state, person.graduated_on) == ("graduated", ON)
    correct(session, person, 200, staff)
    assert GraduationQuestion.objects.count() == 1


def test_a_question_settles_itself_when_the_figures_are_right_again(graduated, staff):
    graduation, session = graduated
    correct(session, graduation.participation, 239, staff)
    correct(session, graduation.participation, 240, staff)
    question = GraduationQuestion.objects.get()
    assert (question.answer, question.answered_by) == ("settled", None)
    correct(session, graduation.participation, 100, staff)
    assert GraduationQuestion.objects.open().count() == 1


def test_a_graduation_that_was_upheld_is_asked_about_again_only_with_other_figures(graduated, staff):
    graduation, session = graduated
    correct(session, graduation.participation, 239, staff)
    with pytest.raises(RuleBroken):
        uphold_graduation(GraduationQuestion.objects.get(), by=staff, reason="")
    uphold_graduation(GraduationQuestion.objects.get(), by=staff, reason="差一分钟，有签到表")
    with pytest.raises(Stale):
        uphold_graduation(GraduationQuestion.objects.get(), by=staff, reason="再来")
    correct(session, graduation.participation, 240, staff)
    correct(session, graduation.participation, 239, staff)
    assert not GraduationQuestion.objects.open().exists()
    correct(session, graduation.participation, 100, staff)
    assert GraduationQuestion.objects.open().count() == 1


def test_a_graduation_taken_back_stays_on_record_and_can_be_decided_anew(graduated, staff):
    graduation, session = graduated
    person = graduation.participation
    correct(session, person, 239, staff)
    revoke_graduation(GraduationQuestion.objects.get(), by=staff, reason="冒名代签")
    person.refresh_from_db()
    graduation.refresh_from_db()
    assert (person.state, person.graduated_on, person.support_starts_on) == ("training", None, None)
    assert graduation.revoked_at is not None
    assert person.moves.last().reason == "冒名代签"
    correct(session, person, 240, staff)
    second = graduate(Participation.objects.get(pk=person.pk), on=ON, by=staff)
    assert Graduation.objects.filter(participation=person).count() == 2
    assert Graduation.objects.live().get() == second


def test_an_award_holds_the_graduation_it_rests_on(graduated, staff):
    graduation, session = graduated
    person = graduation.participation
    account = factories.CreatorAccountFactory(trainee=person.trainee)
    rule = factories.RuleFactory()
    candidate = Candidate.objects.create(
        participation=person, rule=rule, account=account, crossed_on=ON, found_on=ON, followers=100_000
    )
    award = Award.objects.create(
        candidate=candidate,
        badge=rule.badge,
        trainee=person.trainee,
        number="T-1",
        awarded_on=ON,
        awarded_by=staff,
        evidence={},
    )
    correct(session, person, 239, staff)
    with pytest.raises(RuleBroken) as refusal:
        revoke_graduation(GraduationQuestion.objects.get(), by=staff, reason="冒名代签")
    assert award.number in str(refusal.value)
    person.refresh_from_db()
    assert person.state == "graduated" and GraduationQuestion.objects.open().exists()


def test_deciding_otherwise_needs_a_reason_and_is_kept(staff):
    training_class = factories.TrainingClassFactory()
    people = admitted(training_class.cohort, 3)
    enrol(people, training_class=training_class, by=staff)
    enough, short, kept = people
    for day in (1, 2, 3):
        starts_at = datetime(2026, 6, day, 8, tzinfo=SHANGHAI)
        session = factories.SessionFactory(
            training_class=training_class, starts_at=starts_at, ends_at=starts_at + timedelta(minutes=240)
        )
        mark_attendance(session, marks={p.pk: ("present", None) for p in (enough, kept)}, by=staff)
    decide = {"cohort": training_class.cohort, "on": ON, "by": staff, "training_class": training_class}
    for overrides in ({short.pk: (True, " ")}, {0: (True, "谁？")}):
        with pytest.raises(RuleBroken):
            decide_graduation(people, overrides=overrides, **decide)
    decision = decide_graduation(
        people, overrides={short.pk: (True, "住院期间线上补课"), kept.pk: (False, "作品抄袭")}, **decide
    )
    found = {g.participation_id: (g.is_override, g.reason) for g in decision.graduations.all()}
    assert found == {enough.pk: (False, ""), short.pk: (True, "住院期间线上补课")}
    hold = GraduationHold.objects.get()
    assert (hold.participation, hold.reason, hold.facts["is_enough"]) == (kept, "作品抄袭", True)
    assert dict(Participation.objects.values_list("pk", "state")) == {
        enough.pk: "graduated", short.pk: "graduated", kept.pk: "training"
    }  # fmt: skip


def test_nobody_graduates_before_the_last_day_of_their_teaching(graduated, staff):
    graduation, session = graduated
    person = graduation.participation
    correct(session, person, 239, staff)
    revoke_graduation(GraduationQuestion.objects.get(), by=staff, reason="重新决定")
    correct(session, person, 240, staff)
    decision = decide_graduation([person], cohort=person.cohort, on=date(2026, 6, 2), by=staff)
    assert not decision.graduations.exists()
    decision = decide_graduation([person], cohort=person.cohort, on=date(2026, 6, 3), by=staff)
    assert decision.graduations.count() == 1


def test_a_new_version_of_the_rule_leaves_graduations_with_theirs(graduated, staff):
    graduation, _session = graduated
    cohort = graduation.participation.cohort
    rule = set_graduation_rule(cohort, by=staff, min_days=5, note="今年起五天")
    assert (rule.number, rule.min_days, rule.min_professional_hours) == (2, 5, 16)
    graduation.refresh_from_db()
    assert graduation.rule.number == 1 and graduation.rule.min_days == 3
    assert GraduationRule.objects.current().get(cohort=cohort) == rule
    with pytest.raises(RuleBroken):
        set_graduation_rule(cohort, by=staff, min_days=5)
    with pytest.raises(ValidationError):
        set_graduation_rule(cohort, by=staff, min_general_hours=9)
