"""Who opens which report. County B has people and figures that could leak; county A's official finds none of them."""

import io
import re
import zipfile
from datetime import timedelta

import openpyxl
import pytest
import time_machine
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from incubator.accounts.choices import Role
from incubator.accounts.models import Posting
from incubator.jobs import services as jobs
from incubator.jobs.choices import JobState
from incubator.jobs.models import Job
from incubator.regions.models import Region
from incubator.reports.services import region_for, request_county_report
from tests import factories
from tests.reports.world import CITY, PERIOD, PREFECTURE, PROVINCE, TODAY, A, B, C, make_country

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fifth_of_october():
    with time_machine.travel(timezone.make_aware(timezone.datetime(2026, 10, 5, 9)), tick=False):
        yield


@pytest.fixture
def country():
    return make_country()


@pytest.fixture
def official(country, client):
    user = factories.official(A)
    client.force_login(user)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    return user


def page(code, period="2026Q3"):
    return f"{reverse('county_report', args=[code])}?period={period}"


def ask(client, code, period="2026Q3"):
    return client.post(reverse("county_report_workbook", args=[code]), {"period": period})


def status_of(client, name, job):
    answer = client.get(reverse(name, args=[job.pk]))
    assert not answer.streaming or b"".join(answer.streaming_content)
    return answer.status_code


def opened(job):
    return openpyxl.load_workbook(io.BytesIO(job.result_file.read_unsealed()))


def finished(client, code):
    """The job of a workbook that was asked for and made."""
    answer = ask(client, code)
    assert answer.status_code == 302
    job = Job.objects.get()
    jobs.run(job.pk)
    job.refresh_from_db()
    assert job.state == JobState.DONE, job.error
    return job


def test_official_reads_the_report_of_the_own_county(official, client):
    text = client.get(page(A)).content.decode()

    assert "131,150" in text and "30,050" in text and "积石山县" in text
    assert "Sept. 30, 2026" in text
    assert "55,555" not in text


def test_official_gets_the_workbook_of_the_own_county(official, client, country):
    job = finished(client, A)

    answer = client.get(reverse("job_file", args=[job.pk]))
    data = b"".join(answer.streaming_content)
    assert answer["Content-Type"].endswith("spreadsheetml.sheet")
    assert "no-store" in answer["Cache-Control"]
    assert openpyxl.load_workbook(io.BytesIO(data)).sheetnames[0] == "County report"
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        everything = "".join(archive.read(name).decode() for name in archive.namelist())
    assert country["one"].name in everything
    assert country["b"].name not in everything and country["b"].number not in everything
    assert (job.done, job.total) == (4, 4) and job.result_name == "County report-积石山县-2026Q3.xlsx"


def test_workbook_follows_the_language_of_its_asker(official, client):
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "zh-hans"

    job = finished(client, A)

    assert job.result_name == "县域报告-积石山县-2026Q3.xlsx"
    assert opened(job).sheetnames[0] == "县域报告"


@pytest.mark.parametrize(
    "code", [B, C, PREFECTURE, PROVINCE, CITY, "all", "999999", "x", "62292", "%00", "６２２９２６"]
)
def test_reports_of_others_are_not_there(official, client, code):
    url = f"/reports/{code}/"

    assert client.get(url).status_code == 404
    assert client.post(f"{url}workbook/", {"period": "2026Q3"}).status_code == 404
    assert not Job.objects.exists()


def test_a_strangers_county_and_one_that_does_not_exist_look_the_same(official, client):
    def seen(code):
        text = client.get(page(code)).content.decode()
        return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text.replace(code, "code"))

    assert seen(B) == seen("999999")


def test_overview_lists_the_own_county_and_no_other(official, client, country):
    text = client.get(reverse("reports")).content.decode()
    assert A in text
    assert not any(code in text for code in (B, C, f"/{PREFECTURE}/", f"/{PROVINCE}/", "/all/"))

    found = client.get(reverse("reports"), {"q": B}).content.decode()
    assert f"/reports/{B}/" not in found and Region.objects.get(code=B).name not in found


@pytest.mark.parametrize("search", ["\x00", "'", "%", "_" * 3000, "<script>"])
def test_overview_survives_any_search(official, client, search):
    answer = client.get(reverse("reports"), {"q": search})

    assert answer.status_code == 200 and b"<script>" not in answer.content.replace(b"<script src", b"")


@pytest.mark.parametrize("period", ["2026Q9", "x" * 9000, "\x00", "2017Q4", "<b>"])
def test_nonsense_period_shows_the_present_one_and_says_so(official, client, period):
    answer = client.get(reverse("county_report", args=[A]), {"period": period})

    assert answer.status_code == 200
    assert answer.context["period"].code == "2026Q4"
    assert b"is not a period" in answer.content and b"<b>" not in answer.content


def test_workbook_of_a_nonsense_period_is_not_made(official, client):
    answer = client.post(reverse("county_report_workbook", args=[A]), {"period": "soon"}, follow=True)

    assert b"is not a period" in answer.content and not Job.objects.exists()


def test_the_same_workbook_asked_twice_is_one_job(official, client):
    assert ask(client, A).url == ask(client, A).url
    assert Job.objects.count() == 1


@pytest.mark.parametrize("name", ["job", "job_status", "job_file"])
def test_work_of_others_is_not_there(official, client, country, name):
    neighbour = factories.official(B)
    job = request_county_report(Region.objects.get(code=B), PERIOD, by=neighbour)
    jobs.run(job.pk)

    assert status_of(client, name, job) == 404
    client.force_login(neighbour)
    assert status_of(client, name, job) == 200


