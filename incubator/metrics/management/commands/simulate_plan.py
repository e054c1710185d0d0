"""``manage.py simulate_plan``: a year of followers replayed against the planner, round-robin and largest-first."""

import json
from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand

from incubator.metrics.plan_simulation import Outcome, as_rows, simulate
from incubator.metrics.rollups import THRESHOLDS

HEAD = "{:<14} {:>9} {:>7} {:>6} {:>6} {:>10} {:>7} {:>9} {:>10}"
LINE = "{:<14} {:>9,} {:>7.1f} {:>6.1f} {:>6} {:>9.1%} {:>7} {:>9.1f} {:>10,.0f}"


def positive(text: str) -> int:
    """A whole number above 0, with or without thousands separators."""
    number = int(text.replace("_", "").replace(",", ""))
    if number <= 0:
        raise ArgumentTypeError("must be above 0")
    return number


class Command(BaseCommand):
    help = "Replays follower growth against the planner: how late crossings are seen, how old figures are, calls spent."
    requires_system_checks: list = []

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--accounts", type=positive, default=1_000_000, help="default: 1000000")
        parser.add_argument("--days", type=positive, default=365, help="default: 365")
        parser.add_argument("--budget", type=positive, default=100_000, help="calls a day, default: 100000")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--harshness", type=float, default=1.0, help="multiplies growth and bursts, default: 1")
        parser.add_argument("--only", action="append", choices=["planner", "round-robin", "largest-first"])
        parser.add_argument("--json", action="store_true", help="print figures as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        outcomes = simulate(
            accounts=options["accounts"],
            days=options["days"],
            budget=options["budget"],
            thresholds=THRESHOLDS,
            seed=options["seed"],
            harshness=options["harshness"],
            names=options["only"] or ("planner", "round-robin", "largest-first"),
            say=lambda line: self.stderr.write(line),
        )
        if options["json"]:
            self.stdout.write(json.dumps(as_rows(outcomes), indent=1))
        else:
            self._table(outcomes)

    def _table(self, outcomes: list[Outcome]) -> None:
        head = ("", "crossings", "median", "p95", "max", "in 2 days", "oldest", "mean age", "calls/day")
        self.stdout.write(HEAD.format(*head))
        for o in outcomes:
            self.stdout.write(
                LINE.format(
                    o.name,
                    o.crossings,
                    o.delay_median,
                    o.delay_p95,
                    o.delay_max,
                    o.within_2_days,
                    o.oldest,
                    o.age_mean,
                    o.calls_a_day,
                )
            )
