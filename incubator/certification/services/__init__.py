"""The only writers of candidates and awards."""

from incubator.certification.services.awards import withdraw_award
from incubator.certification.services.candidates import approve_candidate, refuse_candidate
from incubator.certification.services.evaluation import evaluate
from incubator.certification.services.rules import current_rules, publish_rule

__all__ = ["approve_candidate", "current_rules", "evaluate", "publish_rule", "refuse_candidate", "withdraw_award"]
