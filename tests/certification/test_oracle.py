"""Decisions against an oracle in plain Python: ten thousand generated histories, for every form a rule can have."""

import itertools
import random
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from courses.models import CarriedTraining, GraduationRule
from incubator.certification.conditions import checked
from incubator.certification.judging import Judging, values
from incubator.certification.models import Flag, Work
from incubator.metrics.choices import AccountState
from incubator.metrics.models import CreatorAccount, LatestReading
from incubator.programmes.models import Cohort, Participation, SupportChange
from incubator.programmes.queries import periods_of
from incubator.programmes.support import MOVE_ENDS
from tests import factories
from tests.certification import oracle
from tests.certification.oracle import COHORTS, DAY, FIRST, generate
from trainees.models import Trainee

pytestmark = pytest.mark.django_db
HISTORIES = 10_000


def followers(number=100_000, strict=False, held_days=1, when="support"):
    return {"kind": "followers", "number": number, "strict": strict, "held_days": held_days, "when": when}


GRADUATED, UNFLAGGED = {"kind": "graduated"}, {"kind": "no_open_flag"}
FORMS = [
    {"all": [GRADUATED, followers()]},
    {"all": [GRADUATED, followers(strict=True)]},
    *[followers(held_days=days, when=when, strict=strict)
      for days, when, strict in itertools.product([1, 2, 3, 7], ["support", "cohort", "ever"], [False, True])],
    followers(number=10_000, held_days=4),
    followers(number=99_999, held_days=8),
    GRADUATED,
    UNFLAGGED,
    *[{"kind": "class_hours", "number": hours} for hours in ("0.1", "15.9", "16.0", "16.1", "24.0")],
    *[{"kind": "published", "number": count} for count in (1, 2, 3)],
    {"all": [GRADUATED, followers(held_days=3), {"kind": "class_hours", "number": "16.0"}, UNFLAGGED]},
    {"any": [followers(number=150_000), {"all": [followers(held_days=3), {"kind": "published", "number": 1}]}]},
    {"all": [{"any": [GRADUATED, followers(when="ever")]},
             {"any": [UNFLAGGED, followers(held_days=2, when="cohort")]}]},
    {"any": [{"kind": "class_hours", "number": "24.0"}, {"all": [followers(), followers(held_days=5)]}]},
]  # fmt: skip


def random_tree(chance: random.Random, depth: int = 0):
    if depth == 2 or chance.random() < 0.3:
        return chance.choice(FORMS[2:34])
    join = chance.choice(["all", "any"])
    return {join: [random_tree(chance, depth + 1) for _n in range(chance.choice([1, 2, 3]))]}


