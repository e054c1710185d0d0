"""Awards without the way to them, seals, and what stands in a PDF."""

import math
import re
import struct
import subprocess
import zlib
from datetime import date, datetime
from io import BytesIO
from itertools import count

from incubator.certificates.services import put_seal
from incubator.certification.models import Award, Candidate
from incubator.programmes.models import Programme
from tests import factories
from tests.factories import SHANGHAI

AWARDED = date(2026, 11, 20)
TODAY = date(2026, 11, 28)
LONG_NAME = "阿卜杜热合曼·买买提吐尔逊·玉素甫江"
RARE_NAME = "赵䶮㛃𫖯"
VERY_RARE = "尕㐀藏"  # one of them is drawn by the font of rare characters only
NOT_DRAWN = "羊🐑"
_numbers = count(1)


def award_of(name="王勇", code="622927", *, cohort=None, rule=None, user=None, **fields) -> Award:
    """An award of a graduate of that county, with evidence as it is frozen."""
    trainee = factories.TraineeFactory(name=name, county=factories.region(code), user=user)
    participation = factories.graduate_row(date(2026, 6, 1), trainee=trainee, **({"cohort": cohort} if cohort else {}))
    candidate = Candidate.objects.create(
        rule=rule or factories.RuleFactory(),
        participation=participation,
        account=factories.CreatorAccountFactory(trainee=trainee),
        crossed_on=date(2026, 9, 3),
        followers=120_345,
        found_on=date(2026, 9, 4),
        state="approved",
        was_decided_alone=True,
        decided_by=factories.UserFactory(),
        decided_at=datetime(2026, 11, 20, 9, tzinfo=SHANGHAI),
    )
    evidence = {
        "reading": {"day": "2026-09-03", "followers": 120_345},
        "participation": {"cohort": str(participation.cohort), "graduated_on": "2026-06-01"},
    }
    told = {
        "number": f"XC-2026-{code}-{next(_numbers):04d}",
        "badge": candidate.rule.badge,
        "trainee": trainee,
        "candidate": candidate,
        "awarded_on": AWARDED,
        "awarded_by": candidate.decided_by,
        "holder_name": name,
        "evidence": evidence,
    }
    return Award.objects.create(**told | fields)


def programme_of(award) -> Programme:
    return award.candidate.participation.cohort.programme


def seal_png(size=320, colour=(200, 20, 20)) -> bytes:
    """A ring on nothing."""
    middle, rows = size / 2, []
    for y in range(size):
        row = bytearray(b"\0")
        for x in range(size):
            on_ring = middle - 24 < math.hypot(x - middle, y - middle) < middle - 4
            row += bytes((*colour, 200 if on_ring else 0))
        rows.append(bytes(row))

    def chunk(name, body):
        return struct.pack(">L", len(body)) + name + body + struct.pack(">L", zlib.crc32(name + body))

    head = struct.pack(">LLBBBBB", size, size, 8, 6, 0, 0, 0)
    pixels = zlib.compress(b"".join(rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


PICTURE, OTHER_PICTURE = seal_png(), seal_png(colour=(20, 20, 200))


def seal_of(award, *, issuer="县委组织部", picture=PICTURE):
    return put_seal(programme_of(award), BytesIO(picture), issuer=issuer, by=factories.superuser())


def run(tmp_path, program, pdf, *arguments) -> str:
    """What a program of poppler says of a PDF; it must have no complaint."""
    path = tmp_path / "a.pdf"
    path.write_bytes(pdf)
    done = subprocess.run([program, *arguments, path, "-"], capture_output=True, check=True)
    assert done.stderr == b""
    return done.stdout.decode()


def pages(pdf, tmp_path) -> list[str]:
    """The text of each page without spaces."""
    return [re.sub(r"\s", "", page) for page in run(tmp_path, "pdftotext", pdf, "-raw").split("\f")[:-1]]
