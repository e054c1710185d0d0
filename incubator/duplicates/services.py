"""The only writers of pairs and merges: asked, decided, merged, undone.

How locks are taken, so that nobody waits for a merge that waits for them: first the lock of whoever writes readings,
then the pair, then both people in the order of their keys, then every row that will be touched or named. Only the
first is waited for, when nothing is held yet. Every other lock is taken at once or not at all: a merge that meets
somebody's work gives everything back, and tries again a moment later. Whoever adds rows to people waits for the merge
or finds the person gone (``trainees.services.require_people``).
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from incubator.accounts.models import User
from incubator.common.errors import RuleBroken, Stale
from incubator.duplicates.choices import PairState
from incubator.duplicates.models import DuplicatePair, Merge
from incubator.duplicates.people import columns_of, take_over
from incubator.duplicates.plan import Plan, plan_merge
from incubator.duplicates.queries import children_since
from incubator.duplicates.rows import Journal, hold, read_rows, texts_of
from incubator.metrics.models import CreatorAccount
from incubator.metrics.services.rollups import lock_writing, recount_joined
from incubator.regions.models import Region
from incubator.regions.scoping import scope_of
from trainees.choices import ChangeKind, LookAlike
from trainees.history import Change, record_changes
from trainees.identity import id_number_index, phone_index
from trainees.models import FormerNumber, Trainee

UNDO_DAYS = 30
# People who share it: more than that have a helper's or an office's mobile, or a name that was typed in for a test.
PHONE_SHARED_BY_MOST, NAME_SHARED_BY_MOST = 5, 20
TRIES, PAUSE = 6, 0.15  # seconds, longer each time: about three altogether
LOCK_REFUSED = ("55P03", "40P01")  # PostgreSQL: lock not available, deadlock detected
MERGE_PERMISSION = "duplicates.merge_trainees"

# --- Asked ------------------------------------------------------------------------------------------------------------

ASK = """
INSERT INTO duplicates_duplicatepair (first_id, second_id, why, state, asked_by_id, asked_at, remark)
SELECT least(one.id, other.id), greatest(one.id, other.id), asked.why, 'open', %(by)s, %(at)s, ''
FROM unnest(%(one)s::bigint[], %(other)s::bigint[], %(why)s::text[]) AS asked (one, other, why)
JOIN trainees_trainee one ON one.id = asked.one
JOIN trainees_trainee other ON other.id = asked.other AND other.id <> one.id
FOR KEY SHARE OF one, other
ON CONFLICT (first_id, second_id) DO NOTHING
"""


def ask_about(pairs: Iterable[tuple[int, int, str]], *, by: Any = None) -> int:
    """Put ``(trainee id, trainee id, why)`` into the queue; returns how many questions are new.

    Pairs that were asked about already, whatever was decided, stay as they are; people who are gone are left out. One
    statement for any number.
    """
    pairs = list(pairs)
    reasons = [LookAlike(why).value for _one, _other, why in pairs]
    if not pairs:
        return 0
    values = {"one": [one for one, _other, _why in pairs], "other": [other for _one, other, _why in pairs]}
    with connection.cursor() as cursor:
        cursor.execute(ASK, {**values, "why": reasons, "by": by and by.pk, "at": timezone.now()})
        return cursor.rowcount


def put_into_queue(sender: Any, *, pairs: Iterable[tuple[int, int, str]], by: Any = None, **kwargs: Any) -> None:
    """Receiver of ``people_look_alike``."""
    ask_about(pairs, by=by)


@transaction.atomic
def name_pair(one: Trainee, other: Trainee, *, by: Any) -> DuplicatePair:
    """Ask about two people whom somebody takes for one. Raises ``RuleBroken`` where it was decided already."""
    if one.pk == other.pk:
        raise RuleBroken(_("These are not two records but one. Choose another."))
    _require_visible(by, one.pk, other.pk)
    ask_about([(one.pk, other.pk, LookAlike.STAFF)], by=by)
    first, second = sorted((one.pk, other.pk))
    pair = DuplicatePair.objects.get(first=first, second=second)
    if pair.state != PairState.OPEN:
        raise RuleBroken(_("It was decided already that these are two people. Open that decision to ask again."))
    return pair


SAME_PHONE = """
WITH shared AS (
    SELECT phone_index FROM trainees_trainee WHERE phone_index IS NOT NULL
    GROUP BY phone_index HAVING count(*) BETWEEN 2 AND %(most)s
)
INSERT INTO duplicates_duplicatepair (first_id, second_id, why, state, asked_at, remark)
SELECT one.id, other.id, 'phone', 'open', %(at)s, ''
FROM shared
JOIN trainees_trainee one USING (phone_index)
JOIN trainees_trainee other ON other.phone_index = shared.phone_index AND other.id > one.id
FOR KEY SHARE OF one, other
ON CONFLICT (first_id, second_id) DO NOTHING
"""
SAME_NAME = """
WITH shared AS (
    SELECT county_id, name, born_on FROM trainees_trainee WHERE born_on IS NOT NULL
    GROUP BY county_id, name, born_on HAVING count(*) BETWEEN 2 AND %(most)s
)
INSERT INTO duplicates_duplicatepair (first_id, second_id, why, state, asked_at, remark)
SELECT one.id, other.id, 'name', 'open', %(at)s, ''
FROM shared
JOIN trainees_trainee one USING (county_id, name, born_on)
JOIN trainees_trainee other
    ON other.county_id = shared.county_id AND other.name = shared.name AND other.born_on = shared.born_on
    AND other.id > one.id
