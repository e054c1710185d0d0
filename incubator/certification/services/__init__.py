"""The only writers of rules, candidates and awards."""

from incubator.certification.services.awards import withdraw_award
from incubator.certification.services.candidates import (
    answer_question,
    approve_candidate,
    ask_back,
    propose_candidate,
    refuse_candidate,
)
from incubator.certification.services.checks import check_awards
from incubator.certification.services.evaluation import evaluate, evaluate_changes
from incubator.certification.services.flags import clear_flag, raise_flags, report_flag
from incubator.certification.services.near_misses import close_near_miss, find_near_misses
from incubator.certification.services.rehearsals import ask_for_rehearsal, rehearse
from incubator.certification.services.rules import (
    change_draft,
    current_rules,
    draft_rule,
    new_version,
    present_version,
    publish_rule,
    rehearsal_to_publish,
)
from incubator.certification.services.works import note_work, take_back_work

__all__ = [
    "answer_question",
    "approve_candidate",
    "ask_back",
    "ask_for_rehearsal",
    "change_draft",
    "check_awards",
    "clear_flag",
    "close_near_miss",
    "current_rules",
    "draft_rule",
    "evaluate",
    "evaluate_changes",
    "find_near_misses",
    "new_version",
    "note_work",
    "present_version",
    "propose_candidate",
    "publish_rule",
    "raise_flags",
    "refuse_candidate",
    "rehearsal_to_publish",
    "rehearse",
    "report_flag",
    "take_back_work",
    "withdraw_award",
]
