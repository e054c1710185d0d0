"""Building the demo county, act by act, through the services that people use. Each act can be done again.

An act looks at what is there and does the rest, so that a demo that was killed half-way is finished by the next start.
"""

import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import F, Max
from django.utils import timezone

from courses.models import Course, CourseVersion, Lecturer, Session, TrainingClass, TrainingInstitution
from courses.queries import ready_to_graduate
from courses.services import add_course, enrol, graduate_all, mark_attendance, set_graduation_rule
from incubator.accounts.models import Posting, User
from incubator.accounts.services import ensure_groups
from incubator.certification.models import Award, Badge, Candidate, Rule
from incubator.certification.queries import unexplained_leaps
from incubator.certification.services import (
    approve_candidate,
    evaluate,
    propose_candidate,
    publish_rule,
    refuse_candidate,
    rehearse,
)
from incubator.common.errors import RuleBroken
from incubator.demo.cast import (
    BELIEVED,
    BOUGHT,
    COUNTIES,
    CROSSERS,
    INSTITUTION,
    LECTURERS,
    LOGINS,
    NEAR_MISSES,
    PASSWORD,
    REFUSAL,
    ROOMS,
    TIMETABLE,
)
from incubator.demo.catalogue import CATALOGUE, Offered
from incubator.demo.clock import DemoClock
from incubator.demo.vendor import Vendor
from incubator.forecasts.services import learn_where_due, make_forecasts
from incubator.grants.choices import SupportLevel
from incubator.grants.models import Grant, TrafficPool
from incubator.grants.services import approve_grant, propose_grant
from incubator.jobs.choices import JobState
from incubator.jobs.models import Job
from incubator.metrics.choices import AccountState, Platform
from incubator.metrics.models import CreatorAccount, CreatorAccountQuerySet, Reading, RefreshRun
from incubator.metrics.services import ASSISTED, begin_consent, complete_consent, resume_run, start_refresh
from incubator.programmes.choices import ParticipationState
from incubator.programmes.models import Cohort, Participation, Programme
from incubator.regions.models import Region
from incubator.reports.periods import Period
from incubator.reports.services import request_county_report
from incubator.rosters.models import RosterImport
from incubator.rosters.services import apply_roster, upload_roster
from trainees.models import Trainee
from trainees.services import open_login

ROSTERS = Path(__file__).parent / "rosters"
WAIT_SECONDS = 300

Say = Callable[[str], None]


class DemoFailed(Exception):
    """The demo cannot be built; the sentence says why."""


def find_clock(today: date) -> DemoClock:
    """The clock of the demo that is there, else one that ends today."""
    cohort = Cohort.objects.filter(programme__name="农村青年主播").first()
    if cohort is None:
        return DemoClock(today)
    return DemoClock(cohort.starts_on + (DemoClock(today).built_on - DemoClock(today).cohort_starts_on))


def cast_logins() -> User:
    """Staff and officials with their postings; returns the programme manager, who does the acts."""
    ensure_groups()
    for login in LOGINS:
        user, is_new = User.objects.get_or_create(
            username=login.username,
            defaults={
                "display_name": login.display_name,
                "role": login.role,
                "is_staff": login.role == "staff",
                "is_superuser": login.is_superuser,
            },
        )
        if not is_new:
            continue
        user.set_password(PASSWORD)
        user.save()
        if login.group:
            user.groups.add(Group.objects.get(name=login.group))
        region = None if login.posting == "all" else Region.objects.get(code=login.posting)
        Posting.objects.create(
            user=user, region=region, is_whole_country=region is None, starts_on=timezone.localdate() - timedelta(365)
        )
    return User.objects.get(username="manager")


@transaction.atomic
def set_the_scene(clock: DemoClock, *, by: User) -> Cohort:
    """Programme, cohort, rules, courses, badge and pool."""
    programme, _is_new = Programme.objects.get_or_create(
        name="农村青年主播", defaults={"description": "乡村创作者培育：培训、流量扶持、认证。"}
    )
    cohort, _is_new = Cohort.objects.get_or_create(
        programme=programme,
        name=f"{clock.cohort_starts_on.year}年演示期",
        defaults={"starts_on": clock.cohort_starts_on, "ends_on": clock.built_on + timedelta(days=180)},
    )
    if not cohort.graduation_rules.exists():
        set_graduation_rule(cohort, by=by)
    there = set(Course.objects.values_list("code", flat=True))
    for code, *said in CATALOGUE:
        if code not in there:
            add_course(code, by=by, **dict(zip(Offered._fields[1:], said, strict=True)))
    badge, _is_new = Badge.objects.get_or_create(code="village-leader", defaults={"name": "幸福乡村带头人"})
    rule, is_new = Rule.objects.get_or_create(badge=badge, version=1, defaults={"note": "首版"})
    if is_new:
        rehearse(rule, on=timezone.localdate(), by=by)
        publish_rule(rule, by=by)
    TrafficPool.objects.get_or_create(name="秋季助农流量池", defaults={"cohort": cohort, "impressions": 6_000_000})
    return cohort


