"""The figures equal what a person counts in the rows, at every level, and cost the same for one row as for many."""

from dataclasses import asdict, replace
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection

from incubator.regions.models import Region
from incubator.reports.queries import (
    CountyFigures,
    county_figures,
    coverage_lines,
    figures_below,
    followers_by_week,
    one_moment,
    trainee_lines,
)
from tests import factories
from tests.reports.world import CITY, IN_A, IN_B, PERIOD, PREFECTURE, PROVINCE, TODAY, A, B, C, D, make_country

pytestmark = pytest.mark.django_db

OTHERS = {C: 20, D: 300, CITY: 4_000}


@pytest.fixture
def country():
    return make_country()


def figures(code, period=PERIOD, as_of=TODAY):
    return county_figures(Region.objects.get(code=code) if code else None, period, as_of=as_of)


def alone(followers):
    """Somebody like the one of county B."""
    return replace(IN_B, followers=followers)


def together(*parts):
    """Figures of places that share nobody, added up."""
    known = [{name: value for name, value in asdict(part).items() if value is not None} for part in parts]
    sums = {name: sum(some.get(name, 0) for some in known) for name in asdict(IN_A) if name != "as_of"}
    return CountyFigures(**sums, as_of=max(some["as_of"] for some in known))


def test_county_is_counted_as_by_hand(country):
    assert figures(A) == IN_A
    assert figures(A).class_hours == Decimal("16.0")
    assert figures(A).coverage == 50
    assert figures(B) == IN_B


@pytest.mark.parametrize(
    ("code", "parts"),
    [
        (PREFECTURE, [IN_A, IN_B]),
        (PROVINCE, [IN_A, IN_B, alone(20)]),
        (CITY, [alone(4_000)]),
        ("440000", [alone(4_000)]),
        (None, [IN_A, IN_B, alone(20), alone(300), alone(4_000)]),
    ],
)
def test_upper_levels_add_up_their_counties(country, code, parts):
    assert figures(code) == together(*parts)


def test_each_county_below_has_its_own_figures(country):
    below = figures_below(None, PERIOD, as_of=TODAY)

    assert below == {A: IN_A, B: IN_B, **{code: alone(followers) for code, followers in OTHERS.items()}}
    assert set(figures_below(Region.objects.get(code=PREFECTURE), PERIOD, as_of=TODAY)) == {A, B}


def test_place_without_people_has_nothing_and_unknown_followers():
    empty = county_figures(factories.region("511321"), PERIOD, as_of=TODAY)

    assert empty == CountyFigures()
    assert empty.followers is None and empty.growth is None and empty.coverage is None and empty.as_of is None


def test_an_account_nobody_read_is_unknown_not_zero():
    person = factories.ParticipationFactory().trainee
    factories.CreatorAccountFactory(trainee=person)

    found = figures(person.county_id)
    [line] = trainee_lines(person.county, PERIOD, as_of=TODAY)

    assert found.accounts == found.connected == 1 and found.read == found.compared == 0
    assert found.followers is None and found.growth is None and found.as_of is None
    assert line.last_followers is None and line.growth is None and line.read_on is None


def test_an_account_not_read_in_the_period_has_no_growth(country):
    lines = {line.name: line for line in trainee_lines(Region.objects.get(code=A), PERIOD, as_of=TODAY)}

    assert (lines["甲四"].first_followers, lines["甲四"].last_followers, lines["甲四"].growth) == (10_000, 10_000, None)


def test_lines_say_the_same_as_the_figures(country):
    lines = list(trainee_lines(Region.objects.get(code=A), PERIOD, as_of=TODAY))

    assert [line.name for line in lines] == ["甲一", "甲二", "甲四", "甲六"]
    assert [line.state for line in lines] == ["graduated", "withdrawn", "concluded", "training"]
    assert [line.graduated_on for line in lines] == [date(2026, 8, 1), None, date(2026, 6, 15), date(2026, 7, 20)]
    assert [line.days for line in lines] == [3, 1, 0, 1]
    assert sum(line.minutes for line in lines) == IN_A.minutes
    assert [line.last_followers for line in lines] == [120_000, None, 10_000, 1_150]
    assert [line.growth for line in lines] == [30_000, None, None, 50]
    assert [line.impressions for line in lines] == [1_000, 0, 0, 234]
    assert [bool(line.award) for line in lines] == [True, False, False, True]
    assert lines[3].handle == "ksold、ksnew"


