"""Long lists are background work: in the scope its asker has when it is done, for the asker alone, sealed, for days."""

import io
import json
from datetime import timedelta
from pathlib import Path

import openpyxl
import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from incubator.accounts.models import AccessRecord, Posting, User
from incubator.exports import services
from incubator.exports.services import Wanted
from incubator.jobs.choices import JobState
from incubator.jobs.models import Job
from incubator.jobs.services import Cancelled, LeaseLost, RunningJob, claim, clear_results, run
from tests import factories
from tests.desk.world import county_staff, registered
from tests.exports.test_lists import address
from trainees.identity import phone_index
from trainees.models import Trainee

HERE, THERE = "622927", "520526"
PHONE = "+8613812345678"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def three_at_once(monkeypatch):
    """Above three rows it is background work: what happens at 2,000 has a test of its own."""
    monkeypatch.setattr(services, "AT_ONCE", 3)
    monkeypatch.setattr("incubator.exports.views.AT_ONCE", 3)


@pytest.fixture
def clerk(client):
    user = county_staff(HERE)
    client.force_login(user)
    return user


@pytest.fixture
def people():
    county = factories.region(HERE)
    return [
        factories.TraineeFactory(name=f"王{n}", county=county, phone=PHONE, phone_index=phone_index(PHONE))
        for n in range(5)
    ]


def ask(client, query="", **data):
    answer = client.post(address(Trainee, query), {"format": "0", **data})
    assert answer.status_code == 302, answer.content[:2000]
    return Job.objects.latest("pk")


def done(job):
    run(job.pk)
    job.refresh_from_db()
    return job


def file_of(client, job):
    answer = client.get(reverse("job_file", args=[job.pk]))
    assert answer.status_code == 200
    return openpyxl.load_workbook(io.BytesIO(answer.getvalue()))


def status_of(client, job):
    answer = client.get(reverse("job_file", args=[job.pk]))
    if answer.streaming:
        answer.getvalue()  # to its end, as a browser does, so that the file is closed
    return answer.status_code


def numbers(book):
    return [row[0] for row in book.worksheets[0].iter_rows(min_row=2, values_only=True)]


def test_the_edge_is_at_two_thousand_rows(client, monkeypatch):
    monkeypatch.undo()
    county = factories.region(HERE)
    Trainee.objects.bulk_create(Trainee(number=f"T{n:06d}", name=f"王{n}", county=county) for n in range(2_001))
    client.force_login(county_staff(HERE))

    last = Trainee.objects.last()
    last.delete()
    at_once = client.post(address(Trainee), {"format": "1"})
    assert at_once.streaming and len(at_once.getvalue().decode().splitlines()) == 2_001
    last.save(force_insert=True)
    assert "More than 2000 rows" in client.get(address(Trainee)).content.decode().replace(",", "")
    later = client.post(address(Trainee), {"format": "1"})
    job = Job.objects.get()
    assert later["Location"] == reverse("job", args=[job.pk])
    job = done(job)
    assert (job.state, job.done, job.total, job.result["rows"]) == ("done", 2_001, 2_001, 2_001)


def test_a_long_list_becomes_a_file_in_ones_work_list(client, clerk, people):
    job = ask(client, "q=王")

    assert job.state == JobState.QUEUED and str(job) == "Export: Trainees (XLSX)"
    assert str(job) in client.get(reverse("jobs")).content.decode()
    job = done(job)
    page = client.get(reverse("job", args=[job.pk])).content.decode()
    assert reverse("job_file", args=[job.pk]) in page and "then it is deleted" in page
    book = file_of(client, job)
    assert sorted(numbers(book)) == [person.number for person in people]
    notes = dict(book.worksheets[1].iter_rows(values_only=True))
    assert (notes["Search"], notes["Rows"], notes["Exported by"]) == ("王", "5", str(clerk))
    record = AccessRecord.objects.get()
    assert (record.by, record.count, record.kind) == (clerk, 5, "export")


def test_job_row_holds_nothing_of_what_was_asked(client, clerk, people):
    job = done(ask(client, "q=13812345678", in_clear="on", reason="联系 张三"))

    stored = json.dumps(list(Job.objects.filter(pk=job.pk).values()), default=str, ensure_ascii=False)
    for word in ("13812345678", "q=", "联系", "张三"):
        assert word not in stored
    wanted = Wanted.opened(job.arguments["wanted"])
    assert (wanted.query, wanted.reason, wanted.in_clear) == ("q=13812345678", "联系 张三", True)


