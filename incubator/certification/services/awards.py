"""Awards, their numbers, and their withdrawal."""

from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from incubator.certification.models import Award
from incubator.common.errors import RuleBroken, Stale


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


def next_number(year: int) -> str:
    """Fresh and unique at any concurrency: the year and a sequence, ``XC-2026-000123``."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('certification_award_number')")
        return f"XC-{year}-{cursor.fetchone()[0]:06d}"
