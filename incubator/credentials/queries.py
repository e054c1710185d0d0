"""Reads of this room: whom to trust, what is good no more, who has no credential yet."""

from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from incubator.certification.models import Award
from incubator.credentials import multibase
from incubator.credentials.choices import TRUSTED
from incubator.credentials.models import Credential, SigningKey, StatusList, good_no_more_q
from incubator.regions.models import Region


def trusted_keys() -> dict[str, bytes]:
    """Address of each trusted key → its 32 public bytes."""
    return {key.address: multibase.public_key_bytes(key.public_key) for key in SigningKey.objects.trusted()}


def set_places(status_list: StatusList) -> list[int]:
    """Places of the list whose bit is set now, in order. Read from the rows, so right in the moment of a withdrawal."""
    rows = Credential.objects.filter(good_no_more_q(), status_list=status_list)
    return list(rows.order_by("status_index").values_list("status_index", flat=True))


def without_credential() -> QuerySet[Award]:
    """Awards in force with no credential that anybody would believe: none at all, or of a key not trusted any more."""
    good = Credential.objects.current().filter(award=OuterRef("pk"), key__state__in=TRUSTED)
    return Award.objects.live().filter(~Exists(good)).order_by("pk")


def county_of(award: Award) -> str:
    """The county that gave the award, by its number: where the holder lives today is nobody's business. Or nothing."""
    code = award.number.split("-")[2:3]
    county = Region.objects.select_related("province", "prefecture").filter(code__in=code).first()
    return county.path_name if county else ""


def now() -> datetime:
    """To the second, as credentials say it."""
    return timezone.localtime().replace(microsecond=0)
