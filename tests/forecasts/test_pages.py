"""What staff see and what a trainee reads."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.translation import override

from incubator.forecasts.choices import Band
from incubator.forecasts.models import BackTest, Forecast
from incubator.forecasts.services import make_forecasts
from incubator.portal.forecast import outlook_of
from tests.desk.world import county_staff
from tests.factories import RuleFactory, superuser
from tests.forecasts.test_services import PACES, awarded
from tests.forecasts.world import TODAY, growing, learned, supported

pytestmark = pytest.mark.django_db

LIST = "admin:forecasts_forecast_changelist"


@pytest.fixture(autouse=True)
def rule():
    learned()
    return RuleFactory(followers=100_000)


def back_tested(cases=200, held=160):
    about = {"since": TODAY, "until": TODAY, "accounts": 50, "measured_on": TODAY}
    BackTest.objects.create(horizon=7, cases=cases, held=held, median_error=0.0123, naive_error=0.02, **about)
    BackTest.objects.create(horizon=0, cases=40, held=36, median_error=4, **about)


def page(client, url, **query):
    return client.get(url, query, headers={"accept-language": "en"}).content.decode()


def address(name, *args):
    return reverse(f"admin:{name}", args=args)


# --- Staff ------------------------------------------------------------------------------------------------------------


def shown(client, **query):
    response = client.get(reverse(LIST), query)
    return [row.pk for row in response.context["cl"].result_list]


def test_the_list_stands_in_the_order_of_looking_and_is_narrowed(client):
    people = {pace: supported(growing(60_000, pace), left=59) for pace in PACES}
    soon = supported(account=False, left=5)
    make_forecasts(on=TODAY)
    row = {person.pk: Forecast.objects.get(participation=person).pk for person in (*people.values(), soon)}
    client.force_login(superuser())

    assert shown(client) == [row[person.pk] for person in (people[680], people[600], soon, people[900], people[0])]
    assert shown(client, band=Band.WITHIN_REACH) == [row[people[680].pk]]
    assert shown(client, band="none") == [row[soon.pk]]
    assert shown(client, ends="7") == [row[soon.pk]]
    assert len(shown(client, ends="60")) == 5
    assert shown(client, participation__cohort__id__exact=soon.cohort_id) == [row[soon.pk]]
    assert shown(client, participation__trainee__county__code__exact="520526") == []
    assert shown(client, q=people[0].trainee.number) == [row[people[0].pk]]


def test_the_list_says_how_far_to_trust_it(client):
    client.force_login(superuser())
    before = page(client, reverse(LIST))
    back_tested(cases=1_234, held=987)
    after = page(client, reverse(LIST))

    assert "not known yet" in before
    assert "1,234 earlier forecasts" in after and "80%" in after and "in 80% of cases" in after


def test_a_page_shows_what_is_known_what_is_expected_and_the_fan(client):
    supported(growing(90_000, 250), left=50)
    make_forecasts(on=TODAY)
    back_tested()
    client.force_login(superuser())

    text = page(client, address("forecasts_forecast_change", Forecast.objects.get().pk))

    for words in ("10,000", "+250", "on course", "lower end of the range", "over 200 earlier forecasts"):
        assert words in text, words


def test_beyond_sixty_days_and_without_history_the_page_says_so(client):
    supported(growing(90_000, 250), left=100)
    make_forecasts(on=TODAY)
    client.force_login(superuser())

    text = page(client, address("forecasts_forecast_change", Forecast.objects.get().pk))

    assert "beyond 60 days is a rough estimate" in text
    assert "promises nothing" in text


@pytest.mark.parametrize("kind", ["trainee", "participation"])
def test_pages_of_people_carry_their_forecast(client, kind):
    person = supported(growing(90_000, 250), left=50)
    make_forecasts(on=TODAY)
    client.force_login(superuser())
    urls = {
        "trainee": address("trainees_trainee_change", person.trainee_id),
        "participation": address("programmes_participation_change", person.pk),
    }

    text = page(client, urls[kind])

    assert "lower end of the range" in text and "chance by the last day" in text


def test_without_the_permission_pages_of_people_say_nothing(client):
    person = supported(growing(90_000, 250), left=50)
    make_forecasts(on=TODAY)
    staff = county_staff("622927")
    staff.user_permissions.remove(*staff.user_permissions.filter(content_type__app_label="forecasts"))
    client.force_login(staff)

    assert "chance by the last day" not in page(client, address("trainees_trainee_change", person.trainee_id))
    assert client.get(reverse(LIST)).status_code == 403


def test_queries_of_list_and_page_do_not_grow(client):
    client.force_login(superuser())
    back_tested()
    used = []
    for count in (1, 29):
        for n in range(count):
            supported(growing(90_000 - 1_000 * n, 250), left=50 + n)
        make_forecasts(on=TODAY)
        page(client, reverse(LIST))
        with CaptureQueriesContext(connection) as captured:
            page(client, reverse(LIST))
            page(client, address("forecasts_forecast_change", Forecast.objects.first().pk))
        used.append(len(captured))

    assert used[0] == used[1]


def test_back_tests_show_what_was_held_and_how_far_off(client):
    back_tested()
    client.force_login(county_staff("622927"))

    listed = page(client, address("forecasts_backtest_changelist"))
    week = page(client, address("forecasts_backtest_change", BackTest.objects.get(horizon=7).pk))

    assert "80.0%" in listed and "1.23%" in listed and "90.0%" in listed and "4 days" in listed
    assert "followers 7 days ahead" in week and "2.00%" in week and "What was learned that day" in week


# --- Trainees ---------------------------------------------------------------------------------------------------------


def home(client, person):
    client.force_login(person.trainee.user)
    response = client.get("/me/", headers={"accept-language": "en"})
    assert response.status_code == 200
    return response.content.decode()


SHAMING = ["out of reach", "needs help", "within reach", "on course", "chance"]


def test_a_trainee_reads_distance_need_pace_and_the_day(client):
    person = supported(growing(95_000, 250), left=50, login="T1")
    make_forecasts(on=TODAY)
    back_tested()

    text = home(client, person)

    assert "5,000 followers to go, 50 days left: about 100 a day." in text
    assert "you gained about 250 a day" in text and "fast enough" in text
    assert "the number is reached: about" in text and "between" in text
    assert "of earlier ones 80% came true" in text
    assert "What helps now" not in text


@pytest.mark.parametrize(("pace", "said"), [(10, "With 990 more a day"), (-20, "20 followers fewer each day")])
def test_who_is_far_away_reads_what_helps_and_no_band(client, pace, said):
    person = supported(growing(50_000, pace), left=50, login="T1")
    make_forecasts(on=TODAY)
    assert Forecast.objects.get().band == Band.OUT_OF_REACH

    text = home(client, person)

    assert said in text and "later than" in text and "What helps now" in text
    assert "there is not enough history yet" in text
    assert not [words for words in SHAMING if words in text]


def test_who_is_not_read_often_enough_gets_no_number(client):
    person = supported([50_000, None, 50_100], left=50, login="T1")
    make_forecasts(on=TODAY)

    text = home(client, person)

    assert "read often enough" in text and "In the last 14 days" not in text
    assert "49,900 followers to go" in text


def test_who_has_the_number_is_told_to_go_on(client):
    person = supported(growing(100_000, 250), left=50, login="T1")
    make_forecasts(on=TODAY)

    assert "Keep publishing until the decision" in home(client, person)


def outlook(person, award=None, on=TODAY):
    return outlook_of(person, award=award, on=on)


def test_nothing_is_told_that_is_old_over_or_decided():
    person = supported(growing(100_000, 250), left=2)
    make_forecasts(on=TODAY)

    assert outlook(person) is not None
    assert outlook(None) is None
    assert outlook(person, award=awarded(person)) is None
    assert outlook(person, on=person.support_ends_on.replace(year=person.support_ends_on.year + 1)) is None
    Forecast.objects.update(as_of=TODAY.replace(year=TODAY.year - 1))
    assert outlook(person) is None


def test_the_page_stays_small_and_its_queries_few(client):
    used = []
    for n, days in enumerate((20, 80)):
        person = supported(growing(95_000, 250, days=days), left=50, login=f"T{n}")
        make_forecasts(on=TODAY)
        home(client, person)
        with CaptureQueriesContext(connection) as captured:
            assert len(home(client, person).encode()) < 100_000
        used.append(len(captured))

    assert used[0] == used[1]


def test_another_trainees_forecast_is_not_told(client):
    one = supported(growing(95_000, 250), left=50, login="T1")
    other = supported(growing(12_345, 7), left=50, login="T2")
    make_forecasts(on=TODAY)

    assert "87,655" not in home(client, one) and "87,655" in home(client, other)


def test_sentences_of_the_days_follow_the_language():
    person = supported(growing(95_000, 250), left=50)
    make_forecasts(on=TODAY)
    with override("en"):
        assert outlook(person).when.startswith("about")
