"""Marks at the pass line, resits, works handed in, appeals, and what they do to graduations."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from courses.choices import AssessmentKind
from courses.models import Attempt, Graduation, GraduationQuestion, MarksChange
from courses.queries import ready_to_graduate, training_standings
from courses.services import (
    add_assessment,
    appeal,
    change_assessment,
    enrol,
    graduate,
    hand_in_work,
    leave_class,
    mark_again,
    mark_attendance,
    record_marks,
)
from incubator.accounts.choices import Role
from incubator.common.errors import RuleBroken, Stale
from incubator.programmes.models import Participation
from tests import factories
from tests.factories import SHANGHAI

LINK = "https://www.kuaishou.com/short-video/3xabc"
NOON = datetime(2026, 6, 10, 12, tzinfo=SHANGHAI)

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff():
    return factories.UserFactory(is_staff=True)


@pytest.fixture
def other():
    return factories.UserFactory(is_staff=True)


def taught_class(staff, *, people=1):
    """A class whose people were taught exactly what the rule asks for: only assessments can be missing."""
    training_class = factories.TrainingClassFactory()
    rows = []
    for _n in range(people):
        trainee = factories.TraineeFactory(user=factories.UserFactory(role=Role.TRAINEE))
        rows.append(factories.ParticipationFactory(trainee=trainee, cohort=training_class.cohort, state="admitted"))
    enrol(rows, training_class=training_class, by=staff)
    course = factories.CourseFactory()
    for day in (1, 2, 3):
        starts_at = datetime(2026, 6, day, 8, tzinfo=SHANGHAI)
        ends_at = starts_at + timedelta(minutes=240)
        session = factories.SessionFactory(
            training_class=training_class, course=course, starts_at=starts_at, ends_at=ends_at
        )
        mark_attendance(session, marks={p.pk: ("present", None) for p in rows}, by=staff)
    return training_class, [Participation.objects.select_related("trainee__user").get(pk=p.pk) for p in rows]


@pytest.fixture
def one(staff):
    """One person, of a class with one required assessment: pass line 60 of 100, two attempts."""
    training_class, [person] = taught_class(staff)
    return add_assessment(training_class, by=staff, title="结业考核"), person


def is_ready(person):
    """What the rule says, which SQL and Python must agree on."""
    in_sql = ready_to_graduate(Participation.objects.filter(pk=person.pk)).exists()
    reasons = training_standings([person])[person.pk].reasons()
    assert in_sql == (not reasons)
    return in_sql


# The pass line


@pytest.mark.parametrize(
    ("marks", "is_passed"),
    [("60", True), ("60.0", True), ("59.5", False), ("59.9", False), ("60.1", True), (0, False), (100, True)],
)
def test_the_pass_line_passes_and_half_a_mark_below_does_not(one, staff, marks, is_passed):
    assessment, person = one

    record_marks(assessment, marks={person.pk: marks}, by=staff)

    assert Attempt.objects.passed().exists() == is_passed == Attempt.objects.get().is_passed
    assert Attempt.objects.failed().exists() != is_passed
    assert is_ready(person) == is_passed


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    full=st.integers(1, 300),
    tenths=st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 3000) | st.none()), min_size=1, max_size=3),
    line=st.integers(1, 300),
)
def test_who_passed_is_the_same_in_sql_in_python_and_by_hand(one, staff, other, full, tenths, line):
    """Any number of attempts, any of them marked again; half-baked values are brought within the assessment."""
    assessment, person = one
    line = min(line, full)
    with transaction.atomic():
        Attempt.objects.all().delete()
        type(assessment).objects.filter(pk=assessment.pk).update(full_marks=full, pass_marks=line, most_attempts=3)
        finals = []
        for number, (first, second) in enumerate(tenths, 1):
            marks = Decimal(min(first, full * 10)) / 10
            again = None if second is None else Decimal(min(second, full * 10)) / 10
            Attempt.objects.create(
                assessment=assessment,
                participation=person,
                number=number,
                marks=marks,
                marked_by=staff,
                marked_at=NOON,
                appealed_at=None if again is None else NOON,
                appeal_reason="" if again is None else "复核",
                second_marks=again,
                second_by=None if again is None else other,
            )
            finals.append(marks if again is None else again)

        passed = {number for number, final in enumerate(finals, 1) if final >= line}

        assert set(Attempt.objects.passed().values_list("number", flat=True)) == passed
        assert {a.number for a in Attempt.objects.select_related("assessment") if a.is_passed} == passed
        assert set(Attempt.objects.failed().values_list("number", flat=True)) == set(range(1, len(finals) + 1)) - passed
        assert is_ready(person) == bool(passed)


def test_an_assessment_that_is_not_required_stands_in_nobodys_way(staff):
    training_class, [person] = taught_class(staff)
    add_assessment(training_class, by=staff, title="摸底测验", is_required=False)

    assert is_ready(person)


# Marking a class


def test_a_class_is_marked_in_a_constant_number_of_queries(staff):
    used = []
    for people in (1, 30):
        training_class, rows = taught_class(staff, people=people)
        assessment = add_assessment(training_class, by=staff, title="考核")
        with CaptureQueriesContext(connection) as captured:
            assert record_marks(assessment, marks={p.pk: 61 for p in rows}, by=staff) == people
        with CaptureQueriesContext(connection) as corrected:
            record_marks(assessment, marks={p.pk: 62 for p in rows}, by=staff, reason="登分错位")
        used.append((len(captured), len(corrected)))

    assert used[0] == used[1]
    assert max(used[0]) <= 12
    assert MarksChange.objects.count() == 31


@pytest.mark.parametrize("marks", ["-0.1", "100.1", 101, "60.05", "NaN", "Infinity"])
def test_marks_that_cannot_be_are_refused(one, staff, marks):
    assessment, person = one
    with pytest.raises(RuleBroken):
        record_marks(assessment, marks={person.pk: marks}, by=staff)
    assert not Attempt.objects.exists()


def test_only_people_of_the_class_are_marked(one, staff):
    assessment, person = one
    _class, [stranger] = taught_class(staff)
    with pytest.raises(RuleBroken):
        record_marks(assessment, marks={person.pk: 70, stranger.pk: 70}, by=staff)
    leave_class(person.enrolments.get(), by=staff, reason="外出务工")
    with pytest.raises(RuleBroken):
        record_marks(assessment, marks={person.pk: 70}, by=staff)
    assert not Attempt.objects.exists()


def test_a_slip_is_corrected_by_its_marker_with_a_reason_that_is_kept(one, staff, other):
    assessment, person = one
    record_marks(assessment, marks={person.pk: 59}, by=staff, at=NOON)
    assert record_marks(assessment, marks={person.pk: "59.0"}, by=other) == 0  # says what stands there

    for by, reason in ((staff, " "), (other, "算错")):
        with pytest.raises(RuleBroken):
            record_marks(assessment, marks={person.pk: 95}, by=by, reason=reason)
    record_marks(assessment, marks={person.pk: 95}, by=staff, reason="分数写反", at=NOON + timedelta(hours=1))

    change = MarksChange.objects.get()
    assert (change.marks_before, change.marks_after, change.reason, change.by) == (59, 95, "分数写反", staff)
    assert change.marked_at_before == NOON
    attempt = Attempt.objects.get()
    assert (attempt.marks, attempt.marked_at) == (95, NOON + timedelta(hours=1))


def test_what_marks_rest_on_is_fixed_by_the_first_mark(one, staff):
    assessment, person = one
    change_assessment(assessment, by=staff, pass_marks=70)
    record_marks(assessment, marks={person.pk: 65}, by=staff)

    fixed = {"pass_marks": 60, "full_marks": 120, "is_required": False, "most_attempts": 3, "kind": "work"}
    for said in ({name: value} for name, value in fixed.items()):
        with pytest.raises(RuleBroken):
            change_assessment(assessment, by=staff, **said)
    change_assessment(assessment, by=staff, title="结业考试", due_at=NOON, pass_marks=70)

    assessment.refresh_from_db()
    assert (assessment.title, assessment.due_at, assessment.pass_marks) == ("结业考试", NOON, 70)


def test_a_pass_line_above_the_full_marks_is_refused_in_a_sentence(one, staff):
    assessment, _person = one
    with pytest.raises(RuleBroken) as refusal:
        change_assessment(assessment, by=staff, pass_marks=101)
    assert str(refusal.value) and "{" not in str(refusal.value)
    with pytest.raises(RuleBroken):
        add_assessment(assessment.training_class, by=staff, title=assessment.title)  # the title is taken


# Resits


def test_a_resit_that_passes_passes(one, staff):
    assessment, person = one
    record_marks(assessment, marks={person.pk: "59.5"}, by=staff)
    assert not is_ready(person)

    record_marks(assessment, marks={person.pk: 60}, by=staff, number=2)

    assert is_ready(person)
    assert list(Attempt.objects.values_list("number", "marks")) == [(1, Decimal("59.5")), (2, 60)]


def test_a_resit_follows_a_failed_attempt_and_there_are_so_many(one, staff):
    assessment, person = one
    with pytest.raises(RuleBroken):  # nothing was marked before
        record_marks(assessment, marks={person.pk: 70}, by=staff, number=2)
    record_marks(assessment, marks={person.pk: 40}, by=staff)
    record_marks(assessment, marks={person.pk: 50}, by=staff, number=2)
    for number in (0, 3):
        with pytest.raises(RuleBroken):
            record_marks(assessment, marks={person.pk: 70}, by=staff, number=number)
    assert Attempt.objects.count() == 2


def test_who_passed_has_nothing_to_resit(one, staff):
    assessment, person = one
    record_marks(assessment, marks={person.pk: 60}, by=staff)
    with pytest.raises(RuleBroken) as refusal:
        record_marks(assessment, marks={person.pk: 90}, by=staff, number=2)
    assert person.trainee.name in str(refusal.value)


# Works handed in


@pytest.fixture
def work(staff):
    training_class, [person] = taught_class(staff)
    return add_assessment(training_class, by=staff, title="短视频作品", kind=AssessmentKind.WORK, due_at=NOON), person


def test_a_work_is_handed_in_and_replaced_until_it_is_marked(work, staff):
    assessment, person = work
    trainee = person.trainee.user
    hand_in_work(assessment, participation=person, link=LINK, by=trainee, at=NOON - timedelta(hours=1))
    hand_in_work(assessment, participation=person, link=f" {LINK}2 ", by=trainee, at=NOON)

    attempt = Attempt.objects.get()
    assert (attempt.link, attempt.handed_in_at, attempt.number, attempt.marks) == (f"{LINK}2", NOON, 1, None)
    record_marks(assessment, marks={person.pk: 80}, by=staff)
    with pytest.raises(RuleBroken):  # passed
        hand_in_work(assessment, participation=person, link=LINK, by=trainee, at=NOON)
    assert Attempt.objects.get().link == f"{LINK}2"


def test_a_work_is_due_to_the_second_and_a_resit_is_not(work, staff):
    assessment, person = work
    trainee, late = person.trainee.user, NOON + timedelta(seconds=1)
    with pytest.raises(RuleBroken):
        hand_in_work(assessment, participation=person, link=LINK, by=trainee, at=late)
    assert hand_in_work(assessment, participation=person, link=LINK, by=trainee, at=NOON).number == 1
    record_marks(assessment, marks={person.pk: 0}, by=staff)
    for link in (LINK, f"{LINK}2"):  # and replaced
        assert hand_in_work(assessment, participation=person, link=link, by=trainee, at=late).number == 2
    record_marks(assessment, marks={person.pk: 30}, by=staff, number=2)
    with pytest.raises(RuleBroken):  # both attempts are used up
        hand_in_work(assessment, participation=person, link=LINK, by=trainee, at=late)


NO_LINKS = [
    "",
    "看我的视频",
    "javascript:alert(1)",
    "ftp://example.org/v",
    "//example.org/v",
    "https://x.cn/" + "a" * 300,
]


@pytest.mark.parametrize("link", NO_LINKS)
def test_a_link_is_a_web_address(work, link):
    assessment, person = work
    with pytest.raises(RuleBroken):
        hand_in_work(assessment, participation=person, link=link, by=person.trainee.user, at=NOON)
    assert not Attempt.objects.exists()


def test_nobody_hands_in_for_another_nor_outside_the_class_nor_for_an_examination(work, one, staff):
    assessment, person = work
    examination, examined = one
    with pytest.raises(RuleBroken):
        hand_in_work(assessment, participation=person, link=LINK, by=examined.trainee.user, at=NOON)
    with pytest.raises(RuleBroken):
        hand_in_work(assessment, participation=examined, link=LINK, by=examined.trainee.user, at=NOON)
    with pytest.raises(RuleBroken):
        hand_in_work(examination, participation=examined, link=LINK, by=examined.trainee.user, at=NOON)
    assert not Attempt.objects.exists()


# Appeals


def marked(one, staff, marks):
    assessment, person = one
    record_marks(assessment, marks={person.pk: marks}, by=staff, at=NOON)
    return Attempt.objects.get(assessment=assessment)


def test_an_appeal_is_marked_by_another_person_and_that_counts(one, staff, other):
    attempt = marked(one, staff, 58)
    person = one[1]
    appeal(attempt, reason="第三题有另一种答案", by=person.trainee.user, at=NOON)
    with pytest.raises(RuleBroken):
        mark_again(attempt, marks=60, by=staff)
    with pytest.raises(RuleBroken):
        mark_again(attempt, marks="100.5", by=other)

    again = mark_again(attempt, marks=60, by=other)

    assert (again.marks, again.second_marks, again.final_marks, again.second_by) == (58, 60, 60, other)
    assert is_ready(person)
    with pytest.raises(Stale):
        mark_again(attempt, marks=90, by=other)
    with pytest.raises(RuleBroken):  # nor by the first marker, in the name of a slip
        record_marks(one[0], marks={person.pk: 90}, by=staff, reason="改分")


def test_lower_marks_of_the_second_marker_fail(one, staff, other):
    attempt = marked(one, staff, 60)
    person = one[1]
    assert is_ready(person)
    appeal(attempt, reason="应得更高分", by=person.trainee.user, at=NOON)

    mark_again(attempt, marks="59.5", by=other)

    assert not is_ready(person)
    assert not Attempt.objects.passed().exists()
    # And may be resat, as any failed attempt.
    record_marks(one[0], marks={person.pk: 61}, by=staff, number=2)
    assert is_ready(person)


# In China the seventh day ends when it is still 16 o'clock of it by UTC.
@pytest.mark.parametrize(
    ("at", "is_in_time"),
    [
        (NOON, True),
        (datetime(2026, 6, 17, 15, 59, 59, tzinfo=UTC), True),
        (datetime(2026, 6, 17, 16, tzinfo=UTC), False),
    ],
)
def test_an_appeal_comes_within_seven_days(one, staff, at, is_in_time):
    attempt = marked(one, staff, 40)
    user = one[1].trainee.user
    if is_in_time:
        appeal(attempt, reason="请复核", by=user, at=at)
    else:
        with pytest.raises(RuleBroken):
            appeal(attempt, reason="请复核", by=user, at=at)
    assert (Attempt.objects.get().appealed_at is not None) == is_in_time


def test_an_appeal_is_the_trainees_own_once_and_says_why(one, staff, other):
    attempt = marked(one, staff, 40)
    user = one[1].trainee.user
    stranger = factories.TraineeFactory(user=factories.UserFactory(role=Role.TRAINEE)).user
    for by, reason in ((staff, "代申请"), (stranger, "不服"), (user, "  "), (user, "长" * 301)):
        with pytest.raises(RuleBroken):
            appeal(attempt, reason=reason, by=by, at=NOON)
    appeal(attempt, reason="请复核", by=user, at=NOON)
    with pytest.raises(RuleBroken):
        appeal(attempt, reason="再次复核", by=user, at=NOON)
    assert Attempt.objects.get().appeal_reason == "请复核"
    assert list(Attempt.objects.waiting_for_second_marker()) == [attempt]


def test_what_is_not_marked_or_not_appealed_cannot_go_on(work, one, staff, other):
    assessment, person = work
    attempt = hand_in_work(assessment, participation=person, link=LINK, by=person.trainee.user, at=NOON)
    with pytest.raises(RuleBroken):
        appeal(attempt, reason="快批改", by=person.trainee.user, at=NOON)
    with pytest.raises(RuleBroken):
        mark_again(marked(one, staff, 40), marks=80, by=other)


def test_the_database_knows_the_same_rules(one, staff, other):
    attempt = marked(one, staff, 40)
    now = timezone.now()
    for values in (
        {"marks": -1},
        {"marked_by": None},
        {"appealed_at": now},  # without a reason
        {"appealed_at": now, "appeal_reason": "x", "second_marks": 50, "second_by": staff},  # the same person
        {"second_marks": 50, "second_by": other},  # nobody appealed
        {"marks": None, "appealed_at": now, "appeal_reason": "x"},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Attempt.objects.filter(pk=attempt.pk).update(**values)


# Graduations afterwards


def graduated(one, staff, marks=60):
    attempt = marked(one, staff, marks)
    graduate(one[1], on=datetime(2026, 6, 11).date(), by=staff)
    return attempt


def test_an_appeal_that_lowers_marks_after_a_graduation_opens_a_question(one, staff, other):
    attempt = graduated(one, staff)
    person = one[1]
    appeal(attempt, reason="应得更高分", by=person.trainee.user, at=NOON)
    assert not GraduationQuestion.objects.exists()

    mark_again(attempt, marks="59.9", by=other)

    question = GraduationQuestion.objects.get()
    assert question.facts["open_assessments"] == 1
    assert one[0].title in question.cause
    person.refresh_from_db()
    assert (person.state, Graduation.objects.live().count()) == ("graduated", 1)  # nothing is changed by itself


def test_an_appeal_that_leaves_a_pass_opens_none(one, staff, other):
    attempt = graduated(one, staff)
    appeal(attempt, reason="应得更高分", by=one[1].trainee.user, at=NOON)
    mark_again(attempt, marks=60, by=other)
    assert not GraduationQuestion.objects.exists()


def test_a_correction_below_the_line_opens_a_question_and_back_above_it_settles_it(one, staff):
    graduated(one, staff)
    assessment, person = one
    record_marks(assessment, marks={person.pk: 50}, by=staff, reason="误登")
    assert GraduationQuestion.objects.open().count() == 1
    record_marks(assessment, marks={person.pk: 60}, by=staff, reason="复核无误")
    assert GraduationQuestion.objects.get().answer == "settled"


def test_an_assessment_required_afterwards_opens_a_question(one, staff):
    graduated(one, staff)
    later = add_assessment(one[0].training_class, by=staff, title="补充考核", is_required=False)
    assert not GraduationQuestion.objects.exists()
    change_assessment(later, by=staff, is_required=True)
    assert GraduationQuestion.objects.open().count() == 1
    change_assessment(later, by=staff, is_required=False)
    assert GraduationQuestion.objects.get().answer == "settled"
