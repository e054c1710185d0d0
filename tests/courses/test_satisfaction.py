"""The form after a class: once, after its end, and nothing that tells who answered what."""

from datetime import datetime, timedelta
from random import Random
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from courses.models import (
    Enrolment,
    SatisfactionAnswer,
    SatisfactionCourseScore,
    SatisfactionTicket,
    Session,
    TrainingClass,
)
from courses.models.satisfaction import FEWEST_SHOWN, QUESTIONS
from courses.satisfaction import satisfaction_of, satisfaction_with
from courses.services import answer_form, enrol, leave_class
from incubator.accounts.choices import Role
from incubator.common.errors import RuleBroken
from tests import factories
from tests.factories import SHANGHAI

END = datetime(2026, 6, 3, 12, tzinfo=SHANGHAI)
GOOD = dict.fromkeys(QUESTIONS, 5)
TABLES = {
    "ticket": "courses_satisfactionticket",
    "answer": "courses_satisfactionanswer",
    "score": "courses_satisfactioncoursescore",
}

pytestmark = pytest.mark.django_db


def taught(people, *, course=None):
    """A class that ended at ``END``, and the enrolments of its people."""
    training_class = factories.TrainingClassFactory()
    course = course or factories.CourseFactory()
    for day in (1, 3):
        starts_at = datetime(2026, 6, day, 8, tzinfo=SHANGHAI)
        factories.SessionFactory(
            training_class=training_class, course=course, starts_at=starts_at, ends_at=starts_at + timedelta(hours=4)
        )
    rows = [
        factories.ParticipationFactory(
            trainee=factories.TraineeFactory(user=factories.UserFactory(role=Role.TRAINEE)),
            cohort=training_class.cohort,
            state="admitted",
        )
        for _n in range(people)
    ]
    enrol(rows, training_class=training_class, by=factories.UserFactory())
    enrolments = Enrolment.objects.filter(training_class=training_class).select_related("participation__trainee__user")
    return training_class, course, list(enrolments.order_by("pk"))


def user_of(enrolment):
    return enrolment.participation.trainee.user


def answer(enrolment, at=END, **kwargs):
    answer_form(enrolment, **({"scores": GOOD, "by": user_of(enrolment), "at": at} | kwargs))


# Filling in


def test_the_form_opens_with_the_end_of_the_last_session():
    _class, _course, [one] = taught(1)
    with pytest.raises(RuleBroken):
        answer(one, at=END - timedelta(seconds=1))
    assert not SatisfactionTicket.objects.exists()
    answer(one, at=END)
    assert SatisfactionTicket.objects.get().enrolment == one


def test_a_class_without_sessions_has_no_form():
    _class, _course, [one] = taught(1)
    Session.objects.all().delete()
    with pytest.raises(RuleBroken):
        answer(one)


def test_everybody_answers_once():
    _class, _course, [one] = taught(1)
    answer(one)
    with pytest.raises(RuleBroken):
        answer(one, scores=dict.fromkeys(QUESTIONS, 1))
    assert SatisfactionAnswer.objects.get().teaching == 5


def test_everybody_answers_for_themselves_and_of_their_own_class():
    _class, _course, [one, two] = taught(2)
    with pytest.raises(RuleBroken):
        answer(one, by=user_of(two))
    with pytest.raises(RuleBroken):
        answer(one, by=factories.superuser())
    leave_class(two, by=factories.UserFactory(), reason="外出务工")
    with pytest.raises(RuleBroken):
        answer(two)
    assert not SatisfactionAnswer.objects.exists() and not SatisfactionTicket.objects.exists()


def test_scores_are_from_one_to_five_of_every_question_and_of_courses_that_were_taught():
    _class, course, [one] = taught(1)
    other = factories.CourseFactory()
    for wrong in (
        {"scores": GOOD | {"teaching": 0}},
        {"scores": GOOD | {"teaching": 6}},
        {"scores": {"teaching": 5}},
        {"scores": GOOD | {"weather": 5}},
        {"courses": {course.pk: 6}},
        {"courses": {other.pk: 5}},
        {"remark": "长" * 501},
    ):
        with pytest.raises(RuleBroken):
            answer(one, **wrong)
    assert not SatisfactionAnswer.objects.exists() and not SatisfactionTicket.objects.exists()
    answer(one, courses={course.pk: 3}, remark=" 讲得清楚 ")
    assert SatisfactionAnswer.objects.get().remark == "讲得清楚"
    assert SatisfactionCourseScore.objects.get().score == 3


# Anonymous


def stored(table, training_class):
    """Rows of a table as they lie: their keys in physical order, and the transactions that wrote them."""
    joins = {
        "ticket": "JOIN courses_enrolment other ON other.id = own.enrolment_id",
        "answer": "JOIN courses_trainingclass other ON other.id = own.training_class_id",
        "score": "JOIN courses_satisfactionanswer other ON other.id = own.answer_id",
    }
    condition = "other.id = %s" if table == "answer" else "other.training_class_id = %s"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT own.id, own.xmin::text FROM {TABLES[table]} own {joins[table]} "  # noqa: S608 - names above
            f"WHERE {condition} ORDER BY own.ctid",
            [training_class.pk],
        )
        rows = cursor.fetchall()
    return [key for key, _xmin in rows], {xmin for _key, xmin in rows}