FOR KEY SHARE OF one, other
ON CONFLICT (first_id, second_id) DO NOTHING
"""


def find_pairs(*, at: datetime) -> int:
    """Ask about everybody who shares a mobile, or name, county and date of birth; returns the new questions.

    Two statements over all people. What was asked before, whatever was decided, is not asked again.
    """
    count = 0
    for statement, most in ((SAME_PHONE, PHONE_SHARED_BY_MOST), (SAME_NAME, NAME_SHARED_BY_MOST)):
        with connection.cursor() as cursor:
            cursor.execute(statement, {"most": most, "at": at})
            count += cursor.rowcount
    return count


# --- Decided ----------------------------------------------------------------------------------------------------------


def elsewhere() -> str:
    return _("This person takes part elsewhere already. Ask the programme's head office.")


def _require_visible(by: Any, *ids: int) -> None:
    if Trainee.objects.visible_to(by).filter(pk__in=ids).count() != len(set(ids)):
        raise RuleBroken(elsewhere())


def may_decide(pair: DuplicatePair, by: Any) -> bool:
    """Whether somebody who sees both may decide about them: across counties it is the head office's."""
    counties = {person.county_id for person in (pair.first, pair.second) if person is not None}
    if pair.state == PairState.SAME:
        counties |= set(pair.merges.in_force().values_list("former_county", flat=True))
    return len(counties) == 1 or scope_of(by).everything


def _require_may_decide(pair: DuplicatePair, by: Any) -> None:
    if not DuplicatePair.objects.visible_to(by).filter(pk=pair.pk).exists():
        raise RuleBroken(elsewhere())
    if not may_decide(pair, by):
        raise RuleBroken(_("The two are of different counties. The programme's head office decides about them."))


@transaction.atomic
def decide_different(pair: DuplicatePair, *, by: Any, remark: str = "") -> DuplicatePair:
    """They are two people; nobody is asked again."""
    _require_may_decide(pair, by)
    return _decide(pair, PairState.OPEN, PairState.DIFFERENT, decided_by=by, decided_at=timezone.now(), remark=remark)


@transaction.atomic
def ask_again(pair: DuplicatePair, *, by: Any) -> DuplicatePair:
    """Open a decision that two are different people."""
    _require_may_decide(pair, by)
    return _decide(pair, PairState.DIFFERENT, PairState.OPEN, decided_by=None, decided_at=None, remark="")


def _decide(pair: DuplicatePair, before: PairState, after: PairState, **changes: Any) -> DuplicatePair:
    if not DuplicatePair.objects.filter(pk=pair.pk, state=before).update(state=after, **changes):
        raise Stale(_("Somebody has decided about these two already. Look again."))
    pair.refresh_from_db()
    return pair


# --- Merged -----------------------------------------------------------------------------------------------------------