def test_work_of_others_cannot_be_cancelled(official, client):
    job = request_county_report(Region.objects.get(code=B), PERIOD, by=factories.official(B))

    assert client.post(reverse("job_cancel", args=[job.pk])).status_code == 404
    job.refresh_from_db()
    assert job.state == JobState.QUEUED and not job.is_cancel_asked
    assert job.title not in client.get(reverse("jobs")).content.decode()


@pytest.mark.parametrize(
    ("posted_to", "opens", "refused"),
    [
        (PREFECTURE, [PREFECTURE, A, B], [PROVINCE, C, CITY, "all"]),
        (PROVINCE, [PROVINCE, PREFECTURE, A, B, C], [CITY, "520526", "all"]),
        (CITY, [CITY], [A, "440000", "all"]),
    ],
)
def test_upper_officials_open_what_lies_below_and_nothing_else(country, client, posted_to, opens, refused):
    client.force_login(factories.official(posted_to))

    assert {code: client.get(page(code)).status_code for code in opens} == dict.fromkeys(opens, 200)
    assert {code: client.get(page(code)).status_code for code in refused} == dict.fromkeys(refused, 404)


def test_county_table_of_a_prefecture_names_its_own_counties_only(country, client):
    client.force_login(factories.official(PREFECTURE))

    listed = [region.code for region, _figures in client.get(page(PREFECTURE)).context["counties"]]

    assert listed == [B, A]


def test_prefecture_without_counties_lists_none_below_it(country, client):
    client.force_login(factories.official(CITY))

    answer = client.get(page(CITY))

    assert answer.context["counties"] == [] and answer.context["figures"].followers == 4_000


@pytest.mark.parametrize("who", ["superuser", "whole country"])
def test_whole_country_is_open_to_whom_it_belongs(country, client, who):
    user = factories.superuser() if who == "superuser" else factories.UserFactory(role=Role.OFFICIAL)
    if who == "whole country":
        Posting.objects.create(user=user, is_whole_country=True, starts_on=TODAY)
    client.force_login(user)

    assert client.get(page("all")).context["figures"].trainees == 8
    assert len(opened(finished(client, "all")).worksheets) == 2


def test_posting_that_ended_closes_report_work_and_finished_file(official, client):
    job = finished(client, A)
    assert status_of(client, "job_file", job) == 200
    Posting.objects.update(ends_on=TODAY - timedelta(days=1))

    assert client.get(page(A)).status_code == 404
    assert ask(client, A).status_code == 404
    assert status_of(client, "job_file", job) == 404
    assert client.get(reverse("job_status", args=[job.pk])).json()["file"] is None
    assert "region is not yours now" in client.get(reverse("job", args=[job.pk])).content.decode()
    assert "not posted to any region" in client.get(reverse("reports")).content.decode()


def test_last_day_of_a_posting_still_counts(official, client):
    Posting.objects.update(ends_on=TODAY)

    assert client.get(page(A)).status_code == 200


def test_posting_that_ended_while_the_work_waited_makes_no_file(official, client):
    ask(client, A)
    Posting.objects.update(ends_on=TODAY - timedelta(days=1))
    job = Job.objects.get()

    jobs.run(job.pk)

    job.refresh_from_db()
    assert job.state == JobState.FAILED and "not yours any more" in job.error and not job.result_file


def test_file_that_was_cleared_away_is_said_and_not_a_fault(official, client):
    job = finished(client, A)
    job.result_file.storage.delete(job.result_file.name)

    assert status_of(client, "job_file", job) == 404
    assert "not kept any more" in client.get(reverse("job", args=[job.pk])).content.decode()


def test_trainees_find_no_reports(country, client):
    user = factories.UserFactory(role=Role.TRAINEE)
    client.force_login(user)

    for url in (reverse("reports"), page(A), page("all")):
        assert client.get(url).status_code == 404
    assert ask(client, A).status_code == 404


def test_strangers_are_asked_to_log_in(country, client):
    job = request_county_report(Region.objects.get(code=A), PERIOD, by=factories.official(A))
    names = [("reports", []), ("county_report", [A]), ("jobs", []), ("job", [job.pk]), ("job_file", [job.pk])]

    for name, args in names:
        answer = client.get(reverse(name, args=args))
        assert answer.status_code == 302 and answer.url.startswith(reverse("account_login"))
    assert ask(client, A).url.startswith(reverse("account_login"))


def test_staff_without_a_posting_see_no_region(country):
    with pytest.raises(Region.DoesNotExist):
        region_for(A, user=factories.UserFactory(role=Role.STAFF, is_staff=True))


def test_empty_county_says_what_to_do(client):
    client.force_login(factories.official(A))
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"

    assert b"Import a roster" in client.get(page(A)).content
    assert b"no trainees in your region yet" in client.get(reverse("reports")).content


def test_number_of_queries_of_the_page_does_not_grow(country, client, django_assert_max_num_queries):
    client.force_login(factories.official(PROVINCE))
    client.get(page(PROVINCE))
    for n in range(20):
        factories.ParticipationFactory(trainee__county=factories.region(f"6202{n + 10}"))

    with django_assert_max_num_queries(9):
        answer = client.get(page(PROVINCE))
    assert len(answer.context["counties"]) == 23


def test_page_tells_coverage_by_platform_and_since_when_each_countys_followers_are(country, client):
    client.force_login(factories.official(PREFECTURE))
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"

    answer = client.get(page(PREFECTURE))

    assert answer.context["coverage"][0].label == "Kuaishou"
    assert b"Coverage of follower readings" in answer.content and b"<td>2026-09-25</td>" in answer.content
