"""Small charts as inline SVG, made on the server: no script, no request, under a kilobyte compressed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

WIDTH, HEIGHT = 640, 180
LEFT, RIGHT, TOP, BOTTOM = 8, 8, 12, 20


@dataclass(frozen=True, slots=True)
class _Scale:
    """Days and numbers to places on the drawing."""

    first: date
    days: int
    low: float
    high: float

    def x(self, day: date) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * (day - self.first).days / self.days, 1)

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share, 1)


def line_chart(
    points: Sequence[tuple[date, int]],
    *,
    label: str,
    threshold: int | None = None,
    window: tuple[date, date] | None = None,
    mark: date | None = None,
    days_between: int = 1,
) -> SafeString:
    """Numbers by day as a line, in order of days; empty for fewer than two.

    A day without a number is a gap in the line, not a zero. ``threshold`` is a level line (drawn once the numbers come
    within half of it), ``window`` a shaded span of days, ``mark`` a day with a dot. Numbers come
    every ``days_between`` days.
    """
    if len(points) < 2:
        return SafeString("")
    scale = _scale(points, threshold)
    near = threshold is not None and scale.high >= threshold
    marked = next(((day, value) for day, value in points if day == mark), None)
    context = {
        "label": label,
        "width": WIDTH,
        "height": HEIGHT,
        "base": HEIGHT - BOTTOM,
        "top": TOP,
        "lines": [
            " ".join(f"{scale.x(day)},{scale.y(value)}" for day, value in run) for run in _runs(points, days_between)
        ],
        "threshold_y": scale.y(threshold) if near and threshold is not None else None,
        "threshold": f"{threshold:,}" if near else "",
        "window": _span(scale, window, points) if window else None,
        "dot": (scale.x(marked[0]), scale.y(marked[1])) if marked else None,
        "first": _words(points[0]),
        "last": _words(points[-1]),
    }
    return SafeString(render_to_string("components/line_chart.html", context))


def _words(point: tuple[date, int]) -> str:
    return f"{point[0]} · {point[1]:,}"


def _scale(points: Sequence[tuple[date, int]], threshold: int | None) -> _Scale:
    values = [value for _day, value in points]
    low, high = min(values), max(values)
    if threshold is not None and threshold / 2 <= high:
        low, high = min(low, threshold), max(high, threshold)
    margin = (high - low) * 0.08 or max(1, high * 0.08)
    days = max(1, (points[-1][0] - points[0][0]).days)
    return _Scale(points[0][0], days, max(0, low - margin), high + margin)


def _runs(points: Sequence[tuple[date, int]], days_between: int) -> list[list[tuple[date, int]]]:
    """The points in pieces without a missing one between."""
    runs: list[list[tuple[date, int]]] = []
    for day, value in points:
        if runs and day - runs[-1][-1][0] <= timedelta(days=days_between):
            runs[-1].append((day, value))
        else:
            runs.append([(day, value)])
    return runs


def _span(scale: _Scale, window: tuple[date, date], points: Sequence[tuple[date, int]]) -> tuple[float, float] | None:
    """Left edge and width of the part of ``window`` that lies on the drawing."""
    start, end = max(window[0], points[0][0]), min(window[1], points[-1][0])
    return (scale.x(start), round(scale.x(end) - scale.x(start), 1)) if start <= end else None
