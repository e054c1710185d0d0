"""Paper: what is printed for a class and a session, the scan of a signed sheet, and the marks taken from it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from pathlib import PurePath
from typing import Any, BinaryIO

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from courses.choices import AttendanceMethod
from courses.models import Enrolment, PaperSheet, Session, TrainingClass
from courses.services.attendance import mark_attendance, of_the_session
from incubator.common.errors import RuleBroken
from incubator.common.pdf import missing_glyphs, render_pdf
from incubator.common.plain_text import narrow

LARGEST_SCAN = 15 * 1024 * 1024
LONGEST_NAME = 200
# What a file is told by: its first bytes, whatever its name says.
KINDS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "application/pdf"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
)
WEEKDAYS = "一二三四五六日"
KIND_WORDS = {"general": "通识", "professional": "专业", "practice": "实训", "visit": "考察"}


# --- Printed ----------------------------------------------------------------------------------------------------------


def timetable_sheet(training_class: TrainingClass) -> bytes:
    """The timetable of a class as a PDF on A4. Two queries."""
    sessions = training_class.sessions.select_related("version", "lecturer").order_by("starts_at")
    days = [
        {"day": f"{day:%Y-%m-%d}", "weekday": _weekday(day), "sessions": [_session(s) for s in there]}
        for day, there in groupby(sessions, key=lambda s: timezone.localtime(s.starts_at).date())
    ]
    head = [
        ("期次", str(training_class.cohort)),
        ("培训机构", str(training_class.institution or "")),
        ("地点", training_class.place),
        ("班主任", training_class.head_teacher),
        ("日期", _from_to(training_class.starts_on, training_class.ends_on)),
        ("人数", str(training_class.enrolments.enrolled().count())),
    ]
    return render_pdf("timetable", {"title": f"{training_class.name}　课程表", "head": head, "days": days, "notes": []})


def _from_to(first: Any, last: Any) -> str:
    return " 至 ".join(f"{day:%Y-%m-%d}" for day in (first, last) if day)


def _weekday(day: Any) -> str:
    return f"星期{WEEKDAYS[day.weekday()]}"


def _times(session: Session) -> str:
    return f"{timezone.localtime(session.starts_at):%H:%M}–{timezone.localtime(session.ends_at):%H:%M}"


def _session(session: Session) -> dict[str, str]:
    return {
        "time": _times(session),
        "course": session.version.title,
        "kind": KIND_WORDS[session.version.kind],
        "hours": str(session.version.hours),
        "room": session.room,
        "lecturer": str(session.lecturer or ""),
    }


def signature_sheet(session: Session, *, by: Any) -> bytes:
    """The sheet that people sign at a session, as a PDF on A4: those of it whom ``by`` may see. Three queries.

    It says how many it leaves out, and which names hold a character that no font here has: they are written by hand.
    """
    everybody = Enrolment.objects.filter(of_the_session(session))
    seen = Enrolment.objects.visible_to(by).filter(of_the_session(session))
    fields = ("name", "number", "county__name")
    found = seen.order_by("participation__trainee__initials", "participation__trainee__name", "pk")
    people = [
        {"name": name, "number": number, "county": county}
        for name, number, county in found.values_list(*(f"participation__trainee__{field}" for field in fields))
    ]
    day = timezone.localtime(session.starts_at).date()
    head = [
        ("班次", session.training_class.name),
        ("课程", f"{session.version.title}（{KIND_WORDS[session.version.kind]}）"),
        ("时间", f"{day:%Y-%m-%d}（{_weekday(day)}）{_times(session)}"),
        ("教室", session.room or session.training_class.place),
        ("讲师", str(session.lecturer or "")),
        ("应到", f"{len(people)} 人"),
    ]
    notes = _notes(people, everybody.count())
    return render_pdf("signatures", {"title": "课堂签到表", "head": head, "people": people, "notes": notes})


def _notes(people: Sequence[Mapping[str, str]], everybody: int) -> list[str]:
    notes = []
    if everybody > len(people):
        notes.append(f"本表只列出制表人可以查看的学员：{len(people)} 人；班里另有 {everybody - len(people)} 人未列出。")
    by_hand = [n for n, person in enumerate(people, 1) if missing_glyphs(person["name"])]
    if by_hand:
        notes.append(f"以下序号的姓名有生僻字打印不出，请手写补全：{'、'.join(map(str, by_hand))}。")
    return notes


# --- Signed -----------------------------------------------------------------------------------------------------------


@transaction.atomic
def keep_sheet(session: Session, file: BinaryIO, *, by: Any, name: str = "") -> PaperSheet:
    """Keep the scan or photograph of a signed sheet, sealed. What it is is told by its first bytes.

    Raises ``RuleBroken`` for a file that is too large or is no PDF, JPEG or PNG.
    """
    content = file.read(LARGEST_SCAN + 1)
    if len(content) > LARGEST_SCAN:
        raise RuleBroken(_("This file is larger than 15 MB. Scan it with fewer dots, or upload each page by itself."))
    kind = next((kind for beginning, kind in KINDS if content.startswith(beginning)), None)
    if kind is None:
        raise RuleBroken(_("This is no PDF, JPEG or PNG. Scan or photograph the signed sheet and upload that."))
    sheet = PaperSheet(session=session, file_name=_plain_name(name), content_type=kind, uploaded_by=by)
    sheet.file.save_sealed(content)
    sheet.save()
    return sheet


def _plain_name(name: str) -> str:
    """The last part of a name, without characters that are not to be seen."""
    plain = "".join(
        character for character in narrow(PurePath(name.replace("\\", "/")).name) if character.isprintable()
    )
    return plain[-LONGEST_NAME:] or "sheet"


def mark_from_sheet(
    session: Session,
    *,
    marks: Mapping[int, tuple[str, int | None]],
    by: Any,
    reason: str = "",
    at: datetime | None = None,
) -> int:
    """Mark a session as its signed sheet says; returns how many marks were written.

    Raises ``RuleBroken`` while no signed sheet is kept, and as ``mark_attendance`` does.
    """
    if not session.paper_sheets.exists():
        raise RuleBroken(_("Upload the signed sheet first; marks from paper rest on it."))
    return mark_attendance(session, marks=marks, by=by, method=AttendanceMethod.PAPER, reason=reason, at=at)
