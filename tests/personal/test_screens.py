"""Every page of the desk, the portal, the reports and the jobs, with a person on it: masked, or not there at all."""

import io
import re
from datetime import date

import openpyxl
import pytest
from django.contrib.auth.models import Permission
from django.db.models import ForeignKey
from django.urls import reverse
from django.utils import timezone

from incubator.accounts.models import AccessRecord
from incubator.certification.models import Award
from incubator.classbooks.models import AttendanceImport, LearningImport
from incubator.common.encryption import encrypt, sealed_for
from incubator.figures.models import FiguresImport
from incubator.jobs import services as jobs
from incubator.jobs.choices import JobState
from incubator.jobs.models import Job
from incubator.metrics.models import CreatorAccount
from incubator.reports.periods import Period
from incubator.reports.workbook import write_csv, write_workbook
from incubator.rosters.models import ID_NUMBER as SEALED_ID
from incubator.rosters.models import PHONE as SEALED_PHONE
from incubator.rosters.models import RosterImport
from tests.desk.world import county_staff, make_world, registered
from tests.factories import UserFactory, superuser
from tests.personal.search import Search
from tests.personal.world import ID_NUMBER, PHONE
from tests.test_doors import every_view
from trainees.identity import id_number_index, phone_index
from trainees.models import Trainee

pytestmark = pytest.mark.django_db
BARE_PHONE = PHONE.removeprefix("+86")
SEARCH = Search([ID_NUMBER, BARE_PHONE])
BORN_ON = date(1990, 1, 1)  # the middle of the ID number: beside its mask it would be the whole number
SHOWN_DAYS = ("1990-01-01", "1990年1月1日", "Jan. 1, 1990", "19900101")
MASKED_PHONE, MASKED_ID = "154****0001", f"620000********{ID_NUMBER[-4:]}"


@pytest.fixture
def world():
    """Everything that the desk shows hangs on a person with an ID number and a phone, also the staged roster."""
    made = make_world("622927", "甲")
    trainee = made[Trainee]
    Trainee.objects.filter(pk=trainee.pk).update(
        id_number_index=id_number_index(ID_NUMBER),
        phone_index=phone_index(PHONE),
        born_on=BORN_ON,
        **sealed_for(Trainee, trainee.pk, id_number=ID_NUMBER, phone=PHONE),
    )
    made[RosterImport].rows.create(
        number=1,
        status="matched",
        trainee=trainee,
        name=trainee.name,
        county=trainee.county,
        born_on=BORN_ON,
        sealed_for=trainee.pk + 1000,
        id_number=encrypt(ID_NUMBER, context=SEALED_ID, row=trainee.pk + 1000),
        phone=encrypt(PHONE, context=SEALED_PHONE, row=trainee.pk + 1000),
    )
    return made


def content_of(answer) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def holds_a_number(answer) -> set[str]:
    return SEARCH.within(content_of(answer)) | SEARCH.within(str(answer.headers).encode())


def whole_days_of_birth(answer) -> list[str]:
    html = "" if answer.streaming else answer.content.decode(errors="replace")
    return [day for day in SHOWN_DAYS if day in html]


def desk_pages(world):
    """Lists, pages, forms, histories and choices of everything on the desk, and lists searched by number."""
    yield reverse("admin:index")
    for model, desk in registered():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield reverse(f"{name}_changelist")
        yield reverse(f"{name}_changelist") + f"?q={world[Trainee].number}"
        yield reverse(f"{name}_add")
        if model is RosterImport:
            yield reverse(f"{name}_row", args=[world[model].pk, 1])
        if model in world:
            for what in ("change", "history", "delete"):
                yield reverse(f"{name}_{what}", args=[world[model].pk])
            for move in getattr(desk, "all_moves", []):
                yield reverse(f"{name}_move", args=[world[model].pk, move.name])
        for field in model._meta.concrete_fields:
            if isinstance(field, ForeignKey):
                query = f"app_label={model._meta.app_label}&model_name={model._meta.model_name}&field_name={field.name}"
                yield reverse("admin:autocomplete") + f"?{query}&term="


def other_views():
    """Addresses of the desk beyond those of its models that take no argument."""
    known = {f"admin:{m._meta.app_label}_{m._meta.model_name}" for m, _desk in registered()}
    for name, _callback, route in every_view():
        is_models = any(name.startswith(one) for one in known)
        if name and "<" not in route and "(" not in route and not is_models and "logout" not in name:
            yield reverse(name)


@pytest.mark.parametrize("make", [superuser, lambda: county_staff("622927")], ids=["superuser", "county staff"])
def test_no_page_of_the_desk_shows_a_number(client, world, make):
    client.force_login(make())
    shown, seen, masks = {}, 0, {MASKED_PHONE: 0, MASKED_ID: 0}
    for url in [*desk_pages(world), *other_views()]:
        answer = client.get(url)
        if found := holds_a_number(answer):
            shown[url] = found
        if days := whole_days_of_birth(answer):
            shown[url] = days
        seen += answer.status_code == 200
        for mask in masks:
            masks[mask] += not answer.streaming and mask in answer.content.decode(errors="replace")

    assert shown == {}
    assert seen > 120, "pages were seen"
    assert all(count >= 2 for count in masks.values()), f"the person was on some of them: {masks}"


