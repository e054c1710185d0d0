"""Badges, versions of what they take, candidates who reached it, and awards with their evidence."""

from incubator.certification.models.awards import Award, AwardNumber, AwardQuerySet
from incubator.certification.models.candidates import Candidate, CandidateEvent, CandidateQuerySet
from incubator.certification.models.checks import AwardCheck
from incubator.certification.models.evaluations import (
    Evaluation,
    Recheck,
    RecheckDay,
    Rehearsal,
    RehearsalCounty,
    RehearsalPerson,
)
from incubator.certification.models.flags import Flag, NearMiss, Work
from incubator.certification.models.rules import Badge, Rule

__all__ = [
    "Award",
    "AwardCheck",
    "AwardNumber",
    "AwardQuerySet",
    "Badge",
    "Candidate",
    "CandidateEvent",
    "CandidateQuerySet",
    "Evaluation",
    "Flag",
    "NearMiss",
    "Recheck",
    "RecheckDay",
    "Rehearsal",
    "RehearsalCounty",
    "RehearsalPerson",
    "Rule",
    "Work",
]
