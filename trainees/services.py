"""The only writers of trainees."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from incubator.accounts.choices import Role
from incubator.accounts.models import User
from incubator.common.errors import RuleBroken, Stale
from incubator.regions.models import Region
from trainees.choices import ChangeKind
from trainees.history import Change, differences, record_changes
from trainees.identity import id_number_index, phone_index
from trainees.models import Trainee
from trainees.names import initials


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

    Raises ``django.db.IntegrityError`` when one of them is a trainee already (``one_trainee_per_person``).
    """
    numbers = _next_numbers(len(people), year)
    return Trainee.objects.bulk_create(
        [_trainee(person, number) for person, number in zip(people, numbers, strict=True)], batch_size=1000
    )


def _trainee(person: NewTrainee, number: str) -> Trainee:
    return Trainee(
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
def open_login(trainee: Trainee, *, password: str) -> User:
    """A login for the trainee's portal; the user name is the trainee number."""
    if trainee.user_id:
        raise RuleBroken(_("%(name)s has a login already.") % {"name": trainee.name})
    user = User.objects.create_user(
        trainee.number, password=password, role=Role.TRAINEE, display_name=trainee.name, is_staff=False
    )
    trainee.user = user
    trainee.save(update_fields=["user"])
    return user
