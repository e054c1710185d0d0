"""``manage.py import_roster FILE --cohort X --by USER``: a county's workbook, written whole or not at all."""

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from incubator.accounts.models import User
from incubator.common import commands
from incubator.common.errors import RuleBroken
from incubator.common.workbooks import read_workbook
from incubator.imports.checking import findings_of
from incubator.imports.choices import ImportState
from incubator.jobs import services as jobs
from incubator.programmes.models import Cohort
from incubator.regions.models import Region
from incubator.rosters.checking import RosterCheck
from incubator.rosters.choices import RowStatus
from incubator.rosters.identity import people_table
from incubator.rosters.models import RosterImport
from incubator.rosters.services import apply_roster, discard_roster, upload_roster

WAIT_SECONDS = 120


class Command(BaseCommand):
    help = (
        "Checks a county's roster workbook and writes everybody in it, or nobody. Exit code 0: written; "
        "1: refused, every wrong cell named by row and column; 2: a wrong argument."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the workbook (.xlsx)")
        parser.add_argument("--cohort", required=True, help="name or number of the cohort")
        parser.add_argument("--by", required=True, metavar="USER", help="who imports, within their own region")
        parser.add_argument("--region", metavar="CODE", help="default: the one region the user is posted to")
        parser.add_argument("--dry-run", action="store_true", help="only check, and name what is wrong")

    def handle(
        self, *args: Any, file: Path, cohort: str, by: str, region: str | None, dry_run: bool, **options: Any
    ) -> None:
        with commands.told():
            user = _importer(by)
            roster = RosterImport(cohort=_cohort(cohort), region=_region(region, user), uploaded_by=user)
            if not file.is_file():
                raise CommandError(_("There is no file %(file)s.") % {"file": file}, returncode=2)
            try:
                self._check(roster, file) if dry_run else self._write(roster, file)
            except OSError as error:
                raise CommandError(f"{file}: {error.strerror or error}") from None

    def _check(self, roster: RosterImport, file: Path) -> None:
        table = people_table(read_workbook(file), cohort=roster.cohort, region=roster.region)
        rows = RosterCheck(roster, table, by=roster.uploaded_by, on=timezone.localdate()).rows()
        self._tell(findings_of(rows))
        statuses = [row.status for row in rows]
        self._count(*(statuses.count(status) for status in (RowStatus.NEW, RowStatus.MATCHED, RowStatus.WRONG)))
        if RowStatus.WRONG in statuses:
            raise CommandError(_("Nothing was written. Correct the workbook first."))

    def _write(self, roster: RosterImport, file: Path) -> None:
        by = roster.uploaded_by
        with file.open("rb") as opened:
            roster = upload_roster(opened, cohort=roster.cohort, region=roster.region, by=by, name=file.name)
        _check_now(roster)
        if roster.state == ImportState.REFUSED:
            raise CommandError(roster.error)
        self._tell(roster.findings.all())
        self._count(roster.new_count, roster.matched_count, roster.wrong_count)
        try:
            apply_roster(roster, by=by, on=timezone.localdate())
        except RuleBroken:
            discard_roster(roster, by=by)
            raise
        self.stdout.write(_("Written."))

    def _tell(self, findings: Any) -> None:
        for found in findings:
            where = {"row": found.row, "column": found.column, "value": found.value, "why": found.sentence}
            self.stdout.write(_("Row %(row)s, %(column)s “%(value)s”: %(why)s") % where)

    def _count(self, new: int, matched: int, wrong: int) -> None:
        numbers = {"new": new, "matched": matched, "wrong": wrong}
        self.stdout.write(_("new: %(new)d, known already: %(matched)d, wrong: %(wrong)d") % numbers)


def _importer(name: str) -> User:
    user = User.objects.filter(username=name, is_active=True).first()
    if user is None or not user.has_perm("rosters.add_rosterimport"):
        raise CommandError(_("“%(name)s” is nobody who may import rosters.") % {"name": name}, returncode=2)
    return user


def _cohort(text: str) -> Cohort:
    found = list(Cohort.objects.filter(name=text))
    if not found and text.isdecimal():
        found = list(Cohort.objects.filter(pk=int(text)))
    if len(found) == 1:
        return found[0]
    there = "; ".join(f"{cohort.pk} {cohort}" for cohort in Cohort.objects.order_by("pk"))
    said = _("Which cohort is “%(text)s”? Write the number of one of these: %(there)s.")
    raise CommandError(said % {"text": text, "there": there or "—"}, returncode=2)


def _region(code: str | None, user: User) -> Region:
    if code is None:
        mine = list(Region.objects.filter(code__in=_posted_to(user))[:2])
    else:
        mine = list(Region.objects.visible_to(user).filter(code=code))
    if len(mine) == 1:
        return mine[0]
    raise CommandError(_("Name one of your own regions by its six digits: --region 622927."), returncode=2)


def _posted_to(user: User) -> list[str]:
    scope = user.region_scope()
    return [*scope.counties, *scope.prefectures, *scope.provinces]


def _check_now(roster: RosterImport) -> None:
    """Do the check here; when a worker was quicker, wait for its end."""
    if roster.job_id is not None:
        jobs.run(roster.job_id)
    deadline = time.monotonic() + WAIT_SECONDS
    while roster.state == ImportState.UPLOADED and time.monotonic() < deadline:
        roster.refresh_from_db()
        time.sleep(0.05)
    if roster.state == ImportState.UPLOADED:
        raise RuleBroken(_("The check did not come to an end. Look at the job in the staff desk."))
