"""The staff desk's pages of this room: rules and rehearsals, candidates and doubts about them, awards with evidence."""

from incubator.certification.admin import awards, candidates, flags, near_misses, people, rehearsals, rules, why

__all__ = ["awards", "candidates", "flags", "near_misses", "people", "rehearsals", "rules", "why"]
