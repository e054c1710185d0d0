"""Every award decided anew: from its dossier alone, and from the rows it was taken from.

A difference is explained where something that came after the award accounts for it: a correction of the reading, a
question about the followers raised later, a work taken back, a support period that became shorter, attendance that was
corrected downwards, readings of a month that is kept no longer. What nothing explains is a defect or a forgery, and
somebody must look.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import batched

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from incubator.certification.judging import AMONG, Judging, values
from incubator.certification.models import Award, Rule
from incubator.certification.proof import prove
from incubator.certification.services.dossiers import digest_of
from incubator.regions.models import Region
from incubator.regions.scoping import within_q

A_CHUNK = 5_000  # awards whose dossiers are in memory at once

# Readings of dossiers that the raw rows do not repeat. The first correction after the award must have found the figure
# of the dossier, and the last one must have left what stands there now.
CHANGED = """
SELECT kept.award_id, kept.day, kept.followers, reading.followers AS now,
    first.old_followers = kept.followers AND last.new_followers = reading.followers AS is_explained
FROM unnest(
    %(awards)s::bigint[], %(accounts)s::bigint[], %(days)s::date[], %(followers)s::bigint[], %(since)s::timestamptz[]
) AS kept (award_id, account_id, day, followers, since)
LEFT JOIN metrics_reading reading ON reading.day = kept.day AND reading.account_id = kept.account_id
LEFT JOIN LATERAL (
    SELECT old_followers FROM metrics_correction correction
    WHERE correction.account_id = kept.account_id AND correction.day = kept.day
        AND correction.new_fetched_at > kept.since
    ORDER BY new_fetched_at LIMIT 1
) AS first ON reading.followers IS DISTINCT FROM kept.followers
LEFT JOIN LATERAL (
    SELECT new_followers FROM metrics_correction correction
    WHERE correction.account_id = kept.account_id AND correction.day = kept.day
        AND correction.new_fetched_at > kept.since
    ORDER BY new_fetched_at DESC LIMIT 1
) AS last ON reading.followers IS DISTINCT FROM kept.followers
WHERE reading.followers IS DISTINCT FROM kept.followers
ORDER BY kept.award_id, kept.day
"""
# Whether anything came after a decision that can take away what was met then.
LATER = """
SELECT award.id FROM unnest(%(awards)s::bigint[], %(since)s::timestamptz[]) AS award (id, since)
JOIN certification_award own ON own.id = award.id
WHERE EXISTS (
    SELECT FROM metrics_correction correction
    JOIN metrics_creatoraccount account ON account.id = correction.account_id
    WHERE account.trainee_id = own.trainee_id AND correction.new_fetched_at > award.since
        AND correction.day <= own.awarded_on
) OR EXISTS (
    SELECT FROM certification_flag flag JOIN metrics_creatoraccount account ON account.id = flag.account_id
    WHERE account.trainee_id = own.trainee_id AND flag.raised_at > award.since AND flag.day <= own.awarded_on
) OR EXISTS (
    SELECT FROM certification_work work
    WHERE work.trainee_id = own.trainee_id AND work.taken_back_at > award.since
        AND work.published_on <= own.awarded_on
) OR EXISTS (
    SELECT FROM certification_candidate candidate
    JOIN programmes_supportchange change ON change.participation_id = candidate.participation_id
    WHERE candidate.id = own.candidate_id AND change.at > award.since
        AND change.kind IN ('resumption', 'taking_back')
) OR EXISTS (
    SELECT FROM certification_candidate candidate
    JOIN courses_attendance mark ON mark.participation_id = candidate.participation_id
    JOIN courses_attendancechange change ON change.attendance_id = mark.id
    WHERE candidate.id = own.candidate_id AND change.at > award.since
        AND change.state_before = 'present'
        AND (change.state_after <> 'present' OR change.minutes_after < change.minutes_before)
)
"""


@dataclass(frozen=True, slots=True)
class AwardFinding:
    """Something about an award that its dossier or the raw rows do not bear out."""

    award_id: int
    number: str
    code: str
    is_explained: bool
    words: str

    @property
    def sentence(self) -> str:
        mark = _("explained") if self.is_explained else _("NOT EXPLAINED")
        return f"{self.number}: {mark}: {self.words}"


def awards_to_verify(*, county: str = "", year: int | None = None) -> QuerySet[Award]:
    """Awards of a region and of a year of awarding; all without. Withdrawn ones too: they were awarded once."""
    awards = Award.objects.all()
    if county:
        awards = awards.filter(within_q(Region.objects.get(pk=county), "trainee__county"))
    return awards.filter(awarded_on__year=year) if year else awards


def verify_awards(awards: QuerySet[Award] | None = None) -> Iterator[AwardFinding]:
    """Decide awards anew; yields what is wrong, by awards in order of their making, chunk after chunk.

    Set-based: a few statements for each chunk, one for each rule version and day of awarding within it.
    """
    rows = (awards if awards is not None else Award.objects.all()).order_by("pk").select_related("candidate__rule")
    for chunk in batched(rows.iterator(A_CHUNK), A_CHUNK):
        yield from sorted(_of_chunk(chunk), key=lambda finding: finding.award_id)


def _of_chunk(awards: Sequence[Award]) -> Iterator[AwardFinding]:
    whole: list[Award] = []
    for award in awards:
        found = list(_of_dossier(award))
        yield from found
        if not any(finding.code == "dossier" for finding in found):
            whole.append(award)
    yield from _of_readings(whole)
    yield from _of_raw_rows(whole)


# --- The dossier alone ------------------------------------------------------------------------------------------------


def _of_dossier(award: Award) -> Iterator[AwardFinding]:
    dossier = award.evidence
    try:
        proof = prove(dossier)
        decided_at(award)
        if "form" in dossier:
            dossier["readings"], dossier["decided"]["at"], dossier["digest"]
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError):
        yield _finding(award, "dossier", _("its dossier is missing, or cannot be read."))
        return
    if "form" in dossier and dossier["digest"] != digest_of(dossier):
        yield _finding(award, "digest", _("its dossier was changed: the digest does not match."))
    if proof.unmet or not proof.is_met:
        which = ", ".join(map(str, proof.unmet)) or "-"
        yield _finding(award, "conditions", _("its dossier does not show condition %(which)s.") % {"which": which})
    if "form" in dossier and dossier["rule"]["conditions"] != award.candidate.rule.conditions:
        yield _finding(award, "rule", _("its dossier tells other conditions than the version of the rule."))


def decided_at(award: Award) -> datetime:
    """When it was decided; for dossiers of the first form that do not tell, the beginning of the day after."""
    told = award.evidence.get("decided", {}).get("at")
    if told:
        return datetime.fromisoformat(told)
    at = award.candidate.decided_at
    if at is None:
        raise ValueError("a decision without its time")
    return at


# --- The raw rows -----------------------------------------------------------------------------------------------------


def _of_readings(awards: Sequence[Award]) -> Iterator[AwardFinding]:
    """Readings kept in dossiers, against the readings there are."""
    kept = [line for award in awards for line in _kept_readings(award)]
    if not kept:
        return
    by_pk = {award.pk: award for award in awards}
    names = ("awards", "accounts", "days", "followers", "since")
    columns = dict(zip(names, map(list, zip(*kept, strict=True)), strict=True))
    with connection.cursor() as cursor:
        cursor.execute(CHANGED, columns)
        rows = cursor.fetchall()
    for pk, day, followers, now, is_explained in rows:
        told = {"day": day, "kept": f"{followers:,}", "now": "-" if now is None else f"{now:,}"}
        if now is None and is_dropped(day):
            yield _finding(by_pk[pk], "dropped", _("its reading of %(day)s is kept no longer.") % told, True)
            continue
        words = _("its reading of %(day)s is %(kept)s in the dossier and %(now)s now.") % told
        yield _finding(by_pk[pk], "reading", words, bool(is_explained))


def _kept_readings(award: Award) -> Iterator[tuple[int, int, str, int, datetime]]:
    dossier, account = award.evidence, award.candidate.account_id
    readings = dossier.get("readings") or [dossier["reading"]]
    if account is None:
        return
    since = decided_at(award)
    for reading in readings:
        if reading:
            yield award.pk, account, reading["day"], reading["followers"], since


def is_dropped(day: date) -> bool:
    """Whether readings of a day are past what this installation keeps."""
    keep, today = settings.READINGS_KEEP_MONTHS, timezone.localdate()
    return bool(keep) and day.year * 12 + day.month < today.year * 12 + today.month - keep


def _of_raw_rows(awards: Sequence[Award]) -> Iterator[AwardFinding]:
    """Whether the rule, judged on the readings up to the day of the decision, still finds the participation."""
    groups: dict[tuple[Rule, date], list[Award]] = defaultdict(list)
    for award in awards:
        groups[award.candidate.rule, award.awarded_on].append(award)
    lost = [award for (rule, on), mine in groups.items() for award in _not_found(rule, on, mine)]
    if not lost:
        return
    later = _changed_later(lost)
    for award in lost:
        crossed_on = award.candidate.crossed_on
        if crossed_on is not None and is_dropped(crossed_on):
            yield _finding(award, "dropped", _("the readings behind it are kept no longer."), True)
        else:
            words = _("by the raw rows its rule was not met on %(day)s.") % {"day": award.awarded_on}
            yield _finding(award, "raw", words, award.pk in later)


def _not_found(rule: Rule, on: date, awards: Sequence[Award]) -> list[Award]:
    judging = Judging(rule.conditions, scope=AMONG)
    ids = [award.candidate.participation_id for award in awards]
    with connection.cursor() as cursor:
        cursor.execute(judging.who_meets, values(judging, on=on, among=ids))
        found = {pk for (pk,) in cursor.fetchall()}
    return [award for award in awards if award.candidate.participation_id not in found]


def _changed_later(awards: Iterable[Award]) -> set[int]:
    some = list(awards)
    with connection.cursor() as cursor:
        cursor.execute(LATER, {"awards": [a.pk for a in some], "since": [decided_at(a) for a in some]})
        return {pk for (pk,) in cursor.fetchall()}


def _finding(award: Award, code: str, words: str, is_explained: bool = False) -> AwardFinding:
    return AwardFinding(award.pk, award.number, code, is_explained, words)
