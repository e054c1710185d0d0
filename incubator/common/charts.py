"""Charts as inline SVG, made on the server: no script, no request.

``line_chart`` is small and under a kilobyte compressed. ``history_chart`` and ``curves_chart`` fill a page of the desk:
their drawing is stretched to the width there is, and their words are HTML laid over it, so that they are as readable on
a phone as on a wall. Places on them are numbers of 0 to 1000, from the left and from the top.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

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
            " ".join(f"{scale.x(day)},{scale.y(value)}" for day, value in (run if len(run) > 1 else run * 2))
            for run in _runs(points, days_between)  # one alone is a line to itself: a dot
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


# --- Charts of a whole page -------------------------------------------------------------------------------------------

UNIT = 1000
TOPMOST = 50  # of 1000: words higher up than that are cut
DOTS_UP_TO = 60  # points; more of them would hide the line
SYMBOLS = {"grant": "▼", "crossing": "◆", "class": "■"}


@dataclass(frozen=True, slots=True)
class Point:
    """A number of a day. ``after_gap``: so long after the one before that no line may join them."""

    day: date
    value: int
    after_gap: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened on a day, or from a day until another, both included.

    ``kind`` is the name by which it is drawn, ``kind_label`` the same for people, ``label`` what it was.
    """

    day: date
    until: date | None
    label: str
    kind: str
    kind_label: Any

    @property
    def ends_on(self) -> date:
        return self.until or self.day


@dataclass(frozen=True, slots=True)
class _Field:
    """What a chart of a page shows: numbers from ``left`` to ``right``, and from ``low`` to ``high``."""

    left: float
    right: float
    low: float
    high: float

    def x(self, place: float) -> str:
        return _place((place - self.left) / max(1, self.right - self.left))

    def y(self, value: float) -> str:
        return _place(1 - (value - self.low) / (self.high - self.low))


def _place(share: float) -> str:
    """Within the drawing, as digits with a point, whatever the language of the page."""
    return f"{min(1.0, max(0.0, share)) * UNIT:.1f}"


def history_chart(
    points: Sequence[Point],
    *,
    label: str,
    since: date,
    until: date,
    levels: Sequence[int] = (),
    windows: Iterable[tuple[date, date]] = (),
    marks: Sequence[Mark] = (),
    odd: Iterable[Point] = (),
) -> SafeString:
    """The days from ``since`` to ``until`` with numbers as a line and what happened beside it; empty without points.

    ``levels`` are numbers that mean something, drawn where the line comes near; ``windows`` shaded spans; ``odd`` are
    numbers that are no facts, hollow, at the edge when they lie beyond it. Lines and places carry ``data-`` attributes
    for ``static/admin/followers.js``, which zooms and reads off; without it the picture and the table are all there.
    """
    if not points:
        return SafeString("")
    field = _history_field(points, since, until, levels)
    context = {
        "label": label,
        "since": since,
        "until": until,
        "days": (until - since).days,
        **_axes(field, [(field.x(day.toordinal()), text) for day, text in day_ticks(since, until)], levels),
        "levels": [(field.y(level), f"{level:,}") for level in levels if field.low < level < field.high],
        "windows": list(_windows(field, windows)),
        "lines": [" ".join(run) for run in _joined(field, points)],
        "dots": [_at(field, p) for p in points] if len(points) <= DOTS_UP_TO else list(_lonely(field, points)),
        "odd": [{"place": _within(field, p), "day": p.day, "note": p.note} for p in odd if since <= p.day <= until],
        "lanes": list(_lanes(field, marks)),
        "rows": _figure_rows(field, points),
    }
    return SafeString(render_to_string("components/history_chart.html", context))


def _history_field(points: Sequence[Point], since: date, until: date, levels: Sequence[int]) -> _Field:
    values = [point.value for point in points]
    low, high = float(min(values)), float(max(values))
    near = [level for level in levels if low < level and level / 2 <= high]
    ahead = next((level for level in sorted(near) if level > high), high)
    low, high = _with_margin(low, max(high, ahead))
    return _Field(since.toordinal(), until.toordinal(), low, high)


def _with_margin(low: float, high: float) -> tuple[float, float]:
    margin = (high - low) * 0.08 or max(1, high * 0.08)
    return max(0, low - margin), high + margin


def _axes(field: _Field, across: list[tuple[str, str]], named: Sequence[int] = ()) -> dict[str, Any]:
    """Words below and at the side; not those that are ``named`` already, nor at the very top where they are cut."""
    ticks = [value for value in number_ticks(field.low, field.high) if value not in named]
    up = [(field.y(value), _short(value)) for value in ticks]
    return {"across": across, "up": [(y, text) for y, text in up if float(y) > TOPMOST]}


