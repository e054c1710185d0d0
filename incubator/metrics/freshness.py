"""Whether figures can be trusted: what is wrong now, in sentences, and how well each part of the country is read."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db.models import Count, Max, Min, Q, QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from redis.exceptions import RedisError

from incubator.metrics.choices import AccountState, AlarmKind, Platform
from incubator.metrics.consents import midnight
from incubator.metrics.interests import watched_by_others
from incubator.metrics.models import Alarm, CreatorAccount, FreshnessCheck, RefreshRun
from incubator.metrics.partitions import months_in_rest, months_there, months_wanted
from incubator.metrics.planning import MAX_GAP
from incubator.metrics.platforms import daily_budget
from incubator.metrics.queries import FRESH_DAYS
from incubator.programmes.choices import ParticipationState
from incubator.regions.scoping import RegionScope, scope_of

CHECK_EVERY = timedelta(minutes=10)
SILENT_AFTER = 3 * CHECK_EVERY  # without a check for so long nobody looks any more

# --- What is wrong ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be. ``facts`` are plain values, as JSON keeps them."""

    kind: AlarmKind
    platform: str
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reach:
    """Connected accounts of a platform that have had a night to be read in, and how lately they were."""

    accounts: int = 0
    fresh: int = 0
    late: int = 0  # not read for more than MAX_GAP days
    oldest: date | None = None  # of the late: last reading, or the day of consent where there is none


def findings(*, at: datetime) -> list[Finding]:
    """Everything that is wrong at an instant, in the order of kinds; a platform nobody connected is never wrong."""
    on = timezone.localtime(at).date()
    reach = {platform: found for platform, found in reach_by_platform(on).items() if found.accounts}
    runs = {run.platform: run for run in RefreshRun.objects.order_by("platform", "-day").distinct("platform")}
    found: list[Finding] = []
    for platform in reach:
        found += _about_run(platform, runs.get(platform), at)
        found += _about_readings(platform, reach[platform], on)
    return [*found, *_about_months(on), *_of_higher_rooms(at)]


def _of_higher_rooms(at: datetime) -> Iterator[Finding]:
    for kind, watched in watched_by_others().items():
        facts = watched.find(at)
        if facts is not None:
            yield Finding(AlarmKind(kind), "", dict(facts))


def reach_by_platform(on: date) -> dict[str, Reach]:
    """How far the readings of each platform reach on a day, in three statements whatever the number of accounts."""
    linked = CreatorAccount.objects.linked().order_by()
    lately = on - timedelta(days=settings.ALARM_COVERAGE_DAYS)
    read = (
        linked.exclude(latest=None)
        .values("platform")
        .annotate(accounts=Count("pk"), fresh=Count("pk", filter=Q(latest__day__gt=lately)))
    )
    # Apart from the others: a consent is a long row, and looking it up is cheap only while few are unread, or late.
    had_a_night = Q(authorisation=None) | Q(authorisation__granted_at__lt=midnight(on - timedelta(days=1)))
    unread = linked.filter(had_a_night, latest=None).values("platform").annotate(accounts=Count("pk"))
    late = (
        linked.filter(late_q(on))
        .values("platform")
        .annotate(
            late=Count("pk"),
            oldest=Min("latest__day"),
            consented=Min("authorisation__granted_at", filter=Q(latest=None)),
        )
    )
    found: dict[str, dict[str, Any]] = {name: {} for name in Platform.values}
    for row in (*unread, *late):
        found[row["platform"]].update(row)
    for row in read:
        mine = found[row["platform"]]
        mine |= {"fresh": row["fresh"], "accounts": row["accounts"] + mine.get("accounts", 0)}
    return {name: _reach(values) for name, values in found.items()}


def late_q(on: date) -> Q:
    """Not read for more than ``MAX_GAP`` days, nor consented anew within them: one has to have had the time."""
    day = on - timedelta(days=MAX_GAP)
    had_the_time = Q(authorisation__granted_at__lt=midnight(day))
    return Q(latest=None) & had_the_time | Q(latest__day__lt=day) & (Q(authorisation=None) | had_the_time)


def _reach(values: dict[str, Any]) -> Reach:
    consented = values.get("consented")
    days = [day for day in (values.get("oldest"), consented and timezone.localtime(consented).date()) if day]
    return Reach(values.get("accounts", 0), values.get("fresh", 0), values.get("late", 0), min(days, default=None))


