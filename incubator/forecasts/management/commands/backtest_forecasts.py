"""``manage.py backtest_forecasts``: how forecasts of earlier days would have come true, over stored history."""

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from incubator.common import commands
from incubator.forecasts.models import BackTest
from incubator.forecasts.queries import kept_of, percent
from incubator.forecasts.services import LEARNED_DAYS, SAMPLE, Measured, back_tests_of, keep, measure

HELD_FROM, HELD_UNTIL = 0.75, 0.85  # what an honest 80 % range holds


def at_least(least: int) -> Any:
    def read(text: str) -> int:
        if not text.isdigit() or int(text) < least:
            raise ArgumentTypeError(
                _("“%(text)s” must be a whole number from %(least)s on.") % {"text": text, "least": least}
            )
        return int(text)

    return read


class Command(BaseCommand):
    help = (
        "Forecasts every fifth day of the stored history with what was known on it, compares what came, and keeps the "
        "result and what was learned. Exit code 0: the 80 % range held between 75 and 85 % of all cases that rest on "
        "enough history; 1: it could not be done; 2: a wrong argument; 3: measured and kept, but it held less or more."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--day", type=commands.day, help="history up to this day counts; default: today")
        parser.add_argument(
            "--days", type=at_least(30), default=LEARNED_DAYS, help=f"days of history; default: {LEARNED_DAYS}"
        )
        parser.add_argument(
            "--accounts", type=at_least(1), default=SAMPLE, help=f"accounts looked at, at most; default: {SAMPLE}"
        )
        parser.add_argument("--dry-run", action="store_true", help="measure and say it, keep nothing")

    def handle(self, *args: Any, day: date | None, days: int, accounts: int, dry_run: bool, **options: Any) -> None:
        today = timezone.localdate()
        if day and day > today:
            raise CommandError(_("%(day)s is still to come.") % {"day": day}, returncode=2)
        with commands.told():
            measured = measure(on=day or today, days=days, most=accounts)
            if not dry_run:
                keep(measured)
        self._tell(measured)

    def _tell(self, measured: Measured) -> None:
        tests = back_tests_of(measured)
        for test in tests:
            for line in lines_of(test):
                self.stdout.write(line)
        kept = kept_of(tests)
        if kept is None:
            raise CommandError(_("History is too short: no range that rests on enough of it could be tested yet."))
        self.stdout.write(
            _("Together: %(cases)s forecasts, range held %(share)s.")
            % {"cases": f"{kept.cases:,}", "share": percent(kept.coverage)}
        )
        if not HELD_FROM <= kept.coverage <= HELD_UNTIL:
            sentence = _("A range that should hold 80 percent of cases held less than 75 or more than 85.")
            raise CommandError(sentence, returncode=3)


def lines_of(test: BackTest) -> Iterator[str]:
    """What one horizon's back-test found, as sentences."""
    if not test.horizon:
        if test.coverage is not None:
            yield _("Day of reaching the next number: %(cases)s ranges, held %(share)s, median %(error)s days off.") % {
                "cases": f"{test.cases:,}",
                "share": percent(test.coverage),
                "error": "-" if test.median_error is None else f"{test.median_error:.0f}",
            }
        return
    if test.coverage is not None:
        yield _(
            "%(days)s days ahead: %(cases)s forecasts, range held %(share)s, median error %(error)s (had the pace gone "
            "on: %(naive)s)."
        ) % {
            "days": test.horizon,
            "cases": f"{test.cases:,}",
            "share": percent(test.coverage),
            "error": percent(test.median_error, 2),
            "naive": percent(test.naive_error, 2),
        }
    if test.unproven_coverage is not None:
        yield _("%(days)s days ahead, on too little history: %(cases)s forecasts, range held %(share)s.") % {
            "days": test.horizon,
            "cases": f"{test.unproven:,}",
            "share": percent(test.unproven_coverage),
        }
