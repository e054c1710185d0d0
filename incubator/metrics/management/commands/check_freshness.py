"""``manage.py check_freshness``: for cron and monitoring; it does not need the scheduler that it watches."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from incubator.metrics.freshness import findings, sentence_of
from incubator.metrics.services.alarms import check_freshness


class Command(BaseCommand):
    help = (
        "Looks whether follower readings are fresh, raises and clears alarms, and prints those that are open. "
        "Ends with 1 while any is open, with 0 when everything is fresh."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what is wrong, raise and clear nothing")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        now = timezone.now()
        wrong = findings(at=now) if dry_run else check_freshness(at=now)
        for one in wrong:
            self.stdout.write(f"{one.kind}: {sentence_of(one)}")
        if wrong:
            raise CommandError(f"Open alarms: {len(wrong)}.", returncode=1)
        self.stdout.write("Everything is fresh.")
