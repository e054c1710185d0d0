"""Reads of this room: two people beside each other, and what came after a merge."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from incubator.certification.models import Award
from incubator.common.dates import moment
from incubator.common.masking import mask_birth
from incubator.duplicates.models import Merge
from incubator.duplicates.people import CHOSEN, Kept
from incubator.duplicates.plan import Plan, relations_to
from incubator.duplicates.rules import DEPENDS_ON_NOTHING, DEPENDS_WHERE
from incubator.grants.models import Grant
from incubator.metrics.models import CreatorAccount
from incubator.programmes.models import Participation
from incubator.rosters.models import RosterImport, RosterRow
from trainees.models import Trainee

Two = tuple[Any, Any]


# --- Beside each other ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """A fact of two people. ``name`` is that of a field whose value can be chosen, empty for others."""

    label: Any
    texts: tuple[str, str]
    differs: bool
    name: str = ""


@dataclass(frozen=True, slots=True)
class Strand:
    """What two people have of one kind: for each of them rows of as many cells as there are headings."""

    title: Any
    headings: Sequence[Any]
    rows: tuple[list[Sequence[Any]], list[Sequence[Any]]]


def people_of(*ids: int) -> dict[int, Trainee]:
    """People with what ``lines_of`` tells, by key; one query."""
    rows = Trainee.objects.select_related("county__province", "county__prefecture", "user")
    return {row.pk: row for row in rows.filter(pk__in=ids)}


def lines_of(one: Trainee, other: Trainee) -> list[Line]:
    """Facts of two people, personal numbers masked. Whether they differ is judged by the whole number, not the mask."""
    chosen = [
        Line(
            kept.label,
            (_text(kept, one), _text(kept, other)),
            kept.compared(one) != kept.compared(other),
            kept.name,
        )
        for kept in CHOSEN
    ]
    login = (_login(one), _login(other))
    entered = tuple(moment(p.created_at) for p in (one, other))
    return [
        *chosen,
        Line(gettext_lazy("login"), login, (one.user_id is None) != (other.user_id is None)),
        Line(gettext_lazy("entered at"), entered, False),  # type: ignore[arg-type]
    ]


def _text(kept: Kept, person: Trainee) -> str:
    shown: dict[str, Callable[[], Any]] = {
        "id_number": lambda: person.masked_id_number,
        "phone": lambda: person.masked_phone,
        "county": lambda: person.county.path_name,
        "sex": person.get_sex_display,
        "background": person.get_background_display,
        "born_on": lambda: mask_birth(person.born_on),
    }
    value = shown[kept.name]() if kept.name in shown else getattr(person, kept.name)
    return str(value) if value else "-"


def _login(person: Trainee) -> str:
    if person.user is None:
        return "-"
    return person.user.username if person.user.is_active else _("%(name)s (closed)") % {"name": person.user.username}


def strands_of(user: Any, one: Trainee, other: Trainee) -> list[Strand]:
    """What two people took part in, have and were given, as far as somebody may see it; one query a kind."""
    found = [strand(user, (one.pk, other.pk)) for strand in (_participations, _accounts, _grants, _awards, _imports)]
    return [strand for strand in found if strand is not None]


def _strand(title: Any, headings: Sequence[Any], ids: Two, told: Iterable[tuple[Any, Sequence[Any]]]) -> Strand:
    by_person: dict[int, list[Sequence[Any]]] = {pk: [] for pk in ids}
    for pk, cells in told:
        by_person[pk].append(cells)
    return Strand(title, headings, (by_person[ids[0]], by_person[ids[1]]))


def _participations(user: Any, ids: Two) -> Strand | None:
    if not user.has_perm("programmes.view_participation"):
        return None
    rows = Participation.objects.visible_to(user).filter(trainee__in=ids).select_related("cohort__programme")
    told = (
        (p.trainee_id, (p.cohort, p.get_state_display(), p.nominated_on, p.support_ends_on or "-"))
        for p in rows.order_by("cohort_id")
    )
    headings = [_("cohort"), _("state"), _("nominated on"), _("support until")]
    return _strand(_("Participations"), headings, ids, told)


def _accounts(user: Any, ids: Two) -> Strand | None:
    rows = CreatorAccount.objects.visible_to(user).filter(trainee__in=ids).select_related("latest").order_by("pk")
    told = ((a.trainee_id, (a, a.get_state_display(), *_latest(a))) for a in rows)
    return _strand(_("Creator accounts"), [_("account"), _("state"), _("followers"), _("read on")], ids, told)


def _latest(account: CreatorAccount) -> tuple[str, Any]:
    latest = getattr(account, "latest", None)
    return ("-", "-") if latest is None else (f"{latest.followers:,}", latest.day)


def _grants(user: Any, ids: Two) -> Strand | None:
    if not user.has_perm("grants.view_grant"):
        return None
    rows = Grant.objects.visible_to(user).filter(participation__trainee__in=ids).select_related("participation")
    told = (
        (g.participation.trainee_id, (g.proposed_on, f"{g.impressions:,}", g.get_state_display()))
        for g in rows.order_by("pk")
    )
    return _strand(_("Traffic grants"), [_("proposed on"), _("impressions"), _("state")], ids, told)


def _awards(user: Any, ids: Two) -> Strand | None:
    if not user.has_perm("certification.view_award"):
        return None
    rows = Award.objects.visible_to(user).filter(trainee__in=ids).select_related("badge").order_by("pk")
    told = (
        (a.trainee_id, (a.number, a.badge, a.awarded_on, _("withdrawn") if a.withdrawn_at else _("valid")))
        for a in rows
    )
    return _strand(_("Awards"), [_("certificate number"), _("badge"), _("awarded on"), _("state")], ids, told)


def _imports(user: Any, ids: Two) -> Strand | None:
    if not user.has_perm("rosters.view_rosterimport"):
        return None
    visible = RosterImport.objects.visible_to(user)
    rows = RosterRow.objects.filter(trainee__in=ids, roster__in=visible).select_related("roster").order_by("pk")
    told = (
        (r.trainee_id, (r.roster.file_name, r.number, r.roster.get_state_display(), _day(r.roster.uploaded_at)))
        for r in rows.defer("cells", "before")
    )
    return _strand(_("Imports they came from"), [_("file"), _("row"), _("state"), _("uploaded on")], ids, told)


def _day(at: Any) -> Any:
    return timezone.localtime(at).date()


def suggested_to_stay(one: Trainee, other: Trainee, plan: Plan) -> Trainee:
    """The record with more history; of two with as much the older."""
    return max((one, other), key=lambda person: (plan.history_of(person.pk), -person.pk))


# --- After a merge ----------------------------------------------------------------------------------------------------


def children_since(merge: Merge, children: dict[str, Any]) -> list[str]:
    """What was entered on the person, or on anything that two rows became, since a merge; a query a relation.

    ``children`` are the keys of everything that hung on them, by relation and the row they hung on.
    """
    sentences = []
    for relation in _watched(children):
        parents = children[relation.label]
        known = {pk for pks in parents.values() for pk in pks}
        rows = relation.model._base_manager.filter(**DEPENDS_WHERE.get(relation.label, {}))
        if relation.model is Merge:
            rows = rows.exclude(pk=merge.pk)
        since = rows.filter(**{f"{relation.field.name}__in": [int(pk) for pk in parents]}).exclude(pk__in=known)
        sentences += [_came_since(row) for row in since.order_by("pk")[:5]]
    return sentences


def _watched(children: dict[str, Any]) -> list[Any]:
    """The relations whose rows a merge looked at, as they stand in the models today."""
    models: list[Any] = [Trainee]
    found: list[Any] = []
    while models:
        for relation in relations_to(models.pop()):
            if relation.label in children and relation not in found:
                found.append(relation)
                models.append(relation.model)
    return [relation for relation in found if relation.label not in DEPENDS_ON_NOTHING]


def _came_since(row: Any) -> str:
    if isinstance(row, Merge):
        sentence = _("%(number)s was merged into the same record since. Undo that merge first.")
        return sentence % {"number": row.former_number}
    return _("Entered since: %(kind)s “%(row)s”.") % {"kind": row._meta.verbose_name, "row": row}
