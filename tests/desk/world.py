"""One row of everything the desk shows, hung on one trainee of one county, each with a word that gives it away."""

import json
import secrets
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.db.models import Model
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from courses.models import (
    Assessment,
    Attempt,
    Attendance,
    Course,
    CourseVersion,
    Enrolment,
    Graduation,
    GraduationQuestion,
    GraduationRule,
    Lecturer,
    PaperSheet,
    Session,
    TrainingClass,
    TrainingInstitution,
)
from incubator.accounts.access import record_access
from incubator.accounts.choices import AccessKind
from incubator.accounts.models import AccessRecord, User
from incubator.certificates.models import Ceremony, CeremonyPlace, Edition, Seal
from incubator.certification.models import (
    Award,
    AwardCheck,
    Badge,
    Candidate,
    Flag,
    NearMiss,
    Rehearsal,
    RehearsalCounty,
    RehearsalPerson,
    Rule,
    Work,
)
from incubator.classbooks.models import (
    AttendanceFinding,
    AttendanceImport,
    AttendanceImportRow,
    LearningFinding,
    LearningImport,
    LearningImportRow,
)
from incubator.credentials.choices import KeyState
from incubator.credentials.models import Credential, SigningKey
from incubator.credentials.multibase import public_key_text
from incubator.credentials.services import issue_credential
from incubator.duplicates.models import DuplicatePair
from incubator.figures.checking import Figure
from incubator.figures.models import FiguresFinding, FiguresImport, FiguresRow
from incubator.forecasts.models import BackTest, Forecast
from incubator.grants.models import Grant, LedgerEntry, TrafficPool
from incubator.imports.choices import ImportState
from incubator.jobs.choices import JobState
from incubator.jobs.models import Job
from incubator.metrics.choices import AccountState
from incubator.metrics.models import (
    Alarm,
    Authorisation,
    Correction,
    CreatorAccount,
    LatestReading,
    PlatformEvent,
    QuarantinedReading,
    RefreshBatch,
    RefreshFailure,
    RefreshRun,
    Spike,
)
from incubator.programmes.models import Cohort, Participation, Programme, SupportChange, SupportReminder
from incubator.programmes.support import extend_support
from incubator.regions.models import KeyCounty, Region, RegionAlias
from incubator.rosters.models import RosterFinding, RosterImport, RosterRow
from tests import factories
from trainees.choices import ChangeKind
from trainees.models import Trainee, TraineeChange

World = dict[type[Model], Any]


def make_world(code: str, tag: str) -> World:
    """A county with that code and whatever can hang on it; ``tag`` is in every name that could leak."""
    county = factories.region(code, f"县{tag}")
    staff = factories.UserFactory(username=f"user{tag}", display_name=f"人{tag}")
    world: World = {Region: county, User: staff, Group: Group.objects.create(name=f"group{tag}")}
    world[KeyCounty] = KeyCounty.objects.create(region=county, status="unverified")
    RegionAlias.objects.create(region=county, name=f"旧{tag}")
    world |= _people(county, tag) | _schedule(tag)
    world |= _teaching(world, staff, tag)
    world |= _followers(world, staff, tag)
    world |= _given(world, staff, tag)
    world |= _support(world, staff, tag)
    world |= _foreseen(world)
    world |= _doubted_and_rehearsed(world, staff, tag)
    world |= _roster(world, staff, tag) | _figures(world, staff, tag) | _duplicate(world, tag)
    world |= _classbooks(world, staff, tag) | _certificates(world, staff, tag)
    world[AccessRecord] = record_access(
        Trainee, kind=AccessKind.REVEAL, by=staff, fields=["phone"], row=world[Trainee].pk, reason=f"回访{tag}"
    )
    return world


def _people(county: Region, tag: str) -> World:
    programme = factories.ProgrammeFactory()
    cohort = factories.CohortFactory(programme=programme)
    trainee = factories.TraineeFactory(name=f"学员{tag}", county=county, township=f"镇{tag}")
    participation = factories.graduate_row(timezone.localdate() - timedelta(days=30), trainee=trainee, cohort=cohort)
    change = TraineeChange.objects.create(
        trainee=trainee, kind=ChangeKind.EDITED, fields={"township": ["", f"镇{tag}"], "county": [None, county.pk]}
    )
    return {
        Programme: programme,
        Cohort: cohort,
        Trainee: trainee,
        Participation: participation,
        TraineeChange: change,
    }


def _schedule(tag: str) -> World:
    interval = IntervalSchedule.objects.create(every=10, period="seconds")
    task = PeriodicTask.objects.create(name=f"task {tag}", task="jobs.sweep", interval=interval)
    return {IntervalSchedule: interval, PeriodicTask: task, CrontabSchedule: CrontabSchedule.objects.create()}


