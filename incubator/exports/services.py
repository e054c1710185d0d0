"""Lists become files here. Whoever takes a list of people is recorded, in the transaction that hands the file out.

Up to ``AT_ONCE`` rows the file is made while one waits; above, it is background work that anybody can watch but only
its asker can fetch. What was searched and chosen may be personal, so a job holds it sealed.
"""

import base64
import hashlib
import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from incubator.accounts.access import record_access
from incubator.accounts.choices import AccessKind
from incubator.common.dates import moment
from incubator.common.desk import ScopedAdmin
from incubator.common.encryption import Undecipherable, blind_index, decrypt, encrypt
from incubator.common.errors import RuleBroken
from incubator.common.exports import CsvFormat, ListFormat, ListResource, XlsxFormat, resource_for
from incubator.exports.rows import ListRows
from incubator.jobs.models import Job
from incubator.jobs.services import RunningJob, ask_for_job, working_folder
from incubator.regions.models import Region
from incubator.regions.scoping import scope_of

KIND = "list_export"
AT_ONCE = 2_000  # rows that are written while somebody waits
FORMATS: dict[str, type[ListFormat]] = {each.key: each for each in (XlsxFormat, CsvFormat)}
IN_CLEAR = "trainees.export_personal_data"
WANTED = "jobs_job.arguments.wanted"
ROWS_A_STEP = 500
EVERYWHERE = "all"


@dataclass(frozen=True)
class Wanted:
    """What was asked for. ``query`` is the list's own, ``chosen`` are primary keys, none for all of the query."""

    format: str
    query: str = ""
    chosen: tuple[str, ...] = ()
    in_clear: bool = False
    reason: str = ""

    def sealed(self) -> str:
        return base64.b64encode(encrypt(json.dumps(asdict(self)), context=WANTED)).decode()

    @classmethod
    def opened(cls, sealed: str) -> "Wanted":
        """As it was sealed; raises ``RuleBroken`` where its key is gone."""
        try:
            values = json.loads(decrypt(base64.b64decode(sealed), context=WANTED))
        except Undecipherable:
            raise RuleBroken(_("What was asked for cannot be read any more. Export the list again.")) from None
        return cls(**{**values, "chosen": tuple(values["chosen"])})

    def key(self) -> str:
        """Equal for equal wishes, and says nothing about them."""
        return hashlib.sha256(blind_index(json.dumps(asdict(self)), context=WANTED)).hexdigest()[:32]


def may_have_in_clear(user: Any) -> bool:
    return user.has_perm(IN_CLEAR)


class ListExport:
    """One list, as one person may have it. Making one checks that they may; raises ``RuleBroken`` otherwise."""

    def __init__(self, desk: ScopedAdmin, wanted: Wanted, *, by: Any) -> None:
        self.desk, self.wanted, self.by = desk, wanted, by
        self.rows = ListRows(desk, by, wanted.query, wanted.chosen)
        if not (by.is_active and by.is_staff and desk.has_view_permission(self.rows.request)):
            raise RuleBroken(_("This list is not yours any more. Ask whoever gives permissions."))
        if wanted.in_clear and not may_have_in_clear(by):
            raise RuleBroken(
                _("You may not export personal data in full. Export it masked, or ask for the permission.")
            )
        if wanted.in_clear and not wanted.reason.strip():
            raise RuleBroken(_("Say what personal data in full is needed for."))

    @cached_property
    def format(self) -> ListFormat:
        return FORMATS[self.wanted.format]()

    @cached_property
    def resource(self) -> ListResource:
        return resource_for(self.desk, self.rows.request, in_clear=self.wanted.in_clear)

    @property
    def list_name(self) -> str:
        return capfirst(str(self.desk.opts.verbose_name_plural))

    def file_name(self) -> str:
        """List, region and day."""
        parts = [self.list_name, _region_name(self.by), f"{timezone.localdate():%Y-%m-%d}"]
        name = "_".join(re.sub(r"[^\w.-]+", " ", part).strip() for part in parts if part)
        return f"{name}.{self.format.key}"

    def write(self, file: IO[bytes], *, folder: str, progress: Any = None) -> int:
        """Write the file; returns the number of its rows. ``progress`` is told how many are written, now and then."""
        counted = _Counted(self.resource.rows(self.rows.queryset), progress)
        headers = self.resource.get_export_headers()
        self.format.write(
            file, headers, counted, name=self.list_name, notes=lambda: self._notes(counted.count), folder=folder
        )
        return counted.count

    def _notes(self, count: int) -> Iterator[tuple[str, str]]:
        yield _("List"), self.list_name
        yield _("Rows"), f"{count:,}"
        yield _("Exported by"), str(self.by)
        yield _("Exported at"), moment(timezone.now())
        yield from self.rows.filters()
        yield _("Personal data"), self._how_personal()
        yield _("Texts"), _("Every text is written as text, to the letter; none is computed.")

    def _how_personal(self) -> str:
        if not any(":masked" in name for name in self.resource.recorded) and not self.wanted.in_clear:
            return _("as the list shows it")
        if self.wanted.in_clear:
            return _("in full; reason: %(reason)s") % {"reason": self.wanted.reason}
        return _("masked")

    def record(self, count: int) -> None:
        """That the person took these columns of so many rows; lists that name nobody leave no record."""
        if self.desk.names_nobody or self.desk.is_reference:
            return
        record_access(
            self.desk.model,
            kind=AccessKind.EXPORT,
            by=self.by,
            fields=self.resource.recorded,
            count=count,
            reason=self.wanted.reason,
        )


