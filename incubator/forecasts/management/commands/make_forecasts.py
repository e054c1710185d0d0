"""``manage.py make_forecasts [--day]``: the nightly forecasts by hand, at once."""

from argparse import ArgumentParser
from collections import Counter
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from incubator.common import commands
from incubator.forecasts.choices import Band
from incubator.forecasts.models import Forecast
from incubator.forecasts.services import learn_where_due, make_forecasts


class Command(BaseCommand):
    help = (
        "Forecasts everybody in support on a day with what was read by then, as the nightly task does; run again it "
        "writes the same. Exit code 0: done; 1: it could not be done; 2: a wrong argument."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--day", type=commands.day, help="default: today")
        parser.add_argument("--dry-run", action="store_true", help="only say how many would be in which band")

    def handle(self, *args: Any, day: date | None, dry_run: bool, **options: Any) -> None:
        today = timezone.localdate()
        if day and day > today:
            raise CommandError(_("%(day)s is still to come.") % {"day": day}, returncode=2)
        with commands.told(), transaction.atomic():
            learn_where_due(on=day or today)
            made = make_forecasts(on=day or today)
            bands = Counter(Forecast.objects.filter(as_of=day or today).values_list("band", flat=True))
            transaction.set_rollback(dry_run)
        said = (
            _("Nothing was written; forecasts that would be made: %(count)d.")
            if dry_run
            else _("Forecasts: %(count)d.")
        )
        self.stdout.write(said % {"count": made})
        for band in (*Band, ""):
            label = Band(band).label if band else _("no forecast")
            self.stdout.write(f"  {label}: {bands[band]}")