def merge_people(
    pair: DuplicatePair, *, stays: int, by: Any, kept: Mapping[str, int] | None = None, seen: str = "", remark: str = ""
) -> Merge:
    """Make the two people of an open pair one: the record ``stays`` (a key), and everything of the other moves to it.

    ``kept`` says for fields that differ whose value is kept (a key); ``seen`` is the ``fingerprint`` of what
    whoever decides was shown. Raises ``RuleBroken`` with everything that is in the way, and ``Stale`` when somebody was
    quicker.
    """
    _require_merge_right(by)
    return _unhindered(lambda: _merge(pair.pk, stays, dict(kept or {}), seen, remark, by))


def _require_merge_right(by: Any) -> None:
    if not by.has_perm(MERGE_PERMISSION):
        raise RuleBroken(_("You may not merge people. Ask somebody who may."))


def _unhindered[Done](work: Callable[[], Done]) -> Done:
    """Do it in a transaction that waits for nobody while it holds anything; again, where somebody was in the way."""
    for n in range(TRIES):
        try:
            with transaction.atomic():
                _first_locks()
                done = work()
                with connection.cursor() as cursor:
                    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                    cursor.execute("SET CONSTRAINTS ALL DEFERRED")
                return done
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", "") not in LOCK_REFUSED:
                raise
        time.sleep(PAUSE * (n + 1))
    raise Stale(_("Somebody is working on one of these people at this moment. Try again in a minute."))


def _first_locks() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '10s'")
        lock_writing(cursor)
        cursor.execute("SET LOCAL lock_timeout = '100ms'")


def _merge(pair_id: int, stays: int, kept: dict[str, int], seen: str, remark: str, by: Any) -> Merge:
    pair = _locked_pair(pair_id, by)
    survivor, other = _locked_people(pair, stays)
    plan = plan_merge(survivor.pk, other.pk, locking=True)
    if seen and seen != fingerprint(survivor, other, plan):
        raise Stale(_("Something about these two has changed since you opened the page. Look again."))
    if plan.obstacles:
        raise RuleBroken(" ".join(plan.obstacles))
    return _carry_out(pair, survivor, other, plan, kept, remark, by)


def _locked_pair(pair_id: int, by: Any) -> DuplicatePair:
    rows = DuplicatePair.objects.select_for_update(nowait=True, of=("self",)).filter(pk=pair_id)
    pair = rows.select_related("first", "second").first()
    if pair is None or pair.state != PairState.OPEN:
        raise Stale(_("Somebody has decided about these two already. Look again."))
    _require_may_decide(pair, by)
    hold(User, [by.pk])
    return pair


def _locked_people(pair: DuplicatePair, stays: int) -> tuple[Trainee, Trainee]:
    """The one who stays and the other, with what they hold now."""
    people = Trainee.objects.select_for_update(nowait=True).filter(pk__in=[pair.first_id, pair.second_id])
    found = {person.pk: person for person in people.order_by("pk")}
    if stays not in found or len(found) != 2:
        raise RuleBroken(_("Choose which of the two records stays."))
    hold(Region, {person.county_id for person in found.values()})
    survivor = found.pop(stays)
    return survivor, found.popitem()[1]


