"""The only writers of this room."""

from courses.services.attendance import close_session, mark_attendance
from courses.services.catalogue import add_course, revise_course
from courses.services.check_in import check_in, check_out, require_code
from courses.services.classes import carry_training, enrol, leave_class, transfer
from courses.services.graduation import (
    decide_graduation,
    graduate,
    graduate_all,
    question_graduations,
    revoke_graduation,
    set_graduation_rule,
    uphold_graduation,
)

__all__ = [
    "add_course",
    "carry_training",
    "check_in",
    "check_out",
    "close_session",
    "decide_graduation",
    "enrol",
    "graduate",
    "graduate_all",
    "leave_class",
    "mark_attendance",
    "question_graduations",
    "require_code",
    "revise_course",
    "revoke_graduation",
    "set_graduation_rule",
    "transfer",
    "uphold_graduation",
]
