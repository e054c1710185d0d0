"""``manage.py import_roster FILE --cohort X --by USER``: a county's workbook, written whole or not at all."""

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from incubator.accounts.models import User
from incubator.common import commands
from incubator.common.errors import RuleBroken
from incubator.imports.choices import ON_THE_WAY, TO_CONFIRM
from incubator.jobs import services as jobs
from incubator.programmes.models import Cohort
from incubator.regions.models import Region
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
        parser.add_argument("--good-rows", action="store_true", help="write the good rows, leave the wrong ones out")
        parser.add_argument("--dry-run", action="store_true", help="only check, and name what is wrong")

    def handle(
        self,
        *args: Any,
        file: Path,
        cohort: str,
        by: str,
        region: str | None,
        good_rows: bool,
        dry_run: bool,
        **options: Any,
    ) -> None:
        with commands.told():
            user = _importer(by)
            roster = RosterImport(cohort=_cohort(cohort), region=_region(region, user), uploaded_by=user)
            if not file.is_file():
                raise CommandError(_("There is no file %(file)s.") % {"file": file}, returncode=2)
            try:
                self._check(roster, file) if dry_run else self._write(roster, file, is_partial=good_rows)
            except OSError as error:
                raise CommandError(f"{file}: {error.strerror or error}") from None

    def _check(self, roster: RosterImport, file: Path) -> None:
        """All that checking does, and then as if it had not been."""
        with transaction.atomic():
            kept = self._checked(roster, file)
            transaction.set_rollback(True)
        kept.file.delete(save=False)
        if kept.wrong_count:
            raise CommandError(_("Nothing was written. Correct the workbook first."))

    def _write(self, roster: RosterImport, file: Path, *, is_partial: bool) -> None:
        by = roster.uploaded_by
        roster = self._checked(roster, file)
        try:
            apply_roster(roster, by=by, on=timezone.localdate(), is_partial=is_partial and roster.wrong_count > 0)
        except RuleBroken:
            discard_roster(roster, by=by)
            raise
        self.stdout.write(_("Written."))

    def _checked(self, roster: RosterImport, file: Path) -> RosterImport:
        """The import, read and checked, and what was found told."""
        by = roster.uploaded_by
        with file.open("rb") as opened:
            roster = upload_roster(opened, cohort=roster.cohort, region=roster.region, by=by, name=file.name)
        _check_now(roster)
        if roster.state not in TO_CONFIRM:
            raise CommandError(roster.error)
        self._tell(roster.findings.all())
        self._count(roster)
        return roster

    def _tell(self, findings: Any) -> None:
        for found in findings:
            where = {"row": found.row, "column": found.column, "value": found.value, "why": found.sentence}
            self.stdout.write(_("Row %(row)s, %(column)s “%(value)s”: %(why)s") % where)

    def _count(self, roster: RosterImport) -> None:
        self.stdout.write(
            _("new: %(new)d, known already: %(matched)d, wrong: %(wrong)d")
            % {"new": roster.new_count, "matched": roster.matched_count, "wrong": roster.wrong_count}
        )
        self.stdout.write(
            _("to be changed: %(changed)d, doubtful: %(doubtful)d, skipped: %(skipped)d")
            % {"changed": roster.changed_count, "doubtful": roster.doubtful_count, "skipped": roster.skipped_count}
        )


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
    roster.refresh_from_db()
    while roster.state in ON_THE_WAY and time.monotonic() < deadline:
        roster.refresh_from_db()
        time.sleep(0.05)
    if roster.state in ON_THE_WAY:
        raise RuleBroken(_("The check did not come to an end. Look at the job in the staff desk."))
