"""Background work of this room."""

from django.utils import timezone

from incubator.classbooks.models import AttendanceImport, LearningImport
from incubator.classbooks.services import (
    ATTENDANCE_CHECK,
    LEARNING_CHECK,
    check_attendance,
    check_failed,
    check_learning,
)
from incubator.jobs.models import Job
from incubator.jobs.registry import job_handler, when_failed
from incubator.jobs.services import RunningJob


@job_handler(ATTENDANCE_CHECK)
def attendance_check(running: RunningJob) -> dict[str, int]:
    """Check one uploaded attendance workbook."""
    rows = AttendanceImport.objects.select_related("training_class", "uploaded_by")
    attendance = rows.get(pk=running.arguments["staged"])
    running.progress(0, 1)
    check_attendance(attendance, at=timezone.now())
    return {"to_write": attendance.to_write_count, "wrong": attendance.wrong_count}


@when_failed(ATTENDANCE_CHECK)
def attendance_check_failed(job: Job, sentence: str) -> None:
    check_failed(AttendanceImport.objects.get(pk=job.arguments["staged"]), sentence)


@job_handler(LEARNING_CHECK)
def learning_check(running: RunningJob) -> dict[str, int]:
    """Check one uploaded file of online learning."""
    rows = LearningImport.objects.select_related("cohort__programme", "region", "uploaded_by")
    learning = rows.get(pk=running.arguments["staged"])
    running.progress(0, 1)
    check_learning(learning, at=timezone.now())
    return {"to_write": learning.to_write_count, "wrong": learning.wrong_count}


@when_failed(LEARNING_CHECK)
def learning_check_failed(job: Job, sentence: str) -> None:
    check_failed(LearningImport.objects.get(pk=job.arguments["staged"]), sentence)
