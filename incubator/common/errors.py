"""Refusals that are told to a person in a sentence."""


class RuleBroken(Exception):
    """A rule of the programme forbids this. ``str()`` of it is a sentence that says what to do next."""


class Stale(RuleBroken):
    """Somebody else changed the thing between the moment it was read and now."""