def _teaching(world: World, staff: User, tag: str) -> World:
    participation = world[Participation]
    training_class = factories.TrainingClassFactory(
        cohort=world[Cohort], name=f"班{tag}", place=f"地{tag}", region=world[Region]
    )
    session = factories.SessionFactory(training_class=training_class)
    enrolment = Enrolment.objects.create(training_class=training_class, participation=participation)
    attendance = Attendance.objects.create(
        session=session, participation=participation, state="present", minutes=45, marked_by=staff
    )
    assessment = Assessment.objects.create(training_class=training_class, title=f"考{tag}")
    attempt = Attempt.objects.create(
        assessment=assessment,
        participation=participation,
        link=f"https://example.org/{tag}",
        marks=40,
        marked_by=staff,
        marked_at=timezone.now(),
        appealed_at=timezone.now(),
        appeal_reason=f"因{tag}",
    )
    graduation = Graduation.objects.create(
        participation=participation, graduated_on=participation.graduated_on, decided_by=staff, facts={"days": 3}
    )
    question = GraduationQuestion.objects.create(graduation=graduation, cause=f"因{tag}", facts={"days": 2})
    return {
        GraduationRule: world[Cohort].graduation_rules.get(),
        GraduationQuestion: question,
        Enrolment: enrolment,
        TrainingClass: training_class,
        Course: session.course,
        CourseVersion: session.version,
        Lecturer: Lecturer.objects.create(name="讲师"),
        TrainingInstitution: TrainingInstitution.objects.create(name=f"院{tag}", region=world[Region]),
        Session: session,
        Attendance: attendance,
        Assessment: assessment,
        Attempt: attempt,
        PaperSheet: PaperSheet.objects.create(
            session=session, file=f"sheets/{tag}", file_name=f"签到{tag}.pdf", content_type="x", uploaded_by=staff
        ),
        Graduation: graduation,
    }


def _followers(world: World, staff: User, tag: str) -> World:
    today, now = timezone.localdate(), timezone.now()
    account = factories.CreatorAccountFactory(
        trainee=world[Trainee], handle=f"ks{tag}", state=AccountState.NEEDS_CONSENT
    )
    consent = Authorisation.objects.create(
        account=account,
        external_id=f"ext{tag}",
        access_token=f"access{tag}",
        refresh_token=f"refresh{tag}",
        access_expires_at=now,
        refresh_expires_at=now,
        granted_at=now,
    )
    run = RefreshRun.objects.create(
        platform="kuaishou", day=today - timedelta(days=RefreshRun.objects.count()), planned=2, started_at=now
    )
    factories.reading(account, today, 123_456)
    LatestReading.objects.filter(account=account).update(followers=123_456)
    RefreshFailure.objects.create(run=run, account=account, kind="transient", at=now)
    job = Job.objects.create(
        kind="refresh_batch",
        key=f"batch{tag}",
        title=f"Batch {tag}",
        state=JobState.FAILED,
        asked_by=staff,
        finished_at=now,
        error=f"错{tag}",
    )
    RefreshBatch.objects.create(run=run, number=0, account_ids=[account.pk], job=job)
    world = {CreatorAccount: account, Authorisation: consent, RefreshRun: run, Job: job}
    return world | _oddities(account, run) | _of_the_whole_country(today, now)


def _of_the_whole_country(today: date, now: datetime) -> World:
    alarm = Alarm.objects.create(
        kind="partition", facts={"months": ["2026-01"]}, raised_at=now, seen_at=now, cleared_at=now
    )
    day = today - timedelta(days=PlatformEvent.objects.count())
    event = PlatformEvent.objects.create(
        platform="kuaishou", day=day, kind="cleaning", read=60, hit=30, lost=1_500, noticed_at=now
    )
    return {Alarm: alarm, PlatformEvent: event}


def _oddities(account: CreatorAccount, run: RefreshRun) -> World:
    """A figure held back, a corrected reading, and a leap of the account."""
    day, now = timezone.localdate() - timedelta(days=1), timezone.now()
    held = QuarantinedReading.objects.create(
        account=account,
        day=day,
        followers=40,
        source="api",
        fetched_at=now,
        run=run,
        last_day=day - timedelta(days=1),
        last_followers=120_000,
        why="drop",
    )
    correction = Correction.objects.create(
        account=account,
        day=day,
        old_followers=1,
        new_followers=2,
        old_source="file",
        new_source="api",
        old_fetched_at=now,
        new_fetched_at=now,
    )
    leap = Spike.objects.create(account=account, day=day - timedelta(days=90), gained=20_000, usual=100)
    return {QuarantinedReading: held, Correction: correction, Spike: leap}


