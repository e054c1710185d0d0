"""The workbooks that are filled in: of one class, with a column a session; and the blank ones of any class and cohort.

Their text is Chinese whatever language the desk is shown in.
"""

import re
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from courses.choices import AttendanceState, EnrolmentState
from courses.models import Attendance, Enrolment, Session, TrainingClass
from incubator.classbooks.attendance import header_of, sessions_of
from incubator.classbooks.choices import PRESENT_WORD, Column, LearningColumn
from incubator.classbooks.identity import write_identity

SHEET = "考勤表"
ROWS = 500  # rows that are formatted beforehand, beyond the people of the class
HEADER = 3  # index of the header row
WORDS = ["出勤", "缺勤", "请假", "迟到20"]
HINT = (
    "每个课次一列：填“出勤”“缺勤”“请假”，迟到写明分钟（如“迟到20”），也可以直接填到课分钟数。"
    "还没上的课次整列留空；一列里只要填了，就要给每个人都填。"
)
WIDTHS = {Column.NUMBER: 16, Column.NAME: 16, Column.ID_NUMBER: 22, LearningColumn.COURSE: 26}


def class_workbook(training_class: TrainingClass, *, by: Any) -> bytes:
    """The workbook of a class: the people of it whom ``by`` may see, its sessions, and what is marked already."""
    buffer = BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False}) as book:
        sheet = book.add_worksheet(SHEET)
        sessions = sessions_of(training_class)
        people = _people(training_class, by)
        _write_class(book, sheet, training_class, sessions, people)
        write_identity(book, training_class)
    return buffer.getvalue()


def class_workbook_name(training_class: TrainingClass) -> str:
    return re.sub(r'[\\/:*?"<>|\s]+', "-", f"考勤表-{training_class.name}.xlsx")


def _people(training_class: TrainingClass, by: Any) -> list[Enrolment]:
    found = Enrolment.objects.visible_to(by).filter(training_class=training_class, state=EnrolmentState.ENROLLED)
    return list(found.select_related("participation__trainee__county").order_by("participation__trainee__name", "pk"))


def _write_class(
    book: xlsxwriter.Workbook,
    sheet: Worksheet,
    training_class: TrainingClass,
    sessions: Sequence[Session],
    people: Sequence[Enrolment],
) -> None:
    text, head, title = _formats(book)
    last = 3 + len(sessions)
    _heading(sheet, f"{training_class.name}　考勤表", HINT, last, title, text)
    for place, (name, width) in enumerate([("序号", 6), ("学员编号*", 16), ("姓名*", 16), ("县区", 20)]):
        sheet.set_column(place, place, width, text)
        sheet.write_string(HEADER, place, name, head)
    sheet.set_row(HEADER, 48)
    titles = dict(training_class.sessions.values_list("pk", "version__title"))
    for place, session in enumerate(sessions, 4):
        sheet.set_column(place, place, 17, text)
        sheet.write_string(HEADER, place, f"{header_of(session)}\n{titles[session.pk]}", head)
        _offer(sheet, place, session, HEADER + len(people) + 20)
    marks = _marks(training_class, people)
    for row, enrolment in enumerate(people, HEADER + 1):
        trainee = enrolment.participation.trainee
        sheet.write_number(row, 0, row - HEADER)
        for place, value in enumerate((trainee.number, trainee.name, trainee.county.name), 1):
            sheet.write_string(row, place, value, text)
        for place, session in enumerate(sessions, 4):
            if mark := marks.get((enrolment.participation_id, session.pk)):
                sheet.write_string(row, place, _word(*mark, session), text)
    sheet.freeze_panes(HEADER + 1, 3)


def _marks(training_class: TrainingClass, people: Sequence[Enrolment]) -> dict[tuple[int, int], tuple[str, int]]:
    found = Attendance.objects.filter(
        session__training_class=training_class, participation__in=[e.participation_id for e in people]
    ).values_list("participation", "session", "state", "minutes")
    return {(person, session): (state, minutes) for person, session, state, minutes in found}


def _word(state: str, minutes: int, session: Session) -> str:
    """A mark as it is read again: a part of the session in minutes."""
    if state == AttendanceState.PRESENT and minutes != session.minutes:
        return str(minutes)
    return PRESENT_WORD[AttendanceState(state)]


def _offer(sheet: Worksheet, place: int, session: Session, last: int) -> None:
    rule = {
        "validate": "list",
        "source": WORDS,
        "error_type": "information",
        "error_title": "请核对考勤",
        "error_message": f"也可以填到课分钟数，最多 {session.minutes} 分钟。",
    }
    sheet.data_validation(HEADER + 1, place, last, place, rule)


def _formats(book: xlsxwriter.Workbook) -> tuple[Any, Any, Any]:
    """Of cells of people, which are texts, of the header, and of the title."""
    text = book.add_format({"num_format": "@", "valign": "vcenter"})
    head = book.add_format(
        {"bold": True, "border": 1, "align": "center", "valign": "vcenter", "text_wrap": True, "bg_color": "#F2E6D8"}
    )
    return text, head, book.add_format({"bold": True, "font_size": 16, "align": "center", "valign": "vcenter"})


def _heading(sheet: Worksheet, name: str, hint: str, last: int, title: Any, text: Any) -> None:
    sheet.set_row(0, 34)
    sheet.merge_range(0, 0, 0, last, name, title)
    sheet.write_string(1, 0, "填报单位：")
    sheet.write_string(2, 0, hint)


def blank_attendance() -> bytes:
    """A workbook in which each row is one mark, for whoever keeps attendance so."""
    columns = [Column.NUMBER, Column.NAME, Column.DAY, Column.START, Column.STATE, Column.MINUTES]
    hint = "每行一人一课次。考勤填“出勤”“缺勤”“请假”；只到了一部分时间的，填到课分钟数。"
    required = {Column.NUMBER, Column.NAME, Column.DAY}
    return _blank("考勤明细表", hint, [(c, c in required) for c in columns], {Column.STATE: WORDS})


def blank_learning() -> bytes:
    """A workbook for records of a learning platform."""
    columns = list(LearningColumn)
    hint = "学员编号、身份证号、手机号填一个即可。课程填课程代码或名称，同一课程多次导入只算时间最长的一次。"
    others = {LearningColumn.ID_NUMBER, LearningColumn.PHONE, LearningColumn.NUMBER}
    return _blank("线上学习记录表", hint, [(c, c not in others) for c in columns], {})


def _blank(name: str, hint: str, columns: Sequence[tuple[Any, bool]], offers: dict[Any, list[str]]) -> bytes:
    buffer = BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False}) as book:
        sheet = book.add_worksheet(name)
        text, head, title = _formats(book)
        _heading(sheet, name, hint, len(columns), title, text)
        sheet.write_string(HEADER, 0, "序号", head)
        for place, (column, is_required) in enumerate(columns, 1):
            sheet.set_column(place, place, WIDTHS.get(column, 14), text)
            sheet.write_string(HEADER, place, f"{column.label}{'*' if is_required else ''}", head)
            if column in offers:
                rule = {"validate": "list", "source": offers[column], "error_type": "information"}
                sheet.data_validation(HEADER + 1, place, HEADER + ROWS, place, rule)
        sheet.freeze_panes(HEADER + 1, 0)
    return buffer.getvalue()