def fingerprint(one: Trainee, other: Trainee, plan: Plan) -> str:
    """Changes with anything about the two that a page shows: their own fields, and which rows hang on them."""
    rows = read_rows(Trainee, sorted((one.pk, other.pk)))
    hanging = {label: {str(pk): sorted(map(str, pks)) for pk, pks in of.items()} for label, of in plan.children.items()}
    told = json.dumps([list(rows.values()), hanging], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def _carry_out(
    pair: DuplicatePair, survivor: Trainee, other: Trainee, plan: Plan, kept: dict[str, int], remark: str, by: Any
) -> Merge:
    accounts = {str(one.pk): _accounts_of(one) for one in (survivor, other)}
    counties = {survivor.county_id, other.county_id}
    journal, at = Journal(), timezone.now()
    for step in plan.steps:
        step.carry_out(journal)
    _settle_pairs(journal, pair, survivor, other)
    _decide_same(journal, pair, other, by=by, at=at, remark=remark)
    _settle_login(journal, survivor, other)
    changed = _take_over(journal, survivor, other, kept)
    journal.made(FormerNumber.objects.create(number=other.number, former_id=other.pk, trainee=survivor))
    before = {
        "stays": survivor.pk,
        "goes": other.pk,
        "accounts": accounts,
        "counties": sorted(counties),
        "children": plan.children,
        "steps": journal.dump(),
    }
    merge = Merge.objects.create(
        pair=pair,
        survivor=survivor,
        former_number=other.number,
        former_id=other.pk,
        former_county_id=other.county_id,
        by=by,
        at=at,
        before=json.dumps(before),
    )
    _note(merge, ChangeKind.MERGED, {survivor.pk: changed, other.pk: {}}, by=by, why=remark)
    recount_joined(accounts[str(survivor.pk)], accounts[str(other.pk)], counties=counties, are_one=True)
    return merge


def _accounts_of(trainee: Trainee) -> list[int]:
    return list(CreatorAccount.objects.filter(trainee=trainee).order_by("pk").values_list("pk", flat=True))


def _decide_same(journal: Journal, pair: DuplicatePair, other: Trainee, *, by: Any, at: datetime, remark: str) -> None:
    half = "first_id" if pair.first_id == other.pk else "second_id"
    decided = {"state": PairState.SAME.value, "decided_by_id": by.pk, "decided_at": at.isoformat(), "remark": remark}
    journal.change(DuplicatePair, [pair.pk], {half: None, **decided})


def _settle_pairs(journal: Journal, decided: DuplicatePair, survivor: Trainee, other: Trainee) -> None:
    """Let the other questions about the record that goes be questions about the one that stays.

    Where both were compared with the same third person, one question is left: the decided one of the two.
    """
    rows = DuplicatePair.objects.select_for_update(nowait=True, of=("self",)).order_by("pk")
    ours = {_third(row, survivor): row for row in rows.filter(Q(first=survivor) | Q(second=survivor))}
    for row in rows.filter(Q(first=other) | Q(second=other)).exclude(pk=decided.pk):
        third = _third(row, other)
        twin = ours.get(third) if third is not None else None
        if twin is not None:
            keep, drop = (row, twin) if twin.state == PairState.OPEN else (twin, row)
            journal.change(Merge, list(drop.merges.values_list("pk", flat=True)), {"pair_id": keep.pk})
            journal.delete(DuplicatePair, [drop.pk])
            row = keep
        journal.change(DuplicatePair, [row.pk], _halves(survivor.pk, third, was_first=row.first_id == other.pk))


def _third(row: DuplicatePair, person: Trainee) -> int | None:
    """Whom a pair compares a person with; None where that half was merged away."""
    return row.second_id if row.first_id == person.pk else row.first_id


def _halves(person: int, third: int | None, *, was_first: bool) -> dict[str, int | None]:
    if third is None:
        return {"first_id" if was_first else "second_id": person}
    return {"first_id": min(person, third), "second_id": max(person, third)}


def _settle_login(journal: Journal, survivor: Trainee, other: Trainee) -> None:
    """Of two logins that of the record that stays remains open; of one it is the person's."""
    if other.user_id and survivor.user_id:
        User.objects.select_for_update(nowait=True).get(pk=other.user_id)
        journal.change(User, [other.user_id], {"is_active": False})


def _take_over(journal: Journal, survivor: Trainee, other: Trainee, kept: dict[str, int]) -> dict[str, tuple[Any, Any]]:
    """Remove the record that goes and give the other what was chosen; returns ``{field: (before, after)}``."""
    before, text = read_rows(Trainee, [survivor.pk])[survivor.pk], texts_of(survivor)
    changed = take_over(survivor, other, kept)
    names = columns_of(changed)
    if other.user_id and not survivor.user_id:
        survivor.user_id = other.user_id
        names.append("user")
    journal.delete(Trainee, [other.pk])
    if names:
        survivor.save(update_fields=names)
        journal.saved(survivor, before, text)
    return changed


def _note(
    merge: Merge, kind: ChangeKind, changed: Mapping[int, Mapping[str, tuple[Any, Any]]], *, by: Any, why: str
) -> None:
    changes = [Change(pk, fields) for pk, fields in changed.items()]
    record_changes(changes, kind=kind, by=by, why=why, origin=merge)


# --- Undone -----------------------------------------------------------------------------------------------------------


def undo_merge(pair: DuplicatePair, *, by: Any, reason: str) -> Merge:
    """Put everything back as it was before the pair was merged. Raises ``RuleBroken`` with all that is in the way."""
    _require_merge_right(by)
    if not reason.strip():
        raise RuleBroken(_("Say why the merge is undone."))
    return _unhindered(lambda: _undo(pair.pk, by, reason.strip()))


def _undo(pair_id: int, by: Any, reason: str) -> Merge:
    rows = Merge.objects.in_force().select_for_update(nowait=True, of=("self",)).filter(pair=pair_id)
    merge = rows.select_related("pair__first", "pair__second", "survivor").first()
    if merge is None:
        raise Stale(_("This merge has been undone already."))
    _require_may_decide(merge.pair, by)
    list(Trainee.objects.select_for_update(nowait=True).filter(pk=merge.survivor_id))
    obstacles = undo_obstacles(merge, at=timezone.now())
    if obstacles:
        raise RuleBroken(" ".join(obstacles))
    before = json.loads(str(merge.before))
    journal = Journal.load(before["steps"])
    journal.lock()
    hold(User, [by.pk])
    try:
        with transaction.atomic():
            journal.put_back()
            _index_anew(before["stays"], before["goes"])
    except IntegrityError:
        raise RuleBroken(
            _("Something has been entered since that can only be there once. Nothing was undone.")
        ) from None
    _separate(merge, before, by, reason)
    return merge


def _index_anew(*ids: int) -> None:
    """Let people be found by their numbers also where the index key was changed since their rows were kept."""
    for person in Trainee.objects.filter(pk__in=ids):
        right = {
            "id_number_index": id_number_index(str(person.id_number)) if person.id_number else None,
            "phone_index": phone_index(str(person.phone)) if person.phone else None,
        }
        stale = {name: value for name, value in right.items() if (getattr(person, name) or None) != value}
        if stale:
            Trainee.objects.filter(pk=person.pk).update(**stale)


def _separate(merge: Merge, before: dict[str, Any], by: Any, reason: str) -> None:
    ours, theirs = (before["accounts"][str(before[which])] for which in ("stays", "goes"))
    recount_joined(ours, theirs, counties=before["counties"], are_one=False)
    _note(merge, ChangeKind.SEPARATED, {before["stays"]: {}, before["goes"]: {}}, by=by, why=reason)
    merge.undone_by, merge.undone_at, merge.why_undone, merge.before = by, timezone.now(), reason, None
    merge.save(update_fields=["undone_by", "undone_at", "why_undone", "before"])


def undo_until(merge: Merge) -> datetime:
    return merge.at + timedelta(days=UNDO_DAYS)


def undo_obstacles(merge: Merge, *, at: datetime) -> list[str]:
    """Sentences that say why a merge cannot be undone; none when it can. A fixed number of queries."""
    if merge.undone_at is not None:
        return [_("This merge has been undone already.")]
    if merge.before is None or at > undo_until(merge):
        return [_("A merge can be undone for %(days)s days; that time is over.") % {"days": UNDO_DAYS}]
    before = json.loads(str(merge.before))
    if merge.survivor_id != before["stays"]:
        sentence = _("The record that stayed was itself merged into %(number)s since. Undo that merge first.")
        return [sentence % {"number": merge.survivor.number}]
    found = [_changed_since(step) for step in Journal.load(before["steps"]).altered()]
    found += children_since(merge, before["children"])
    found += _identity_taken(merge, before)
    return found


def _changed_since(step: Any) -> str:
    model = step.of
    row = model._base_manager.filter(pk=step.pk).first()
    if row is None:
        return _("One row of “%(kind)s” that the merge moved is gone since.") % {
            "kind": model._meta.verbose_name_plural
        }
    return _("Changed since: %(kind)s “%(row)s”.") % {"kind": model._meta.verbose_name, "row": row}


def _identity_taken(merge: Merge, before: dict[str, Any]) -> list[str]:
    """Whether somebody was entered since with the ID number of the record that is gone."""
    [number] = [
        step["text"]["id_number"]
        for step in before["steps"]
        if (step["what"], step["model"], step["pk"]) == ("gone", Trainee._meta.label, before["goes"])
    ]
    if number is None:
        return []
    others = Trainee.objects.filter(id_number_index=id_number_index(number)).exclude(pk=merge.survivor_id)
    if not others.exists():
        return []
    return [_("Somebody with the ID number of %(number)s was entered since.") % {"number": merge.former_number}]


def forget_merges(*, at: datetime) -> int:
    """Wipe what was kept for undoing once the time is over; returns of how many merges."""
    over = Merge.objects.filter(before__isnull=False, at__lt=at - timedelta(days=UNDO_DAYS))
    return over.update(before=None)
