"""Who of a staged roster is known already, who stands in it twice, what would be changed: asked of all rows at once.

An ID number says who somebody is; then a trainee number, then a mobile and then a platform account, the last two only
where the name is the same and no ID number speaks against it. Who has the same name, county and birth day, or a mobile
in common, is doubtful: a question, not an answer. Of people outside the importer's region nothing is told but that they
take part elsewhere.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from incubator.common.encryption import decrypt, encrypt
from incubator.imports.checking import Finding
from incubator.metrics.choices import Platform
from incubator.regions.models import Region
from incubator.rosters import matching_sql as sql
from incubator.rosters.checking import masked
from incubator.rosters.choices import Column
from incubator.rosters.models import ID_NUMBER, PHONE, RosterImport, RosterRow
from incubator.rosters.staging import stage_findings
from trainees.choices import LookAlike

BATCH = 2000
BEFORE = f"{RosterRow._meta.db_table}.before"


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows of each kind; those of ``changed`` are among the matched, of ``doubtful`` among the new."""

    new: int
    matched: int
    changed: int
    doubtful: int
    wrong: int
    skipped: int


@transaction.atomic
def match_rows(roster: RosterImport, *, by: Any) -> Counts:
    """Say of each staged row who it is, for somebody who may know of the people ``by`` may see. May be done again."""
    with connection.cursor() as cursor:
        scope = _scope(roster, by)
        cursor.execute(sql.FORGET, scope)
        cursor.execute(sql.FORGET_FINDINGS, scope)
        found = list(_repeats(roster, cursor))
        _judge(cursor, scope)
        cursor.execute(sql.TAKE_DOWN)
        found += _troubles(roster, cursor)
        found += _remarks(roster, cursor)
        found += _alike(roster, cursor)
        stage_findings(roster, found, is_of_matching=True)
        _keep_before(roster, cursor)
        cursor.execute(sql.COUNTS, scope)
        return Counts(*cursor.fetchone())


def is_stale(roster: RosterImport, *, by: Any) -> bool:
    """Whether somebody of the roster is no longer what the preview says. Within a transaction."""
    with connection.cursor() as cursor:
        scope = _scope(roster, by)
        _judge(cursor, scope)
        cursor.execute(sql.IS_STALE, scope)
        return cursor.fetchone()[0]


def pairs_alike(roster: RosterImport) -> list[tuple[int, int, str]]:
    """New people of the roster who look like somebody and about whom nobody decided, as ``(trainee, trainee, why)``."""
    with connection.cursor() as cursor:
        cursor.execute(sql.UNDECIDED, {"roster": roster.pk})
        known = cursor.fetchall()
        cursor.execute(sql.ALIKE, {"roster": roster.pk})
        return known + [(key, first_key, LookAlike.NAME.value) for _n, _first, key, first_key in cursor.fetchall()]


def _scope(roster: RosterImport, by: Any) -> dict[str, Any]:
    """What the statements ask: the importer's regions by the one rule of who sees what, and the roster's own."""
    seen = set(Region.objects.visible_to(by).values_list("code", flat=True))
    region = Region.objects.get(pk=roster.region_id)
    own = {Region.objects.filter(**{f"{level}_id": region.code}) for level in ("province", "prefecture")}
    inside = {region.code, *(code for rows in own for code in rows.values_list("code", flat=True))}
    return {
        "roster": roster.pk,
        "everything": len(seen) == Region.objects.count(),
        "counties": sorted(seen),
        "region": sorted(inside & seen),
        "platform": Platform.KUAISHOU.value,
    }


def _judge(cursor: Any, scope: dict[str, Any]) -> None:
    """The temporary table ``verdict``: of each row that hits somebody who it is, or what the trouble is."""
    cursor.execute("DROP TABLE IF EXISTS near, hit, verdict")
    cursor.execute(sql.UNKNOWN_SIZES, {})
    for (table,) in cursor.fetchall():
        cursor.execute(f"ANALYZE {table}")
    cursor.execute(sql.BY_INDEX)
    cursor.execute(sql.NEAR, scope)
    cursor.execute(sql.COUNT_NEAR)
    cursor.execute(sql.HITS, scope)
    cursor.execute(sql.VERDICTS, scope)
    cursor.execute(sql.INDEX_VERDICTS)
    cursor.execute(sql.DIFFERENCES, scope)
    cursor.execute(sql.ANYHOW)


# --- What is told -----------------------------------------------------------------------------------------------------


def elsewhere() -> str:
    return _("This person takes part elsewhere already. Ask the programme's head office.")


def _sentence(kind: str, column: str) -> str:
    if kind == "elsewhere":
        return elsewhere()
    if kind == "taken":
        return _("This account belongs to another trainee already. Compare it with the person's phone.")
    if kind == "unknown":
        return _("No trainee has this number. Correct it, or leave the cell empty for somebody new.")
    return _("This is the number of another trainee. Correct it, or leave the cell empty for somebody new.")


def _repeats(roster: RosterImport, cursor: Any) -> Iterator[Finding]:
    cursor.execute(sql.REPEATS, {"roster": roster.pk})
    repeated = cursor.fetchall()
    ids = sorted({pk for pk, _n, _kind, _first, is_error in repeated if is_error})
    cursor.execute(sql.MARK_REPEATS, {"rows": ids})
    values = _values(roster, {number for _pk, number, *_rest in repeated})
    marked = set(ids)
    for pk, number, column, first, is_error in repeated:
        if pk in marked and not is_error:
            continue  # one mistake is told once
        sentence = (
            _("This is the same as in row %(row)s. Delete one of the two.")
            if is_error
            else _("Row %(row)s has the same mobile. Look whether both are right.")
        )
        yield _finding(roster, number, column, values[number].get(column, ""), sentence % {"row": first}, is_error)


