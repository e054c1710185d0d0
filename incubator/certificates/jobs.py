"""Background work of this room: the certificates and credentials of a ceremony.

What was done stays done: credentials are written as they are signed, and each part of the pages lies under a name that
tells what is in it, so that a second attempt makes only what is missing.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from incubator.accounts.access import record_access
from incubator.accounts.choices import AccessKind
from incubator.certificates.models import Ceremony, Edition
from incubator.certificates.paper import sheets_data, template_version
from incubator.certificates.queries import awards_of, on_paper
from incubator.certificates.services import CERTIFICATES, editions_to_print
from incubator.certification.models import Award
from incubator.common.errors import RuleBroken
from incubator.common.pdf import render_pdf
from incubator.common.pdf_join import join_pdfs
from incubator.credentials.services import issue_credentials
from incubator.jobs.models import Job
from incubator.jobs.registry import download_check, job_handler
from incubator.jobs.services import RunningJob, working_folder

PART = 50  # certificates rendered in one go: with 200 the worker grows by 750 MB, with 50 by 290


@job_handler(CERTIFICATES)
def ceremony_certificates(running: RunningJob) -> dict[str, Any]:
    """Credentials of all awards of a ceremony, then their certificates as one PDF, as far as its asker sees them."""
    ceremony = _ceremony_of(running.job)
    awards = list(awards_of(ceremony, user=running.job.asked_by).values_list("pk", flat=True))
    if not awards:
        raise RuleBroken(_("Add awards to the ceremony first."))
    steps = _Steps(running, len(awards))
    signed = sum(issue_credentials(part) for part in steps.parts(awards))
    folder = working_folder() / f"certificates-{running.pk}"
    folder.mkdir(mode=0o700, exist_ok=True)
    pages = _Pages(ceremony, folder, by=running.job.asked_by)
    for part in steps.parts(awards):
        pages.add(part)
    with running.staying_alive():
        printed = _keep(running, pages)
    shutil.rmtree(folder, ignore_errors=True)
    unseen = ceremony.places.count() - len(awards)
    return {"printed": printed, "signed": signed, "left_out": pages.left_out, "unseen": unseen}


class _Steps:
    """All awards are gone through twice, a part at a time; after each part it is said how far the work is."""

    def __init__(self, running: RunningJob, count: int) -> None:
        self._running, self._done = running, 0
        running.progress(0, 2 * count)

    def parts(self, awards: Sequence[int]) -> Iterator[list[Award]]:
        for start in range(0, len(awards), PART):
            part = awards[start : start + PART]
            yield on_paper(part)
            self._done += len(part)
            self._running.progress(self._done)


class _Pages:
    """Parts of the pages on the disk, and who was left out of them and why."""

    def __init__(self, ceremony: Ceremony, folder: Path, *, by: Any) -> None:
        self.ceremony, self.by = ceremony, by
        self.files: list[Path] = []
        self.left_out: dict[str, list[int]] = {}
        self._folder, self._on = folder, timezone.localdate()

    def add(self, awards: Sequence[Award]) -> None:
        printed, refused = editions_to_print(awards, by=self.by, on=self._on)
        for edition, why in refused:
            self.left_out.setdefault(why.value, []).append(edition.award_id)
        if printed:
            self.files.append(self._rendered(printed))

    def _rendered(self, editions: Sequence[Edition]) -> Path:
        data = sheets_data(editions, title=str(self.ceremony))
        told = template_version() + json.dumps(data, ensure_ascii=False).encode()
        path = self._folder / f"{hashlib.sha256(told).hexdigest()}.pdf"
        if not path.exists():
            unfinished = path.with_suffix(".part")
            unfinished.write_bytes(render_pdf("certificate", data, tagged=False))
            unfinished.rename(path)
        return path


def _keep(running: RunningJob, pages: _Pages) -> int:
    """Join and keep, together with the record of who took so many names; returns the number of pages."""
    if not pages.files:
        raise RuleBroken(_("Of none of these awards a certificate can be printed; the ceremony's page says why."))
    whole = pages.files[0].parent / "whole"
    with whole.open("wb") as out:
        count = join_pdfs((path.read_bytes() for path in pages.files), out, title=str(pages.ceremony))
    until = timezone.now() + timedelta(days=settings.CERTIFICATES_KEPT_DAYS)
    with transaction.atomic():
        record_access(Award, kind=AccessKind.EXPORT, by=pages.by, fields=["holder_name"], count=count)
        running.keep(whole, name=f"证书-{pages.ceremony}.pdf", until=until)
    return count


def _ceremony_of(job: Job) -> Ceremony:
    found = Ceremony.objects.visible_to(job.asked_by).filter(pk=job.arguments["ceremony"]).first()
    if found is None:
        raise RuleBroken(_("This ceremony is not yours any more."))
    return found


@download_check(CERTIFICATES)
def may_download(job: Job) -> bool:
    """The file can be fetched only while the ceremony is still in the asker's scope."""
    return Ceremony.objects.visible_to(job.asked_by).filter(pk=job.arguments["ceremony"]).exists()
