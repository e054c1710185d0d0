"""What the services of every staged import have in common: keeping the file, the check, the moves between states."""

import hashlib
import tempfile
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from incubator.common.encryption import seal, unseal
from incubator.common.errors import RuleBroken, Stale
from incubator.common.masking import mask_numbers
from incubator.common.workbooks import LARGEST_FILE, UnreadableWorkbook, Workbook, read_workbook
from incubator.imports.checking import Finding
from incubator.imports.choices import CAN_BE_READ_AGAIN, MOVES, ON_THE_WAY, TO_CONFIRM, ImportState
from incubator.imports.models import StagedFinding, StagedImport, StagedRow
from incubator.jobs.services import ask_for_job
from incubator.regions.models import Region


def keep_upload(
    staged: StagedImport, file: BinaryIO, *, kind: str, region: Region | None, by: Any, name: str = ""
) -> None:
    """Save an import that is still unsaved with its workbook, encrypted, and ask for its check in the background.

    ``region`` is None for an import that is for something else, which its room has asked about.
    Raises ``RuleBroken`` for a region not one's own and for a file that is too large.
    """
    if region is not None and not Region.objects.visible_to(by).filter(pk=region.pk).exists():
        raise RuleBroken(_("You can import for your own region only."))
    content = file.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise UnreadableWorkbook("too_big_a_file")
    staged.file_name = (name or Path(getattr(file, "name", "") or "workbook.xlsx").name)[:200]
    staged.sha256 = hashlib.sha256(content).hexdigest()
    staged.uploaded_by = by
    with transaction.atomic():
        staged.file.save(uuid.uuid4().hex, ContentFile(seal(content, context=_context(staged))), save=False)
        staged.save()
        ask_for_check(staged, kind=kind, by=by)


def ask_for_check(staged: StagedImport, *, kind: str, by: Any) -> None:
    """Ask for the job ``kind``, which gets the import's id as ``staged``."""
    title = _("Check of %(file)s") % {"file": staged.file_name}
    staged.job = ask_for_job(kind, key=str(staged.pk), title=title, by=by, staged=staged.pk)
    staged.save(update_fields=["job"])


def recheck(staged: StagedImport, *, kind: str, by: Any) -> None:
    """Ask for the check again, after something changed since the preview, or after a fault."""
    if staged.state not in CAN_BE_READ_AGAIN:
        raise RuleBroken(_("Only an import that waits for confirmation, was refused or failed is checked again."))
    ask_for_check(staged, kind=kind, by=by)


def begin_reading(staged: StagedImport) -> bool:
    """Take the import up for reading, also where an earlier attempt was cut off; False when it is beyond that."""
    if ImportState.READING not in MOVES[staged.state]:
        return False
    move(staged, ImportState.READING, error="")
    return True


def _context(staged: StagedImport) -> str:
    return f"{staged._meta.db_table}.file"


def read_rows(staged: StagedImport) -> Workbook:
    """The workbook, whose rows come one by one. It lies encrypted, and is opened for the reader into a passing file."""
    opened = tempfile.TemporaryFile()  # noqa: SIM115 - the workbook closes it when it is read
    with staged.file.open() as kept:
        opened.write(unseal(kept.read(), context=_context(staged)))
    opened.flush()
    return read_workbook(opened)


@transaction.atomic
def stage(
    staged: StagedImport,
    *,
    rows: Sequence[StagedRow],
    finding: type[StagedFinding],
    owner: str,
    found: Iterable[Finding],
    **changes: Any,
) -> None:
    """Put rows and findings in the place of those of an earlier check and let the import wait for confirmation.

    ``owner`` is the field by which a finding names its import; ``changes`` are fields of the import.
    """
    staged.rows.all().delete()  # type: ignore[attr-defined]
    staged.findings.all().delete()  # type: ignore[attr-defined]
    type(rows[0])._default_manager.bulk_create(rows, batch_size=1000)
    finding._default_manager.bulk_create([finding(**{owner: staged}, **_fields(f)) for f in found], batch_size=1000)
    after = ImportState.IN_REVIEW if changes.get("wrong_count") else ImportState.CHECKED
    move(staged, after, error="", **changes)


def _fields(found: Finding) -> dict[str, Any]:
    return {name: getattr(found, name) for name in ("row", "column", "value", "sentence", "is_error")}


def refuse(staged: StagedImport, sentence: str) -> None:
    """The workbook cannot be used, and why; a sentence that repeats what stands in it tells no number."""
    move(staged, ImportState.REFUSED, error=mask_numbers(sentence))


def fail(staged: StagedImport, sentence: str) -> None:
    """A fault ended the check, and it is not tried again by itself."""
    if staged.state in ON_THE_WAY:
        move(staged, ImportState.FAILED, error=sentence)


def require_no_wrong_row(staged: StagedImport) -> None:
    """Raises ``Stale`` for an import that was written already, ``RuleBroken`` while a row is wrong."""
    if staged.state == ImportState.APPLIED:
        raise Stale(_("This workbook has been written already."))
    if staged.state in TO_CONFIRM and staged.wrong_count:
        raise RuleBroken(
            ngettext(
                "%(count)s row is wrong. Correct it in the workbook and upload it again; nothing was written.",
                "%(count)s rows are wrong. Correct them in the workbook and upload it again; nothing was written.",
                staged.wrong_count,
            )
            % {"count": staged.wrong_count}
        )


def move(staged: StagedImport, after: ImportState, *, by: Any = None, **changes: Any) -> None:
    """Guarded by the state that was read, so of two at once one loses. Kept, where the import keeps its moves."""
    before = staged.state
    if after not in MOVES[before]:
        raise RuleBroken(
            _("This import is “%(before)s” and cannot become “%(after)s”.")
            % {"before": ImportState(before).label, "after": after.label}
        )
    imports = type(staged)._default_manager
    with transaction.atomic():
        if not imports.filter(pk=staged.pk, state=before).update(state=after, **changes):
            raise Stale(_("Somebody else has just changed this import. Look again and repeat."))
        moves: Any = getattr(staged, "moves", None)
        if moves is not None and before != after:
            moves.create(before=before, after=after, by=by)
    staged.refresh_from_db(fields=["state", *changes])