def enter(histories: list[oracle.History]) -> list[Participation]:
    """Rows for histories, some at a time; participations in the order of the histories."""
    programme = factories.ProgrammeFactory()
    cohorts = [
        Cohort.objects.create(programme=programme, name=f"第{n}期", starts_on=starts_on, ends_on=ends_on)
        for n, (starts_on, ends_on) in enumerate(COHORTS)
    ]
    for cohort in cohorts:
        GraduationRule.objects.create(cohort=cohort)
    county, staff, now = factories.region("622927"), factories.UserFactory(), timezone.now()
    people = Trainee.objects.bulk_create(
        Trainee(number=f"T{n:06d}", name=f"学员{n}", county=county) for n in range(len(histories))
    )
    rows = Participation.objects.bulk_create(
        Participation(
            trainee=person,
            cohort=cohorts[history.cohort],
            state=history.state,
            nominated_on=FIRST,
            graduated_on=history.graduated_on,
            support_starts_on=history.given[0] if history.given else None,
            support_ends_on=history.given[0] + (history.given[1] - 1) * DAY if history.given else None,
            support_base_ends_on=history.given[0] + (history.given[1] - 1) * DAY if history.given else None,
        )
        for person, history in zip(people, histories, strict=True)
    )
    change_periods(rows, histories, staff)
    accounts = CreatorAccount.objects.bulk_create(
        CreatorAccount(trainee=person, handle=f"{person.number}-{place}", state=AccountState.LINKED)
        for person, history in zip(people, histories, strict=True)
        for place in range(len(history.accounts))
    )
    own = iter(accounts)
    flags, newest = [], []
    statement = "COPY metrics_reading (day, account_id, followers, fetched_at, source) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for history in histories:
            theirs = [next(own) for _account in history.accounts]
            history.ids = [account.pk for account in theirs]
            for account, known in zip(theirs, history.accounts, strict=True):
                for day, count in known.items():
                    copy.write_row((day, account.pk, count, now, "api"))
                if known:
                    last = max(known)
                    most = {"followers": known[last], "peak": max(known.values())}
                    newest.append(LatestReading(account=account, day=last, fetched_at=now, **most))
            for place, day, is_cleared in history.flags:
                cleared = {"cleared_at": now, "cleared_by": staff, "clearance": "已核实"} if is_cleared else {}
                flags.append(Flag(account=theirs[place], kind="inflation", day=day, **cleared))
    LatestReading.objects.bulk_create(newest, batch_size=20_000)
    Flag.objects.bulk_create(flags)
    Work.objects.bulk_create(
        Work(
            trainee=person,
            title="作品",
            address=f"https://example.com/{n}",
            published_on=day,
            noted_by=staff,
            **({"taken_back_at": now, "taken_back_by": staff, "taken_back_why": "误记"} if is_back else {}),
        )
        for person, history in zip(people, histories, strict=True)
        for n, (day, is_back) in enumerate(history.works)
    )
    CarriedTraining.objects.bulk_create(
        CarriedTraining(participation=row, came_from=row, kind=kind, on=FIRST, is_training_day=True, minutes=minutes)
        for row, history in zip(rows, histories, strict=True)
        for kind, minutes in history.minutes.items()
        if minutes
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return rows


def change_periods(rows, histories, staff):
    """Extensions and pauses as rows, and the ends that the product makes of them."""
    said = {"cause": "other", "reason": "迟开班", "by": staff}
    changed = [
        (row, history) for row, history in zip(rows, histories, strict=True) if history.extensions or history.pauses
    ]
    SupportChange.objects.bulk_create(
        SupportChange(participation=row, kind="extension", days=days, **said)
        for row, history in changed
        for days in history.extensions
    )
    SupportChange.objects.bulk_create(
        SupportChange(participation=row, kind="pause", first_day=starts, last_day=ends, **said)
        for row, history in changed
        for starts, ends in history.pauses
    )
    ends = {}
    ids = [row.pk for row, _history in changed]
    for pk, period in periods_of(list(Participation.objects.filter(pk__in=ids))).items():
        ends[pk] = period.ends_on(FIRST)
    with connection.cursor() as cursor:
        cursor.execute(MOVE_ENDS, {"ids": list(ends), "ends": list(ends.values())})
    for row, history in changed:
        assert ends[row.pk] == history.support[1], history


def judged(tree, *, on):
    """``{participation id: (is met, account, day, followers)}`` of everybody who is told by the statement."""
    judging = Judging(checked(tree))
    with connection.cursor() as cursor:
        cursor.execute(judging.sql, values(judging, on=on))
        return {pk: (is_met, account, day, count) for pk, is_met, account, day, count, _held in cursor.fetchall()}


def each_condition(tree, *, on):
    judging = Judging(checked(tree))
    with connection.cursor() as cursor:
        cursor.execute(judging.all_conditions, values(judging, on=on))
        return {row[0]: row[1:] for row in cursor.fetchall()}


def leaves_of(tree):
    return [tree] if "kind" in tree else [leaf for node in tree.get("all", tree.get("any")) for leaf in leaves_of(node)]


def test_ten_thousand_histories_are_decided_as_the_oracle_does():
    histories = [generate(seed) for seed in range(HISTORIES)]
    rows = enter(histories)
    chance = random.Random(6)
    trees = FORMS + [random_tree(chance) for _n in range(20)]
    days = [FIRST + n * DAY for n in (4, 9, 30)]
    met = 0
    for place, tree in enumerate(trees):
        on = days[place % 3] if place % 2 else days[2]
        found = judged(tree, on=on)
        for row, history in zip(rows, histories, strict=True):
            wanted = oracle.is_judged(history) and oracle.meets(tree, history, on)
            told = found.get(row.pk)
            assert (told is not None and told[0]) == wanted, (tree, on, history)
            met += wanted
            if wanted and "kind" in tree and tree["kind"] == "followers":
                day, count, account = oracle.first_held(tree, history, on)
                assert told[1:] == (history.ids[account], day, count), (tree, on, history)
    assert met > HISTORIES  # the histories are not all of one kind


def test_every_condition_is_told_apart_as_the_oracle_does():
    histories = [generate(seed) for seed in range(HISTORIES, HISTORIES + 1_000)]
    rows = enter(histories)
    on = FIRST + timedelta(days=12)
    for tree in FORMS[-4:]:
        found = each_condition(tree, on=on)
        for row, history in zip(rows, histories, strict=True):
            if oracle.is_judged(history):
                each = [oracle.leaf(leaf, history, on) for leaf in leaves_of(tree)]
                assert found[row.pk] == (oracle.meets(tree, history, on), *each), (tree, history)
            else:
                assert row.pk not in found
