"""Two records of one person with everything that can hang on them, and a picture of the whole database."""

import hashlib
from datetime import date, timedelta

from django.apps import apps
from django.db import connection
from django.utils import timezone

from courses.models import Attendance, Enrolment, Graduation
from incubator.certification.models import Award, Candidate
from incubator.duplicates.choices import PairState
from incubator.duplicates.models import DuplicatePair
from incubator.duplicates.services import ask_about
from incubator.grants.models import Grant, LedgerEntry
from incubator.metrics.services.readings import write_readings
from incubator.programmes.models import ParticipationMove
from incubator.rosters.models import RosterImport, RosterRow
from tests import factories
from trainees.identity import id_number_index, phone_index

TODAY = date(2026, 11, 20)
ID_ONE, ID_OTHER = "622927200001010028", "622927200001010044"


def record(number, **changes):
    """A person of 622927 with an ID number, a mobile and a login."""
    values = {"name": "马小兰", "county": factories.region("622927"), "born_on": date(2000, 1, 1), "sex": "female"}
    values |= changes
    if id_number := values.pop("id_number", ""):
        values |= {"id_number": id_number, "id_number_index": id_number_index(id_number)}
    if phone := values.pop("phone", ""):
        values |= {"phone": phone, "phone_index": phone_index(phone)}
    return factories.TraineeFactory(number=number, **values)


def pair_of(one, other, why="phone"):
    ask_about([(one.pk, other.pk, why)])
    return DuplicatePair.objects.get(first=min(one.pk, other.pk), second=max(one.pk, other.pk))


def furnish(trainee, staff, tag, *, cohort=None, training_class=None, session=None, followers=()):
    """A participation with a class, a mark, a move, a grant in the ledger; an account with readings; a roster row."""
    participation = factories.ParticipationFactory(
        trainee=trainee, cohort=cohort or factories.CohortFactory(), state="training"
    )
    ParticipationMove.objects.create(participation=participation, before="admitted", after="training", by=staff)
    training_class = training_class or factories.TrainingClassFactory(cohort=participation.cohort)
    session = session or factories.SessionFactory(training_class=training_class)
    Enrolment.objects.create(training_class=training_class, participation=participation)
    Attendance.objects.create(
        session=session, participation=participation, state="present", minutes=90, marked_by=staff
    )
    pool = factories.TrafficPoolFactory()
    grant = Grant.objects.create(
        pool=pool, participation=participation, impressions=10, proposed_by=staff, proposed_on=TODAY
    )
    LedgerEntry.objects.create(pool=pool, grant=grant, kind="promise", impressions=10, by=staff)
    account = factories.CreatorAccountFactory(trainee=trainee, handle=f"ks-{tag}")
    for back, number in enumerate(reversed(followers)):
        day = TODAY - timedelta(days=back)
        write_readings([(account.pk, day, number, None)], source="api", at=timezone.now())
    roster = RosterImport.objects.create(
        cohort=participation.cohort, region=trainee.county, file=f"{tag}.xlsx", file_name=f"名册{tag}.xlsx",
        uploaded_by=staff, state="applied", applied_by=staff,
    )  # fmt: skip
    RosterRow.objects.create(roster=roster, number=3, status="new", trainee=trainee)
    return participation


def graduate(participation, staff, *, on=date(2026, 6, 1)):
    """Graduated that day with its support period."""
    participation.state, participation.graduated_on = "graduated", on
    participation.support_starts_on, participation.support_ends_on = on, on + timedelta(days=179)
    participation.save()
    return Graduation.objects.create(participation=participation, graduated_on=on, decided_by=staff, facts={"h": 16.5})


def award(participation, staff, number, *, rule=None, withdrawn=False):
    rule = rule or factories.RuleFactory()
    account = participation.trainee.accounts.first()
    reached = {"account": account, "crossed_on": TODAY, "followers": 100_000} if account else {}
    candidate = Candidate.objects.create(
        rule=rule, participation=participation, found_on=TODAY, **reached,
        state="approved", was_decided_alone=True, decided_by=staff, decided_at=timezone.now(),
    )  # fmt: skip
    gone = {"withdrawn_at": timezone.now(), "withdrawn_by": staff, "withdrawal_reason": "wrong"} if withdrawn else {}
    return Award.objects.create(
        number=number, badge=rule.badge, trainee=participation.trainee, candidate=candidate, awarded_on=TODAY,
        awarded_by=staff, evidence={"reading": {"followers": 100_000}}, **gone,
    )  # fmt: skip


# Written by merging and undoing themselves.
OWN_LOG = {"duplicates_merge", "trainees_traineechange"}


def picture(*, without=OWN_LOG):
    """A hash of every table's rows, whatever their order, by table."""
    found = {}
    tables = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    for table in sorted(tables - set(without)):
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT to_jsonb(one)::text FROM "{table}" AS one')  # noqa: S608 - our own tables
            rows = sorted(text for (text,) in cursor.fetchall())
        found[table] = hashlib.sha256("\n".join(rows).encode()).hexdigest()
    return found


__all__ = ["ID_ONE", "ID_OTHER", "TODAY", "PairState", "award", "furnish", "graduate", "pair_of", "picture", "record"]
