"""The staff desk's pages of this room: rules and rehearsals, candidates and doubts about them, awards with evidence."""

from incubator.certification.admin import awards, candidates, flags, people, rehearsals, rules

__all__ = ["awards", "candidates", "flags", "people", "rehearsals", "rules"]
