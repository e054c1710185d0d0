"""Who has to consent, for the first time or again: why, since or until when, and what is written to them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from incubator.metrics.choices import AccountState, ConsentAct, ConsentNeed, ConsentReason, Platform
from incubator.metrics.models import ConsentEvent, CreatorAccount
from incubator.regions.models import Region

# Days before the end on which a reminder falls due. Douyin's consents last 30 days and are lengthened by us in the
# middle of them, when the account is read next: only an end that comes nearer than that is one to remind of.
REMINDER_DAYS: dict[str, tuple[int, ...]] = {Platform.KUAISHOU: (30, 14, 3), Platform.DOUYIN: (10, 3)}
LONGEST_NOTICE = max(max(days) for days in REMINDER_DAYS.values())
URGENT_DAYS = 3
TOKENS = ("authorisation__access_token", "authorisation__refresh_token")  # for ``defer``: nobody need decrypt them
PEOPLES_LANGUAGE = "zh-hans"  # of messages to trainees, whatever language the office works in


def midnight(day: date) -> datetime:
    """The instant at which the day begins in China."""
    return timezone.make_aware(datetime.combine(day, time.min))


def stage_of(days_left: int, platform: str) -> int | None:
    """The newest reminder stage due so many days before the end; None while none is, or when it is over."""
    due = [days for days in REMINDER_DAYS[platform] if 0 <= days_left <= days]
    return min(due, default=None)


# --- Who, by what they wait for ---------------------------------------------------------------------------------------


def _ends_within_q(days: int, at: datetime) -> Q:
    """Connected, the consent not over at ``at``, and its last day by China's calendar within so many days."""
    until = midnight(timezone.localdate(at) + timedelta(days=days + 1))
    return Q(
        state=AccountState.LINKED,
        authorisation__refresh_expires_at__gt=at,
        authorisation__refresh_expires_at__lt=until,
    )


def _reminded_of_q(at: datetime) -> Q:
    """The consent ends so soon that its platform's first reminder is due."""
    q = Q(pk__in=[])
    for platform, days in REMINDER_DAYS.items():
        q |= Q(platform=platform) & _ends_within_q(max(days), at)
    return q


def need_q(need: str, *, at: datetime) -> Q:
    """Accounts that need consent for that reason."""
    if need == ConsentNeed.SOON:
        return _reminded_of_q(at)
    if need == ConsentNeed.URGENT:
        return _ends_within_q(URGENT_DAYS, at)
    if need == ConsentNeed.OVER:
        unnoticed = Q(state=AccountState.LINKED, authorisation__refresh_expires_at__lte=at)
        return Q(state=AccountState.NEEDS_CONSENT) | unnoticed
    return Q(state=AccountState.WITHDRAWN if need == ConsentNeed.WITHDRAWN else AccountState.UNLINKED)


def needing_consent(accounts: QuerySet, *, at: datetime, need: str = "") -> QuerySet:
    """Accounts that need consent, for the first time or again, now or within 30 days; for one reason or for any."""
    q = Q(pk__in=[])
    for one in [need] if need else ConsentNeed.values:
        q |= need_q(one, at=at)
    return accounts.filter(q)


@dataclass(frozen=True, slots=True)
class CountyNeeds:
    """How many accounts of a county need consent, by need; ``total`` counts each once."""

    county: Region
    total: int
    by_need: dict[str, int]


def count_needs(accounts: QuerySet, *, at: datetime) -> dict[str, int]:
    """How many accounts need consent, by need, and in all as ``total``; one query."""
    return needing_consent(accounts, at=at).order_by().aggregate(**_counts(at))


def _counts(at: datetime) -> dict[str, Count]:
    counts = {need: Count("pk", filter=need_q(need, at=at)) for need in ConsentNeed.values}
    return {**counts, "total": Count("pk")}


def needs_by_county(accounts: QuerySet, *, at: datetime) -> list[CountyNeeds]:
    """Counties with somebody who needs consent, in the order of their codes; two queries for any number."""
    rows = needing_consent(accounts, at=at).order_by().values("trainee__county").annotate(**_counts(at))
    counts = {row.pop("trainee__county"): row for row in rows}
    counties = Region.objects.select_related("province", "prefecture").filter(pk__in=counts).order_by("code")
    return [CountyNeeds(county, counts[county.pk].pop("total"), counts[county.pk]) for county in counties]


# --- One of them ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Waiting:
    """An account that needs consent. ``since`` and ``until`` are days in China; None where not known."""

    account: CreatorAccount
    need: ConsentNeed
    why: str
    since: date | None
    until: date | None
    days_left: int | None
    message: str


def waiting_for_consent(accounts: Sequence[CreatorAccount], *, at: datetime) -> list[Waiting]:
    """What each of these accounts waits for; one query for any number.

    ``accounts`` come from ``needing_consent`` with ``trainee__county`` and ``authorisation`` selected.
    """
    events = last_events([account.pk for account in accounts])
    return [_waiting(account, events.get(account.pk), at) for account in accounts]


def last_events(accounts: Collection[int]) -> dict[int, ConsentEvent]:
    """The newest event of each account's consent; one query."""
    newest = ConsentEvent.objects.filter(account_id__in=accounts).select_related("by", "account__trainee")
    return {event.account_id: event for event in newest.order_by("account_id", "-at", "-pk").distinct("account_id")}


