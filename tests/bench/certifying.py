"""Evaluating a certification rule for everybody, and for those only for whom today's readings changed something."""

import random
import time
from datetime import date, timedelta
from statistics import median
from typing import Any

from tests.bench.measure import Result, benchmark, rate, runs_at, timed
from tests.bench.readings import _grown, _next_day, _raw_copy
from tests.bench.world import FIRST, days_of_history, one, people_and_accounts, run, say

DAYS = {True: 100, False: 30}
# The sizes of the accounts here are spread evenly over their orders of magnitude, so that one in eight has 100,000
# followers. Of real ones it is one in a hundred at most: the rule asks for what one in a hundred has here.
NUMBER = 280_000
LOOPED = 3_000

# Three of four people graduated, on days of the first forty; the others are in training.
PARTICIPATIONS = """
INSERT INTO programmes_participation
    (trainee_id, cohort_id, state, nominated_on, graduated_on, support_starts_on, support_ends_on)
SELECT id, %(cohort)s, CASE WHEN id %% 4 = 0 THEN 'training' ELSE 'graduated' END, %(first)s,
    CASE WHEN id %% 4 > 0 THEN %(first)s::date + (id %% 40)::int END,
    CASE WHEN id %% 4 > 0 THEN %(first)s::date + (id %% 40)::int END,
    CASE WHEN id %% 4 > 0 THEN %(first)s::date + (id %% 40)::int + 179 END
FROM trainees_trainee ORDER BY id
"""


@benchmark("certify_full", "certify_today")
def certify(accounts: int) -> list[Result]:
    """Participations a second, evaluated for everybody; and the evaluation of a day against copying its readings."""
    people_and_accounts(accounts)
    is_full = accounts >= 1_000_000
    last = days_of_history(DAYS[is_full])
    people = _participations()
    rule = _rule()
    runs = runs_at(accounts)
    full, today, limit, found = _ours(last, runs)
    say("certify_full: measuring the baseline")
    baseline = _loop(rule, last)
    readings = accounts * DAYS[is_full]
    what = (
        f"evaluating {people:,} participations upon {readings:,} readings by one rule (graduated, {NUMBER:,} followers "
        f"in the support period): {found:,} candidates written. Baseline: an ORM loop over {LOOPED:,} of them."
    )
    what_today = (
        f"evaluating what the day's readings of {accounts:,} accounts changed, the day before evaluated; limit: binary "
        "COPY of the day's readings into an empty table without keys."
    )
    everybody = Result("certify_full", what, "people/s", rate(people, full), baseline, runs=runs)
    a_day, copied = rate(accounts, today), rate(accounts, limit)
    return [everybody, Result("certify_today", what_today, "readings/s", a_day, None, copied, runs=runs)]


def _participations() -> int:
    from incubator.programmes.models import Cohort, Programme

    if one("SELECT count(*) FROM programmes_participation") != one("SELECT count(*) FROM trainees_trainee"):
        say("Making participations")
        run("TRUNCATE programmes_participation CASCADE")
        programme, _is_new = Programme.objects.get_or_create(name="基准")
        dates = {"starts_on": FIRST, "ends_on": FIRST + timedelta(days=365)}
        cohort, _is_new = Cohort.objects.get_or_create(programme=programme, name="认证", defaults=dates)
        run(PARTICIPATIONS, cohort=cohort.pk, first=FIRST)
    run("TRUNCATE certification_recheck, certification_recheckday")
    for table in ("programmes_participation", "metrics_latestreading"):
        run(f"VACUUM ANALYZE {table}")
    return one("SELECT count(*) FROM programmes_participation")


def _rule() -> Any:
    from django.utils import timezone

    from incubator.certification.models import Badge, Rule

    badge, _is_new = Badge.objects.get_or_create(code="bench", defaults={"name": "基准"})
    followers = {"kind": "followers", "number": NUMBER, "strict": False, "held_days": 1, "when": "support"}
    told = {"conditions": {"all": [{"kind": "graduated"}, followers]}, "published_at": timezone.now()}
    return Rule.objects.get_or_create(badge=badge, version=1, defaults=told)[0]


def _ours(last: date, runs: int) -> tuple[list[float], list[float], list[float], int]:
    """Each run finds the same: what it wrote is taken back."""
    from django.db import transaction

    from incubator.certification.services import evaluate, evaluate_changes

    full: list[float] = []
    today: list[float] = []
    limit: list[float] = []
    figures = _next_day(_grown(last), last)
    found = 0
    for n in range(1, runs + 1):
        say(f"certify_full: measuring, run {n} of {runs}")
        with transaction.atomic():
            with timed(full):
                found = evaluate(on=last)
            transaction.set_rollback(True)
        with timed(limit):
            _raw_copy(figures)
        with transaction.atomic():
            evaluate(on=last - timedelta(days=1))
            with timed(today):
                changed = evaluate_changes(on=last)
            transaction.set_rollback(True)
        say(f"  everybody in {full[-1]:.2f} s, today in {today[-1]:.2f} s ({changed.looked_at:,} looked at), copied in "
            f"{limit[-1]:.2f} s")  # fmt: skip
    return full, today, limit, found


def _loop(rule: Any, on: date) -> float:
    """Participations a second, as one would write it: each person\'s accounts and first reading are asked for."""
    from django.db import transaction

    from incubator.certification.models import Award, Candidate
    from incubator.metrics.models import Reading
    from incubator.programmes.models import Participation

    ids = list(Participation.objects.order_by("pk").values_list("pk", flat=True))
    chosen = random.Random(1).sample(ids, min(LOOPED, len(ids)))
    rates = []
    for _n in range(2):  # the first pass warms what the second reads
        with transaction.atomic():
            began = time.perf_counter()
            for person in Participation.objects.filter(pk__in=chosen).select_related("trainee"):
                if (
                    not person.is_graduated
                    or Award.objects.live().filter(badge=rule.badge, trainee=person.trainee).exists()
                ):
                    continue
                first = (
                    Reading.objects.filter(
                        account__trainee=person.trainee,
                        day__gte=person.support_starts_on,
                        day__lte=min(person.support_ends_on, on),
                        followers__gte=rule.least_followers,
                    )
                    .order_by("day", "-followers")
                    .first()
                )
                if first is not None:
                    Candidate.objects.get_or_create(
                        rule=rule,
                        participation=person,
                        defaults={
                            "account_id": first.account_id,
                            "crossed_on": first.day,
                            "followers": first.followers,
                            "found_on": on,
                        },
                    )
            rates.append(len(chosen) / (time.perf_counter() - began))
            transaction.set_rollback(True)
    return median(rates[1:])
