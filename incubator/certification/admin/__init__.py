"""The staff desk's pages of this room: candidates with their evidence side by side, awards with theirs frozen."""

from incubator.certification.admin import awards, candidates, near_misses, people, rules, why

__all__ = ["awards", "candidates", "near_misses", "people", "rules", "why"]
