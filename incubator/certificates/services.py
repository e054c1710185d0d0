"""The only writers of this room: seals, editions of certificates, ceremonies."""

from collections.abc import Sequence
from datetime import date
from typing import Any, BinaryIO

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from incubator.certificates.choices import Obstacle
from incubator.certificates.models import Ceremony, CeremonyPlace, Edition, Seal
from incubator.certificates.queries import (
    awards_of,
    awards_within,
    editions_as_they_are,
    latest_editions,
    obstacle_sentence,
    obstacle_to,
    on_paper,
    programme_of,
    seals_in_use,
)
from incubator.certification.models import Award
from incubator.certification.services.corrections import correct_holder_name
from incubator.common.errors import RuleBroken, Stale
from incubator.common.pdf import missing_glyphs
from incubator.common.png import transparent_png
from incubator.jobs.services import ask_for_job
from incubator.programmes.models import Programme
from incubator.regions.models import Region
from incubator.regions.scoping import scope_of

LARGEST_SEAL = 1024 * 1024  # bytes
SEAL_SIDES = {"smallest": 300, "largest": 1500}  # pixels: 42 mm at 180 to 900 dots an inch
CERTIFICATES = "ceremony_certificates"  # the kind of the job


# --- Seals ------------------------------------------------------------------------------------------------------------


@transaction.atomic
def put_seal(programme: Programme, file: BinaryIO, *, issuer: str, by: Any) -> Seal:
    """Use a new seal for what is printed first from now on; certificates made before keep the one they bear.

    Raises ``RuleBroken`` for anything but a transparent PNG of a sensible size, and for who does not see the country.
    """
    if not scope_of(by).everything:
        raise RuleBroken(_("Seals are put in use by head office."))
    if missing := missing_glyphs(issuer):
        raise RuleBroken(_("No font has %(characters)s.") % {"characters": " ".join(missing)})
    content = file.read(LARGEST_SEAL + 1)
    if len(content) > LARGEST_SEAL:
        raise RuleBroken(_("This file is larger than 1 MB. Save the seal with fewer pixels."))
    picture = transparent_png(content, **SEAL_SIDES)
    seal = Seal(programme=programme, issuer=issuer.strip(), put_by=by, width=picture.width, height=picture.height)
    seal.image.save_sealed(picture.content)
    seal.save()
    return seal


# --- Editions ---------------------------------------------------------------------------------------------------------


@transaction.atomic
def editions_to_print(
    awards: Sequence[Award], *, by: Any, on: date
) -> tuple[list[Edition], list[tuple[Edition, Obstacle]]]:
    """Editions of those awards whose certificate can be printed, in their order, and the others with why not.

    What is printed for the first time becomes the first edition; one without a seal gets the seal in use now. Read the
    awards with ``paper.ON_PAPER``; the number of queries does not depend on how many they are.
    """
    editions = editions_as_they_are(awards, by=by)
    obstacles = [obstacle_to(edition, on=on) for edition in editions]
    refused = [(edition, why) for edition, why in zip(editions, obstacles, strict=True) if why]
    return _written([e for e, why in zip(editions, obstacles, strict=True) if not why]), refused


def _written(editions: Sequence[Edition]) -> list[Edition]:
    """These editions as they stand in the table: two people may print the same for the first time at once."""
    new = [edition for edition in editions if edition.pk is None]
    Edition.objects.bulk_create(new, ignore_conflicts=True)
    _keep_seals([edition for edition in editions if edition.pk is not None])
    stored = latest_editions(edition.award for edition in new) if new else {}
    for edition in new:
        stored[edition.award_id].award = edition.award
    return [stored.get(edition.award_id, edition) for edition in editions]


def _keep_seals(editions: Sequence[Edition]) -> None:
    """Editions printed before there was a seal keep the one they bear now."""
    by_seal: dict[int, list[int]] = {}
    for edition in editions:
        if edition.seal_id is not None:
            by_seal.setdefault(edition.seal_id, []).append(edition.pk)
    for seal, rows in by_seal.items():
        Edition.objects.filter(pk__in=rows, seal=None).update(seal=seal)


def edition_to_print(award: Award, *, by: Any, on: date) -> Edition:
    """The edition of one award, to be printed as valid; raises ``RuleBroken`` with why it is not."""
    printed, refused = editions_to_print(on_paper([award.pk]), by=by, on=on)
    for edition, why in refused:
        raise RuleBroken(obstacle_sentence(edition, why))
    return printed[0]


@transaction.atomic
def reissue_certificate(award: Award, *, by: Any, reason: str, on: date | None = None) -> Edition:
    """The next edition, with the name that the person has now and the seal that is in use now.

    Raises ``RuleBroken`` without a reason, when neither name nor seal is another one, for an award that is not valid,
    and for a name that cannot be printed. The QR code of earlier editions leads to the same page, which tells of now.
    """
    if not reason.strip():
        raise RuleBroken(_("Say why the certificate is reissued."))
    Award.objects.select_for_update().get(pk=award.pk)
    [award] = on_paper([award.pk])
    [before] = _written(editions_as_they_are([award], by=by))
    seal = seals_in_use([programme_of(award)]).get(programme_of(award))
    name = award.trainee.name
    if name == award.holder_name and seal == before.seal:
        raise RuleBroken(_("Name and seal on the certificate are those of today; there is nothing to reissue."))
    following = Edition(
        award=award,
        number=before.number + 1,
        holder_name=name,
        name_before=before.holder_name,
        words=before.words,
        seal=seal or before.seal,
        reason=reason.strip(),
        by=by,
        at=timezone.now(),
    )
    if obstacle := obstacle_to(following, on=on or timezone.localdate()):
        raise RuleBroken(obstacle_sentence(following, obstacle))
    if name != award.holder_name:
        correct_holder_name(award, name=name)
    following.save(force_insert=True)
    return following