def _troubles(roster: RosterImport, cursor: Any) -> Iterator[Finding]:
    cursor.execute(sql.TROUBLES)
    for number, kind, column, first, key, id_number, phone, handle, trainee_number in cursor.fetchall():
        texts = {Column.HANDLE.value: handle, Column.NUMBER.value: trainee_number}
        value = texts[column] if column in texts else _opened(column, key, id_number, phone)
        if kind == "same":
            sentence = _("This is the person of row %(row)s. Delete one of the two.") % {"row": first}
        else:
            sentence = _sentence(kind, column)
        yield _finding(roster, number, column, value, sentence)


def _remarks(roster: RosterImport, cursor: Any) -> Iterator[Finding]:
    """What is no mistake but should be looked at."""
    cursor.execute(sql.REMARKS)
    rows = cursor.fetchall()
    names = dict(Region.objects.filter(code__in={row[3] for row in rows if row[3]}).values_list("code", "name"))
    for number, is_renamed, known_as, lives_in, shares_phone, is_doubtful, why, key, phone, name in rows:
        if is_renamed:
            sentence = _("This person is entered as %(name)s. Confirming changes the name.") % {"name": known_as}
            yield _finding(roster, number, Column.NAME, name, sentence, is_error=False)
        if lives_in:
            sentence = _("This person is entered in %(county)s; a roster does not change the county.")
            yield _finding(roster, number, Column.COUNTY, "", sentence % {"county": names[lives_in]}, is_error=False)
        if shares_phone:
            sentence = _("Another trainee has the same mobile. Look whether it is right.")
            value = _opened(Column.PHONE, key, None, phone)
            yield _finding(roster, number, Column.PHONE, value, sentence, is_error=False)
        if is_doubtful:
            yield _finding(roster, number, Column.NAME, name, _looks_like(why), is_error=False)


def _looks_like(why: str) -> str:
    if why == LookAlike.PHONE:
        return _("A trainee with the same mobile is known. Say whether they are one person.")
    return _("A trainee with the same name, county and date of birth is known. Say whether they are one person.")


def _alike(roster: RosterImport, cursor: Any) -> Iterator[Finding]:
    cursor.execute(sql.ALIKE, {"roster": roster.pk})
    for number, first, _key, _first_key in cursor.fetchall():
        sentence = _("Row %(row)s has the same name, county and date of birth. Look whether they are one person.")
        yield _finding(roster, number, Column.NAME, "", sentence % {"row": first}, is_error=False)


def _finding(
    roster: RosterImport, number: int, column: str, value: str, sentence: str, is_error: bool = True
) -> Finding:
    return Finding(
        number, roster.headers.get(column, Column(column).label), masked(column, value)[:100], sentence, is_error
    )


def _opened(column: str, key: int, id_number: Any, phone: Any) -> str:
    if column == Column.ID_NUMBER:
        return decrypt(id_number, context=ID_NUMBER, row=key) if id_number else ""
    return decrypt(phone, context=PHONE, row=key) if phone else ""


def _values(roster: RosterImport, numbers: Iterable[int]) -> dict[int, dict[str, str]]:
    """What stands in the key columns of rows, by number."""
    rows = roster.rows.filter(number__in=list(numbers))  # type: ignore[attr-defined]
    return {
        row.number: {
            Column.ID_NUMBER.value: row.plain_id_number,
            Column.PHONE.value: row.plain_phone,
            Column.HANDLE.value: row.handle,
            Column.NUMBER.value: row.trainee_number,
        }
        for row in rows.only("number", "sealed_for", "id_number", "phone", "handle", "trainee_number")
    }


# --- What would be changed --------------------------------------------------------------------------------------------


def _keep_before(roster: RosterImport, cursor: Any) -> None:
    """Keep what the people to be changed are now, and seal what will be changed for their own rows."""
    after = 0
    while True:
        cursor.execute(sql.CHANGED, {"roster": roster.pk, "after": after, "most": BATCH})
        rows = cursor.fetchall()
        if not rows:
            return
        kept = [_kept(*row[1:]) for row in rows]
        before, id_numbers, phones = (list(column) for column in zip(*kept, strict=True))
        ids = [row[0] for row in rows]
        cursor.execute(sql.KEEP_BEFORE, {"ids": ids, "before": before, "id_numbers": id_numbers, "phones": phones})
        after = ids[-1]


def _kept(
    key: int, trainee: int, changes: list[str], id_number: Any, phone: Any, old_id: Any, old_phone: Any, *old: Any
) -> tuple[bytes, bytes | None, bytes | None]:
    names = ("name", "initials", "sex", "born_on", "township", "background", "education")
    before = dict(zip(names, old, strict=True))
    before["born_on"] = before["born_on"].isoformat() if before["born_on"] else None
    before["id_number"] = decrypt(old_id, context=ID_NUMBER, row=trainee) if old_id else None
    before["phone"] = decrypt(old_phone, context=PHONE, row=trainee) if old_phone else None
    return (
        encrypt(json.dumps(before, ensure_ascii=False), context=BEFORE),
        _sealed_anew(id_number, ID_NUMBER, key, trainee) if "id_number" in changes else None,
        _sealed_anew(phone, PHONE, key, trainee) if "phone" in changes else None,
    )


def _sealed_anew(stored: Any, context: str, key: int, trainee: int) -> bytes:
    return encrypt(decrypt(stored, context=context, row=key), context=context, row=trainee)
