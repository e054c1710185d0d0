"""``manage.py reconcile``: what is kept beside the readings against the readings, and put right; and what higher rooms
compare, such as awards with their evidence."""

from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from incubator.metrics.reconciliation import Difference, differences, newest_day, other_differences
from incubator.metrics.services.reconcile import put_right
from incubator.regions.models import Region


class Command(BaseCommand):
    help = (
        "Compares what is kept beside the readings with the readings: the day of every region (followers, accounts, "
        "people by followers, read, compared, growth), each account's newest reading, and the crossings of the day. "
        "Then, as of the last day, people who meet a rule without being a candidate, and awards without evidence. "
        "Prints every difference; ends with 1 while there are any."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--day", type=date.fromisoformat, help="which day (the last that has readings)")
        parser.add_argument("--since", type=date.fromisoformat, help="all days from this one to --day")
        parser.add_argument("--county", default="", help="code of a region: only it and what lies below it")
        parser.add_argument("--fix", action="store_true", help="write anew what differs, then compare again")
        parser.add_argument("--dry-run", action="store_true", help="with --fix: only say what would be written anew")

    def handle(self, *args: Any, **options: Any) -> None:
        day, county = options["day"] or newest_day(), options["county"]
        if county and not Region.objects.filter(code=county).exists():
            raise CommandError(f"There is no region {county}.", returncode=2)
        others = self._tell(other_differences(on=day or timezone.localdate(), within=county))
        if day is None:
            self.stdout.write("There are no readings.")
            self._end(others)
            return
        span = {"since": options["since"] or day, "until": day, "within": county}
        found = self._tell(differences(**span))
        if found and options["fix"] and not options["dry_run"]:
            put_right(found)
            self.stdout.write("Written anew. Compared again:")
            found = self._tell(differences(**span))
        elif found and options["fix"]:
            self.stdout.write("Nothing was written: this was a dry run.")
        self._end([*others, *found])
        self.stdout.write(f"{span['since']} to {day}: everything is as the readings say.")

    def _end(self, found: list[Difference]) -> None:
        if found:
            raise CommandError(f"{len(found)} differences.")

    def _tell(self, found: list[Difference]) -> list[Difference]:
        for one in found:
            self.stdout.write(one.sentence)
        return found
