"""Courses, classes, their sessions, who attended, how they did, and the decision that somebody graduated."""

from courses.models.assessment import Assessment, Attempt, MarksChange
from courses.models.attendance import Attendance, AttendanceChange, CheckIn, PaperSheet
from courses.models.catalogue import Course, CourseVersion, Lecturer
from courses.models.classes import (
    Enrolment,
    EnrolmentMove,
    InstitutionPosting,
    Session,
    TrainingClass,
    TrainingInstitution,
)
from courses.models.graduation import (
    Graduation,
    GraduationDecision,
    GraduationHold,
    GraduationQuestion,
    GraduationRule,
)
from courses.models.learning import CarriedTraining, LearningRecord, Taught
from courses.models.satisfaction import SatisfactionAnswer, SatisfactionCourseScore, SatisfactionTicket

__all__ = [
    "Assessment",
    "Attempt",
    "Attendance",
    "AttendanceChange",
    "CarriedTraining",
    "CheckIn",
    "Course",
    "CourseVersion",
    "Enrolment",
    "EnrolmentMove",
    "Graduation",
    "GraduationDecision",
    "GraduationHold",
    "GraduationQuestion",
    "GraduationRule",
    "InstitutionPosting",
    "LearningRecord",
    "Lecturer",
    "MarksChange",
    "PaperSheet",
    "SatisfactionAnswer",
    "SatisfactionCourseScore",
    "SatisfactionTicket",
    "Session",
    "Taught",
    "TrainingClass",
    "TrainingInstitution",
]
