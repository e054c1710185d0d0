"""Badges, versions of what they take, candidates who reached it, and awards with their evidence."""

from incubator.certification.models.awards import Award, AwardNumber, AwardQuerySet
from incubator.certification.models.candidates import Candidate, CandidateQuerySet
from incubator.certification.models.rules import Badge, Rule

__all__ = ["Award", "AwardNumber", "AwardQuerySet", "Badge", "Candidate", "CandidateQuerySet", "Rule"]
