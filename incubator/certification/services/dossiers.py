"""What an award rests on, frozen as plain values when it is given.

It says which version of the rule with all its conditions, the readings before and after the crossing with their sources
and times of fetch, days held, the graduation with its figures, the periods, and who decided when. ``digest`` lets an
auditor see that nothing of it was changed afterwards.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from django.utils.translation import gettext as _

from courses.queries import live_graduation
from incubator.certification.judging import conditions_met
from incubator.certification.models import Candidate
from incubator.certification.queries import leaps_of
from incubator.common.errors import RuleBroken
from incubator.metrics.models import Reading

FORM = 2  # of the dossier; 1 knew one number and had no digest
DAYS_BEFORE, DAYS_AFTER = timedelta(days=14), timedelta(days=14)


def collect_evidence(candidate: Candidate, *, on: date) -> dict[str, Any]:
    """The dossier of an award that is given on a day. Raises ``RuleBroken`` when the rule is not met by then."""
    rule, participation = candidate.rule, candidate.participation
    is_met, met = conditions_met(rule.conditions, [participation.pk], on=on).get(participation.pk, (False, []))
    if not is_met:
        raise RuleBroken(
            _("%(name)s does not meet the rule any more. Look at what changed.") % {"name": participation.trainee.name}
        )
    graduation = live_graduation(participation)
    dossier = {
        "form": FORM,
        "rule": {
            "badge": rule.badge.code,
            "version": rule.version,
            "conditions": rule.conditions,
            "published_at": _iso(rule.published_at),
        },
        "met": met,
        "reading": _crossing(candidate),
        "readings": _readings(candidate, on),
        "held_on": _iso(candidate.held_on),
        "participation": {
            "id": participation.pk,
            "cohort": str(participation.cohort),
            "county": participation.trainee.county_id,
            "graduated_on": _iso(participation.graduated_on),
            "cohort_starts_on": _iso(participation.cohort.starts_on),
            "cohort_ends_on": _iso(participation.cohort.ends_on),
            "support_starts_on": _iso(participation.support_starts_on),
            "support_ends_on": _iso(participation.support_ends_on),
        },
        "graduation": graduation.facts if graduation else {},
        "leaps": [
            {
                "day": leap.day.isoformat(),
                "gained": leap.gained,
                "usual": round(leap.usual),
                "ran_traffic": leap.ran_traffic,
            }
            for leap in leaps_of(candidate)
        ],
        "proposed": {
            "by": candidate.proposed_by.username if candidate.proposed_by else "",
            "at": _iso(candidate.proposed_at),
            "remark": candidate.remark,
        },
        "decided": {
            "by": candidate.decided_by.username if candidate.decided_by else "",
            "at": _iso(candidate.decided_at),
            "on": on.isoformat(),
        },
    }
    plain = json.loads(json.dumps(dossier, default=str))
    return plain | {"digest": digest_of(plain)}


def digest_of(dossier: Mapping[str, Any]) -> str:
    """SHA-256 over the dossier without its digest, keys in order, in UTF-8."""
    plain = {key: value for key, value in dossier.items() if key != "digest"}
    return hashlib.sha256(
        json.dumps(plain, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    ).hexdigest()


def _crossing(candidate: Candidate) -> dict[str, Any]:
    """The reading with which the number was reached; empty where the rule asks for no number."""
    if candidate.account is None or candidate.crossed_on is None:
        return {}
    reading = Reading.objects.get(day=candidate.crossed_on, account=candidate.account)
    return {
        "account": candidate.account_id,
        "platform": candidate.account.platform,
        "handle": candidate.account.handle,
        **_plain(reading),
    }


def _readings(candidate: Candidate, on: date) -> list[dict[str, Any]]:
    """Readings of the account around the crossing, up to the end of holding it, in order of days."""
    if candidate.account is None or candidate.crossed_on is None:
        return []
    last = max(candidate.held_on or candidate.crossed_on, candidate.crossed_on) + DAYS_AFTER
    days = {"day__gte": candidate.crossed_on - DAYS_BEFORE, "day__lte": min(last, on)}
    return [_plain(r) for r in Reading.objects.filter(account=candidate.account, **days).order_by("day")]


def _plain(reading: Reading) -> dict[str, Any]:
    return {
        "day": reading.day.isoformat(),
        "followers": reading.followers,
        "source": reading.source,
        "fetched_at": reading.fetched_at.isoformat(),
    }


def _iso(when: date | None) -> str:
    return when.isoformat() if when else ""
