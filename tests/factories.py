"""The dullest valid objects. What matters to a test is written in the test."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import factory
from django.db import connection
from factory.django import DjangoModelFactory

from courses.models import Course, CourseVersion, GraduationRule, Session, TrainingClass
from incubator.accounts.choices import Role
from incubator.accounts.models import Posting, User
from incubator.certification.models import Award, Badge, Candidate, Rule
from incubator.certification.services import approve_candidate, propose_candidate
from incubator.grants.models import TrafficPool
from incubator.metrics.choices import AccountState
from incubator.metrics.models import CreatorAccount, LatestReading, Reading
from incubator.programmes.choices import ParticipationState
from incubator.programmes.models import Cohort, Participation, Programme
from incubator.regions.choices import Level
from incubator.regions.models import Region
from trainees.models import Trainee

SHANGHAI = ZoneInfo("Asia/Shanghai")


def region(code: str, name: str = "", *, level: str = Level.COUNTY) -> Region:
    """A division with the path its code suggests, made on demand."""
    found = Region.objects.filter(code=code).first()
    if found:
        return found
    province = code if level == Level.PROVINCE else region(code[:2] + "0000", level=Level.PROVINCE).code
    prefecture = None
    if level == Level.COUNTY:
        prefecture = region(code[:4] + "00", level=Level.PREFECTURE).code
    elif level == Level.PREFECTURE:
        prefecture = code
    parent = {Level.PROVINCE: None, Level.PREFECTURE: province, Level.COUNTY: prefecture}[Level(level)]
    return Region.objects.create(
        code=code,
        name=name or f"{code}{ {'province': '省', 'prefecture': '市', 'county': '县'}[level] }",
        level=level,
        parent_id=parent,
        province_id=province,
        prefecture_id=prefecture,
    )


class UserFactory(DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"user{n}")
    display_name = factory.LazyAttribute(lambda o: o.username)
    role = Role.STAFF

    @factory.post_generation
    def password(self, create, value, **kwargs):
        self.set_password(value or "correct horse")
        self.save()


def official(code: str, **kwargs) -> User:
    """An official posted to the region with that code, made when missing."""
    level = Level.PROVINCE if code.endswith("0000") else Level.PREFECTURE if code.endswith("00") else Level.COUNTY
    user = UserFactory(role=Role.OFFICIAL, **kwargs)
    Posting.objects.create(user=user, region=region(code, level=level), starts_on=date(2020, 1, 1))
    return user


def superuser(**kwargs) -> User:
    return UserFactory(is_staff=True, is_superuser=True, **kwargs)


class ProgrammeFactory(DjangoModelFactory):
    class Meta:
        model = Programme

    name = factory.Sequence(lambda n: f"Programme {n}")


class CohortFactory(DjangoModelFactory):
    class Meta:
        model = Cohort
        skip_postgeneration_save = True

    programme = factory.SubFactory(ProgrammeFactory)
    name = factory.Sequence(lambda n: f"Cohort {n}")
    starts_on = date(2026, 3, 1)
    ends_on = date(2026, 12, 31)

    @factory.post_generation
    def rule(self, create, value, **kwargs):
        if create:
            GraduationRule.objects.create(cohort=self)


class TraineeFactory(DjangoModelFactory):
    class Meta:
        model = Trainee

    number = factory.Sequence(lambda n: f"T2026-{9_000_000 + n}")  # far from those the database itself hands out
    name = factory.Sequence(lambda n: f"学员{n}")
    county = factory.LazyFunction(lambda: region("622927"))


class ParticipationFactory(DjangoModelFactory):
    class Meta:
        model = Participation

    trainee = factory.SubFactory(TraineeFactory)
    cohort = factory.SubFactory(CohortFactory)
    nominated_on = date(2026, 3, 1)


def graduate_row(on: date = date(2026, 6, 1), *, days: int = 180, **kwargs) -> Participation:
    """A graduated participation with its support period open, without the teaching that led there."""
    return ParticipationFactory(
        state=ParticipationState.GRADUATED,
        graduated_on=on,
        support_starts_on=on,
        support_ends_on=on + timedelta(days=days - 1),
        **kwargs,
    )


class CreatorAccountFactory(DjangoModelFactory):
    class Meta:
        model = CreatorAccount

    trainee = factory.SubFactory(TraineeFactory)
    handle = factory.Sequence(lambda n: f"ks{n:06d}")
    state = AccountState.LINKED


def reading(account: CreatorAccount, day: date, followers: int) -> Reading:
    """A reading fetched at two in the morning of its day, and the latest one where it is newer."""
    fetched_at = datetime(day.year, day.month, day.day, 2, tzinfo=SHANGHAI)
    row = Reading.objects.create(account=account, day=day, followers=followers, fetched_at=fetched_at)
    latest = LatestReading.objects.filter(account=account).first()
    peak = max(followers, latest.peak if latest else 0)
    if latest is None or latest.day < day:
        newest = {"day": day, "followers": followers, "fetched_at": fetched_at, "peak": peak}
        LatestReading.objects.update_or_create(account=account, defaults=newest)
    else:
        LatestReading.objects.filter(account=account).update(peak=peak)
    return row


class CourseFactory(DjangoModelFactory):
    """A course with its first version, which says title, kind and hours."""

    class Meta:
        model = Course

    code = factory.Sequence(lambda n: f"C{n:03d}")
    title = factory.Sequence(lambda n: f"Course {n}")
    kind = "professional"
    hours = 8

    @classmethod
    def _create(cls, model_class, *args, code, **said):
        course = Course.objects.create(code=code)
        course.current = CourseVersion.objects.create(course=course, number=1, **said)
        course.save()
        return course


class TrainingClassFactory(DjangoModelFactory):
    class Meta:
        model = TrainingClass

    cohort = factory.SubFactory(CohortFactory)
    name = factory.Sequence(lambda n: f"Class {n}")
    region = factory.LazyFunction(lambda: region("622900", level=Level.PREFECTURE))


class SessionFactory(DjangoModelFactory):
    class Meta:
        model = Session
        exclude = ["course"]

    course = None  # a course to teach in its current version
    training_class = factory.SubFactory(TrainingClassFactory)
    version = factory.LazyAttribute(lambda o: (o.course or CourseFactory()).current)
    # Never beyond the autumn, however many tests one process runs.
    starts_at = factory.Sequence(lambda n: datetime(2026, 4, 1, 8, tzinfo=SHANGHAI) + timedelta(days=n % 200))
    ends_at = factory.LazyAttribute(lambda o: o.starts_at + timedelta(minutes=8 * 45))


class TrafficPoolFactory(DjangoModelFactory):
    class Meta:
        model = TrafficPool

    name = factory.Sequence(lambda n: f"Pool {n}")
    impressions = 1_000_000


class BadgeFactory(DjangoModelFactory):
    class Meta:
        model = Badge

    code = factory.Sequence(lambda n: f"badge-{n}")
    name = "幸福乡村带头人"


class RuleFactory(DjangoModelFactory):
    """Graduated, and so many followers in the support period."""

    class Meta:
        model = Rule
        exclude = ("followers", "is_strict", "held_days")

    badge = factory.SubFactory(BadgeFactory)
    version = 1
    followers = 100_000
    is_strict = False
    held_days = 1
    conditions = factory.LazyAttribute(
        lambda o: {
            "all": [
                {"kind": "graduated"},
                {
                    "kind": "followers",
                    "number": o.followers,
                    "strict": o.is_strict,
                    "held_days": o.held_days,
                    "when": "support",
                },
            ]
        }
    )
    published_at = datetime(2026, 1, 1, tzinfo=SHANGHAI)


def approve(candidate: Candidate, *, by: User, on: date, remark: str = "") -> Award:
    """As two people do it: somebody proposes, and ``by`` approves."""
    propose_candidate(candidate, by=UserFactory(), remark=remark)
    return approve_candidate(candidate, by=by, on=on)


def rewrite_award(award: Award, **columns) -> Award:
    """As if it had been given otherwise: past the trigger that keeps what an award says."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        Award.objects.filter(pk=award.pk).update(**columns)
        cursor.execute("SET session_replication_role = DEFAULT")
    award.refresh_from_db()
    return award


def reset_sequences() -> None:
    """Let every factory count from the beginning: the same objects again get the same names."""
    for factory_class in (
        UserFactory,
        ProgrammeFactory,
        CohortFactory,
        TraineeFactory,
        CreatorAccountFactory,
        CourseFactory,
        TrainingClassFactory,
        SessionFactory,
        TrafficPoolFactory,
        BadgeFactory,
    ):
        factory_class.reset_sequence()


def consents_of(*accounts) -> dict:
    """When the consents of accounts were given, as ``lose_consents`` asks for it."""
    from incubator.metrics.models import Authorisation

    rows = Authorisation.objects.filter(account__in=accounts)
    return dict(rows.values_list("pk", "granted_at"))