def test_file_lies_sealed_and_nothing_is_left_beside_it(client, clerk, people, settings):
    job = done(ask(client, in_clear="on", reason="x"))

    assert PHONE in str(list(file_of(client, job).worksheets[0].iter_rows(values_only=True)))
    files = [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]
    assert [path.name for path in files] == [Path(job.result_file.name).name]
    assert not files[0].read_bytes().startswith(b"PK")
    assert AccessRecord.objects.get().reason == "x"


def test_only_the_asker_fetches_it(client, clerk, people):
    job = done(ask(client))
    boss = Client(headers={"accept-language": "en"})
    boss.force_login(factories.superuser())

    assert status_of(boss, job) == 404
    page = boss.get(reverse("job", args=[job.pk])).content.decode()
    assert "Only the person who asked" in page
    assert boss.get(reverse("job_status", args=[job.pk])).json()["file"] is None
    assert reverse("job_file", args=[job.pk]) not in boss.get(reverse("admin:jobs_job_changelist")).content.decode()
    stranger = Client()
    stranger.force_login(county_staff(THERE))
    assert status_of(stranger, job) == 404
    assert status_of(client, job) == 200


def test_scope_is_that_of_the_time_it_is_made(client, clerk, people):
    job = ask(client)
    stranger = factories.TraineeFactory(county=factories.region(THERE), name="别县人")
    people[0].county = stranger.county
    people[0].save(update_fields=["county"])

    book = file_of(client, done(job))
    assert sorted(numbers(book)) == [person.number for person in people[1:]]


@pytest.mark.parametrize(
    "lose",
    [
        lambda user: Posting.objects.filter(user=user).update(ends_on="2020-06-01"),
        lambda user: User.objects.filter(pk=user.pk).update(is_active=False),
        lambda user: User.objects.filter(pk=user.pk).update(is_staff=False),
        lambda user: user.user_permissions.clear(),
        lambda user: user.user_permissions.remove(Permission.objects.get(codename="export_personal_data")),
    ],
    ids=["posting", "active", "staff", "permissions", "the permission"],
)
def test_what_was_lost_meanwhile_makes_no_file_and_a_made_one_is_not_fetched(client, clerk, people, lose):
    made = done(ask(client, in_clear="on", reason="x"))
    waiting = ask(client, "o=1", in_clear="on", reason="x")
    assert services.may_fetch(Job.objects.get(pk=made.pk))
    lose(clerk)

    waiting = done(waiting)
    assert waiting.state == JobState.FAILED and waiting.error and not waiting.result_file
    assert "unforeseen" not in waiting.error
    assert AccessRecord.objects.count() == 1
    assert not services.may_fetch(Job.objects.get(pk=made.pk))
    assert status_of(client, made) in (302, 404)


def test_losing_one_of_two_regions_is_told_and_not_made_smaller_in_silence(client, clerk, people):
    other = Posting.objects.create(user=clerk, region=factories.region(THERE), starts_on="2020-01-01")
    made, waiting = done(ask(client)), ask(client, "o=1")
    other.delete()

    waiting = done(waiting)
    assert waiting.state == JobState.FAILED and "postings have changed" in waiting.error
    assert status_of(client, made) == 404
    assert status_of(client, done(ask(client, "o=2"))) == 200


def test_twice_the_same_is_one_job_and_another_wish_another(client, clerk, people):
    first, again = ask(client, "q=王"), ask(client, "q=王")
    other = ask(client, "q=王&o=1")
    elsewhere = Client()
    elsewhere.force_login(factories.superuser())
    elsewhere.post(address(Trainee, "q=王"), {"format": "0"})

    assert first == again and other != first
    assert Job.objects.count() == 3


def test_an_attempt_after_the_file_was_kept_neither_writes_nor_records_again(client, clerk, people):
    job = ask(client)
    running = claim(job.pk)
    services.make_export(running)  # and then the worker dies before it can say so
    kept = Job.objects.get(pk=job.pk).result_file.name
    Job.objects.filter(pk=job.pk).update(state=JobState.QUEUED, lease_until=None)

    job = done(job)
    assert (job.state, job.result["rows"], job.result_file.name) == ("done", 5, kept)
    assert AccessRecord.objects.count() == 1
    assert file_of(client, job)