class _Counted:
    """Rows as they pass, counted."""

    def __init__(self, rows: Iterator[Sequence[Any]], progress: Any) -> None:
        self._rows, self._progress = rows, progress
        self.count = 0

    def __iter__(self) -> Iterator[Sequence[Any]]:
        for row in self._rows:
            yield row
            self.count += 1
            if self._progress and self.count % ROWS_A_STEP == 0:
                self._progress(self.count)


def _region_name(user: Any) -> str:
    """Of whose rows they are: the region of the one posting, the whole country, or nothing that is short enough."""
    codes = regions_of(user)
    if codes == [EVERYWHERE]:
        return _("The whole country")
    return Region.objects.get(code=codes[0]).name if len(codes) == 1 else ""


def regions_of(user: Any) -> list[str]:
    """Codes of the regions that ``user`` is posted to today, or ``["all"]``."""
    scope = scope_of(user)
    return [EVERYWHERE] if scope.everything else sorted(scope.provinces | scope.prefectures | scope.counties)


def still_covers(user: Any, codes: Sequence[str]) -> bool:
    """Whether today's postings of ``user`` still have these regions."""
    now = regions_of(user)
    return now == [EVERYWHERE] or set(codes) <= set(now)


# --- At once ----------------------------------------------------------------------------------------------------------


def export_now(export: ListExport) -> tuple[IO[bytes], int]:
    """The file, open for reading and with no name on the disk, and its number of rows; recorded."""
    with tempfile.TemporaryDirectory(dir=working_folder()) as folder:
        file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by who sends it
        try:
            count = _write(export, file, folder)
            export.record(count)
        except BaseException:
            file.close()
            raise
    file.seek(0)
    return file, count


def _write(export: ListExport, file: IO[bytes], folder: str, progress: Any = None) -> int:
    try:
        return export.write(file, folder=folder, progress=progress)
    except (ValueError, ValidationError):  # a primary key or a filter that is none
        raise RuleBroken(
            _("The filters of this list are not understood. Go back to the list and set them again.")
        ) from None


# --- As background work -----------------------------------------------------------------------------------------------


def ask_for_export(export: ListExport) -> Job:
    """The job that will make the file; one that already makes the very same for the same person, if there is one."""
    wanted, label = export.wanted, export.desk.model._meta.label_lower
    title = _("Export: %(list)s (%(format)s)") % {"list": export.list_name, "format": wanted.format.upper()}
    return ask_for_job(
        KIND,
        key=f"{export.by.pk}:{label}:{wanted.key()}",
        by=export.by,
        title=title,
        list=label,
        wanted=wanted.sealed(),
        regions=regions_of(export.by),
        language=get_language(),
    )


def make_export(running: RunningJob) -> dict[str, Any]:
    """Make a job's file in the scope that its asker has now. Raises ``RuleBroken`` where the list is not theirs now."""
    job = running.job
    if job.result_file:  # kept and recorded by an attempt that did not come to say so
        return job.result or {"rows": job.done, "regions": job.arguments["regions"]}
    export = ListExport(_desk_of(job), Wanted.opened(job.arguments["wanted"]), by=job.asked_by)
    if not still_covers(export.by, job.arguments["regions"]):
        raise RuleBroken(_("Your postings have changed since you asked. Open the list and export it again."))
    total = export.rows.queryset.order_by().count()
    running.progress(0, total)
    with tempfile.TemporaryDirectory(dir=working_folder()) as folder:
        path = Path(folder) / "export"
        with path.open("w+b") as file, running.staying_alive():
            count = _write(export, file, folder, progress=lambda done: running.progress(min(done, total)))
        if not count:
            raise RuleBroken(_("The list has no rows any more, so there is no file."))
        running.progress(total)
        _keep(running, export, path, count)
    return {"rows": count, "regions": job.arguments["regions"]}


def _keep(running: RunningJob, export: ListExport, path: Path, count: int) -> None:
    """Record and keep together: no file without its record, and no record of a file that is not kept."""
    until = timezone.now() + timedelta(days=settings.EXPORTS_KEPT_DAYS)
    with transaction.atomic():
        export.record(count)
        running.keep(path, name=export.file_name(), until=until)


def _desk_of(job: Job) -> ScopedAdmin:
    for model, desk in admin.site._registry.items():
        if model._meta.label_lower == job.arguments["list"] and isinstance(desk, ScopedAdmin):
            return desk
    raise RuleBroken(_("This list does not exist any more."))


def may_fetch(job: Job) -> bool:
    """The file can be fetched while its asker still has the list, the regions, and the right to what is in it."""
    try:
        export = ListExport(_desk_of(job), Wanted.opened(job.arguments["wanted"]), by=job.asked_by)
    except RuleBroken:
        return False
    return still_covers(export.by, job.arguments["regions"])
