"""A small country whose figures of the third quarter of 2026 are counted by hand, as seen on 5 October."""

from datetime import date, datetime, timedelta

from courses.models import Attendance
from incubator.certification.models import Award, Candidate
from incubator.grants.models import Grant
from incubator.metrics.choices import AccountState
from incubator.programmes.choices import ParticipationState
from incubator.regions.choices import Level
from incubator.regions.models import Region
from incubator.reports.periods import Period
from incubator.reports.queries import CountyFigures
from tests import factories
from tests.factories import SHANGHAI, CreatorAccountFactory, ParticipationFactory, TraineeFactory, graduate_row, reading

A, B, C, D = "622927", "622926", "620102", "520526"
PREFECTURE, PROVINCE, CITY = "622900", "620000", "441900"  # the last is a prefecture without counties
PERIOD, TODAY = Period.parse("2026Q3"), date(2026, 10, 5)

IN_A = CountyFigures(
    trainees=4,
    trained=3,
    person_times=5,
    minutes=720,
    graduates=2,
    graduates_total=3,
    in_support=3,
    accounts=5,
    connected=4,
    fresh=2,
    read=4,
    followers=131_150,
    compared=2,
    growth=30_050,
    over_10k=2,
    over_100k=1,
    impressions=1_234,
    leaders=1,
    leaders_total=2,
    as_of=date(2026, 9, 30),
)
IN_B = CountyFigures(
    trainees=1, accounts=1, connected=1, fresh=1, read=1, followers=7, compared=1, growth=-3, as_of=date(2026, 9, 25)
)


def make_country() -> dict[str, object]:
    """People of every kind in county A, one in each other place. Returns people and accounts by a short name."""
    staff = factories.UserFactory(username="staff")
    factories.region(CITY, "东莞市", level=Level.PREFECTURE)
    county = factories.region(A, "积石山县")
    people = {
        "one": _leader(county, staff),
        "two": _withdrawn(county, staff),
        "three": _refused(county, staff),
        "four": _concluded(county, staff),
        "five": _nominated_later(county),
        "six": _twice(county, staff),
    }
    for short, code, figure in (("b", B, 7), ("c", C, 20), ("d", D, 300), ("e", CITY, 4_000)):
        people[short] = _somebody(short, code, figure)
    return people


def _leader(county: Region, staff) -> object:
    trainee = TraineeFactory(name="甲一", county=county, id_number="622927199001011234", phone="+8613800001234")
    part = graduate_row(date(2026, 8, 1), trainee=trainee)
    for at, minutes in (
        (datetime(2026, 6, 30, 23, 59), 45),  # a minute too early
        (datetime(2026, 7, 1, 0, 30), 45),  # 30 June in Greenwich
        (datetime(2026, 7, 10, 8), 360),
        (datetime(2026, 7, 11, 8), 90),
        (datetime(2026, 7, 12, 8), 0),
        (datetime(2026, 10, 1, 0, 0), 45),
    ):
        mark(part, at, minutes, staff)
    account = CreatorAccountFactory(trainee=trainee, handle="ksone")
    for day, figure in ((date(2026, 6, 30), 90_000), (date(2026, 9, 30), 120_000), (date(2026, 10, 2), 500_000)):
        reading(account, day, figure)
    grant(part, 1_000, date(2026, 7, 1), staff)
    grant(part, 5_000, date(2026, 7, 2), staff, state="cancelled")
    grant(part, 700, date(2026, 6, 30), staff)
    award(part, account, date(2026, 9, 15), staff)
    return trainee


def _withdrawn(county: Region, staff) -> object:
    """Present once, graduated, then withdrawn; an account nobody has read."""
    trainee = TraineeFactory(name="甲二", county=county)
    part = graduate_row(date(2026, 7, 5), trainee=trainee)
    mark(part, datetime(2026, 7, 10, 8), 180, staff)
    part.state = ParticipationState.WITHDRAWN
    part.save()
    CreatorAccountFactory(trainee=trainee, handle="kstwo")
    return trainee