def _short(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def _at(field: _Field, point: Point) -> tuple[str, str]:
    return field.x(point.day.toordinal()), field.y(point.value)


def _within(field: _Field, point: Point) -> tuple[str, str]:
    """Where a number is drawn that may lie beyond the drawing: at its edge, wholly to be seen."""
    x, y = _at(field, point)
    return x, f"{min(UNIT - 20.0, max(20.0, float(y))):.1f}"


def _windows(field: _Field, windows: Iterable[tuple[date, date]]) -> Iterable[tuple[str, str]]:
    """Left edge and width of what of each span lies on the drawing; a day has a width, its last one too."""
    for start, end in windows:
        left, right = max(field.left, start.toordinal()), min(field.right, end.toordinal() + 1)
        if left < right:
            yield field.x(left), f"{float(field.x(right)) - float(field.x(left)):.1f}"


def _joined(field: _Field, points: Sequence[Point]) -> list[list[str]]:
    """Places of points in pieces without a gap between; a piece of one is a dot and no line."""
    runs: list[list[str]] = []
    for point in points:
        if not runs or point.after_gap:
            runs.append([])
        runs[-1].append(",".join(_at(field, point)))
    return [run for run in runs if len(run) > 1]


def _lonely(field: _Field, points: Sequence[Point]) -> Iterable[tuple[str, str]]:
    for number, point in enumerate(points):
        starts = number == 0 or point.after_gap
        ends = number + 1 == len(points) or points[number + 1].after_gap
        if starts and ends:
            yield _at(field, point)


def _lanes(field: _Field, marks: Sequence[Mark]) -> Iterable[dict[str, Any]]:
    """Marks by kind, each kind a line of its own below the drawing."""
    for kind in dict.fromkeys(mark.kind for mark in marks):
        own = [mark for mark in marks if mark.kind == kind]
        yield {
            "kind": kind,
            "name": own[0].kind_label,
            "symbol": SYMBOLS.get(kind, "●"),
            "marks": [_mark(field, mark) for mark in own],
        }


def _mark(field: _Field, mark: Mark) -> dict[str, Any]:
    day, last = mark.day.toordinal(), mark.ends_on.toordinal()
    return {
        "x": field.x(day),
        "width": f"{float(field.x(last)) - float(field.x(day)):.1f}",
        "is_inside": field.left <= day <= field.right,
        "day": mark.day,
        "until": mark.until if mark.until != mark.day else None,
        "label": mark.label,
    }


def _figure_rows(field: _Field, points: Sequence[Point]) -> list[dict[str, Any]]:
    """The same numbers for a table: with the change from the one before."""
    changes = [None, *(after.value - before.value for before, after in pairwise(points))]
    rows = []
    for point, change in zip(points, changes, strict=True):
        x, y = _at(field, point)
        gained = "" if change is None else f"{change:+,}"
        rows.append(
            {"x": x, "y": y, "day": point.day, "value": f"{point.value:,}", "change": gained, "note": point.note}
        )
    return rows


def number_ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers between two numbers, at most ``most`` of them."""
    step = 1.0
    while (high - low) / step > most:
        step *= 2.5 if str(step).startswith("2") else 2
    first = -(-low // step)
    return [step * n for n in range(int(first), int(high // step) + 1)]


def day_ticks(since: date, until: date) -> list[tuple[date, str]]:
    """Days to be named below a span: every week of a short one, else the first of every month, quarter or year."""
    days = (until - since).days
    if days <= 45:
        return [(until - timedelta(days=n), f"{until - timedelta(days=n):%m-%d}") for n in range(3, days - 1, 7)][::-1]
    every = next((months for months, most in ((1, 190), (3, 500), (6, 1100)) if days <= most), 12)
    firsts = [month for month in _months(since, until) if (month.month - 1) % every == 0]
    return [(month, f"{month:%Y-%m}") for month in firsts]


def _months(since: date, until: date) -> Iterable[date]:
    month = since if since.day == 1 else (since.replace(day=28) + timedelta(days=4)).replace(day=1)
    while month <= until:
        yield month
        month = (month.replace(day=28) + timedelta(days=4)).replace(day=1)


@dataclass(frozen=True, slots=True)
class Curve:
    """A named line of numbers by step, a step being whatever the chart counts."""

    name: str
    values: Sequence[tuple[int, float]]


def curves_chart(curves: Sequence[Curve], *, label: str, steps: int, every: int, unit: str) -> SafeString:
    """Several lines over steps 0 to ``steps``, told apart by colour and by dashes; empty without any number.

    Every ``every``-th step is numbered, the first with ``unit`` (``"week %s"``): on a phone there is room for no more.
    """
    values = [value for curve in curves for _step, value in curve.values]
    if not values:
        return SafeString("")
    field = _Field(0, steps, *_with_margin(min(values), max(values)))
    context = {
        "label": label,
        **_axes(field, [(field.x(step), str(step) if step else unit % step) for step in range(0, steps + 1, every)]),
        "curves": [
            (number, curve.name, " ".join(f"{field.x(step)},{field.y(value)}" for step, value in curve.values))
            for number, curve in enumerate(curves)
        ],
        "dots": [
            (number, field.x(curve.values[0][0]), field.y(curve.values[0][1]))
            for number, curve in enumerate(curves)
            if len(curve.values) == 1
        ],
    }
    return SafeString(render_to_string("components/curves_chart.html", context))
