"""Paper: sheets to print, scans of signed ones, marks taken from them; and who gets to see which."""

import re
import subprocess
from datetime import timedelta
from io import BytesIO

import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from courses.models import Attendance, InstitutionPosting, Lecturer, PaperSheet, TrainingInstitution
from courses.services import mark_attendance
from courses.services.sheets import LARGEST_SCAN, keep_sheet, mark_from_sheet, signature_sheet, timetable_sheet
from incubator.accounts.choices import StaffGroup
from incubator.common.errors import RuleBroken
from tests.classbooks.world import at, enrol_rows, make_room, session_on
from tests.factories import CourseFactory, ParticipationFactory, TraineeFactory, official, region, superuser

pytestmark = pytest.mark.django_db

PDF, JPEG, PNG = b"%PDF-1.7 signed", b"\xff\xd8\xff\xe0 signed", b"\x89PNG\r\n\x1a\n signed"


@pytest.fixture
def room(db):
    return make_room()


@pytest.fixture
def clerk(db):
    user = official("622927", is_staff=True)
    user.groups.add(Group.objects.get(name=StaffGroup.CLERK))
    return user


def text_of(pdf, tmp_path):
    """What stands in a PDF, without spaces, page by page."""
    path = tmp_path / "a.pdf"
    path.write_bytes(pdf)
    done = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, check=True)
    return [re.sub(r"\s", "", page) for page in done.stdout.decode().split("\f")[:-1]]


pdftotext = pytest.mark.skipif(
    subprocess.run(["which", "pdftotext"], capture_output=True, check=False).returncode != 0,
    reason="pdftotext (poppler-utils) reads the sheets",
)


# --- To print ---------------------------------------------------------------------------------------------------------


@pdftotext
def test_signature_sheet_of_fifty_people_takes_two_pages(clerk, tmp_path):
    room = make_room(people=50)
    room.training_class.name = "甘肃春季班"
    room.training_class.save()
    session = room.sessions[0]
    session.lecturer, session.room = Lecturer.objects.create(name="李老师"), "三号楼201"
    session.save()
    pages = text_of(signature_sheet(session, by=clerk), tmp_path)

    assert len(pages) == 2
    for number, page in enumerate(pages, 1):
        assert f"第{number}页，共2页" in page
        for word in (
            "甘肃春季班",
            session.version.title,
            "三号楼201",
            "李老师",
            "2026-04-01（星期三）08:00–09:30",
            "应到50人",
        ):
            assert word.replace(" ", "") in page, word
    whole = "".join(pages)
    for person in room.people:
        assert person.trainee.name in whole and person.trainee.number in whole


@pdftotext
def test_rare_and_long_names_are_printed(room, clerk, tmp_path):
    names = ["王䶮", "刘㛃", "赵𫖯", "阿卜杜热合曼·买买提依明江·吐尔逊"]
    people = [
        ParticipationFactory(
            trainee=TraineeFactory(county=region("622927"), name=name), cohort=room.training_class.cohort
        )
        for name in names
    ]
    enrol_rows(room.training_class, people)
    [page] = text_of(signature_sheet(room.sessions[0], by=clerk), tmp_path)

    assert all(name in page for name in names[:3])
    assert all(part in page for part in ("阿卜杜热合曼", "吐尔逊"))
    assert "手写" not in page


@pdftotext
def test_a_name_that_no_font_can_draw_is_left_to_the_pen(room, clerk, tmp_path):
    odd = TraineeFactory(county=region("622927"), name="王\U0001f411", initials="zz")
    enrol_rows(room.training_class, [ParticipationFactory(trainee=odd, cohort=room.training_class.cohort)])
    [page] = text_of(signature_sheet(room.sessions[0], by=clerk), tmp_path)

    assert "请手写补全：4" in page


@pdftotext
def test_sheet_lists_whom_one_may_see_and_says_how_many_it_leaves_out(room, clerk, tmp_path):
    far = TraineeFactory(county=region("520526"), name="外人")
    enrol_rows(room.training_class, [ParticipationFactory(trainee=far, cohort=room.training_class.cohort)])
    [own] = text_of(signature_sheet(room.sessions[0], by=clerk), tmp_path)
    [all_of_them] = text_of(signature_sheet(room.sessions[0], by=superuser()), tmp_path)

    assert "外人" not in own and "另有1人未列出" in own
    assert "外人" in all_of_them and "未列出" not in all_of_them


@pdftotext
def test_sheet_lists_who_belongs_into_the_session(room, clerk, tmp_path):
    """Who waits is not of it; who left afterwards was."""
    first, second, third = (p.trainee.name for p in room.people)
    enrolments = {e.participation_id: e for e in room.training_class.enrolments.all()}
    for person, state, since in (
        (room.people[1], "waiting", at(1)),
        (room.people[2], "left", room.sessions[0].starts_at + timedelta(hours=1)),
    ):
        type(enrolments[person.pk]).objects.filter(pk=enrolments[person.pk].pk).update(state=state, since=since)
    [page] = text_of(signature_sheet(room.sessions[0], by=clerk), tmp_path)

    assert first in page and third in page and second not in page
    [later] = text_of(signature_sheet(room.sessions[1], by=clerk), tmp_path)
    assert third not in later


