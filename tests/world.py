"""A graduate on the way to 100,000 followers, for the tests of pages."""

from datetime import timedelta

from django.utils import timezone

from courses.services import enrol, mark_attendance
from incubator.accounts.choices import Role
from incubator.certification.models import Award, Candidate, Rule
from incubator.certification.services import evaluate
from incubator.programmes.models import Participation
from incubator.programmes.services import admit
from tests.factories import (
    CohortFactory,
    CourseFactory,
    CreatorAccountFactory,
    ParticipationFactory,
    RuleFactory,
    SessionFactory,
    TraineeFactory,
    TrainingClassFactory,
    UserFactory,
    approve,
    graduate_row,
    reading,
    superuser,
)


def trainee_with_login(username: str, **kwargs):
    user = UserFactory(username=username, role=Role.TRAINEE)
    return TraineeFactory(user=user, **kwargs)


def graduate(username: str, *, followers: list[int], days: int = 180, started: int = 30, **kwargs) -> Participation:
    """Graduated ``started`` days ago; ``followers`` are the readings of the last days, the last of them today's."""
    today = timezone.localdate()
    trainee = trainee_with_login(username, **kwargs)
    participation = graduate_row(today - timedelta(days=started), days=days, trainee=trainee)
    account = CreatorAccountFactory(trainee=trainee)
    for back, number in enumerate(reversed(followers)):
        reading(account, today - timedelta(days=back), number)
    return participation


def certified(username: str) -> Award:
    """A graduate who reached 120,000 and was awarded."""
    if not Rule.objects.exists():
        RuleFactory()
    participation = graduate(username, followers=[80_000, 99_000, 120_000])
    evaluate(on=timezone.localdate())
    candidate = Candidate.objects.get(participation=participation)
    return approve(candidate, by=superuser(), on=timezone.localdate())


def in_training(username: str, *, sessions: int) -> Participation:
    """Somebody who attended that many days of eight professional hours each."""
    staff = superuser()
    participation = ParticipationFactory(trainee=trainee_with_login(username), cohort=CohortFactory())
    admit([participation], by=staff)
    training_class = TrainingClassFactory(cohort=participation.cohort)
    enrol([participation], training_class=training_class, by=staff)
    course = CourseFactory()
    for _n in range(sessions):
        session = SessionFactory(training_class=training_class, course=course)
        mark_attendance(session, marks={participation.pk: ("present", None)}, by=staff)
    participation.refresh_from_db()
    return participation
