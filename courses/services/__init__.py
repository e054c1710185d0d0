"""The only writers of this room."""

from courses.services.assessment import (
    add_assessment,
    appeal,
    change_assessment,
    hand_in_work,
    mark_again,
    record_marks,
)
from courses.services.attendance import close_session, mark_attendance
from courses.services.catalogue import add_course, offer_course, revise_course
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
from courses.services.satisfaction import answer_form
from courses.services.timetable import plan_sessions, remove_session

__all__ = [
    "add_assessment",
    "add_course",
    "answer_form",
    "appeal",
    "carry_training",
    "change_assessment",
    "check_in",
    "check_out",
    "close_session",
    "decide_graduation",
    "enrol",
    "graduate",
    "graduate_all",
    "hand_in_work",
    "leave_class",
    "mark_again",
    "mark_attendance",
    "offer_course",
    "plan_sessions",
    "question_graduations",
    "record_marks",
    "remove_session",
    "require_code",
    "revise_course",
    "revoke_graduation",
    "set_graduation_rule",
    "transfer",
    "uphold_graduation",
]
