"""A class with a session, and people in it who have logins."""

from datetime import datetime, timedelta

from courses.models import Enrolment, Session
from incubator.accounts.choices import Role
from incubator.programmes.models import Participation
from tests import factories
from tests.factories import SHANGHAI

STARTS = datetime(2026, 6, 2, 8, tzinfo=SHANGHAI)
MINUTES = 180
ENDS = STARTS + timedelta(minutes=MINUTES)


def after(minutes: float = 0, seconds: float = 0) -> datetime:
    """An instant after the bell; before it with a negative number."""
    return STARTS + timedelta(minutes=minutes, seconds=seconds)


def make_session(*, starts_at: datetime = STARTS, minutes: int = MINUTES, **kwargs) -> Session:
    return factories.SessionFactory(starts_at=starts_at, ends_at=starts_at + timedelta(minutes=minutes), **kwargs)


def enrolled(session: Session, name: str = "T1", *, trainee=None, **kwargs) -> Participation:
    """Somebody of the session's class, with a login."""
    if trainee is None:
        user = factories.UserFactory(username=name, role=Role.TRAINEE)
        trainee = factories.TraineeFactory(user=user, **kwargs)
    training_class = session.training_class
    found = Participation.objects.filter(trainee=trainee, cohort=training_class.cohort).first()
    person = found or factories.ParticipationFactory(trainee=trainee, cohort=training_class.cohort, state="training")
    Enrolment.objects.create(training_class=training_class, participation=person)
    return person
