"""Works that somebody saw published: noted, and taken back when the note was wrong."""

from datetime import date
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from incubator.certification.models import Work
from incubator.common.errors import RuleBroken, Stale
from trainees.models import Trainee


def note_work(trainee: Trainee, *, title: str, address: str, published_on: date, by: Any) -> Work:
    """Note a video or live stream that was seen at its address. One note for a trainee and an address."""
    if published_on > timezone.localdate():
        raise RuleBroken(_("This day is still to come."))
    seen = {"title": title.strip(), "address": address.strip(), "published_on": published_on}
    if not seen["title"] or not seen["address"]:
        raise RuleBroken(_("Enter the title and the address of the work."))
    try:
        with transaction.atomic():
            return Work.objects.create(trainee=trainee, noted_by=by, **seen)
    except IntegrityError:
        raise RuleBroken(_("This work is noted already.")) from None


@transaction.atomic
def take_back_work(work: Work, *, by: Any, reason: str) -> Work:
    """The note was wrong; the work counts no more. The note stays, with who took it back and why."""
    if not reason.strip():
        raise RuleBroken(_("Say why the note is taken back."))
    taken = {"taken_back_at": timezone.now(), "taken_back_by": by, "taken_back_why": reason.strip()}
    if not Work.objects.counted().filter(pk=work.pk).update(**taken):
        raise Stale(_("This note is taken back already."))
    work.refresh_from_db()
    return work