def test_a_worker_that_lost_its_lease_keeps_and_records_nothing(client, clerk, people, settings, monkeypatch):
    job = ask(client)
    running = claim(job.pk)
    monkeypatch.setattr(RunningJob, "progress", lambda *args: None)
    Job.objects.filter(pk=job.pk).update(state=JobState.QUEUED)
    claim(job.pk)

    with pytest.raises(LeaseLost):
        services.make_export(running)
    assert not AccessRecord.objects.exists()
    assert [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()] == []


def test_cancelled_on_the_way_it_leaves_nothing(client, clerk, people, settings, monkeypatch):
    monkeypatch.setattr(services, "ROWS_A_STEP", 2)
    job = ask(client)
    said = []

    def progress(self, done, total=None):
        said.append(done)
        Job.objects.filter(pk=self.pk).update(is_cancel_asked=True)
        if done == 2:
            raise Cancelled

    monkeypatch.setattr(RunningJob, "progress", progress)
    job = done(job)
    assert (job.state, said) == (JobState.CANCELLED, [0, 2])
    assert not AccessRecord.objects.exists()
    assert [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()] == []


def test_a_waiting_one_is_cancelled_at_once(client, clerk, people):
    job = ask(client)
    client.post(reverse("job_cancel", args=[job.pk]))

    assert done(job).state == JobState.CANCELLED


def test_rows_that_come_on_the_way_do_not_make_more_than_all(client, clerk, people, monkeypatch):
    monkeypatch.setattr(services, "ROWS_A_STEP", 1)
    rows = services.ListRows.queryset.fget
    job = ask(client)
    asked = []

    def grows(self):
        asked.append(1)
        if len(asked) == 2:  # the first counts, the second reads
            factories.TraineeFactory(county=people[0].county, name="王新")
        return rows(self)

    monkeypatch.setattr(services.ListRows, "queryset", property(grows))
    job = done(job)
    assert (job.state, job.total, job.result["rows"]) == ("done", 5, 6)


def test_a_list_that_became_empty_is_a_sentence(client, clerk, people):
    job = ask(client)
    Trainee.objects.all().delete()

    job = done(job)
    assert job.state == JobState.FAILED and "no rows any more" in job.error and not job.result_file


def test_a_wish_that_cannot_be_opened_any_more_is_a_sentence(client, clerk, people, settings):
    job = ask(client)
    settings.PERSONAL_DATA_KEY = "9" * 64

    assert "cannot be read any more" in done(job).error


def test_headers_are_in_the_language_of_who_asked(clerk, people):
    chinese = Client(headers={"accept-language": "zh-hans"})
    chinese.force_login(clerk)
    job = done(ask(chinese))

    header = next(file_of(chinese, job).worksheets[0].iter_rows(values_only=True))
    assert header[:2] == ("学员编号", "姓名")


def test_files_are_deleted_after_their_days(client, clerk, people, settings):
    job = done(ask(client))
    assert abs(job.result_until - timezone.now() - timedelta(days=settings.EXPORTS_KEPT_DAYS)) < timedelta(minutes=1)
    left = Path(settings.MEDIA_ROOT) / "working" / "left"
    left.mkdir()

    assert clear_results(at=timezone.now()) == 0
    assert status_of(client, job) == 200 and left.exists()
    late = timezone.now() + timedelta(days=settings.EXPORTS_KEPT_DAYS, minutes=1)
    assert (clear_results(at=late), clear_results(at=late)) == (1, 0)
    assert not left.exists()
    assert status_of(client, job) == 404
    assert "not kept any more" in client.get(reverse("job", args=[job.pk])).content.decode()


def test_csv_and_chosen_rows_go_the_same_way(client, clerk, people):
    chosen = [person.pk for person in people[:4]]
    job = done(ask(client, format="1", _selected_action=chosen))

    answer = client.get(reverse("job_file", args=[job.pk]))
    lines = answer.getvalue().decode("utf-8-sig").splitlines()
    assert len(lines) == 5 and answer["Content-Type"] == "text/csv"
    assert job.result_name.endswith(".csv")


def test_every_desk_can_be_found_by_its_name_in_the_worker():
    for model, desk in registered():
        assert services._desk_of(Job(arguments={"list": model._meta.label_lower})) is desk