def test_report_before_the_period_ends_stands_for_today(country):
    early = figures(A, as_of=date(2026, 9, 23))

    assert early.followers == 90_000 + 10_000 + 100 + 1_000
    assert early.as_of == date(2026, 9, 23) and early.fresh == 1


def test_period_that_has_not_begun_shows_what_is_known(country):
    later = figures(A, period=PERIOD.next().next(), as_of=TODAY)

    assert later.followers == 500_000 + 10_000 + 1_150 + 44_444
    assert later.growth is None and later.trained == 0


def test_weeks_end_at_the_figure_of_the_report(country):
    weeks = followers_by_week(Region.objects.get(code=A), PERIOD, as_of=TODAY)

    assert weeks[-1] == (date(2026, 9, 30), IN_A.followers)
    assert weeks[0] == (date(2026, 7, 1), 90_000 + 10_000 + 100)
    assert len(weeks) == 14


def test_number_of_queries_does_not_grow_with_people(country, django_assert_num_queries):
    for _n in range(30):
        person = factories.graduate_row(trainee__county=Region.objects.get(code=A)).trainee
        factories.reading(factories.CreatorAccountFactory(trainee=person), date(2026, 9, 1), 5)

    with django_assert_num_queries(1):
        assert figures_below(None, PERIOD, as_of=TODAY)[A].trainees == 34
    with django_assert_num_queries(1):
        assert len(list(trainee_lines(None, PERIOD, as_of=TODAY))) == 38
    with django_assert_num_queries(1):
        followers_by_week(None, PERIOD, as_of=TODAY)


@pytest.mark.django_db(transaction=True)
def test_one_moment_does_not_see_what_others_change_meanwhile():
    from concurrent.futures import ThreadPoolExecutor

    county = factories.region(A)

    def somebody_else():
        factories.ParticipationFactory(trainee__county=county)
        connection.close()

    with one_moment():
        before = county_figures(county, PERIOD, as_of=TODAY)
        with ThreadPoolExecutor(1) as other:
            other.submit(somebody_else).result()
        lines = trainee_lines(county, PERIOD, as_of=TODAY)

    assert before.trainees == len(list(lines)) == 0
    assert county_figures(county, PERIOD, as_of=TODAY).trainees == 1


def test_coverage_is_told_by_platform_and_by_cohort_as_of_the_reports_last_day(country):
    lines = coverage_lines(Region.objects.get(code=A), PERIOD, as_of=TODAY)

    [platform, *cohorts] = lines
    assert (platform.kind, platform.connected, platform.fresh, platform.percent) == (
        "platform",
        IN_A.connected,
        IN_A.fresh,
        IN_A.coverage,
    )
    assert (platform.never, platform.oldest, platform.newest) == (1, date(2026, 9, 23), date(2026, 9, 30))
    # Of the person with two participations both accounts count in both cohorts.
    assert sum(line.connected for line in cohorts) == IN_A.connected + 2
    assert all(line.kind == "cohort" for line in cohorts)
    assert coverage_lines(factories.region("511321"), PERIOD, as_of=TODAY) == []


def test_coverage_of_a_region_is_of_its_own_accounts(country):
    [platform, _cohort] = coverage_lines(Region.objects.get(code=B), PERIOD, as_of=TODAY)
    assert (platform.connected, platform.newest) == (1, date(2026, 9, 25))
    national = coverage_lines(None, PERIOD, as_of=TODAY)
    assert national[0].connected == figures(None).connected
