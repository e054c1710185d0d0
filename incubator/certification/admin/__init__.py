"""The staff desk's pages of this room: candidates with their evidence side by side, awards with theirs frozen."""

from incubator.certification.admin import awards, candidates, people, rules

__all__ = ["awards", "candidates", "people", "rules"]