def test_the_searched_number_itself_stands_in_the_search_field_only(client, world):
    """Whoever types it knows it. What is found is masked."""
    client.force_login(superuser())
    html = client.get(reverse("admin:trainees_trainee_changelist"), {"q": BARE_PHONE}).content.decode()

    assert MASKED_PHONE in html
    assert BARE_PHONE in html
    rest = re.sub(rf'value="{BARE_PHONE}"|q(=|%3D){BARE_PHONE}', "", html)
    assert BARE_PHONE not in rest, [line for line in rest.splitlines() if BARE_PHONE in line]


@pytest.mark.parametrize("staged", [RosterImport, FiguresImport, AttendanceImport, LearningImport])
def test_previews_and_findings_are_masked(client, world, staged):
    client.force_login(county_staff("622927"))
    name = f"admin:{staged._meta.app_label}_{staged._meta.model_name}_change"
    answer = client.get(reverse(name, args=[world[staged].pk]))

    assert answer.status_code == 200 and holds_a_number(answer) == set()
    if staged is RosterImport:
        assert MASKED_ID in answer.content.decode() and MASKED_PHONE in answer.content.decode()


def test_no_page_of_the_portal_shows_a_number(client, world):
    trainee = world[Trainee]
    trainee.user = UserFactory(role="trainee", username=trainee.number)
    trainee.save(update_fields=["user"])
    client.force_login(trainee.user)
    urls = [
        reverse("progress"),
        reverse("account"),
        reverse("certificate", args=[world[Award].number]),
        reverse("account_readings", args=[world[CreatorAccount].pk]),
    ]
    for url in urls:
        answer = client.get(url)
        assert answer.status_code == 200, url
        told = content_of(answer)
        assert SEARCH.within(told) == set(), url
        assert any(word.encode() in told for word in (trainee.name, "ks甲", "123456", "followers")), url


def test_no_report_and_no_job_shows_a_number(client, world, tmp_path):
    staff = superuser()
    client.force_login(staff)
    period = f"{timezone.localdate():%Y}"
    for url in (reverse("reports"), reverse("county_report", args=["622927"]) + f"?period={period}"):
        assert holds_a_number(client.get(url)) == set()
    client.post(reverse("county_report_workbook", args=["622927"]), {"period": period})
    job = Job.objects.get(kind="county_report")
    jobs.run(job.pk)
    job.refresh_from_db()
    assert job.state == JobState.DONE, job.error
    for name in ("job", "job_status", "job_file"):
        answer = client.get(reverse(name, args=[job.pk]))
        assert answer.status_code == 200 and holds_a_number(answer) == set(), name
    assert holds_a_number(client.get(reverse("jobs"))) == set()


def test_no_file_of_a_report_holds_a_number(world, tmp_path):
    period, today = Period.parse(f"{timezone.localdate():%Y}"), timezone.localdate()
    county = world[Trainee].county
    write_workbook(tmp_path / "a.xlsx", county, period, as_of=today, language="zh-hans")
    write_csv(tmp_path / "a.csv", county, period, as_of=today, language="zh-hans")

    for path in tmp_path.glob("a.*"):
        assert SEARCH.within_file(path) == set(), path
    assert MASKED_PHONE in (tmp_path / "a.csv").read_text(encoding="utf-8-sig")
    book = openpyxl.load_workbook(io.BytesIO((tmp_path / "a.xlsx").read_bytes()))
    assert any(MASKED_ID in str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row)


def test_what_is_recorded_names_no_number(client, world):
    """The desk's own history and the records of access."""
    from django.contrib.admin.models import LogEntry

    client.force_login(superuser())
    trainee = world[Trainee]
    data = {"name": "王晓明", "background": "other", "township": "吹麻滩镇", "education": "", "born_on": "1990-01-01"}
    client.post(reverse("admin:trainees_trainee_change", args=[trainee.pk]), data | {"county": "", "sex": "male"})
    client.post(reverse("trainee_reveal", args=[trainee.pk]), {"field": "phone", "reason": "回访"})

    rows = [*LogEntry.objects.values_list(), *AccessRecord.objects.values_list()]
    assert LogEntry.objects.filter(object_id=str(trainee.pk)).exists()
    assert AccessRecord.objects.filter(row=str(trainee.pk)).count() >= 2
    assert SEARCH.within(repr(rows).encode()) == set()


def test_staff_cannot_add_a_way_to_see_more(client, world):
    """Every permission there is, and the pages are masked all the same: showing is not a matter of rights only."""
    staff = county_staff("622927")
    assert staff.user_permissions.count() == Permission.objects.count() > 100
    client.force_login(staff)
    answer = client.get(reverse("admin:trainees_trainee_change", args=[world[Trainee].pk]))
    assert holds_a_number(answer) == set() and MASKED_PHONE in answer.content.decode()
