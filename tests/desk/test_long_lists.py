"""The list of people with very many of them: nothing is counted or sorted as a whole, filters find who they should."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from incubator.common import long_lists
from incubator.common.long_lists import Estimate, LongPaginator
from incubator.metrics.choices import AccountState
from incubator.programmes.choices import ParticipationState
from tests import factories
from tests.desk.world import county_staff
from trainees.models import Trainee

pytestmark = pytest.mark.django_db
LIST = "admin:trainees_trainee_changelist"


def shown(client, **asked):
    return [row.name for row in client.get(reverse(LIST), asked).context["cl"].result_list]


@pytest.fixture
def boss(client):
    client.force_login(factories.superuser())
    return client


@pytest.fixture
def many(monkeypatch):
    """Twelve people where five are the most that are counted; four to a page."""
    from trainees.admin import TraineeAdmin

    monkeypatch.setattr(long_lists, "EXACT_UP_TO", 5)
    monkeypatch.setattr(TraineeAdmin, "list_per_page", 4)
    return [factories.TraineeFactory(name=f"人{n}") for n in range(12)]


# --- Pages ------------------------------------------------------------------------------------------------------------


def test_people_come_the_newest_first_page_by_page(boss, many):
    names = [person.name for person in reversed(many)]
    assert [shown(boss, p=n) for n in (1, 2, 3)] == [names[:4], names[4:8], names[8:]]


def test_a_page_behind_the_end_shows_the_last_people(boss, many):
    assert shown(boss, p=99) == [person.name for person in reversed(many[:4])]
    assert shown(boss, p=10**40) == [person.name for person in reversed(many[:4])]


def test_a_long_list_says_about_how_many(boss, many, monkeypatch):
    monkeypatch.setattr(long_lists, "estimated_rows", lambda rows: 952_381)
    with translation.override("en"):
        response = boss.get(reverse(LIST), headers={"accept-language": "en"})
    assert isinstance(response.context["cl"].result_count, Estimate)
    assert "about 952,000" in response.content.decode()


def test_a_short_list_is_counted(boss, many):
    response = boss.get(reverse(LIST), {"q": "人1"})
    assert response.context["cl"].result_count == 3
    assert not isinstance(response.context["cl"].result_count, Estimate)


def test_an_estimate_is_never_below_what_was_found(many, monkeypatch):
    monkeypatch.setattr(long_lists, "estimated_rows", lambda rows: 1)
    assert LongPaginator(Trainee.objects.all(), 4, rows=Trainee.objects.all()).count == 6


def test_the_estimate_is_the_planners(many):
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE trainees_trainee")
    assert long_lists.estimated_rows(Trainee.objects.values("pk")) == 12


def statements(client, **asked):
    client.get(reverse(LIST), asked)  # what is read once per process is read now
    with CaptureQueriesContext(connection) as captured:
        assert client.get(reverse(LIST), asked).status_code == 200
    return [query["sql"] for query in captured]


def full_person(cohort, n=0):
    """Somebody whom every question but those for whole numbers finds."""
    person = factories.TraineeFactory(name="张三", initials="zs", background="founder", sex="female")
    factories.ParticipationFactory(trainee=person, cohort=cohort)
    account = factories.CreatorAccountFactory(trainee=person, handle=f"KS000001{n}")
    factories.reading(account, timezone.localdate(), 1_000)


def kinds_of_question(cohort):
    """Every search and filter, with what is asked."""
    return {
        "nothing": {},
        "name": {"q": "张三"},
        "initials": {"q": "zs"},
        "handle": {"q": "ks000001"},
        "phone": {"q": "13800001234"},
        "id number": {"q": "11010519491231002X"},
        "number": {"q": "T2026"},
        "county": {"county__code__exact": "622927"},
        "prefecture": {"county__code__exact": "622900"},
        "province": {"county__code__exact": "620000"},
        "background": {"background__exact": "founder"},
        "sex": {"sex__exact": "female"},
        "entered": {"created_at_from": "2020-01-01", "created_at_to": "2099-12-31"},
        "programme": {"programme": cohort.programme_id},
        "cohort": {"cohort": cohort.pk},
        "state": {"participation": "nominated"},
        "cohort and state": {"cohort": cohort.pk, "participation": "nominated"},
        "account": {"account": "any"},
        "no account": {"account": "none"},
        "account's state": {"account": "linked"},
    }


def of_people(sqls):
    """But for the look-up of a number that somebody had before, which is one row of its own table."""
    return [sql for sql in sqls if 'FROM "trainees_trainee"' in sql and 'FROM "trainees_formernumber"' not in sql]


def test_nothing_is_counted_as_a_whole(boss, many):
    """Whatever is asked: no COUNT, and keys are read up to as many as are told exactly before anything else is."""
    for kind, asked in kinds_of_question(factories.CohortFactory()).items():
        sqls = of_people(statements(boss, **asked))
        assert sqls[0].endswith(" LIMIT 6"), kind
        assert [sql for sql in sqls if "COUNT(" in sql] == [], kind


def test_a_page_of_a_long_list_reads_no_more_than_its_rows(boss, many):
    for sql in of_people(statements(boss, p=2)):
        assert re.search(r' LIMIT \d+|"id" IN \([\d, ]+\)|^EXPLAIN', sql), sql


def test_no_two_columns_are_asked_in_one_breath(boss, many):
    """No OR between people and what hangs on them."""
    for kind, asked in kinds_of_question(factories.CohortFactory()).items():
        assert [sql for sql in statements(boss, **asked) if " OR " in sql and "trainees_trainee" in sql] == [], kind


def test_queries_are_as_many_for_one_person_as_for_a_hundred(boss):
    cohort = factories.CohortFactory()
    asked = kinds_of_question(cohort)
    full_person(cohort)
    factories.TraineeFactory(name="李四")
    one = {kind: len(statements(boss, **what)) for kind, what in asked.items()}
    for n in range(100):
        full_person(cohort, n + 1)
        factories.TraineeFactory(name="李四")
    assert {kind: len(statements(boss, **what)) for kind, what in asked.items()} == one
    found = {kind: len(shown(boss, **what)) for kind, what in asked.items()}
    assert found == dict.fromkeys(asked, 50) | {"phone": 0, "id number": 0}


# --- Filters ----------------------------------------------------------------------------------------------------------


def test_one_field_filters_by_county_prefecture_and_province(boss):
    for code, name in (("622927", "甲"), ("622926", "乙"), ("620123", "丙"), ("520526", "丁")):
        factories.TraineeFactory(name=name, county=factories.region(code))
    for code, names in (("622927", "甲"), ("622900", "乙甲"), ("620000", "丙乙甲"), ("530000", ""), ("nonsense", "")):
        assert shown(boss, county__code__exact=code) == list(names)


def test_a_person_of_a_prefecture_without_counties_is_in_its_province(boss):
    from incubator.regions.choices import Level

    factories.TraineeFactory(name="甲", county=factories.region("441900", level=Level.PREFECTURE))
    assert shown(boss, county__code__exact="441900") == shown(boss, county__code__exact="440000") == ["甲"]


def test_the_region_of_a_clerk_is_not_widened_by_a_filter(client):
    factories.TraineeFactory(name="甲", county=factories.region("622927"))
    factories.TraineeFactory(name="乙", county=factories.region("622926"))
    client.force_login(county_staff("622927"))
    assert shown(client, county__code__exact="620000") == ["甲"]
    assert shown(client, county__code__exact="622926") == []


def test_days_of_entry_are_days_of_china_both_included(boss):
    for name, at in (
        ("前", datetime(2026, 3, 1, 15, 59, 59, tzinfo=UTC)),
        ("首", datetime(2026, 3, 1, 16, tzinfo=UTC)),
        ("末", datetime(2026, 3, 3, 15, 59, 59, tzinfo=UTC)),
        ("后", datetime(2026, 3, 3, 16, tzinfo=UTC)),
    ):
        Trainee.objects.filter(pk=factories.TraineeFactory(name=name).pk).update(created_at=at)
    assert shown(boss, created_at_from="2026-03-02", created_at_to="2026-03-03") == ["末", "首"]
    assert shown(boss, created_at_from="2026-03-04") == ["后"]
    assert shown(boss, created_at_to="2026-03-01") == ["前"]
    assert len(shown(boss, created_at_from="nonsense", created_at_to="9999-12-31")) == 4


def test_programme_cohort_and_state_ask_for_one_participation_together(boss):
    first, second = factories.CohortFactory(), factories.CohortFactory()
    both, one = factories.TraineeFactory(name="两期"), factories.TraineeFactory(name="一期")
    factories.ParticipationFactory(trainee=both, cohort=first, state=ParticipationState.WITHDRAWN)
    factories.ParticipationFactory(trainee=both, cohort=second)
    factories.ParticipationFactory(trainee=one, cohort=first)

    assert shown(boss, cohort=first.pk) == ["一期", "两期"]
    assert shown(boss, cohort=second.pk) == ["两期"]
    assert shown(boss, participation="nominated") == ["一期", "两期"]
    assert shown(boss, cohort=first.pk, participation="nominated") == ["一期"]
    assert shown(boss, programme=first.programme_id, participation="withdrawn") == ["两期"]
    assert shown(boss, programme=second.programme_id, participation="withdrawn") == []
    assert shown(boss, programme=second.programme_id, cohort=first.pk) == []
    assert shown(boss, cohort="nonsense") == shown(boss, participation="nonsense") == []


def test_accounts_filter_people(boss):
    for name, states in (
        ("无", []),
        ("连", [AccountState.LINKED, AccountState.GONE]),
        ("未", [AccountState.UNLINKED]),
    ):
        person = factories.TraineeFactory(name=name)
        for state in states:
            factories.CreatorAccountFactory(trainee=person, state=state)
    assert shown(boss, account="any") == ["未", "连"]
    assert shown(boss, account="none") == ["无"]
    assert shown(boss, account="linked") == shown(boss, account="gone") == ["连"]
    assert len(shown(boss, account="nonsense")) == 3


def test_filters_offer_no_people_and_no_strange_regions(client):
    """A clerk's filters name no other county, and nowhere is a drop-down of people."""
    factories.TraineeFactory(name="外人", county=factories.region("520526", "外县"))
    client.force_login(county_staff("622927"))
    html = client.get(reverse(LIST), {"county__code__exact": "520526"}).content.decode()
    assert "外人" not in html
    assert "外县" not in html


def test_people_entered_at_one_moment_are_on_one_page_each(boss, many):
    """Asked by days of entry, a roster's people all have the same instant."""
    Trainee.objects.update(created_at=timezone.now() - timedelta(days=1))
    pages = [shown(boss, created_at_from="2020-01-01", p=n) for n in (1, 2, 3)]
    assert [name for page in pages for name in page] == [person.name for person in reversed(many)]