def import_rosters(cohort: Cohort, clock: DemoClock, *, by: User, say: Say) -> None:
    """The three sample workbooks, uploaded, checked by the worker, and confirmed."""
    for code in COUNTIES:
        region = Region.objects.get(code=code)
        if RosterImport.objects.filter(cohort=cohort, region=region, state="applied").exists():
            continue
        path = next(ROSTERS.glob(f"{code}*.xlsx"))
        with path.open("rb") as file:
            roster = upload_roster(file, cohort=cohort, region=region, by=by)
        wait_for_job(roster.job)
        roster.refresh_from_db()
        apply_roster(roster, by=by, on=clock.cohort_starts_on)
        say(f"  {path.name}: {roster.new_count} people")


def teach(cohort: Cohort, clock: DemoClock, *, by: User) -> None:
    """A class per county: everybody enrolled, eight sessions, most people present, some not often enough."""
    versions = {version.course.code: version for version in CourseVersion.objects.select_related("course")}
    institution, _is_new = TrainingInstitution.objects.get_or_create(
        name=INSTITUTION, defaults={"region": Region.objects.get(code="620000"), "contact": "教务处"}
    )
    for code in COUNTIES:
        region = Region.objects.get(code=code)
        people = list(Participation.objects.filter(cohort=cohort, trainee__county=region).order_by("trainee__number"))
        training_class, _is_new = TrainingClass.objects.get_or_create(
            cohort=cohort,
            name=f"{region.name}创作者培训班",
            defaults={
                "region": region,
                "institution": institution,
                "place": "县职业教育中心",
                "head_teacher": LECTURERS[code][0][0],
                "starts_on": clock.class_starts_on,
                "ends_on": clock.class_starts_on + timedelta(days=TIMETABLE[-1][0]),
                "capacity": max(50, len(people)),
            },
        )
        lecturers = [_lecturer(*who) for who in LECTURERS[code]]
        enrol(people, training_class=training_class, by=by)
        for day, hour, course, hours in TIMETABLE:
            starts_at = clock.at(clock.class_starts_on + timedelta(days=day), hour)
            session, is_new = Session.objects.get_or_create(
                training_class=training_class,
                starts_at=starts_at,
                defaults={
                    "version": versions[course],
                    "ends_at": starts_at + timedelta(minutes=45 * hours),
                    "room": ROOMS[hour > 12],
                    "lecturer": lecturers[hour > 12],
                },
            )
            if is_new or not session.attendances.exists():
                mark_attendance(session, marks=_marks(people, day, hour), by=by)


def _lecturer(name: str, organisation: str, subject: str) -> Lecturer:
    return Lecturer.objects.get_or_create(name=name, organisation=organisation, defaults={"subject": subject})[0]


def _marks(people: list[Participation], day: int, hour: int) -> dict[int, tuple[str, int | None]]:
    """Every ninth person misses the afternoons, every thirteenth the first two days; the rest are there."""
    marks: dict[int, tuple[str, int | None]] = {}
    for place, participation in enumerate(people, 1):
        if place % 13 == 0 and day < 2:
            marks[participation.pk] = ("absent", None)
        elif place % 9 == 0 and hour > 12:
            marks[participation.pk] = ("on_leave", None)
        else:
            marks[participation.pk] = ("present", None)
    return marks


def graduate_who_may(cohort: Cohort, clock: DemoClock, *, by: User) -> int:
    """Everybody in training who meets the rule; the others stay in training and can read what is missing."""
    training = Participation.objects.filter(cohort=cohort, state=ParticipationState.TRAINING)
    ready = ready_to_graduate(training).select_related("trainee", "cohort")
    return len(graduate_all(list(ready), on=clock.graduates_on, by=by))


