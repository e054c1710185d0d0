"""Cohorts beside each other: standing, growth and curves from the beginning of support, for who may see whom."""

from datetime import date, timedelta
from statistics import median

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from incubator.metrics import cohorts
from incubator.metrics.cohorts import compare_cohorts
from incubator.metrics.models import Crossing
from tests import factories
from tests.desk.world import county_staff
from tests.factories import CohortFactory, CreatorAccountFactory, ParticipationFactory, graduate_row, reading, superuser

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 20)
PAGE = "admin:metrics_creatoraccount_cohorts"


def back(days):
    return TODAY - timedelta(days=days)


def person(cohort, started, readings=None, *, code="622927", **kwargs):
    """Somebody whose support began ``started`` days ago; ``readings`` by days since then."""
    trainee = factories.TraineeFactory(county=factories.region(code))
    graduate_row(back(started), cohort=cohort, trainee=trainee)
    account = CreatorAccountFactory(trainee=trainee, **kwargs)
    for age, followers in (readings or {}).items():
        reading(account, back(started - age), followers)
    return account


def figures(*chosen, user=None):
    return compare_cohorts(chosen, user=user or superuser(), on=TODAY)


def weeks(found):
    return {week.week: (week.people, week.median) for week in found.weeks}


def test_standing_is_counted_by_person():
    cohort = CohortFactory()
    person(cohort, 10, {10: 5_000})
    person(cohort, 20, {5: 200_000})
    two = person(cohort, 10, {8: 20_000})
    reading(CreatorAccountFactory(trainee=two.trainee, platform="douyin"), back(1), 90_000)
    person(cohort, 10, {}, state="unlinked")
    ParticipationFactory(cohort=cohort)
    ParticipationFactory(cohort=cohort, state="refused")

    [found] = figures(cohort)

    assert (found.people, found.started, found.connected, found.fresh, found.read) == (5, 4, 3, 2, 3)
    assert found.coverage == 66 and found.as_of == TODAY
    assert found.median == 90_000 and round(found.mean) == round((5_000 + 200_000 + 90_000) / 3)
    assert found.total == 5_000 + 200_000 + 90_000 + 20_000
    assert (found.over_10k, found.over_100k) == (2, 1)


def test_who_reached_a_number_and_lost_it_has_reached_it():
    cohort = CohortFactory()
    account = person(cohort, 100, {100: 95_000})
    Crossing.objects.create(account=account, threshold=100_000, day=back(50), followers=101_000)

    assert figures(cohort)[0].over_100k == 1


def test_unknown_is_nothing_and_never_zero():
    [found] = figures(CohortFactory())

    assert (found.people, found.coverage, found.median, found.mean, found.total, found.as_of) == (0,) + (None,) * 5
    assert found.share(0) is None and found.weeks == [] and found.growth == {}


def test_curves_are_aligned_to_the_beginning_of_each_ones_support():
    cohort = CohortFactory()
    person(cohort, 200, {0: 100, 7: 200, 14: 300})
    person(cohort, 30, {0: 300, 7: 400, 14: 900})

    found = figures(cohort)[0]

    assert {w: weeks(found)[w] for w in (0, 1, 2)} == {0: (2, 200), 1: (2, 300), 2: (2, 600)}
    assert [week.index for week in found.weeks[:3]] == [100, median([200, 400 / 3]), 300]


def test_a_week_keeps_the_last_reading_for_three_weeks_and_not_longer():
    cohort = CohortFactory()
    person(cohort, 100, {-3: 100, 9: 150, 70: 500})

    assert {week: value for week, (_people, value) in weeks(figures(cohort)[0]).items()} == {
        0: 100,
        1: 100,
        2: 150,
        3: 150,
        4: 150,
        10: 500,
        11: 500,
        12: 500,
    }


def test_a_week_that_is_not_over_is_not_told():
    cohort = CohortFactory()
    person(cohort, 9, {0: 100, 7: 110, 9: 190})

    assert weeks(figures(cohort)[0]) == {0: (1, 100), 1: (1, 110)}


def test_growth_is_told_once_the_days_are_over_and_of_those_read_at_both_ends():
    cohort = CohortFactory()
    person(cohort, 95, {-2: 1_000, 29: 1_500, 88: 3_000})
    person(cohort, 40, {0: 100, 30: 300})
    person(cohort, 95, {30: 500})  # not read at the beginning
    person(cohort, 29, {0: 100, 29: 999})  # not 30 days yet
    person(cohort, 95, {0: 100, 5: 999})  # not read near the 30th day

    growth = figures(cohort)[0].growth

    assert set(growth) == {30, 90}
    assert (growth[30].people, growth[30].mean) == (2, (500 + 200) / 2)
    assert (growth[90].people, growth[90].mean) == (1, 2_000)


def test_the_last_day_of_the_days_counts_and_the_next_does_not():
    cohort = CohortFactory()
    person(cohort, 60, {0: 100, 30: 300, 31: 999_999})

    assert figures(cohort)[0].growth[30].mean == 200


def test_growth_follows_one_account_a_person():
    cohort = CohortFactory()
    account = person(cohort, 60, {0: 1_000, 30: 1_200})
    late = CreatorAccountFactory(trainee=account.trainee, platform="douyin")
    for age, followers in {20: 500_000, 30: 510_000}.items():
        reading(late, back(60 - age), followers)

    assert figures(cohort)[0].growth[30].mean == 200


