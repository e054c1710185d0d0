"""Reads of this room: whose name differs, what cannot be printed and why, what is in force."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from incubator.certificates.choices import CeremonyOrder, Obstacle
from incubator.certificates.models import Ceremony, Edition, Seal
from incubator.certificates.paper import ON_PAPER, counties_of, unprintable, words_of
from incubator.certification.choices import AwardStanding
from incubator.certification.models import Award
from incubator.regions.scoping import within_q

ORDERS: dict[str, tuple[str, ...]] = {
    CeremonyOrder.COUNTY: ("trainee__county", "trainee__initials", "holder_name", "pk"),
    CeremonyOrder.NAME: ("trainee__initials", "holder_name", "pk"),
    CeremonyOrder.NUMBER: ("number",),
}


def name_differs(awards: QuerySet) -> QuerySet:
    """Awards that were not withdrawn and whose certificate has another name than the person has today."""
    return awards.filter(withdrawn_at=None).exclude(holder_name=F("trainee__name"))


def seals_in_use(programmes: Iterable[int]) -> dict[int, Seal]:
    """The newest seal of each programme that has one. One query."""
    found = Seal.objects.filter(programme__in=set(programmes)).order_by("programme_id", "-pk").distinct("programme_id")
    return {seal.programme_id: seal for seal in found}


def programme_of(award: Award) -> int:
    """The programme whose seal an award bears, by its id."""
    programme: int = award.candidate.participation.cohort.programme_id
    return programme


def latest_editions(awards: Iterable[Award]) -> dict[int, Edition]:
    """The newest edition of each award that has one, by the award's id. One query."""
    found = Edition.objects.filter(award__in=list(awards)).select_related("seal").order_by("award_id", "-number")
    return {edition.award_id: edition for edition in found.distinct("award_id")}


def editions_as_they_are(awards: Sequence[Award], *, by: Any) -> list[Edition]:
    """The edition each award has, or, not written, the first it would have; with the seal it would bear.

    In the order of ``awards``, which are read with ``paper.ON_PAPER``. At most three queries.
    """
    known = latest_editions(awards)
    new = [award for award in awards if award.pk not in known]
    counties, at = counties_of(new) if new else {}, timezone.now()
    editions = []
    for award in awards:
        edition = known.get(award.pk) or Edition(number=1, by=by, at=at, holder_name=award.holder_name)
        edition.award = award
        edition.words = edition.words or words_of(award, counties[award.pk])
        editions.append(edition)
    bare = [edition for edition in editions if edition.seal_id is None]
    seals = seals_in_use(programme_of(edition.award) for edition in bare) if bare else {}
    for edition in bare:
        edition.seal = seals.get(programme_of(edition.award))
    return editions


def obstacle_to(edition: Edition, *, on: date) -> Obstacle | None:
    """Why no certificate is printed; None when one is."""
    standing = edition.award.standing(on=on)
    if standing != AwardStanding.VALID:
        return Obstacle(standing.value)
    return Obstacle.GLYPHS if unprintable(edition.holder_name, edition.words) else None


def obstacle_sentence(edition: Edition, obstacle: Obstacle) -> str:
    """What is told to whoever wanted to print."""
    award = edition.award
    if obstacle == Obstacle.WITHDRAWN and award.withdrawn_at is not None:
        sentence = _("This award was withdrawn on %(day)s; no certificate is printed of it.")
        return sentence % {"day": date_format(timezone.localdate(award.withdrawn_at))}
    if obstacle == Obstacle.EXPIRED and award.expires_on is not None:
        sentence = _("This award was valid until %(day)s; no certificate is printed of it.")
        return sentence % {"day": date_format(award.expires_on)}
    sentence = _(
        "No font has %(characters)s. Correct the name on the person's page if it was mistyped and reissue the "
        "certificate; if it is right, ask head office to add the characters to the fonts."
    )
    return sentence % {"characters": " ".join(unprintable(edition.holder_name, edition.words))}


# --- Ceremonies -------------------------------------------------------------------------------------------------------


def awards_within(ceremony: Ceremony, awards: QuerySet) -> QuerySet:
    """Those of people of the ceremony's region."""
    if ceremony.region is None:
        return awards
    return awards.filter(within_q(ceremony.region, "trainee__county"))


def awards_of(ceremony: Ceremony, *, user: Any) -> QuerySet:
    """The awards of a ceremony that ``user`` may see, in its order."""
    seen = Award.objects.visible_to(user).filter(ceremony_places__ceremony=ceremony)
    return seen.order_by(*ORDERS[ceremony.order])


def on_paper(pks: Sequence[int]) -> list[Award]:
    """Awards with all that is printed of them, in the order of ``pks``. One query."""
    found = Award.objects.filter(pk__in=pks).select_related(*ON_PAPER).in_bulk()
    return [found[pk] for pk in pks if pk in found]
