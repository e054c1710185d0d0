"""The only writers of trainees."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext as _

from incubator.accounts.access import record_access
from incubator.accounts.choices import AccessKind, Role
from incubator.accounts.models import AccessRecord, User
from incubator.common.encryption import Undecipherable, index_fingerprint, reserve_keys
from incubator.common.errors import RuleBroken, Stale
from incubator.common.masking import mask_numbers
from incubator.common.sealed import IndexedTable
from incubator.regions.models import Region
from trainees.choices import ChangeKind
from trainees.history import Change, differences, record_changes
from trainees.identity import ID_NUMBER_INDEX, PHONE_INDEX, id_number_index, phone_index
from trainees.models import IndexKey, Trainee
from trainees.names import initials

SHORTEST_REASON = 2  # characters: 回访


@dataclass(frozen=True, slots=True)
class NewTrainee:
    """A checked person to enter: normalised ID number and E.164 phone (or empty)."""

    name: str
    county: Region
    sex: str = ""
    born_on: date | None = None
    township: str = ""
    background: str = "other"
    education: str = ""
    id_number: str = ""
    phone: str = ""


@transaction.atomic
def enter_trainees(people: Sequence[NewTrainee], *, year: int) -> list[Trainee]:
    """Enter people in order and number them ``T<year>-<7 digits>``. All or none.

    Raises ``django.db.IntegrityError`` when one of them is a trainee already (``one_trainee_per_person``) and
    ``RuleBroken`` under another index key than that of the people who are there.
    """
    require_index_key()
    keys, numbers = reserve_keys(Trainee, len(people)), _next_numbers(len(people), year)
    return Trainee.objects.bulk_create(
        [_trainee(*one) for one in zip(people, keys, numbers, strict=True)], batch_size=1000
    )


def _trainee(person: NewTrainee, key: int, number: str) -> Trainee:
    return Trainee(
        pk=key,
        number=number,
        name=person.name,
        initials=initials(person.name),
        county=person.county,
        sex=person.sex,
        born_on=person.born_on,
        township=person.township,
        background=person.background,
        education=person.education,
        id_number=person.id_number or None,
        id_number_index=id_number_index(person.id_number) if person.id_number else None,
        phone=person.phone or None,
        phone_index=phone_index(person.phone) if person.phone else None,
    )


def _next_numbers(count: int, year: int) -> list[str]:
    """Fresh numbers from a sequence: unique at any concurrency, gaps allowed."""
    if not count:
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('trainees_trainee_number') FROM generate_series(1, %s)", [count])
        return [f"T{year}-{value:07d}" for (value,) in cursor.fetchall()]


def require_index_key() -> None:
    """Whoever writes people calls this in the same transaction, before: under a wrong key all would be new, and twice.

    Raises ``RuleBroken``. The lock is the one that writing takes anyway; a change of the index key waits for it.
    """
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE trainees_trainee IN ROW EXCLUSIVE MODE")
    known = _made_with()
    if known is None:
        _remember_index_key()
    elif known != index_fingerprint():
        raise RuleBroken(
            _(
                "Nobody can be entered: people are found by another key than PERSONAL_INDEX_KEY. "
                "Ask whoever runs this installation to look at manage.py doctor."
            )
        )


def _made_with() -> str | None:
    return IndexKey.objects.filter(pk=1).values_list("fingerprint", flat=True).first()


def _remember_index_key() -> None:
    IndexKey.objects.update_or_create(pk=1, defaults={"fingerprint": index_fingerprint()})


INDEXED = IndexedTable(
    "trainees_trainee",
    {"id_number": ("id_number_index", ID_NUMBER_INDEX), "phone": ("phone_index", PHONE_INDEX)},
    made_with=_made_with,
    remember=_remember_index_key,
)


def lock_people(ids: Iterable[int]) -> set[int]:
    """Keep people from being merged away until the end of the transaction; returns those who are still there.

    Whoever adds rows to people who are entered already calls this first, in the transaction that writes: foreign keys
    are checked only when it commits. Rows are locked in the order of their keys.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM trainees_trainee WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE", [sorted(set(ids))]
        )
        return {pk for (pk,) in cursor.fetchall()}