def test_a_first_reading_within_a_week_is_where_somebody_began():
    soon, late = CohortFactory(), CohortFactory()
    person(soon, 60, {7: 100, 30: 300})
    person(late, 60, {8: 100, 30: 300})

    first, second = figures(soon, late)

    assert first.growth[30].mean == 200 and first.based == 1
    assert second.growth == {} and (second.based, second.followed) == (0, 1)


def test_months_closed_and_open_are_read_as_one():
    """The edge between the two ways of reading lies in the middle of this curve."""
    cohort = CohortFactory()
    person(cohort, 120, {age: 1_000 + age for age in range(121)})

    assert weeks(figures(cohort)[0]) == {week: (1, 1_000 + 7 * week) for week in range(18)}


def test_withdrawn_people_have_no_curve():
    cohort = CohortFactory()
    account = person(cohort, 60, {0: 100})
    account.trainee.participations.update(state="withdrawn")

    [found] = figures(cohort)

    assert found.people == 1 and found.weeks == []


def test_a_large_cohort_is_told_from_a_part_of_its_people(monkeypatch):
    monkeypatch.setattr(cohorts, "SAMPLE", 3)
    cohort = CohortFactory()
    for n in range(8):
        person(cohort, 60, {0: 100 + n})

    first, again = figures(cohort)[0], figures(cohort)[0]

    assert first.people == 8 and first.followed == 3 and first.weeks == again.weeks


def test_lines_end_where_fewer_than_four_in_five_have_come():
    cohort = CohortFactory()
    for started in (15, 15, 60, 60, 60, 60):
        person(cohort, started, {0: 100, 14: 200, 21: 300})

    assert [week.week for week in figures(cohort)[0].steady_weeks] == [0, 1, 2]
    assert max(week.week for week in figures(cohort)[0].weeks) == 5


def test_people_of_other_regions_are_not_counted():
    cohort = CohortFactory()
    person(cohort, 60, {0: 100})
    person(cohort, 60, {0: 900}, code="520526")
    staff, nobody = county_staff("622927"), factories.UserFactory(is_staff=True)

    [seen] = figures(cohort, user=staff)
    [unseen] = figures(cohort, user=nobody)

    assert (seen.people, seen.median, weeks(seen)[0]) == (1, 100, (1, 100))
    assert (unseen.people, unseen.weeks) == (0, [])


def test_the_page_tells_nothing_of_other_regions(client):
    cohort = CohortFactory(starts_on=date(2026, 5, 1))
    person(cohort, 60, {0: 123_457}, code="520526")
    client.force_login(county_staff("622927"))

    page = client.get(reverse(PAGE)).content.decode()

    assert cohort.name in page and "123,457" not in page


def test_two_statements_whatever_the_number_of_people(client):
    cohort = CohortFactory()
    user = superuser()

    def queries():
        with CaptureQueriesContext(connection) as captured:
            figures(cohort, user=user)
        return len(captured)

    person(cohort, 60, {0: 100})
    one = queries()
    for _n in range(20):
        person(cohort, 60, {0: 100, 7: 200})
    assert queries() == one == 2


# --- The page ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def staff(client):
    client.force_login(superuser())
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def shown(client, *chosen, **query):
    return client.get(reverse(PAGE), {"cohort": [c.pk for c in chosen], **query} if chosen else query)


def test_the_newest_are_compared_at_first(staff):
    found = [CohortFactory(starts_on=date(2026, n, 1)) for n in range(1, 6)]

    compared = [figures.cohort for figures in shown(staff).context["found"]]

    assert compared == found[:1:-1]


def test_chosen_cohorts_are_compared_and_drawn_either_way(staff):
    chosen = [CohortFactory(), CohortFactory()]
    for number, cohort in enumerate(chosen):
        person(cohort, 60, {0: 1_000 * (number + 1), 30: 5_000})

    page, index = shown(staff, *chosen), shown(staff, *chosen, show="index")

    assert {figures.cohort for figures in page.context["found"]} == set(chosen)
    for answer in (page, index):
        assert answer.content.decode().count("<polyline") == 2
    assert "250.0" in index.content.decode() and "250.0" not in page.content.decode().split("<table")[2]


@pytest.mark.parametrize("count", [1, 7])
def test_fewer_than_two_or_more_than_six_are_refused(staff, count):
    answer = shown(staff, *[CohortFactory() for _n in range(count)])

    assert answer.context["error"] and answer.context["found"] == []


def test_a_cohort_that_does_not_exist_is_refused(staff):
    answer = staff.get(reverse(PAGE), {"cohort": ["999", "x"]})

    assert answer.status_code == 200 and answer.context["found"] == [] and answer.context["error"]


def test_without_cohorts_the_page_says_so(staff):
    assert "There is no cohort yet." in shown(staff).content.decode()


def test_without_the_permission_there_is_no_page_and_no_entry_in_the_menu(client):
    client.force_login(factories.official("622927", is_staff=True))

    assert client.get(reverse(PAGE)).status_code == 403
    assert reverse(PAGE) not in client.get(reverse("admin:index")).content.decode()


def test_the_list_and_the_menu_lead_there(staff):
    for url in (reverse("admin:index"), reverse("admin:metrics_creatoraccount_changelist")):
        assert reverse(PAGE) in staff.get(url).content.decode()


def test_queries_of_the_page_do_not_grow(staff):
    chosen = [CohortFactory(), CohortFactory()]

    def queries():
        with CaptureQueriesContext(connection) as captured:
            shown(staff, *chosen)
        return len(captured)

    person(chosen[0], 60, {0: 100})
    queries()
    one = queries()
    for cohort in [*chosen, CohortFactory(), CohortFactory()]:
        for _n in range(5):
            person(cohort, 60, {0: 100, 30: 200})
    assert queries() == one
