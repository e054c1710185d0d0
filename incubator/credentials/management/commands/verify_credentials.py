"""``manage.py verify_credentials``: whether what we issued is what others would believe."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from incubator.certification.models import Award
from incubator.common import commands
from incubator.credentials.checking import Finding, verify_all


class Command(BaseCommand):
    help = (
        "Verifies the current credential of every award in force, the long way: its signature, its key, and that it "
        "says what the award says; and that none is missing. Exit code 0: all is right; 1: something is "
        "wrong, each named by the award's number, or it could not be done; 2: there is no such award."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--award", help="only the award of this number")

    def handle(self, *args: Any, award: str | None, **options: Any) -> None:
        if award and not Award.objects.live().filter(number=award).exists():
            raise CommandError(_("There is no award %(number)s in force.") % {"number": award}, returncode=2)
        with commands.told():
            count, findings = self._look(award)
        if findings:
            said = {"wrong": len(findings), "count": count}
            raise CommandError(_("%(wrong)d findings in %(count)d awards.") % said)
        self.stdout.write(self.style.SUCCESS(_("All %(count)d awards have a good credential.") % {"count": count}))

    def _look(self, award: str | None) -> tuple[int, list[Finding]]:
        findings: list[Finding] = []
        looked_at = 0
        for looked_at, found in verify_all(number=award):  # noqa: B007 - the last is how many there were
            for finding in found:
                self.stderr.write(f"{finding.number}: {finding.sentence}")
            findings += found
        return looked_at, findings