def _given(world: World, staff: User, tag: str) -> World:
    today = timezone.localdate()
    participation = world[Participation]
    pool = factories.TrafficPoolFactory()
    grant = Grant.objects.create(
        pool=pool, participation=participation, impressions=10, proposed_by=staff, proposed_on=today
    )
    entry = LedgerEntry.objects.create(pool=pool, grant=grant, kind="promise", impressions=10, by=staff)
    rule = factories.RuleFactory()
    facts = {"participation": participation, "account": world[CreatorAccount], "followers": 123_456}
    candidate = Candidate.objects.create(rule=rule, crossed_on=today, found_on=today, **facts)
    earlier = Candidate.objects.create(
        rule=factories.RuleFactory(),
        crossed_on=today,
        found_on=today,
        state="approved",
        proposed_by=factories.UserFactory(username=f"maker{tag}", display_name=f"提{tag}"),
        proposed_at=timezone.now(),
        decided_by=staff,
        decided_at=timezone.now(),
        **facts,
    )
    award = Award.objects.create(
        number=f"XC-{tag}",
        badge=earlier.rule.badge,
        trainee=world[Trainee],
        candidate=earlier,
        awarded_on=today,
        awarded_by=staff,
        evidence={"reading": {"handle": f"ks{tag}"}},
    )
    ended = SigningKey.objects.create(
        public_key=public_key_text(secrets.token_bytes(32)),
        state=KeyState.RETIRED,
        active_from=timezone.now(),
        retired_at=timezone.now(),
        reason=f"因{tag}",
    )
    miss = NearMiss.objects.create(
        rule=rule,
        participation=participation,
        kind="close",
        account=world[CreatorAccount],
        ended_on=today,
        best_day=today,
        best=99_000,
        found_on=today,
    )
    check = AwardCheck.objects.create(
        day=today - timedelta(days=AwardCheck.objects.count()),
        at=timezone.now(),
        awards=1,
        eligible=0,
        unproven=0,
        explained=0,
    )
    return {
        SigningKey: ended,
        Credential: issue_credential(award),
        NearMiss: miss,
        AwardCheck: check,
        TrafficPool: pool,
        Grant: grant,
        LedgerEntry: entry,
        Rule: rule,
        Badge: rule.badge,
        Candidate: candidate,
        Award: award,
    }


def _support(world: World, staff: User, tag: str) -> World:
    participation, today = world[Participation], timezone.localdate()
    change = extend_support(participation, days=10, cause="other", reason=f"因{tag}", by=staff, on=today)
    participation.refresh_from_db()
    reminder = SupportReminder.objects.create(
        participation=participation,
        ends_on=participation.support_ends_on,
        stage=30,
        due_on=today,
        made_at=timezone.now(),
    )
    return {SupportChange: change, SupportReminder: reminder}


def _foreseen(world: World) -> World:
    """A forecast of the participation, and how forecasts came true."""
    today, participation = timezone.localdate(), world[Participation]
    forecast = Forecast.objects.create(
        participation=participation,
        as_of=today,
        account=world[CreatorAccount],
        badge=world[Badge],
        goal=200_000,
        read_on=today,
        followers=123_456,
        distance=76_544,
        support_ends_on=participation.support_ends_on,
        days_left=participation.support_days_left(today),
        needed_per_day=600,
        pace=500.0,
        restless=20.0,
        group=7,
        chance=0.4,
        band="within_reach",
        order=0,
    )
    day = today - timedelta(days=BackTest.objects.count())
    test = BackTest.objects.create(
        measured_on=day, horizon=7, since=day, until=day, accounts=9, cases=100, held=80, median_error=0.01
    )
    return {Forecast: forecast, BackTest: test}


def _doubted_and_rehearsed(world: World, staff: User, tag: str) -> World:
    """A doubt about the account, a work of the person, and a draft by which they would lose the badge."""
    today = timezone.localdate()
    flag = Flag.objects.create(
        account=world[CreatorAccount], kind="reported", day=today, note=f"疑{tag}", raised_by=staff
    )
    work = Work.objects.create(
        trainee=world[Trainee],
        title=f"作{tag}",
        address=f"https://example.org/w/{tag}",
        published_on=today,
        noted_by=staff,
    )
    draft = factories.RuleFactory(badge=world[Badge], version=2, published_at=None)
    figures = {"meets": 0, "met": 7_321, "gains": 0, "loses": 7_321}
    rehearsal = Rehearsal.objects.create(
        rule=draft, against=world[Rule], conditions=draft.conditions, day=today, by=staff, **figures
    )
    RehearsalCounty.objects.create(rehearsal=rehearsal, county=world[Region], **figures)
    person = RehearsalPerson.objects.create(rehearsal=rehearsal, participation=world[Participation], gains=False)
    return {Flag: flag, Work: work, Rehearsal: rehearsal, RehearsalPerson: person}