def _about_run(platform: str, run: RefreshRun | None, at: datetime) -> Iterator[Finding]:
    """The newest run is expected to be today's from the set hour on, and to end within the set hours."""
    here = timezone.localtime(at)
    day = here.date() if here.hour >= settings.ALARM_START_HOUR else here.date() - timedelta(days=1)
    if run is None or run.day < day:
        facts = {"day": day.isoformat(), "hour": settings.ALARM_START_HOUR}
        yield Finding(AlarmKind.NOT_STARTED, platform, facts)
    if run is None or run.finished_at is not None:
        return
    # A demo's run goes by a clock of its own; what counts here is when it really began.
    if at - (run.started_at - run.clock_shift) > timedelta(hours=settings.ALARM_RUN_HOURS):
        facts = {"day": run.day.isoformat(), "hours": settings.ALARM_RUN_HOURS, "run": run.pk}
        yield Finding(AlarmKind.NOT_FINISHED, platform, facts)


def _about_readings(platform: str, reach: Reach, on: date) -> Iterator[Finding]:
    share = reach.fresh * 100 // reach.accounts
    wanted = wanted_percent(reach.accounts, daily_budget(platform))
    if share < wanted:
        facts = {"share": share, "wanted": wanted, "accounts": reach.accounts, "days": settings.ALARM_COVERAGE_DAYS}
        yield Finding(AlarmKind.COVERAGE, platform, facts)
    if reach.late and reach.oldest:
        facts = {"accounts": reach.late, "days": (on - reach.oldest).days, "gap": MAX_GAP}
        yield Finding(AlarmKind.OLDEST, platform, facts)


def wanted_percent(accounts: int, budget: int) -> int:
    """Per cent of accounts that must have been read within ``ALARM_COVERAGE_DAYS``.

    With fewer calls a day than accounts the planner goes round within ``MAX_GAP`` days: only so much can be asked for.
    """
    if accounts <= budget:
        return settings.ALARM_COVERAGE_PERCENT
    return settings.ALARM_COVERAGE_PERCENT * min(settings.ALARM_COVERAGE_DAYS, MAX_GAP - 1) // (MAX_GAP - 1)


def _about_months(on: date) -> Iterator[Finding]:
    missing = months_in_rest() | (set(months_wanted(on)) - months_there())
    if missing:
        yield Finding(AlarmKind.PARTITION, "", {"months": [f"{month:%Y-%m}" for month in sorted(missing)]})


@dataclass(frozen=True, slots=True)
class Watch:
    """When somebody last looked; without that, having no alarm says nothing. None before the first look."""

    checked_at: datetime | None
    is_silent: bool


def watch_at(at: datetime) -> Watch:
    checked_at = FreshnessCheck.objects.values_list("checked_at", flat=True).first()
    return Watch(checked_at, checked_at is not None and at - checked_at > SILENT_AFTER)


# --- In sentences -----------------------------------------------------------------------------------------------------

SENTENCES: dict[str, Any] = {
    AlarmKind.NOT_STARTED: _(
        "The refresh of %(platform)s of %(day)s has not started, though it is past %(hour)s:00. Start it by hand. If "
        "it is missing again tomorrow, see whether the scheduler (beat) and the workers are running."
    ),
    AlarmKind.NOT_FINISHED: _(
        "The refresh of %(platform)s of %(day)s is not finished after %(hours)s hours. Open it: it says what stopped "
        "it and offers to do what is left. If it only stands still, see whether the workers are running."
    ),
    AlarmKind.COVERAGE: _(
        "Only %(share)s%% of %(accounts)s connected accounts of %(platform)s were read within %(days)s days; it should "
        "be %(wanted)s%%. See in the coverage of readings where the others are, and on the pages of the last refresh "
        "runs why accounts failed."
    ),
    AlarmKind.OLDEST: _(
        "Not read for more than %(gap)s days, of the connected accounts of %(platform)s: %(accounts)s; the oldest "
        "reading is %(days)s days old. The pages of these accounts say why their readings failed. If there are many, "
        "see in the refresh plan whether the calls of a day are enough."
    ),
    AlarmKind.PARTITION: _(
        "Readings of %(months)s have no place of their own. Nothing is lost, but everything about them grows slow. "
        "Have the operators run “manage.py ensure_partitions” and see whether the scheduler (beat) is running."
    ),
}


def sentence_of(alarm: Alarm | Finding) -> str:
    """What is wrong and what to do next, in the language of who reads."""
    words = {"platform": Platform(alarm.platform).label if alarm.platform else ""} | alarm.facts
    if "day" in words:
        words["day"] = date_format(date.fromisoformat(words["day"]), "DATE_FORMAT")
    if "months" in words:
        words["months"] = ", ".join(words["months"])
    watched = watched_by_others().get(alarm.kind)
    return str((watched.sentence if watched else SENTENCES[alarm.kind]) % words)


