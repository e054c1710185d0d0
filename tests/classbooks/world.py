"""A class with people and sessions, and the workbooks its staff make of them."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import BytesIO

import xlsxwriter

from courses.models import Enrolment, Session, TrainingClass
from incubator.classbooks.services import upload_attendance, upload_learning
from incubator.jobs import services as jobs
from incubator.programmes.models import Participation
from tests.factories import (
    SHANGHAI,
    CourseFactory,
    ParticipationFactory,
    SessionFactory,
    TraineeFactory,
    TrainingClassFactory,
    region,
)
from trainees.models import Trainee

HOURS = 90  # minutes of a session here
WIDE = ["序号", "学员编号", "姓名"]


def at(day: int, hour: int = 8) -> datetime:
    return datetime(2026, 4, day, hour, tzinfo=SHANGHAI)


@dataclass
class Room:
    """A class in a county, its people by the order they were enrolled, its sessions on 1, 2, 3 … April at eight."""

    training_class: TrainingClass
    people: list[Participation] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)

    def line(self, n, *marks, number=None, name=None):
        """A row of the wide workbook."""
        trainee = self.people[n].trainee
        return [n + 1, trainee.number if number is None else number, trainee.name if name is None else name, *marks]

    @property
    def headers(self):
        return [*WIDE, *(f"{session.starts_at:%Y-%m-%d %H:%M}" for session in self.sessions)]

    def marks(self):
        """``{(person, session): (state, minutes)}`` by their places here."""
        people = {p.pk: n for n, p in enumerate(self.people)}
        sessions = {s.pk: n for n, s in enumerate(self.sessions)}
        from courses.models import Attendance

        found = Attendance.objects.filter(session__in=self.sessions)
        return {
            (people[a.participation_id], sessions[a.session_id]): (a.state, a.minutes)
            for a in found
            if a.participation_id in people
        }


def session_on(training_class, day, *, hour=8, minutes=HOURS, course=None):
    return SessionFactory(
        training_class=training_class,
        course=course,
        starts_at=at(day, hour),
        ends_at=at(day, hour) + timedelta(minutes=minutes),
    )


def make_room(*, people=3, sessions=2, code="622927") -> Room:
    training_class = TrainingClassFactory(region=region(code), capacity=max(50, people))
    room = Room(training_class)
    course = CourseFactory(kind="professional")
    room.sessions = [session_on(training_class, n + 1, course=course) for n in range(sessions)]
    county = region(code)
    trainees = TraineeFactory.build_batch(people, county=county)
    for n, trainee in enumerate(trainees):
        trainee.name = f"马{chr(0x4E00 + n)}"
    Trainee.objects.bulk_create(trainees)
    room.people = Participation.objects.bulk_create(
        ParticipationFactory.build(trainee=trainee, cohort=training_class.cohort, state="training")
        for trainee in trainees
    )
    enrol_rows(training_class, room.people)
    return room


def enrol_rows(training_class, people, *, state="enrolled", since=None):
    since = since or at(1) - timedelta(days=30)
    Enrolment.objects.bulk_create(
        Enrolment(training_class=training_class, participation=p, state=state, since=since) for p in people
    )


def book_of(headers, rows, *, above=("填报单位：某学院",), below=()):
    """A workbook with a title, a line above the header, header and rows."""
    buffer = BytesIO()
    book = xlsxwriter.Workbook(buffer, {"strings_to_formulas": False, "in_memory": True})
    sheet = book.add_worksheet()
    for r, cells in enumerate([["考勤表"], list(above), headers, *rows, *below]):
        for c, value in enumerate(cells):
            if value not in (None, ""):
                (sheet.write_number if isinstance(value, int | float) else sheet.write_string)(r, c, value)
    book.close()
    buffer.seek(0)
    return buffer


FIRST_ROW = 4  # of the rows, as the spreadsheet numbers them


def bring_in(file, training_class, by, *, reason="", name="考勤.xlsx"):
    """Upload and check, as the worker would."""
    staged = upload_attendance(file, training_class=training_class, by=by, reason=reason, name=name)
    jobs.run(staged.job_id)
    staged.refresh_from_db()
    return staged


def bring_learning(file, cohort, county, by, *, name="学习.xlsx"):
    staged = upload_learning(file, cohort=cohort, region=county, by=by, name=name)
    jobs.run(staged.job_id)
    staged.refresh_from_db()
    return staged


def told(staged):
    """``[(row, column, sentence)]`` of the errors."""
    return [(f.row, f.column, f.sentence) for f in staged.findings.filter(is_error=True)]


def sums_up(staged) -> bool:
    counted = staged.new_count + staged.same_count + staged.corrected_count + staged.wrong_count
    return counted == staged.rows.count() and counted + staged.skipped_count == staged.row_count