def _roster(world: World, staff: User, tag: str) -> World:
    roster = RosterImport.objects.create(
        cohort=world[Cohort],
        region=world[Region],
        file=f"rosters/{tag}.xlsx",
        file_name=f"名册{tag}.xlsx",
        title=f"标题{tag}",
        filled_by=f"填报{tag}",
        state=ImportState.CHECKED,
        new_count=1,
        uploaded_by=staff,
    )
    RosterRow.objects.create(
        roster=roster, number=3, status="matched", name=f"学员{tag}", county=world[Region], trainee=world[Trainee]
    )
    RosterFinding.objects.create(roster=roster, row=3, value=f"值{tag}", sentence="Look", is_error=False)
    return {RosterImport: roster}


def _figures(world: World, staff: User, tag: str) -> World:
    figures = FiguresImport.objects.create(
        region=world[Region],
        file=f"figures/{tag}.xlsx",
        file_name=f"粉丝{tag}.xlsx",
        title=f"标题{tag}",
        filled_by=f"填报{tag}",
        state=ImportState.CHECKED,
        new_count=1,
        uploaded_by=staff,
    )
    figure = Figure(handle=f"ks{tag}", name=f"学员{tag}", day="2026-03-02", followers=5)
    FiguresRow.objects.create(
        figures=figures, number=4, status="new", values=json.dumps(asdict(figure)), account=world[CreatorAccount]
    )
    FiguresFinding.objects.create(figures=figures, row=4, value=f"值{tag}", sentence="Look", is_error=False)
    return {FiguresImport: figures}


def _classbooks(world: World, staff: User, tag: str) -> World:
    staged = {"title": f"标题{tag}", "filled_by": f"填报{tag}", "state": ImportState.CHECKED, "new_count": 1}
    attendance = AttendanceImport.objects.create(
        training_class=world[TrainingClass],
        file=f"attendance/{tag}.xlsx",
        file_name=f"考勤{tag}.xlsx",
        uploaded_by=staff,
        **staged,
    )
    marks = {"key": ["number", f"T{tag}"], "name": f"学员{tag}", "marks": [[world[Session].pk, "present", 45]]}
    about = {"number": 5, "status": "new", "participation": world[Participation]}
    AttendanceImportRow.objects.create(attendance=attendance, values=json.dumps(marks), **about)
    AttendanceFinding.objects.create(attendance=attendance, row=5, value=f"值{tag}", sentence="Look", is_error=False)
    learning = LearningImport.objects.create(
        cohort=world[Cohort],
        region=world[Region],
        file=f"learning/{tag}.xlsx",
        file_name=f"线上{tag}.xlsx",
        uploaded_by=staff,
        **staged,
    )
    record = {"key": ["number", f"T{tag}"], "name": f"学员{tag}", "course": f"课{tag}", "version": None, "minutes": 45}
    values = json.dumps({**record, "finished_at": "2026-03-02T10:00:00+08:00"})
    LearningImportRow.objects.create(learning=learning, values=values, **about)
    LearningFinding.objects.create(learning=learning, row=5, value=f"值{tag}", sentence="Look", is_error=False)
    return {AttendanceImport: attendance, LearningImport: learning}


def _certificates(world: World, staff: User, tag: str) -> World:
    """A seal, the award's edition on paper, and a ceremony at which it is handed over."""
    seal = Seal.objects.create(
        programme=world[Programme], issuer=f"办{tag}", image=f"seals/{tag}", width=300, height=300, put_by=staff
    )
    words = {"programme": f"项{tag}", "sentence": f"句{tag}", "badge": "徽"}
    edition = Edition.objects.create(
        award=world[Award], number=1, holder_name=f"学员{tag}", words=words, seal=seal, by=staff, at=timezone.now()
    )
    ceremony = Ceremony.objects.create(
        name=f"仪式{tag}", held_on=timezone.localdate(), place=f"堂{tag}", region=world[Region], made_by=staff
    )
    CeremonyPlace.objects.create(ceremony=ceremony, award=world[Award], added_by=staff)
    return {Seal: seal, Edition: edition, Ceremony: ceremony}


def _duplicate(world: World, tag: str) -> World:
    """Somebody of the county who may be the trainee."""
    twin = factories.TraineeFactory(name=f"学员{tag}", county=world[Region])
    pair = DuplicatePair.objects.create(first=world[Trainee], second=twin, why="name", asked_at=timezone.now())
    return {DuplicatePair: pair}


def county_staff(code: str) -> User:
    """Somebody posted to that county whom every permission was given: only the region stands between them and a row."""
    user = factories.official(code, is_staff=True)
    user.user_permissions.set(Permission.objects.all())
    return user


def registered() -> list[tuple[type[Model], admin.ModelAdmin]]:
    """Every list of the desk."""
    admin.autodiscover()
    return sorted(admin.site._registry.items(), key=lambda pair: pair[0]._meta.label)


def is_scoped(model: type[Model]) -> bool:
    return hasattr(model._default_manager.all(), "visible_to")
