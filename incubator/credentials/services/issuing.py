"""Credentials are issued one by one or thousands at a time; each gets a random place in a status list."""

import secrets
import uuid
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import batched

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import transaction
from django.utils.translation import gettext as _

from incubator.certification.models import Award
from incubator.common.errors import RuleBroken
from incubator.credentials.choices import STATUS_LIST_FULL, STATUS_LIST_LENGTH, TRUSTED
from incubator.credentials.documents import credential_document, first_valid_from
from incubator.credentials.models import Credential, SigningKey, StatusList, signed_text
from incubator.credentials.proofs import check, sign
from incubator.credentials.queries import now, trusted_keys
from incubator.credentials.services.keys import lock_signing_key

BATCH = 500
Progress = Callable[[int], None]
Place = tuple[StatusList, int]


def issue_credential(award: Award) -> Credential:
    """The current credential of an award; issued when there is none that anybody would believe.

    Raises ``RuleBroken`` for a withdrawn award.
    """
    _require_live(award)
    _issue([award.pk], anew=False)
    return Credential.objects.current().select_related("key", "status_list", "award").get(award=award)


def issue_credentials(awards: Iterable[Award], *, on_progress: Progress | None = None) -> int:
    """Issue for many, a batch of 500 a transaction; returns how many were issued.

    Withdrawn awards, and those that have a good credential, are passed over, so it may run twice. ``on_progress`` gets
    the number of awards that are done.
    """
    issued = done = 0
    for batch in batched((award.pk for award in awards), BATCH):
        issued += _issue(batch, anew=False)
        done += len(batch)
        if on_progress:
            on_progress(done)
    return issued


def reissue_credential(award: Award) -> Credential:
    """A credential that says what the award says now (a corrected name, a name that is shown or is no more).

    It stands in the place of the last one, whose status bit is set from this moment. The number that stands for the
    holder stays. Raises ``RuleBroken`` for a withdrawn award.
    """
    _require_live(award)
    _issue([award.pk], anew=True)
    return Credential.objects.current().select_related("key", "status_list", "award").get(award=award)


def _require_live(award: Award) -> None:
    if Award.objects.filter(pk=award.pk).exclude(withdrawn_at=None).exists():
        raise RuleBroken(
            _("The award %(number)s is withdrawn: no credential is issued for it.") % {"number": award.number}
        )


@transaction.atomic
def _issue(award_ids: Sequence[int], *, anew: bool) -> int:
    """Issue where one is due, or for each with ``anew``. Constant in queries. Holds the key that signs until commit."""
    key, at = lock_signing_key(), now()
    awards = Award.objects.live().filter(pk__in=award_ids).select_related("badge")
    known = {
        credential.award_id: credential
        for credential in Credential.objects.current().filter(award__in=award_ids).select_related("key")
    }
    due = [award for award in awards if anew or not _is_good(known.get(award.pk))]
    if not due:
        return 0
    private, places = key.private_key, _take_places(len(due))
    made = [
        _make(award, known.get(award.pk), place, key=key, private=private, at=at)
        for award, place in zip(due, places, strict=True)
    ]
    _check_one(made)
    Credential.objects.current().filter(award__in=[award.pk for award in due]).update(replaced_at=at)
    Credential.objects.bulk_create(made)
    return len(made)


def _is_good(credential: Credential | None) -> bool:
    return credential is not None and credential.key.state in TRUSTED


def _make(
    award: Award,
    earlier: Credential | None,
    place: Place,
    *,
    key: SigningKey,
    private: Ed25519PrivateKey,
    at: datetime,
) -> Credential:
    status_list, index = place
    subject = earlier.subject if earlier else uuid.uuid4()
    document = credential_document(
        award,
        subject=subject,
        status_list=status_list,
        index=index,
        valid_from=at if earlier else first_valid_from(award),
    )
    return Credential(
        award=award,
        key=key,
        status_list=status_list,
        status_index=index,
        subject=subject,
        text=signed_text(sign(document, key=private, method=key.address, at=at)),
        issued_at=at,
        replaces=earlier,
    )


def _check_one(made: Sequence[Credential]) -> None:
    """Of each batch one at random is verified the long way before anything is written; ``Unproven`` if it fails."""
    check(secrets.choice(made).document, trusted_keys().get)


def _take_places(count: int) -> list[Place]:
    """Random free places. Only who holds the key that signs may take some."""
    places: list[Place] = []
    status_list = StatusList.objects.order_by("-pk").first() or StatusList.objects.create()
    free = STATUS_LIST_FULL - status_list.credentials.count()
    while len(places) < count:
        if free <= 0:
            status_list, free = StatusList.objects.create(), STATUS_LIST_FULL
        wanted = min(count - len(places), free)
        places += [(status_list, index) for index in _free_indexes(status_list, wanted)]
        free -= wanted
    return places


def _free_indexes(status_list: StatusList, count: int) -> list[int]:
    found: set[int] = set()
    while len(found) < count:
        drawn = {secrets.randbelow(STATUS_LIST_LENGTH) for _n in range(count - len(found))}
        taken = status_list.credentials.filter(status_index__in=drawn).values_list("status_index", flat=True)
        found |= drawn - set(taken)
    indexes = list(found)  # in the order of a set, which would tell something of the numbers: mixed
    secrets.SystemRandom().shuffle(indexes)
    return indexes