def _waiting(account: CreatorAccount, event: ConsentEvent | None, at: datetime) -> Waiting:
    ends_at = consent_ends_at(account)
    until = timezone.localdate(ends_at) if ends_at else None
    need = _need_of(account, ends_at, at)
    if need == ConsentNeed.SOON:
        days_left = (until - timezone.localdate(at)).days if until else None
        message = _message(account, need, until, at)
        return Waiting(account, need, _ends_in(days_left or 0), None, until, days_left, message)
    since = _since(need, event, ends_at, at)
    return Waiting(account, need, _why(need, event), since, None, None, _message(account, need, since, at))


def consent_ends_at(account: CreatorAccount) -> datetime | None:
    authorisation = getattr(account, "authorisation", None)
    return authorisation.refresh_expires_at if authorisation else None


def _need_of(account: CreatorAccount, ends_at: datetime | None, at: datetime) -> ConsentNeed:
    if account.state == AccountState.UNLINKED:
        return ConsentNeed.NEVER
    if account.state == AccountState.WITHDRAWN:
        return ConsentNeed.WITHDRAWN
    over = account.state == AccountState.NEEDS_CONSENT or ends_at is None or ends_at <= at
    return ConsentNeed.OVER if over else ConsentNeed.SOON


def _ends_in(days: int) -> str:
    if days == 0:
        return _("ends today")
    return ngettext("ends in %(days)s day", "ends in %(days)s days", days) % {"days": days}


def _since(need: str, event: ConsentEvent | None, ends_at: datetime | None, at: datetime) -> date | None:
    """The day it was withdrawn, lost or over."""
    if need == ConsentNeed.NEVER:
        return None
    if event is not None and event.what in (ConsentAct.WITHDRAWN, ConsentAct.LOST):
        return timezone.localdate(event.at)
    return timezone.localdate(ends_at) if ends_at is not None and ends_at <= at else None


def _why(need: str, event: ConsentEvent | None) -> str:
    if need == ConsentNeed.WITHDRAWN and event is not None:
        return _("withdrawn by the trainee") if is_own_act(event) else _("withdrawn by the office")
    if need == ConsentNeed.OVER:
        lost = event is not None and event.what == ConsentAct.LOST and event.why
        return str(ConsentReason(event.why).label if lost and event else ConsentReason.OVER.label)
    return str(ConsentNeed(need).label)


def is_own_act(event: ConsentEvent) -> bool:
    """Whether the trainee did it, not the office and not the calendar."""
    return event.by_id is not None and event.by_id == event.account.trainee.user_id


# --- What is written to them ------------------------------------------------------------------------------------------


def _message(account: CreatorAccount, need: str, day: date | None, at: datetime) -> str:
    """A message in Chinese to copy into WeChat or a text message."""
    facts = {
        "name": account.trainee.name,
        "handle": account.handle,
        "day": day,
        "address": settings.PUBLIC_URL + reverse("account"),
        "number": account.trainee.number,
    }
    with override(PEOPLES_LANGUAGE):
        facts["platform"] = account.get_platform_display()
        return _("%(reason)s %(how)s (%(office)s, %(today)s)") % {
            "reason": _message_reason(need, day) % facts,
            "how": _message_way() % facts,
            "office": account.trainee.county.name,
            "today": timezone.localdate(at),
        }


def _message_way() -> str:
    return _(
        "Open %(address)s, log in with your trainee number %(number)s and agree on the platform's page; it takes a "
        "minute. Only your number of followers is kept; nothing is published for you."
    )


def _message_reason(need: str, day: date | None) -> str:
    if need == ConsentNeed.NEVER:
        return _(
            "%(name)s, please connect your %(platform)s account %(handle)s, so that your followers can be counted for "
            "your certification."
        )
    if need == ConsentNeed.SOON:
        return _(
            "%(name)s, your consent to read your %(platform)s account %(handle)s ends on %(day)s. Please renew it "
            "before: a day that is not read cannot be counted for your certification."
        )
    if need == ConsentNeed.WITHDRAWN and day:
        return _(
            "%(name)s, your %(platform)s account %(handle)s is not read any more since consent was withdrawn on "
            "%(day)s. If you want your followers to be counted again, connect it again."
        )
    if day:
        return _(
            "%(name)s, your consent to read your %(platform)s account %(handle)s is not valid any more since %(day)s. "
            "Please give it again: a day that is not read cannot be counted for your certification."
        )
    return _(
        "%(name)s, your consent to read your %(platform)s account %(handle)s is not valid any more. Please give it "
        "again: a day that is not read cannot be counted for your certification."
    )


def history_of_consent(accounts: Collection[int]) -> dict[int, list[ConsentEvent]]:
    """Everything that happened to the consents of these accounts, the newest first; one query."""
    found: dict[int, list[ConsentEvent]] = {pk: [] for pk in accounts}
    for event in ConsentEvent.objects.filter(account_id__in=accounts).select_related("by", "account__trainee"):
        found[event.account_id].append(event)
    return found


def said_by(event: ConsentEvent) -> Any:
    """Who did it, for whoever may know: a name, the platform or the calendar for a loss, a dash where nobody noted."""
    if event.what == ConsentAct.LOST:
        return "-"
    return event.by or "-"
