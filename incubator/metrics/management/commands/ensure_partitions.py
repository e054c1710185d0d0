"""``manage.py ensure_partitions``: months of readings made ahead, closed ones indexed, too old ones dropped."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from incubator.metrics.partitions import ensure_partitions, months_in_rest, months_there, months_wanted


class Command(BaseCommand):
    help = "Makes the months of readings ahead, indexes closed ones and drops those older than READINGS_KEEP_MONTHS."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say which months are missing")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        today = timezone.localdate()
        if dry_run:
            missing = sorted({*months_wanted(today), *months_in_rest()} - months_there())
            self.stdout.write("Missing: " + (", ".join(f"{month:%Y-%m}" for month in missing) or "none"))
            return
        changes = ensure_partitions(on=today)
        for title, names in (("Made", changes.made), ("Indexed", changes.indexed), ("Dropped", changes.dropped)):
            if names:
                self.stdout.write(f"{title}: {', '.join(names)}")
