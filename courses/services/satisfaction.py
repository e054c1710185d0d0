"""The only writer of satisfaction forms. Who answered is kept, and what was answered; nothing joins the two."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from courses.choices import EnrolmentState
from courses.models import (
    Enrolment,
    SatisfactionAnswer,
    SatisfactionCourseScore,
    SatisfactionTicket,
    Session,
    TrainingClass,
)
from courses.models.satisfaction import QUESTIONS, SCORES
from incubator.common.errors import RuleBroken

# Rows lie in a table in the order they came, and say in which transaction. All answers of a class are written anew, in
# the order of their random keys, whenever one is added: neither their place nor their transaction tells whose one is.
SHUFFLE_ANSWERS = """
WITH gone AS (DELETE FROM courses_satisfactionanswer WHERE training_class_id = %(class)s RETURNING *)
INSERT INTO courses_satisfactionanswer SELECT * FROM gone ORDER BY id
"""
SHUFFLE_SCORES = """
WITH gone AS (
    DELETE FROM courses_satisfactioncoursescore score USING courses_satisfactionanswer answer
    WHERE answer.id = score.answer_id AND answer.training_class_id = %(class)s RETURNING score.*
)
INSERT INTO courses_satisfactioncoursescore SELECT * FROM gone ORDER BY id
"""
SHUFFLE_TICKETS = """
WITH gone AS (
    DELETE FROM courses_satisfactionticket ticket USING courses_enrolment enrolment
    WHERE enrolment.id = ticket.enrolment_id AND enrolment.training_class_id = %(class)s RETURNING ticket.*
)
INSERT INTO courses_satisfactionticket SELECT * FROM gone ORDER BY id
"""


@transaction.atomic
def answer_form(
    enrolment: Enrolment,
    *,
    scores: Mapping[str, int],
    by: Any,
    courses: Mapping[int, int] | None = None,
    remark: str = "",
    at: datetime | None = None,
) -> None:
    """Fill in the form of a class, once, after its last session: ``scores`` from 1 to 5 for each of ``QUESTIONS``.

    ``courses`` are scores by the id of courses that the class was taught. Nothing is returned, so that nothing leads
    from the person to the answer. Raises ``RuleBroken`` for whoever is not the person, too early, or a second time.
    """
    training_class = TrainingClass.objects.select_for_update(no_key=True).get(pk=enrolment.training_class_id)
    enrolment = Enrolment.objects.select_related("participation__trainee").get(pk=enrolment.pk)
    if by.pk is None or enrolment.participation.trainee.user_id != by.pk:
        raise RuleBroken(_("Only people of the class fill in its form, each for themselves."))
    _require_open(enrolment, at or timezone.now())
    _require_scores(training_class, scores, courses or {}, remark)
    try:
        with transaction.atomic():
            SatisfactionTicket.objects.create(enrolment=enrolment)
    except IntegrityError:
        raise RuleBroken(_("You have filled in this form already. Thank you.")) from None
    answer = SatisfactionAnswer.objects.create(training_class=training_class, remark=remark.strip(), **scores)
    SatisfactionCourseScore.objects.bulk_create(
        SatisfactionCourseScore(id=uuid.uuid4(), answer=answer, course_id=pk, score=score)
        for pk, score in (courses or {}).items()
    )
    with connection.cursor() as cursor:
        # The scores first: they are found through their answers.
        for statement in (SHUFFLE_SCORES, SHUFFLE_ANSWERS, SHUFFLE_TICKETS):
            cursor.execute(statement, {"class": training_class.pk})


def _require_open(enrolment: Enrolment, at: datetime) -> None:
    if enrolment.state != EnrolmentState.ENROLLED:
        raise RuleBroken(_("Only people of the class fill in its form, each for themselves."))
    ends_at = Session.objects.filter(training_class=enrolment.training_class_id).aggregate(last=Max("ends_at"))["last"]
    if ends_at is None or at < ends_at:
        raise RuleBroken(_("The form can be filled in when the last session of the class is over."))


def _require_scores(
    training_class: TrainingClass, scores: Mapping[str, int], courses: Mapping[int, int], remark: str
) -> None:
    if set(scores) != set(QUESTIONS) or any(score not in SCORES for score in (*scores.values(), *courses.values())):
        raise RuleBroken(_("Give every question a score from 1 to 5."))
    taught = set(training_class.sessions.values_list("version__course", flat=True))
    if set(courses) - taught:
        raise RuleBroken(_("A course was scored that this class was not taught."))
    if len(remark.strip()) > (most := SatisfactionAnswer._meta.get_field("remark").max_length or 0):
        raise RuleBroken(_("The remark is longer than %(most)s characters.") % {"most": most})