@pdftotext
def test_timetable_has_every_session_under_its_day(room, tmp_path):
    course = CourseFactory(title="短视频拍摄", kind="practice", hours="4.5")
    session_on(room.training_class, 1, hour=14, course=course, minutes=180)
    room.training_class.head_teacher, room.training_class.place = "王老师", "兰州"
    room.training_class.save()
    [page] = text_of(timetable_sheet(room.training_class), tmp_path)

    for word in (
        "课程表",
        "2026-04-01",
        "星期三",
        "08:00–09:30",
        "14:00–17:00",
        "短视频拍摄",
        "实训",
        "4.5",
        "王老师",
        "兰州",
    ):
        assert word in page, word
    assert page.count("2026-04-01") == 1


@pdftotext
def test_empty_class_has_sheets_that_say_so(tmp_path):
    room = make_room(people=0, sessions=0)
    [timetable] = text_of(timetable_sheet(room.training_class), tmp_path)
    [signatures] = text_of(signature_sheet(session_on(room.training_class, 1), by=superuser()), tmp_path)

    assert "还没有安排课次" in timetable and "没有可以列出的学员" in signatures


def test_sheets_take_as_many_queries_for_many_people_and_sessions_as_for_few(clerk):
    signature_sheet(make_room().sessions[0], by=clerk)  # what is read once of the person who asks is read now
    counted = []
    for size in (2, 30):
        room = make_room(people=size, sessions=size // 2)
        with CaptureQueriesContext(connection) as asked:
            signature_sheet(room.sessions[0], by=clerk)
            timetable_sheet(room.training_class)
        counted.append(len(asked))
    assert counted[0] == counted[1] <= 5


# --- Signed -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("content", "kind"), [(PDF, "application/pdf"), (JPEG, "image/jpeg"), (PNG, "image/png")])
def test_scan_is_kept_sealed_and_known_by_its_first_bytes(room, clerk, content, kind):
    sheet = keep_sheet(room.sessions[0], BytesIO(content), by=clerk, name="C:\\scans\\签到.exe")

    assert (sheet.content_type, sheet.file_name, sheet.uploaded_by) == (kind, "签到.exe", clerk)
    kept = PaperSheet.objects.get()
    assert kept.file.read_unsealed() == content
    with kept.file.open() as file:
        assert b"signed" not in file.read()


@pytest.mark.parametrize(
    "content",
    [b"", b"GIF89a", b"MZ\x90", b"<html><script>", b"PK\x03\x04", b" %PDF-1.7", PDF + bytes(LARGEST_SCAN)],
    ids=["nothing", "gif", "program", "page", "zip", "pdf after a space", "too large"],
)
def test_anything_else_is_refused(room, clerk, content):
    with pytest.raises(RuleBroken):
        keep_sheet(room.sessions[0], BytesIO(content), by=clerk, name="a.pdf")
    assert not PaperSheet.objects.exists()


def test_marks_from_paper_rest_on_a_sheet_and_say_so(room, clerk):
    session, person = room.sessions[0], room.people[0]
    with pytest.raises(RuleBroken):
        mark_from_sheet(session, marks={person.pk: ("present", None)}, by=clerk)
    assert not Attendance.objects.exists()

    keep_sheet(session, BytesIO(PDF), by=clerk, name="a.pdf")
    assert mark_from_sheet(session, marks={person.pk: ("present", None)}, by=clerk) == 1
    assert Attendance.objects.get().method == "paper"


# --- On the desk ------------------------------------------------------------------------------------------------------


def sheets_of(session):
    return reverse("admin:courses_papersheet_session", args=[session.pk])


def test_sheet_is_uploaded_and_marked_from_by_hand(client, room, clerk):
    client.force_login(clerk)
    session, url = room.sessions[0], sheets_of(room.sessions[0])
    assert "state_" not in client.get(url).content.decode()  # first the sheet

    client.post(url, {"file": SimpleUploadedFile("a.exe", b"MZ")})
    assert not PaperSheet.objects.exists()
    client.post(url, {"file": SimpleUploadedFile("签到.pdf", PDF)})
    sheet = PaperSheet.objects.get()
    assert "签到.pdf" in client.get(url).content.decode()

    present, absent, unsaid = (f"state_{p.pk}" for p in room.people)
    client.post(url, {present: "present", absent: "absent", unsaid: "", f"minutes_{room.people[0].pk}": "30"})
    marks = set(session.attendances.values_list("participation", "state", "minutes", "method"))
    assert marks == {
        (room.people[0].pk, "present", 30, "paper"),
        (room.people[1].pk, "absent", 0, "paper"),
    }
    scan = client.get(reverse("admin:courses_papersheet_scan", args=[sheet.pk]))
    assert (scan.content, scan["Content-Type"], scan["X-Content-Type-Options"]) == (PDF, "application/pdf", "nosniff")
    assert scan["Content-Disposition"].startswith("attachment") and "sandbox" in scan["Content-Security-Policy"]


def test_correcting_by_paper_takes_a_reason_and_what_is_untouched_stays(client, room, clerk):
    client.force_login(clerk)
    session, person = room.sessions[0], room.people[0]
    mark_attendance(session, marks={person.pk: ("present", 40)}, by=clerk)
    keep_sheet(session, BytesIO(PDF), by=clerk, name="a.pdf")
    page = client.get(sheets_of(session))
    form = page.context["marks"]
    same = {form[name].html_name: form[name].value() or "" for name in form.fields}

    assert client.post(sheets_of(session), same).status_code == 302
    assert (session.attendances.get().method, session.attendances.get().minutes) == ("staff", 40)
    assert client.post(sheets_of(session), {**same, f"state_{person.pk}": "absent"}).status_code == 200
    assert session.attendances.get().state == "present"
    client.post(sheets_of(session), {**same, f"state_{person.pk}": "absent", "reason": "签到表上没有签名"})
    assert (session.attendances.get().state, session.attendances.get().method) == ("absent", "paper")


def addresses(room, sheet):
    return {
        "session": sheets_of(room.sessions[0]),
        "signatures": reverse("admin:courses_papersheet_signatures", args=[room.sessions[0].pk]),
        "timetable": reverse("admin:courses_papersheet_timetable", args=[room.training_class.pk]),
        "scan": reverse("admin:courses_papersheet_scan", args=[sheet.pk]),
    }


def test_sheets_of_a_strangers_class_are_not_there(client, clerk):
    far = make_room(code="520526")
    sheet = keep_sheet(far.sessions[0], BytesIO(PDF), by=clerk, name="a.pdf")
    client.force_login(clerk)
    for name, url in addresses(far, sheet).items():
        assert client.get(url).status_code == 404, name
    client.post(sheets_of(far.sessions[0]), {"file": SimpleUploadedFile("b.pdf", PDF)})
    assert PaperSheet.objects.count() == 1


def test_own_sheets_are_there_and_linked(client, room, clerk):
    sheet = keep_sheet(room.sessions[0], BytesIO(PDF), by=clerk, name="a.pdf")
    client.force_login(clerk)
    urls = addresses(room, sheet)
    for name, url in urls.items():
        assert client.get(url).status_code == 200, name
    session_page = client.get(reverse("admin:courses_session_change", args=[room.sessions[0].pk])).content.decode()
    class_page = client.get(
        reverse("admin:courses_trainingclass_change", args=[room.training_class.pk])
    ).content.decode()
    assert urls["signatures"] in session_page and urls["session"] in session_page and urls["timetable"] in class_page


def test_institution_staff_print_their_own_class(client):
    """Their class, with its people whatever county those are of; no other class."""
    own, other = make_room(), make_room()
    school = TrainingInstitution.objects.create(name="学院", region=region("622927"))
    own.training_class.institution = school
    own.training_class.save()
    user = official("110101", is_staff=True)
    user.groups.add(Group.objects.get(name=StaffGroup.CLERK))
    InstitutionPosting.objects.create(institution=school, user=user, starts_on="2020-01-01")
    client.force_login(user)

    assert client.get(reverse("admin:courses_papersheet_signatures", args=[own.sessions[0].pk])).status_code == 200
    assert client.get(reverse("admin:courses_papersheet_signatures", args=[other.sessions[0].pk])).status_code == 404


@pytest.mark.parametrize(
    ("group", "statuses"),
    [
        (StaffGroup.VIEWER, {"session": 200, "signatures": 200, "timetable": 200, "scan": 200}),
        (StaffGroup.CERTIFIER, {"session": 200, "signatures": 200, "timetable": 200, "scan": 200}),
        (None, {"session": 404, "signatures": 404, "timetable": 404, "scan": 404}),
    ],
)
def test_who_may_look_may_not_upload_or_mark(client, room, clerk, group, statuses):
    sheet = keep_sheet(room.sessions[0], BytesIO(PDF), by=clerk, name="a.pdf")
    user = official("622927", is_staff=True)
    if group:
        user.groups.add(Group.objects.get(name=group))
    client.force_login(user)

    assert {name: client.get(url).status_code for name, url in addresses(room, sheet).items()} == statuses
    for data in ({"file": SimpleUploadedFile("b.pdf", PDF)}, {f"state_{room.people[0].pk}": "present"}):
        assert client.post(sheets_of(room.sessions[0]), data).status_code in (403, 404)
    assert PaperSheet.objects.count() == 1 and not Attendance.objects.exists()