# --- Ceremonies -------------------------------------------------------------------------------------------------------


def open_ceremony(*, name: str, held_on: date, place: str, region: Region | None, order: str, by: Any) -> Ceremony:
    """A ceremony of a region that ``by`` sees; without one it is of the whole country, for who sees that."""
    if region is None and not scope_of(by).everything:
        raise RuleBroken(_("Choose the region of the ceremony; one of the whole country is held by head office."))
    if region is not None and not Region.objects.visible_to(by).filter(pk=region.pk).exists():
        raise RuleBroken(_("There is no such region among yours."))
    return Ceremony.objects.create(
        name=name.strip(), held_on=held_on, place=place.strip(), region=region, order=order, made_by=by
    )


@transaction.atomic
def add_awards(ceremony: Ceremony, awards: Sequence[Award], *, by: Any, on: date | None = None) -> int:
    """Add these awards; returns how many were not there yet. All or none.

    Raises ``RuleBroken`` when one is not found among what ``by`` sees, is not of the ceremony's region, or not valid.
    """
    _require_seen(ceremony, by)
    wanted = {award.pk for award in awards}
    seen = list(awards_within(ceremony, Award.objects.visible_to(by).filter(pk__in=wanted)))
    if strange := len(wanted) - len(seen):
        sentence = ngettext(
            "%(count)s award was not found in the region of this ceremony.",
            "%(count)s awards were not found in the region of this ceremony.",
            strange,
        )
        raise RuleBroken(sentence % {"count": strange})
    day = on or timezone.localdate()
    for award in seen:
        if award.standing(on=day) != "valid":
            raise RuleBroken(_("The award %(number)s is not valid; leave it out.") % {"number": award.number})
    return _place(ceremony, [award.pk for award in seen], by)


@transaction.atomic
def take_awards(
    ceremony: Ceremony, *, by: Any, on: date, badge: Any = None, cohort: Any = None, first: Any = None, last: Any = None
) -> int:
    """Add all valid awards of the ceremony's region that ``by`` sees and that fit; returns how many were added.

    ``first`` and ``last`` are the days of award, both included. Raises ``RuleBroken`` when none is found.
    """
    _require_seen(ceremony, by)
    found = awards_within(ceremony, Award.objects.visible_to(by).live()).exclude(expires_on__lt=on)
    asked = {
        "badge": badge,
        "candidate__participation__cohort": cohort,
        "awarded_on__gte": first,
        "awarded_on__lte": last,
    }
    found = found.filter(**{name: value for name, value in asked.items() if value is not None})
    added = _place(ceremony, list(found.exclude(ceremony_places__ceremony=ceremony).values_list("pk", flat=True)), by)
    if not added:
        raise RuleBroken(_("No valid award was found that is not among them already."))
    return added


def _require_seen(ceremony: Ceremony, by: Any) -> None:
    if not Ceremony.objects.visible_to(by).filter(pk=ceremony.pk).exists():
        raise RuleBroken(_("This ceremony was not found."))


def _place(ceremony: Ceremony, awards: Sequence[int], by: Any) -> int:
    Ceremony.objects.select_for_update().get(pk=ceremony.pk)  # so that what is counted is what this call adds
    there = set(ceremony.places.filter(award__in=awards).values_list("award", flat=True))
    new = [CeremonyPlace(ceremony=ceremony, award_id=pk, added_by=by) for pk in awards if pk not in there]
    return len(CeremonyPlace.objects.bulk_create(new, batch_size=2_000))


def take_out(ceremony: Ceremony, awards: Sequence[Award], *, by: Any) -> int:
    """Take these awards out of a ceremony; raises ``RuleBroken`` when none of them is there."""
    _require_seen(ceremony, by)
    seen = Award.objects.visible_to(by).filter(pk__in=[award.pk for award in awards])
    count, _each = ceremony.places.filter(award__in=seen).delete()
    if not count:
        raise RuleBroken(_("None of these awards is in this ceremony."))
    return count


@transaction.atomic
def ask_for_certificates(ceremony: Ceremony, *, by: Any, order: str) -> Ceremony:
    """Have the certificates of a ceremony made as one PDF, and credentials of those that have none, in the background.

    What is running for it already is the answer; raises ``RuleBroken`` when there is nothing to print.
    """
    _require_seen(ceremony, by)
    if not awards_of(ceremony, user=by).exists():
        raise RuleBroken(_("Add awards to the ceremony first."))
    title = _("Certificates: %(ceremony)s") % {"ceremony": ceremony}
    job = ask_for_job(CERTIFICATES, key=f"{ceremony.pk}", by=by, title=title[:200], ceremony=ceremony.pk)
    if job.asked_by_id != by.pk:
        raise Stale(_("Somebody else is having these certificates made. Wait until that has ended."))
    ceremony.job, ceremony.order = job, order
    ceremony.save(update_fields=["job", "order"])
    return ceremony