def test_nothing_in_the_tables_of_answers_names_a_person_or_a_time():
    people = {"Enrolment", "Participation", "Trainee", "User"}
    for model in (SatisfactionAnswer, SatisfactionCourseScore):
        targets = {field.related_model.__name__ for field in model._meta.concrete_fields if field.is_relation}
        assert not targets & people
        kinds = {field.get_internal_type() for field in model._meta.concrete_fields}
        assert kinds <= {"UUIDField", "ForeignKey", "PositiveSmallIntegerField", "TextField"}
    assert {field.name for field in SatisfactionTicket._meta.concrete_fields} == {"id", "enrolment"}


@pytest.mark.parametrize("seed", [1, 2])
def test_neither_keys_nor_places_tell_who_answered_what(seed):
    """People answer in a known order, each with a remark of their own. What lies in the tables is in the order of
    random keys, which is another one in every run, and nothing groups a ticket with its answer.
    """
    training_class, course, enrolments = taught(12)
    Random(seed).shuffle(enrolments)
    for place, enrolment in enumerate(enrolments):
        answer(enrolment, remark=f"{place:02d}", courses={course.pk: 1 + place % 5})

    by_remark = {a.pk: int(a.remark) for a in SatisfactionAnswer.objects.all()}
    place_of = {e.pk: place for place, e in enumerate(enrolments)}
    tickets = {t.pk: place_of[t.enrolment_id] for t in SatisfactionTicket.objects.all()}
    orders = []
    for table, places in (("answer", by_remark), ("ticket", tickets)):
        keys, transactions = stored(table, training_class)
        assert keys == sorted(keys) and len(keys) == 12
        assert len(transactions) == 1  # all are of one transaction, whoever wrote them
        orders.append([places[key] for key in keys])
    keys, transactions = stored("score", training_class)
    assert keys == sorted(keys) and len(keys) == 12 and len(transactions) == 1
    # That a random order of twelve is the order in which they came has a chance of one in 479 million.
    assert orders[0] != list(range(12)) and orders[1] != list(range(12))
    assert orders[0] != orders[1]


def test_keys_are_random_and_not_counted():
    for model in (SatisfactionAnswer, SatisfactionCourseScore, SatisfactionTicket):
        assert model._meta.pk.get_internal_type() == "UUIDField"
        one, two = model(), model()
        assert one.pk.version == two.pk.version == 4 and one.pk != two.pk


# Results


def test_below_the_fewest_nothing_is_shown_but_the_number():
    training_class, course, enrolments = taught(FEWEST_SHOWN)
    for enrolment in enrolments[:-1]:
        answer(enrolment, remark="某某老师讲得不好", courses={course.pk: 1})

    found = satisfaction_of([training_class])[training_class.pk]
    assert (found.count, found.asked, found.is_shown) == (FEWEST_SHOWN - 1, FEWEST_SHOWN, False)
    assert not found.questions and not found.courses and not found.remarks
    of_course = satisfaction_with([course], classes=TrainingClass.objects.all())[course.pk]
    assert (of_course.count, of_course.counts, of_course.average) == (FEWEST_SHOWN - 1, (), None)

    answer(enrolments[-1], courses={course.pk: 1})
    found = satisfaction_of([training_class])[training_class.pk]
    assert found.is_shown and len(found.remarks) == FEWEST_SHOWN - 1


def test_results_are_average_number_and_distribution():
    training_class, course, enrolments = taught(6)
    for score, enrolment in zip((1, 2, 4, 5, 5, 5), enrolments, strict=True):
        scores = GOOD | {"content": score}
        answer(enrolment, scores=scores, courses={course.pk: score} if score != 2 else {})

    found = satisfaction_of([training_class])[training_class.pk]

    content = found.questions[QUESTIONS.index("content")]
    assert (content.count, content.counts, str(content.average)) == (6, (1, 1, 0, 1, 3), "3.67")
    assert (found.courses[0].count, found.courses[0].counts) == (5, (1, 0, 0, 1, 3))
    assert str(found.courses[0].average) == "4.00"


def test_a_course_with_few_scores_is_hidden_in_a_class_with_enough():
    training_class, course, enrolments = taught(5)
    for n, enrolment in enumerate(enrolments):
        answer(enrolment, courses={course.pk: 2} if n else {})
    [of_course] = satisfaction_of([training_class])[training_class.pk].courses
    assert (of_course.count, of_course.is_shown, of_course.average) == (4, False, None)


def test_a_course_is_scored_over_the_classes_one_may_see():
    course = factories.CourseFactory()
    here, _course, enrolments = taught(5, course=course)
    there, _course, others = taught(5, course=course)
    for n, enrolment in enumerate([*enrolments, *others]):
        answer(enrolment, courses={course.pk: 5 if n < 5 else 1})

    def average(classes):
        return str(satisfaction_with([course], classes=classes)[course.pk].average)

    assert average(TrainingClass.objects.filter(pk=here.pk)) == "5.00"
    assert average(TrainingClass.objects.filter(pk__in=[here.pk, there.pk])) == "3.00"


def test_results_cost_as_much_for_one_class_as_for_five():
    used, classes = [], []
    for _n in range(5):
        training_class, course, enrolments = taught(5)
        for enrolment in enrolments:
            answer(enrolment, courses={course.pk: 4})
        classes.append(training_class)
        with CaptureQueriesContext(connection) as captured:
            satisfaction_of(classes)
        used.append(len(captured))
    assert set(used) == {3}
    assert satisfaction_of([SimpleNamespace(pk=0)])[0].count == 0