def curves(cohort: Cohort, clock: DemoClock) -> list[dict]:
    """How each creator's followers develop, for the simulator: most plateau, a few cross 100,000."""
    accounts = accounts_of(cohort, Platform.KUAISHOU)
    graduates = list(accounts.filter(trainee__participations__state=ParticipationState.GRADUATED))
    others = list(accounts.exclude(trainee__participations__state=ParticipationState.GRADUATED))
    special = {}
    step = max(1, len(graduates) // (len(CROSSERS) + len(NEAR_MISSES) + 1))
    for n, (start, end) in enumerate(CROSSERS):
        special[graduates[3 + n * step].pk] = ("rise", start, end)
    for n, (start, end) in enumerate(NEAR_MISSES, len(CROSSERS)):
        special[graduates[3 + n * step].pk] = ("plateau", start, end)
    special[graduates[3 + (len(CROSSERS) + len(NEAR_MISSES)) * step - 1].pk] = ("burst", *BOUGHT)
    if others:
        special[others[0].pk] = ("rise", 47_000, 112_000)  # reached the number, but never graduated
    return [creator(account, clock, special.get(account.pk)) for account in [*graduates, *others]]


def accounts_of(cohort: Cohort, platform: str) -> CreatorAccountQuerySet:
    accounts = CreatorAccount.objects.filter(trainee__participations__cohort=cohort, platform=platform)
    return accounts.select_related("trainee").order_by("pk")


def creator(account: CreatorAccount, clock: DemoClock, special: tuple[str, int, int] | None = None) -> dict:
    """What the simulator is told about one creator."""
    start = 400 + account.pk * 7919 % 24_000
    kind = ("plateau", "steady", "sleepy", "rise")[account.pk % 4]
    end = start + (account.pk * 104_729 % 9_000 if kind != "sleepy" else 40)
    kind, start, end = special or (kind, start, end)
    return {
        "handle": account.handle,
        "name": account.trainee.name,
        "city": "",
        "sex": "M" if account.trainee.sex == "male" else "F",
        "curve": {
            "kind": kind,
            "start_on": clock.reading_days[0].isoformat(),
            "start": start,
            "end_on": clock.built_on.isoformat(),
            "end": end,
            "seed": account.pk,
        },
    }


def consent_everybody(cohort: Cohort, clock: DemoClock, vendor: Vendor, *, by: User, say: Say) -> None:
    """Staff sit beside each trainee who has not connected the account yet, as they do at the end of a class."""
    at = clock.at(clock.consents_on)
    vendor.set_clock(at)
    consent(accounts_of(cohort, Platform.KUAISHOU), at, vendor, by=by, say=say)


def consent(accounts: CreatorAccountQuerySet, at: datetime, vendor: Vendor, *, by: User, say: Say) -> None:
    """Connect those of the accounts that are not connected yet."""
    todo = list(accounts.filter(state=AccountState.UNLINKED))
    for n, account in enumerate(todo, 1):
        address = begin_consent(account, by=by, at=at, session=ASSISTED)
        state, code = vendor.agree(address, handle=account.handle)
        complete_consent(state=state, code=code, by=by, at=at, session=ASSISTED)
        if n % 50 == 0 or n == len(todo):
            say(f"  {n} of {len(todo)} accounts connected")


def read_days(days: list[date], platforms: list[str], clock: DemoClock, vendor: Vendor, *, say: Say) -> None:
    """A refresh a day and platform by the worker over HTTP, the simulator's clock going before it."""
    done = set(RefreshRun.objects.exclude(finished_at=None).values_list("platform", "day"))
    for n, day in enumerate(days, 1):
        for platform in platforms:
            if (platform, day) not in done:
                _read_day(day, platform, clock, vendor)
        if n % 15 == 0 or n == len(days):
            say(f"  {n} of {len(days)} days read")


def _read_day(day: date, platform: str, clock: DemoClock, vendor: Vendor) -> None:
    at = clock.at(day)
    vendor.set_clock(at)
    run = start_refresh(platform=platform, day=day, at=at)
    wait_until(
        lambda: not RefreshRun.objects.filter(pk=run.pk, finished_at=None).exists(), f"the refresh of {day}", run
    )


def wait_until(is_done: Callable[[], bool], what: str, run: RefreshRun | None = None) -> None:
    """Wait for the worker; a run that stopped is resumed once, and then its error is told."""
    deadline = time.monotonic() + WAIT_SECONDS
    resumed = False
    while not is_done():
        if time.monotonic() > deadline:
            raise DemoFailed(f"{what} was not done within {WAIT_SECONDS} seconds. Is the worker running? See var/log.")
        if run is not None and run.has_stopped and not is_done():
            if resumed:
                raise DemoFailed(f"{what} stopped: {_errors_of(run)}")
            resume_run(run)
            resumed = True
        time.sleep(0.03)


def _errors_of(run: RefreshRun) -> str:
    ids = run.batches.values_list("job_id", flat=True)
    return (
        " ".join(Job.objects.filter(pk__in=ids).exclude(error="").values_list("error", flat=True)) or "no reason given"
    )


def wait_for_job(job: Job | None) -> None:
    """Until the job has ended well; raises ``DemoFailed`` with its error."""
    if job is None:
        return
    wait_until(lambda: not Job.objects.live().filter(pk=job.pk).exists(), str(job))
    job.refresh_from_db()
    if job.state != JobState.DONE:
        raise DemoFailed(f"{job}: {job.error}")


def give_traffic(cohort: Cohort, clock: DemoClock, *, by: User) -> None:
    """Grants from the pool for the most promising; the last of them asks for more than is left and is told so."""
    pool = TrafficPool.objects.get(name="秋季助农流量池")
    if Grant.objects.filter(pool=pool).exists():
        return
    on = clock.reading_days[20]
    supported = Participation.objects.filter(cohort=cohort).in_support(on).select_related("trainee")
    ranked = supported.annotate(most=Max("trainee__accounts__latest__followers"))  # some have two accounts
    best = list(ranked.order_by(F("most").desc(nulls_last=True), "pk")[:14])
    levels = [SupportLevel.THIRD] * 3 + [SupportLevel.SECOND] * 4 + [SupportLevel.FIRST] * 7
    amounts = {SupportLevel.THIRD: 1_000_000, SupportLevel.SECOND: 500_000, SupportLevel.FIRST: 150_000}
    for participation, level in zip(best, levels, strict=False):
        grant = propose_grant(pool, participation=participation, impressions=amounts[level], by=by, on=on, level=level)
        try:
            approve_grant(grant, by=by, on=on)
        except RuleBroken:
            break  # stays proposed: something for the manager to decide


def certify(clock: DemoClock) -> None:
    """Evaluate; the leap of bought followers is refused with its reason, one stays to be reviewed, the rest awarded."""
    certifier, reviewer = User.objects.get(username="certifier"), User.objects.get(username="reviewer")
    evaluate(on=clock.built_on)
    if Award.objects.exists():
        return
    pending = list(Candidate.objects.filter(state="pending").select_related("account").order_by("crossed_on", "pk"))
    bought = [c for c in pending if (c.followers or 0) >= BOUGHT[0] and _leapt(c)]
    for candidate in bought[:1]:
        refuse_candidate(candidate, by=certifier, reason=REFUSAL)
    for candidate in [c for c in pending if c not in bought[:1]][:-1]:
        propose_candidate(candidate, by=reviewer, remark=_remark(candidate))
        approve_candidate(candidate, by=certifier, on=clock.built_on)


def forecast(clock: DemoClock) -> int:
    """What the night after the last readings says of everybody in support who is not certified."""
    learn_where_due(on=clock.built_on)
    return make_forecasts(on=clock.built_on)


def _remark(candidate: Candidate) -> str:
    return BELIEVED if unexplained_leaps(candidate).exists() else ""


def _leapt(candidate: Candidate) -> bool:
    """Whether followers more than doubled within the three days before the crossing."""
    before = Reading.objects.filter(account=candidate.account_id, day__lt=candidate.crossed_on).order_by("-day")[:3]
    return any(reading.followers * 2 < (candidate.followers or 0) for reading in before)


def open_trainee_logins(cohort: Cohort) -> list[tuple[str, str]]:
    """Four trainees who can log in: awarded, under way, refused, not graduated. ``(login, who it is)``."""
    base = Trainee.objects.filter(participations__cohort=cohort)
    examples = [
        (base.filter(awards__isnull=False).first(), "certified leader"),
        (base.filter(accounts__latest__followers__range=(90_000, 99_999)).first(), "close to 100,000"),
        (base.filter(participations__candidacies__state="refused").first(), "candidate who was refused"),
        (base.filter(participations__state=ParticipationState.TRAINING).first(), "training not finished"),
    ]
    told = []
    for trainee, who in examples:
        if trainee is None:
            continue
        user = trainee.user or open_login(trainee, password=PASSWORD)
        if not user.has_usable_password():  # opened to fill in a form
            user.set_password(PASSWORD)
            user.save(update_fields=["password"])
        told.append((trainee.number, who))
    return told


def write_report(clock: DemoClock) -> None:
    """The county official asks for the report of the current quarter and the worker makes the workbook."""
    official = User.objects.get(username="jishishan")
    if Job.objects.filter(kind="county_report", asked_by=official, state=JobState.DONE).exists():
        return
    period = Period.current(clock.built_on)
    wait_for_job(request_county_report(Region.objects.get(code="622927"), period, by=official))
