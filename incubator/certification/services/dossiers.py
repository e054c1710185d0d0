"""What an award rests on."""

from datetime import date
from typing import Any

from courses.queries import live_graduation
from incubator.certification.models import Candidate
from incubator.certification.queries import leaps_of
from incubator.metrics.models import Reading


def collect_evidence(candidate: Candidate) -> dict[str, Any]:
    """What the award rests on, as plain values that no later change of rows can alter."""
    rule, participation = candidate.rule, candidate.participation
    reading = Reading.objects.get(day=candidate.crossed_on, account=candidate.account)
    graduation = live_graduation(participation)
    return {
        "rule": {
            "badge": rule.badge.code,
            "version": rule.version,
            "followers": rule.followers,
            "strict": rule.is_strict,
        },
        "reading": {
            "platform": candidate.account.platform,
            "handle": candidate.account.handle,
            "day": reading.day.isoformat(),
            "followers": reading.followers,
            "source": reading.source,
            "fetched_at": reading.fetched_at.isoformat(),
        },
        "participation": {
            "cohort": str(participation.cohort),
            "graduated_on": _iso(participation.graduated_on),
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
        "decided": {
            "by": candidate.decided_by.username if candidate.decided_by else "",
            "at": _iso(candidate.decided_at),
            "remark": candidate.reason,
        },
    }


def _iso(when: date | None) -> str:
    return when.isoformat() if when else ""
