"""At least one of everything that is sealed, and what it says."""

import json
from typing import Any

from django.core.files.base import ContentFile
from django.db import connection
from django.utils import timezone

from courses.models import PaperSheet
from incubator.certificates.models import Seal
from incubator.classbooks.models import AttendanceImport, LearningImport
from incubator.common.encryption import decrypt, encrypt, seal
from incubator.common.sealed import keys_of_column, keys_of_files, sealed_columns, sealed_files
from incubator.duplicates.models import DuplicatePair, Merge
from incubator.figures.models import FiguresImport
from incubator.jobs.models import Job
from incubator.metrics.models import Authorisation
from incubator.rosters.models import ID_NUMBER as SEALED_ID
from incubator.rosters.models import PHONE as SEALED_PHONE
from incubator.rosters.models import RosterCorrection, RosterImport
from tests.desk.world import make_world
from tests.factories import region
from trainees.models import Trainee
from trainees.services import NewTrainee, enter_trainees

ID_NUMBER, PHONE = "620000199001011219", "+8615420270001"
OTHER_KEY, OLD_KEY = "f" * 64, "0" * 63 + "1"


WITH_ROWS = ("figures", "attendance", "learning")


def make_sealed_world() -> dict[str, Any]:
    """A world in which no sealed column and no column of sealed files is empty."""
    world = make_world("622927", "甲")
    person = NewTrainee(name="王小明", county=region("622927"), id_number=ID_NUMBER, phone=PHONE)
    [trainee] = enter_trainees([person], year=2026)
    roster: RosterImport = world[RosterImport]
    roster.rows.create(
        number=1,
        status="matched",
        trainee=trainee,
        sealed_for=trainee.pk + 1000,
        id_number=encrypt(ID_NUMBER, context=SEALED_ID, row=trainee.pk + 1000),
        phone=encrypt(PHONE, context=SEALED_PHONE, row=trainee.pk + 1000),
        id_number_anew=encrypt(ID_NUMBER, context=SEALED_ID, row=trainee.pk),
        phone_anew=encrypt(PHONE, context=SEALED_PHONE, row=trainee.pk),
        cells=json.dumps({"name": "王小明"}),
        before=json.dumps({"phone": PHONE}),
    )
    RosterCorrection.objects.create(
        roster=roster, number=1, cells=json.dumps({"name": "王晓明"}), by=roster.uploaded_by
    )
    pair = DuplicatePair.objects.get(pk=world[DuplicatePair].pk)
    merge = Merge.objects.create(
        pair=pair,
        survivor=trainee,
        former_number="T2026-9999999",
        former_id=trainee.pk + 2000,
        former_county=trainee.county,
        by=roster.uploaded_by,
        at=timezone.now(),
        before=json.dumps({"phone": PHONE}),
    )
    for staged in (roster, world[FiguresImport], world[AttendanceImport], world[LearningImport]):
        staged.file.save("a", ContentFile(seal(b"a workbook", context=staged.file.field.context)))
    job: Job = world[Job]
    job.result_file.save_sealed(b"a result")
    job.save()
    sheet: PaperSheet = world[PaperSheet]
    sheet.file.save_sealed(b"a scan")
    sheet.save()
    stamp: Seal = world[Seal]
    stamp.image.save_sealed(b"a seal")
    stamp.save()
    return {
        "trainee": trainee,
        "roster": roster,
        "figures": world[FiguresImport],
        "attendance": world[AttendanceImport],
        "learning": world[LearningImport],
        "sheet": sheet,
        "merge": merge,
        "stamp": stamp,
        "job": job,
        "authorisation": world[Authorisation],
    }


def what_it_says(world: dict[str, Any]) -> list[Any]:
    """Everything sealed, read through the models."""
    trainee = Trainee.objects.get(pk=world["trainee"].pk)
    authorisation = Authorisation.objects.get(pk=world["authorisation"].pk)
    return [
        (trainee.id_number, trainee.phone),
        (authorisation.access_token, authorisation.refresh_token),
        _row_says(RosterImport.objects.get(pk=world["roster"].pk).rows.get(number=1)),
        RosterCorrection.objects.get(roster=world["roster"]).texts,
        str(Merge.objects.get(pk=world["merge"].pk).before),
        *(type(world[name]).objects.get(pk=world[name].pk).rows.get().plain for name in WITH_ROWS),
        *(type(world[name]).objects.get(pk=world[name].pk).file.read_unsealed() for name in ("roster", *WITH_ROWS)),
        PaperSheet.objects.get(pk=world["sheet"].pk).file.read_unsealed(),
        Seal.objects.get(pk=world["stamp"].pk).image.read_unsealed(),
        Job.objects.get(pk=world["job"].pk).result_file.read_unsealed(),
    ]


def _row_says(row: Any) -> list[Any]:
    anew = [
        decrypt(bytes(stored), context=context, row=row.trainee_id)
        for stored, context in ((row.id_number_anew, SEALED_ID), (row.phone_anew, SEALED_PHONE))
    ]
    return [row.plain_id_number, row.plain_phone, row.plain_cells, row.plain_before, anew]


def keys() -> dict[str, tuple[int, int, int]]:
    """By which keys each place is sealed: of the present one, of old ones, of unknown ones."""
    found = {str(column): keys_of_column(column) for column in sealed_columns()}
    found |= {str(files): keys_of_files(files) for files in sealed_files()}
    return {place: (one.present, one.old, one.unknown) for place, one in found.items()}


def indexes() -> list[tuple]:
    """The blind indexes of everybody."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, id_number_index, phone_index FROM trainees_trainee ORDER BY id")
        return cursor.fetchall()
