"""What the demo's classes are examined in, and what people thought of them, through the services. Can be done again."""

from datetime import timedelta

from django.db import transaction
from django.db.models import F

from courses.choices import AssessmentKind, CourseKind, Delivery
from courses.models import Attempt, CourseVersion, Enrolment, SatisfactionTicket, TrainingClass
from courses.models.satisfaction import QUESTIONS
from courses.services import add_assessment, answer_form, appeal, hand_in_work, record_marks
from courses.services.learning import Learned, write_learning_records
from incubator.accounts.models import User
from incubator.demo.cast import ANSWERS, WORK
from incubator.demo.clock import DemoClock
from incubator.programmes.models import Cohort, Participation
from trainees.services import open_login

WORKS = 8  # of a class, whose links are there; the others showed theirs in the class
RESAT = {5: ("55", "72"), 20: ("58.5", "60")}  # place in the class: marks of the first attempt, and of the resit
APPEAL = "评分表上“声音”一项漏记了分，请复核。"


def study_online(cohort: Cohort, clock: DemoClock) -> int:
    """Half of the people of every class finished an online course of general knowledge before it began."""
    course = CourseVersion.objects.filter(course__current=F("pk"), delivery=Delivery.ONLINE, kind=CourseKind.GENERAL)
    version = course.earliest("course__code")
    people = (
        Enrolment.objects.enrolled().filter(training_class__cohort=cohort).order_by("participation__trainee__number")
    )
    finished_at = clock.at(clock.class_starts_on - timedelta(days=2), hour=20)
    learned = [
        Learned(participation, version.pk, 40 + place % 30, finished_at)
        for place, participation in enumerate(people.values_list("participation", flat=True))
        if place % 2
    ]
    return write_learning_records(learned, origin="demo", at=finished_at)


def examine(cohort: Cohort, clock: DemoClock, *, by: User) -> None:
    """A work to hand in, required to graduate, in every class. Whoever was there often enough passes, two at the resit;
    who missed the afternoons fails, and who missed the first two days was not examined.
    """
    on = clock.class_starts_on + timedelta(days=4)
    for training_class in TrainingClass.objects.filter(cohort=cohort, assessments=None).order_by("pk"):
        with transaction.atomic():
            work = add_assessment(
                training_class, by=by, title=WORK, kind=AssessmentKind.WORK, due_at=clock.at(on, hour=18)
            )
            people = list(
                Participation.objects.filter(enrolments__training_class=training_class)
                .select_related("trainee")
                .order_by("trainee__number")
            )
            for place, person in enumerate(people[:WORKS], 1):
                link = f"https://www.kuaishou.com/short-video/demo{training_class.pk}-{place:03d}"
                hand_in_work(work, participation=person, link=link, by=by, at=clock.at(on, hour=9))
            first = {p.pk: _marks(place) for place, p in enumerate(people, 1) if place % 13}
            record_marks(work, marks=first, by=by, at=clock.at(on, hour=19))
            again = {p.pk: RESAT[place][1] for place, p in enumerate(people, 1) if place in RESAT}
            record_marks(work, marks=again, by=by, number=2, at=clock.at(on, hour=20))


def _marks(place: int) -> str:
    """Marks of the first attempt, by the place in the class."""
    if place % 9 == 0:
        return "52.5"
    return RESAT[place][0] if place in RESAT else str(62 + place * 7 % 37)


def hear(cohort: Cohort, clock: DemoClock) -> None:
    """Some people of the first class log in, fill in its form, and one of them appeals against their marks."""
    enrolments = Enrolment.objects.enrolled().filter(training_class__cohort=cohort)
    enrolments = enrolments.select_related("participation__trainee__user", "training_class")
    first_class = enrolments.order_by("training_class_id", "participation__trainee__number")
    for enrolment, answers in zip(first_class[: len(ANSWERS)], ANSWERS, strict=False):
        trainee = enrolment.participation.trainee
        user = trainee.user or open_login(trainee, password=None)  # hashing one takes a third of a second
        if not SatisfactionTicket.objects.filter(enrolment=enrolment).exists():
            *scores, remark = answers
            courses = dict.fromkeys(
                enrolment.training_class.sessions.values_list("version__course", flat=True), scores[0]
            )
            answer_form(
                enrolment, scores=dict(zip(QUESTIONS, scores, strict=True)), courses=courses, remark=remark, by=user
            )
    own = Attempt.objects.filter(participation__enrolments__in=list(first_class[:1]), number=1, appealed_at=None)
    for attempt in own.select_related("participation__trainee__user"):
        appeal(attempt, reason=APPEAL, by=attempt.participation.trainee.user, at=clock.at(clock.graduates_on))
