"""Every part of the statement matters: without it, decisions differ from the oracle's.

The list of changes that must not pass unseen. Each is made to the statement, which is then asked about the same
histories; a change that decides everybody as before is one that no test would notice.
"""

from datetime import timedelta

import pytest

from incubator.certification import judging
from tests.certification import oracle
from tests.certification.oracle import FIRST, generate
from tests.certification.test_oracle import GRADUATED, UNFLAGGED, enter, followers, judged

HISTORIES = 400
ON = FIRST + timedelta(days=8)  # within some periods, behind others; some graduate later
HOURS, WORKS = {"kind": "class_hours", "number": "16.0"}, {"kind": "published", "number": 2}
TREES = [
    {"all": [GRADUATED, followers()]},
    followers(strict=True),
    followers(when="ever"),
    followers(when="cohort", held_days=2),
    followers(held_days=3),
    followers(number=99_999, held_days=8, when="ever"),
    followers(number=100_000, held_days=8, when="ever"),
    GRADUATED,
    UNFLAGGED,
    HOURS,
    WORKS,
    {"any": [HOURS, {"all": [WORKS, followers(held_days=2)]}]},
]

# (constant of the statement, what stands there, what is put in its place)
CHANGES = [
    ("PERSON", "participation.state = ANY(%(judged)s)", "true"),
    ("HIT", "account.trainee_id = person.trainee_id", "account.trainee_id = person.trainee_id + 1"),
    ("HIT", "reading.account_id = account.id", "reading.account_id = account.id + 1"),
    ("HIT", ">= %(least_{n})s\n        AND reading.day", "> %(least_{n})s\n        AND reading.day"),
    ("HIT", "latest.peak >= %(least_{n})s", "latest.peak > %(least_{n})s"),
    ("HIT", "latest.account_id = account.id", "latest.account_id = account.id + 1"),
    ("HIT", "reading.day BETWEEN {starts} AND {ends}", "reading.day <= {ends}"),
    ("HIT", "reading.day BETWEEN {starts} AND {ends}", "reading.day >= {starts}"),
    ("HIT", "reading.day BETWEEN {starts} AND {ends}", "reading.day > {starts} AND reading.day <= {ends}"),
    ("HIT", "reading.day BETWEEN {starts} AND {ends}", "reading.day >= {starts} AND reading.day < {ends}"),
    ("HIT", "AND reading.day <= %(on)s", ""),
    ("REACHED", "min(day)", "max(day)"),
    ("REACHED", "hit.followers DESC", "hit.followers"),
    ("HELD", "reading.day BETWEEN pair.starts_on AND %(on)s", "reading.day >= pair.starts_on"),
    ("HELD", "reading.day BETWEEN pair.starts_on AND %(on)s", "reading.day <= %(on)s"),
    ("HELD", "reading.day BETWEEN pair.starts_on AND %(on)s", "reading.day BETWEEN pair.starts_on AND pair.ends_on"),
    ("HELD", "OR followers_before < %(least_{n})s", ""),
    ("HELD", "OR day - before > %(gap)s", ""),
    ("HELD", "OR day - before > %(gap)s", "OR day - before >= %(gap)s"),
    ("HELD", "OR day - before > 1 AND EXISTS", "OR false AND EXISTS"),
    ("HELD", "step WHERE followers >= %(least_{n})s", "step WHERE followers > %(least_{n})s"),
    ("HELD", "WHERE began_on <= ends_on", ""),
    ("HELD", "+ %(held_{n})s - 1)", "+ %(held_{n})s)"),
    ("HELD", "+ %(held_{n})s - 1)", "+ %(held_{n})s - 2)"),
    ("HELD", "ORDER BY id, day, followers DESC, account_id\n),\nholding", "ORDER BY id, day DESC\n),\nholding"),
    ("GRADUATED", "person.state = ANY(%(graduates)s)", "true"),
    ("GRADUATED", "person.graduated_on <= %(on)s", "true"),
    ("NO_OPEN_FLAG", "flagged.trainee_id = person.trainee_id", "true"),
    ("NO_OPEN_FLAG", "AND flag.cleared_at IS NULL", ""),
    ("NO_OPEN_FLAG", "AND flag.day <= %(on)s", ""),
    ("PUBLISHED", "work.trainee_id = person.trainee_id", "true"),
    ("PUBLISHED", "AND work.taken_back_at IS NULL", ""),
    ("PUBLISHED", "BETWEEN person.cohort_starts_on AND", "<="),
    ("PUBLISHED", "least(person.support_ends_on, %(on)s)", "%(on)s"),
    ("PUBLISHED", "least(person.support_ends_on, %(on)s)", "person.support_ends_on"),
    ("PUBLISHED", ">= {number}", "> {number}"),
    ("CLASS_HOUR_MINUTES", None, 46),
    ("CLASS_HOUR_MINUTES", None, 44),
    ("JUDGED", None, ("graduated", "concluded")),
]


@pytest.fixture
def histories(db):
    made = [generate(seed) for seed in range(200_000, 200_000 + HISTORIES)]
    return dict(zip((row.pk for row in enter(made)), made, strict=True))


def oracles_decisions(histories):
    told = []
    for tree in TREES:
        met = {}
        for pk, history in histories.items():
            if oracle.is_judged(history) and oracle.meets(tree, history, ON):
                met[pk] = None
                if tree.get("kind") == "followers":
                    day, count, account = oracle.first_held(tree, history, ON)
                    met[pk] = (history.ids[account], day, count)
        told.append(met)
    return told


def decisions():
    told = []
    for tree in TREES:
        found = judged(tree, on=ON)
        facts = tree.get("kind") == "followers"
        told.append({pk: row[1:] if facts else None for pk, row in found.items() if row[0]})
    return told


def test_no_part_of_the_statement_can_go_unnoticed(histories, monkeypatch):
    wanted = oracles_decisions(histories)
    assert decisions() == wanted
    survived = []
    for name, old, new in CHANGES:
        with monkeypatch.context() as changed:
            if name == "JUDGED":
                changed.setitem(judging.CONSTANTS, "judged", list(new))
            elif old is None:
                changed.setattr(judging, name, new)
            else:
                before = getattr(judging, name)
                assert before.count(old) >= 1, (name, old)
                changed.setattr(judging, name, before.replace(old, new))
            if decisions() == wanted:
                survived.append((name, old, new))
    assert survived == []