def require_people(ids: Iterable[int]) -> None:
    """``lock_people``, and ``Stale`` when one of them is gone."""
    wanted = set(ids)
    if lock_people(wanted) != wanted:
        raise Stale(_("One of these people was merged with another at this moment. Look again and repeat."))


# What may be changed by hand. County, ID number and phone are what others find the person by.
EDITABLE = ("name", "sex", "born_on", "township", "background", "education")


@transaction.atomic
def change_trainee(trainee: Trainee, *, by: Any, values: Mapping[str, Any], why: str = "") -> bool:
    """Change what is said about a person (``EDITABLE`` fields by name) and note it; False when nothing differs.

    What somebody else wrote meanwhile to other fields stays.
    """
    if unknown := set(values) - set(EDITABLE):
        raise ValueError(f"Not to be changed by hand: {', '.join(sorted(unknown))}")
    row = Trainee.objects.select_for_update().only(*EDITABLE).get(pk=trainee.pk)
    changed = differences(row, values)
    if not changed:
        return False
    for name, (_before, after) in changed.items():
        setattr(row, name, after)
    row.initials = initials(row.name)
    row.save(update_fields=[*changed, "initials"])
    record_changes([Change(row.pk, changed)], kind=ChangeKind.EDITED, by=by, why=why)
    return True


@transaction.atomic
def reveal(trainee: Trainee, field: str, *, by: User, reason: str, at: datetime) -> str:
    """The ID number or phone (``field``) in full, for one answer. That it was shown is recorded with the reason.

    Raises ``RuleBroken`` for whoever may not, without a reason, too often, or where there is none to show.
    """
    if not by.has_perm("trainees.reveal_personal_data") or not Trainee.objects.visible_to(by).filter(pk=trainee.pk):
        raise RuleBroken(_("You may not have this shown. Ask head office."))
    reason = _reason_to_reveal(reason)
    _require_few_reveals(by, at)
    shown = _plain(trainee, field)
    record_access(Trainee, kind=AccessKind.REVEAL, by=by, fields=[field], row=trainee.pk, reason=reason)
    return shown


def _reason_to_reveal(reason: str) -> str:
    reason = reason.strip()
    if len(reason) < SHORTEST_REASON:
        raise RuleBroken(_("Say what you need it for; it is recorded with your name."))
    if mask_numbers(reason) != reason:
        raise RuleBroken(_("Leave ID numbers and phones out of the reason: it is kept as it is written."))
    return reason


def _require_few_reveals(by: User, at: datetime) -> None:
    """So that nobody copies a list one by one. The asker's row is locked, so that clicks at once are counted."""
    User.objects.select_for_update(no_key=True).get(pk=by.pk)
    shown = AccessRecord.objects.filter(by=by, kind=AccessKind.REVEAL, at__gt=at - timedelta(hours=1)).count()
    if shown >= settings.REVEALS_PER_HOUR:
        raise RuleBroken(
            _("You have had %(count)s numbers shown within an hour; that is as many as are allowed. Try again later.")
            % {"count": shown}
        )


def _plain(trainee: Trainee, field: str) -> str:
    if field not in ("id_number", "phone"):
        raise RuleBroken(_("Choose what is to be shown."))
    try:
        value = getattr(Trainee.objects.only(field).get(pk=trainee.pk), field)
    except Undecipherable:
        raise RuleBroken(
            _("It cannot be read with the keys of this installation. Tell whoever runs it to look at manage.py doctor.")
        ) from None
    if not value:
        raise RuleBroken(_("There is none for this person."))
    return value


@transaction.atomic
def open_login(trainee: Trainee, *, password: str | None) -> User:
    """A login for the trainee's portal; the user name is the trainee number. Without a password nobody enters."""
    if trainee.user_id:
        raise RuleBroken(_("%(name)s has a login already.") % {"name": trainee.name})
    user = User.objects.create_user(
        trainee.number, password=password, role=Role.TRAINEE, display_name=trainee.name, is_staff=False
    )
    trainee.user = user
    trainee.save(update_fields=["user"])
    return user
