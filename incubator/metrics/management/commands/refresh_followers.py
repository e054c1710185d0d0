"""``manage.py refresh_followers [--day]``: the day's refresh begun, or gone on with, as the nightly task does it."""

import time
from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from incubator.common import commands
from incubator.metrics.choices import Platform
from incubator.metrics.models import Reading, RefreshFailure, RefreshRun
from incubator.metrics.services import NothingLeft, start_refresh
from incubator.metrics.services.calls import calls_left
from incubator.metrics.services.plan import plan_day

LOOK_SECONDS = 0.5


class Command(BaseCommand):
    help = (
        "Begins the day's refresh of followers, or does what is left of it; the workers do the reading. "
        "Exit code 0: begun (with --wait: finished); 1: refused, or stopped before its end; 2: a wrong argument."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--day", type=commands.day, help="default: today; a day that is over is refused")
        parser.add_argument("--platform", choices=Platform.values, help="default: every platform")
        parser.add_argument("--wait", action="store_true", help="until the workers are done")
        parser.add_argument("--dry-run", action="store_true", help="only say what would be read, and why")

    def handle(
        self, *args: Any, day: date | None, platform: str | None, wait: bool, dry_run: bool, **options: Any
    ) -> None:
        day, platforms = day or timezone.localdate(), [platform] if platform else Platform.values
        with commands.told():
            if dry_run:
                for name in platforms:
                    self._tell_plan(name, day)
                return
            runs = [run for name in platforms if (run := self._start(name, day))]
            for run in runs if wait else ():
                self._wait_for(run)

    def _tell_plan(self, platform: str, day: date) -> None:
        plan = plan_day(platform, day=day, budget=calls_left(platform, day))
        said = _(
            "%(platform)s %(day)s: %(cost)d of %(accounts)d accounts would be read; the day still holds %(budget)d."
        )
        label = Platform(platform).label
        numbers = {"platform": label, "day": day, "cost": plan.cost, "accounts": plan.accounts, "budget": plan.budget}
        self.stdout.write(said % numbers)
        for reason, count in plan.reasons.items():
            if count:
                self.stdout.write(f"  {reason.name.lower()}: {count}")

    def _start(self, platform: str, day: date) -> RefreshRun | None:
        """None when the day is finished already, which is no failure: a cron job may ask twice."""
        try:
            run = start_refresh(platform=platform, day=day, at=timezone.now())
        except NothingLeft as nothing:
            self.stdout.write(f"{Platform(platform).label} {day}: {nothing}")
            return None
        self.stdout.write(_("%(run)s: %(count)d accounts planned.") % {"run": run, "count": run.planned})
        return run

    def _wait_for(self, run: RefreshRun) -> None:
        while run.finished_at is None:
            if run.has_stopped:
                raise CommandError(_("%(run)s stopped before its end. %(why)s") % {"run": run, "why": run.error})
            time.sleep(LOOK_SECONDS)
            run.refresh_from_db()
        read = Reading.objects.filter(day=run.day, run=run).count()
        failed = RefreshFailure.objects.filter(run=run).count()
        said = _("%(run)s: %(read)d accounts read, %(failed)d failed.")
        self.stdout.write(said % {"run": run, "read": read, "failed": failed})