def _refused(county: Region, staff) -> object:
    trainee = TraineeFactory(name="甲三", county=county)
    part = ParticipationFactory(trainee=trainee, state=ParticipationState.REFUSED)
    mark(part, datetime(2026, 7, 10, 8), 360, staff)
    reading(CreatorAccountFactory(trainee=trainee, handle="ksthree"), date(2026, 9, 30), 55_555)
    grant(part, 66, date(2026, 8, 1), staff)
    return trainee


def _concluded(county: Region, staff) -> object:
    """Support ends with the period; an award taken back; no reading since before the period."""
    trainee = TraineeFactory(name="甲四", county=county)
    on = date(2026, 6, 15)
    part = graduate_row(on, days=(date(2026, 9, 30) - on).days + 1, trainee=trainee)
    part.state = ParticipationState.CONCLUDED
    part.save()
    account = CreatorAccountFactory(trainee=trainee, handle="ksfour", state=AccountState.NEEDS_CONSENT)
    reading(account, date(2026, 6, 1), 10_000)
    taken = award(part, account, date(2026, 8, 8), staff)
    taken.withdrawn_at, taken.withdrawn_by, taken.withdrawal_reason = taken.candidate.decided_at, staff, "bought"
    taken.save()
    return trainee


def _nominated_later(county: Region) -> object:
    trainee = TraineeFactory(name="甲五", county=county)
    ParticipationFactory(trainee=trainee, nominated_on=date(2026, 10, 1))
    reading(CreatorAccountFactory(trainee=trainee, handle="ksfive"), date(2026, 9, 30), 44_444)
    return trainee


def _twice(county: Region, staff) -> object:
    """Graduated from one cohort, in training in the next; two accounts, one of them new."""
    trainee = TraineeFactory(name="甲六", county=county)
    part = graduate_row(date(2026, 7, 20), trainee=trainee)
    ParticipationFactory(trainee=trainee, nominated_on=date(2026, 9, 1), state=ParticipationState.TRAINING)
    mark(part, datetime(2026, 7, 10, 8), 45, staff)
    old, new = (CreatorAccountFactory(trainee=trainee, handle=handle) for handle in ("ksold", "ksnew"))
    reading(old, date(2026, 5, 1), 100)
    reading(old, date(2026, 9, 24), 150)
    reading(new, date(2026, 9, 23), 1_000)
    grant(part, 234, date(2026, 9, 30), staff)
    award(part, old, date(2026, 6, 30), staff)
    return trainee


def _somebody(short: str, code: str, followers: int) -> object:
    level = Level.PREFECTURE if code.endswith("00") else Level.COUNTY
    trainee = TraineeFactory(name=f"外人{short}", county=factories.region(code, level=level), township=f"镇{short}")
    ParticipationFactory(trainee=trainee)
    account = CreatorAccountFactory(trainee=trainee, handle=f"ks-{short}")
    reading(account, date(2026, 6, 1), followers + 3)
    reading(account, date(2026, 9, 25), followers)
    return trainee


def mark(part, at: datetime, minutes: int, by) -> None:
    """Present for that long at a session of its own; absent for none."""
    start = at.replace(tzinfo=SHANGHAI)
    session = factories.SessionFactory(starts_at=start, ends_at=start + timedelta(hours=6))
    state = "present" if minutes else "absent"
    Attendance.objects.create(session=session, participation=part, state=state, minutes=minutes, marked_by=by)


def grant(part, impressions: int, on: date, by, *, state: str = "approved") -> None:
    Grant.objects.create(
        pool=factories.TrafficPoolFactory(),
        participation=part,
        impressions=impressions,
        state=state,
        proposed_by=by,
        proposed_on=on,
        approved_on=on,
    )


def award(part, account, on: date, by) -> Award:
    rule = factories.RuleFactory()
    candidate = Candidate.objects.create(
        rule=rule,
        participation=part,
        account=account,
        crossed_on=on,
        followers=100_000,
        found_on=on,
        state="approved",
        was_decided_alone=True,
        decided_by=by,
        decided_at=datetime(on.year, on.month, on.day, tzinfo=SHANGHAI),
    )
    return Award.objects.create(
        number=f"XC-{part.pk}-{account.handle}",
        badge=rule.badge,
        trainee=part.trainee,
        candidate=candidate,
        awarded_on=on,
        awarded_by=by,
        evidence={},
    )