# --- Where how much is read -------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Part:
    """The connected accounts of one platform, cohort or county (``key``), and how lately they were read."""

    key: Any
    connected: int = 0
    fresh: int = 0
    never: int = 0
    oldest: date | None = None
    newest: date | None = None

    @property
    def percent(self) -> int | None:
        """Per cent read within ``FRESH_DAYS``; None without connected accounts: unknown is never 0."""
        return self.fresh * 100 // self.connected if self.connected else None

    def add(self, row: dict[str, Any]) -> None:
        self.connected += row["connected"]
        self.fresh += row["fresh"]
        self.never += row["connected"] - row["read"]
        self.oldest = min((day for day in (self.oldest, row["oldest"]) if day), default=None)
        self.newest = max((day for day in (self.newest, row["newest"]) if day), default=None)


@dataclass(frozen=True, slots=True)
class Spread:
    """Coverage and age of some accounts, counted at ``at``: by platform, by cohort, by county with the worst first."""

    at: datetime
    newest: date | None  # of all accounts, also of those not connected, whose figures come from files
    platforms: list[Part]
    cohorts: list[Part]
    counties: list[Part]

    @property
    def percent(self) -> int | None:
        """Per cent of all connected accounts read within ``FRESH_DAYS``; None without any."""
        connected = sum(part.connected for part in self.platforms)
        return sum(part.fresh for part in self.platforms) * 100 // connected if connected else None


def spread_of(accounts: QuerySet[CreatorAccount], *, at: datetime) -> Spread:
    """Coverage and age of accounts (already scoped), in two statements that each pass over them once."""
    on = timezone.localtime(at).date()
    each: QuerySet = accounts.order_by()
    rows: list[dict[str, Any]] = list(each.values("platform", "trainee__county").annotate(**_counts(on)))
    takes_part = each.filter(trainee__participations__state__in=TAKING_PART)
    of_cohorts: Any = takes_part.values("trainee__participations__cohort").annotate(**_counts(on))
    return Spread(
        at,
        max((row["newest_of_all"] for row in rows if row["newest_of_all"]), default=None),
        sorted(_parts(rows, "platform"), key=lambda part: -part.connected),
        sorted(_parts(of_cohorts, "trainee__participations__cohort"), key=lambda part: -part.key),
        sorted(_parts(rows, "trainee__county"), key=lambda part: (part.percent, -part.connected, part.key)),
    )


def spread_for(user: Any, *, at: datetime) -> Spread:
    """The same of what a person may see, kept for ``COVERAGE_KEPT_SECONDS`` for everybody who sees the same regions."""
    scope = scope_of(user)
    with suppress(RedisError):  # without the cache it is counted each time, and the page stands
        if settings.COVERAGE_KEPT_SECONDS and (kept := cache.get(_key_of(scope))) is not None:
            return kept  # type: ignore[no-any-return]
    spread = spread_of(CreatorAccount.objects.visible_to(user), at=at)
    _keep(scope, spread, settings.COVERAGE_KEPT_SECONDS)
    return spread


def keep_country(*, at: datetime) -> None:
    """Count the whole country ahead: over 1,000,000 accounts it takes seconds, and nobody is to wait for them."""
    if settings.COVERAGE_KEPT_SECONDS:
        spread = spread_of(CreatorAccount.objects.all(), at=at)
        _keep(RegionScope(everything=True), spread, SILENT_AFTER.total_seconds())


def _keep(scope: RegionScope, spread: Spread, seconds: float) -> None:
    with suppress(RedisError):
        if seconds:
            cache.set(_key_of(scope), spread, seconds)


def _key_of(scope: RegionScope) -> str:
    codes = "all" if scope.everything else ",".join(sorted(scope.provinces | scope.prefectures | scope.counties))
    return f"coverage:1:{sha256(codes.encode()).hexdigest()}"


TAKING_PART = [s for s in ParticipationState if s not in (ParticipationState.REFUSED, ParticipationState.WITHDRAWN)]


def _counts(on: date) -> dict[str, Any]:
    linked = Q(state=AccountState.LINKED)
    lately = Q(latest__day__gt=on - timedelta(days=FRESH_DAYS), latest__day__lte=on)
    return {
        "connected": Count("pk", filter=linked),
        "read": Count("latest__day", filter=linked),
        "fresh": Count("pk", filter=linked & lately),
        "oldest": Min("latest__day", filter=linked),
        "newest": Max("latest__day", filter=linked),
        "newest_of_all": Max("latest__day"),
    }


def _parts(rows: Iterable[dict[str, Any]], name: str) -> Iterable[Part]:
    """Rows added up by one of their columns, as far as anything is connected."""
    found: dict[Any, Part] = {}
    for row in rows:
        if row["connected"]:
            found.setdefault(row[name], Part(row[name])).add(row)
    return found.values()
