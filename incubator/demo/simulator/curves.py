"""How followers grow: a pure function of a curve and a day, the same for the same seed."""

import math
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b

KINDS = ("plateau", "steady", "rise", "burst", "sleepy")


@dataclass(frozen=True, slots=True)
class Curve:
    """From ``start`` followers on ``start_on`` to about ``end`` on ``end_on``, in the manner of ``kind``."""

    kind: str
    start_on: date
    start: int
    end_on: date
    end: int
    seed: int = 0

    @classmethod
    def from_json(cls, values: dict) -> "Curve":
        """Raises ``ValueError`` or ``KeyError`` for anything that is not a curve."""
        if values["kind"] not in KINDS:
            raise ValueError(f"unknown kind {values['kind']!r}")
        start_on, end_on = date.fromisoformat(values["start_on"]), date.fromisoformat(values["end_on"])
        if end_on <= start_on:
            raise ValueError("end_on must come after start_on")
        return cls(
            values["kind"], start_on, int(values["start"]), end_on, int(values["end"]), int(values.get("seed", 0))
        )


def followers_on(curve: Curve, day: date) -> int:
    """Followers on a day. Exact at both ends; between them never outside the two by more than the wobble, and a curve
    that ends below a number stays below it."""
    if day <= curve.start_on:
        return curve.start
    if day >= curve.end_on:
        return curve.end
    part = (day - curve.start_on).days / (curve.end_on - curve.start_on).days
    value = curve.start + (curve.end - curve.start) * _shape(curve, part)
    ceiling = max(curve.start, curve.end)
    return max(0, min(ceiling, round(value * (1 + _wobble(curve, day)))))


def _shape(curve: Curve, part: float) -> float:
    """How much of the way is made after ``part`` of the time, both 0 to 1."""
    if curve.kind == "plateau":  # quick at first, then hardly at all
        return 1 - math.exp(-5 * part) if part < 1 else 1.0
    if curve.kind == "rise":  # slow, a good stretch, slow again
        middle = 0.55 + 0.15 * _unit(curve, "middle")
        raw, low, high = (1 / (1 + math.exp(-9 * (x - middle))) for x in (part, 0.0, 1.0))
        return (raw - low) / (high - low)
    if curve.kind == "burst":  # a leap within two days
        leap = 0.5 + 0.2 * _unit(curve, "leap")
        return 0.1 * part if part < leap else 0.97 + 0.03 * part
    if curve.kind == "sleepy":
        return 0.0 if part < 0.5 else part
    return part


def _wobble(curve: Curve, day: date) -> float:
    """A few tenths of a per cent up and down: week-ends and small losses."""
    noise = _unit(curve, day.isoformat()) - 0.5
    return 0.002 * math.sin(2 * math.pi * day.weekday() / 7) + 0.003 * noise


def _unit(curve: Curve, what: str) -> float:
    """A number from 0 to 1 that is always the same for the same seed and purpose."""
    digest = blake2b(f"{curve.seed}:{what}".encode(), digest_size=4).digest()
    return int.from_bytes(digest) / 2**32


def default_curve(handle: str) -> Curve:
    """A creator nobody described: a small account that grows slowly over ten years."""
    seed = int.from_bytes(blake2b(handle.encode(), digest_size=4).digest())
    start = 200 + seed % 5000
    return Curve("steady", date(2020, 1, 1), start, date(2035, 1, 1), start * 3, seed)
