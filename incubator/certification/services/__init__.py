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
from incubator.certification.services.near_misses import close_near_miss, find_near_misses
from incubator.certification.services.rules import current_rules, draft_rule, publish_rule

__all__ = [
    "answer_question",
    "approve_candidate",
    "ask_back",
    "check_awards",
    "close_near_miss",
    "current_rules",
    "draft_rule",
    "evaluate",
    "evaluate_changes",
    "find_near_misses",
    "propose_candidate",
    "publish_rule",
    "refuse_candidate",
    "withdraw_award",
]
