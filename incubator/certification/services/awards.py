"""Awards, their numbers, and their withdrawal."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from incubator.certification.models import Award, AwardNumber
from incubator.common.errors import RuleBroken, Stale
from incubator.regions.models import Region


@transaction.atomic
def withdraw_award(award: Award, *, by: Any, reason: str) -> Award:
    """Take a badge back. The award stays, marked withdrawn, with who and why."""
    if not reason.strip():
        raise RuleBroken(_("Say why the award is withdrawn."))
    changes = {"withdrawn_at": timezone.now(), "withdrawn_by": by, "withdrawal_reason": reason.strip()}
    if not Award.objects.live().filter(pk=award.pk).update(**changes):
        raise Stale(_("This award is withdrawn already."))
    award.refresh_from_db()
    return award


def next_number(year: int, county: Region) -> str:
    """Fresh at any concurrency, without gaps: ``XC-2026-622927-0001``. Holds the county's count until commit."""
    AwardNumber.objects.bulk_create([AwardNumber(year=year, county=county)], ignore_conflicts=True)
    counted = AwardNumber.objects.select_for_update().get(year=year, county=county)
    counted.last += 1
    counted.save(update_fields=["last"])
    return f"XC-{year}-{county.code}-{counted.last:04d}"
