"""The only writers of trainees."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.db import connection, transaction
from django.utils.translation import gettext as _

from incubator.accounts.choices import Role
from incubator.accounts.models import User
from incubator.common.errors import RuleBroken, Stale
from incubator.regions.models import Region
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
