"""Charts of a page: places, gaps, lonely points, marks and ticks."""

import re
from datetime import date, timedelta

import pytest
from django.utils.translation import override

from incubator.common.charts import Curve, Mark, Point, curves_chart, day_ticks, history_chart, line_chart, number_ticks

DAY = date(2026, 6, 1)
END = DAY + timedelta(days=100)


def on(days):
    return DAY + timedelta(days=days)


def history(*points, **kwargs):
    """A chart of 100 days; points are ``(days, value)`` or ``(days, value, after_gap)``."""
    rows = [Point(on(days), *rest) for days, *rest in points]
    with override("en"):
        return history_chart(rows, label="Followers", since=DAY, until=END, **kwargs)


def lines(drawing):
    return re.findall(r'history-line" points="([^"]*)"', drawing)


def test_a_line_goes_from_the_left_to_the_right_and_up():
    [line] = lines(history((0, 100), (50, 150), (100, 200)))
    places = [tuple(map(float, place.split(","))) for place in line.split()]

    assert [x for x, _y in places] == [0, 500, 1000]
    assert places[0][1] > places[1][1] > places[2][1]


def test_a_gap_parts_the_line_and_a_lonely_reading_is_a_dot():
    points = [(n, 100 + n) for n in range(70)] + [(80, 190, True), (95, 200, True), (96, 201)]

    drawing = history(*points)

    assert [len(line.split()) for line in lines(drawing)] == [70, 2]
    assert re.search(r'history-dot" d="M800\.0 [\d.]+h0"', drawing)


def test_few_readings_are_dots_each():
    assert len(re.findall(r"h0", re.search(r'history-dot" d="([^"]*)"', history((0, 5), (9, 6), (20, 7)))[1])) == 3


def test_without_readings_there_is_no_chart():
    assert history() == ""
    assert curves_chart([Curve("A", [])], label="x", steps=26, every=4, unit="week %s") == ""


def test_only_the_next_threshold_and_those_in_view_are_drawn():
    drawing = history((0, 8_000), (100, 60_000), levels=[10_000, 100_000, 1_000_000])

    assert re.findall(r"history-level-name[^>]*>([\d,]+)<", drawing) == ["10,000", "100,000"]


def test_a_far_threshold_does_not_flatten_the_line():
    assert "history-level-name" not in history((0, 1_000), (100, 2_000), levels=[10_000])


def test_marks_have_a_lane_a_place_and_a_row_each():
    marks = [
        Mark(on(50), None, "level one, <b>", "grant", "Grant"),
        Mark(on(10), on(30), "Class A", "class", "Class"),
        Mark(on(-20), on(5), "Class B", "class", "Class"),
    ]

    drawing = history((0, 1), (100, 2), marks=marks)

    assert 'data-x="500.0"' in drawing and "level one, &lt;b&gt;" in drawing and "<b>," not in drawing
    assert 'data-x="100.0" data-width="200.0"' in drawing
    assert 'data-x="0.0" data-width="50.0"' in drawing  # cut at the left edge
    assert "Grant (1)" in drawing and "Class (2)" in drawing


def test_a_support_period_is_shaded_where_it_is_in_view_its_last_day_included():
    drawing = history((0, 1), (100, 2), windows=[(on(90), on(200)), (on(-9), on(-1)), (on(20), on(29))])

    assert re.findall(r'history-window" x="([\d.]+)" y="0" width="([\d.]+)"', drawing) == [
        ("900.0", "100.0"),
        ("200.0", "100.0"),
    ]


def test_what_is_no_fact_is_hollow_and_stays_on_the_drawing():
    drawing = history((0, 100), (100, 110), odd=[Point(on(50), 99_999_999, note="held: <9>")])

    assert 'history-odd-inside" d="M500.0 20.0h0"' in drawing
    assert "held: &lt;9&gt;" in drawing
    assert "99,999,999" not in drawing  # neither the line nor its scale knows it


def test_the_table_has_every_figure_with_its_change():
    drawing = history((0, 1_000), (100, 900))

    assert "1,000" in drawing and "-100" in drawing


@pytest.mark.parametrize("language", ["en", "zh-hans", "de"])
def test_places_are_digits_with_a_point_in_every_language(language):
    with override(language):
        drawing = history_chart([Point(DAY, 1), Point(on(1), 2)], label="x", since=DAY, until=on(3))

    assert 'points="0.0,' in drawing and 'data-since="2026-06-01"' in drawing


@pytest.mark.parametrize(("days", "count"), [(1, 0), (29, 4), (89, 3), (180, 6), (364, 4), (1000, 6), (3000, 8)])
def test_days_below_a_span_are_few_and_inside(days, count):
    ticks = day_ticks(DAY, on(days))

    assert len(ticks) == count
    assert all(DAY <= day <= on(days) for day, _text in ticks)


@pytest.mark.parametrize(("low", "high"), [(0, 7), (90_000, 130_000), (0, 1), (5, 1_999_999), (99.2, 140.1)])
def test_numbers_at_the_side_are_two_to_six_and_inside(low, high):
    ticks = number_ticks(low, high)

    assert 2 <= len(ticks) <= 6 and all(low <= tick <= high for tick in ticks)


def test_curves_are_told_apart_and_named():
    drawing = curves_chart(
        [Curve("A & B", [(0, 100.0), (26, 150.0)]), Curve("C", [(0, 120.0)])],
        label="Median",
        steps=26,
        every=13,
        unit="week %s",
    )

    assert re.findall(r'class="curve curve-(\d)" points="([^"]+)"', drawing)[0][1].startswith("0.0,")
    assert "A &amp; B" in drawing and ">week 0<" in drawing and ">13<" in drawing
    assert 'class="history-dot curve-1"' in drawing  # one number is a dot


def test_the_small_chart_stays_small():
    drawing = line_chart([(on(n), 100 + n) for n in range(90)], label="Followers", threshold=100_000)

    assert len(drawing) < 3_000 and "style=" not in drawing and "data-" not in drawing


def test_a_lonely_point_of_the_small_chart_is_a_line_to_itself():
    """A line of one point draws nothing; of the same point twice, with round ends, a dot."""
    drawing = line_chart([(date(2026, 9, 1), 5), (date(2026, 9, 20), 9)], label="x", days_between=7)

    lines = re.findall(r'points="([^"]+)"', drawing)
    assert len(lines) == 2 and all(len(set(line.split())) == 1 and len(line.split()) == 2 for line in lines)
