"""The pages of the two imports: who may, the workbook of a class, upload, preview and confirming by hand."""

import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from courses.models import Attendance, LearningRecord
from incubator.accounts.choices import StaffGroup
from incubator.classbooks.models import AttendanceImport, LearningImport
from incubator.jobs import services as jobs
from tests.classbooks.world import book_of, make_room
from tests.factories import CourseFactory, official

pytestmark = pytest.mark.django_db

LISTS = ["/admin/classbooks/attendanceimport/", "/admin/classbooks/learningimport/"]


def member(group, code="622927"):
    user = official(code, is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    return user


@pytest.mark.parametrize("url", LISTS)
@pytest.mark.parametrize(
    ("group", "list_status", "add_status"),
    [
        (StaffGroup.MANAGER, 200, 200),
        (StaffGroup.CLERK, 200, 200),
        (StaffGroup.VIEWER, 200, 403),
        (StaffGroup.CERTIFIER, 403, 403),
    ],
)
def test_groups_may_do_what_they_may_do_with_rosters(client, url, group, list_status, add_status):
    client.force_login(member(group))

    assert client.get(url).status_code == list_status
    assert client.get(f"{url}add/").status_code == add_status


@pytest.mark.parametrize("name", ["attendanceimport", "learningimport"])
def test_the_list_leads_to_the_blank_workbook(client, name):
    client.force_login(member(StaffGroup.CLERK))
    url = reverse(f"admin:classbooks_{name}_template")

    assert url in client.get(reverse(f"admin:classbooks_{name}_changelist")).content.decode()
    answer = client.get(url)
    assert answer.content.startswith(b"PK") and ".xlsx" in answer["Content-Disposition"]


def test_the_page_of_a_class_leads_to_its_workbook_and_to_the_upload(client):
    room = make_room()
    client.force_login(member(StaffGroup.CLERK))
    url = reverse("admin:classbooks_attendanceimport_workbook", args=[room.training_class.pk])
    page = client.get(reverse("admin:courses_trainingclass_change", args=[room.training_class.pk])).content.decode()

    assert url in page and f"add/?training_class={room.training_class.pk}" in page
    assert client.get(url).content.startswith(b"PK")


def test_the_workbook_of_a_strangers_class_is_not_there(client):
    far = make_room(code="520526")
    client.force_login(member(StaffGroup.MANAGER))

    url = reverse("admin:classbooks_attendanceimport_workbook", args=[far.training_class.pk])
    assert client.get(url).status_code == 404
    file = SimpleUploadedFile("考勤.xlsx", book_of(far.headers, []).read())
    client.post(f"{LISTS[0]}add/", {"training_class": far.training_class.pk, "reason": "", "file": file})
    assert not AttendanceImport.objects.exists()


def test_attendance_is_uploaded_looked_at_and_its_good_rows_written(client):
    room = make_room()
    clerk = member(StaffGroup.CLERK)
    client.force_login(clerk)
    rows = [room.line(0, "出勤", "出勤"), room.line(1, "来了", "出勤"), room.line(2, "请假", 60)]
    file = SimpleUploadedFile("考勤.xlsx", book_of(room.headers, rows).read())
    client.post(f"{LISTS[0]}add/", {"training_class": room.training_class.pk, "reason": "", "file": file})
    staged = AttendanceImport.objects.get()
    jobs.run(staged.job_id)

    url = reverse("admin:classbooks_attendanceimport_change", args=[staged.pk])
    page = client.get(url).content.decode()
    assert "来了" in page and room.people[0].trainee.name in page and room.headers[3] in page
    assert "apply_good" in page and "move/apply/" not in page

    client.post(f"{url.removesuffix('change/')}move/apply_good/", {})
    assert not Attendance.objects.exists()  # the tick is missing
    client.post(f"{url.removesuffix('change/')}move/apply_good/", {"is_sure": "on"})

    assert Attendance.objects.count() == 4
    assert client.get(url).status_code == 200
    staged.refresh_from_db()
    assert (staged.state, staged.is_partial, staged.applied_by) == ("applied", True, clerk)


def test_learning_is_uploaded_looked_at_and_written(client):
    room = make_room()
    CourseFactory(code="ZB-1", title="直播基础", delivery="online")
    client.force_login(member(StaffGroup.CLERK))
    trainee = room.people[0].trainee
    headers = ["学员编号", "姓名", "课程", "学习分钟", "完成时间"]
    content = book_of(headers, [[trainee.number, trainee.name, "ZB-1", 50, "2026-03-02 10:00"]]).read()
    data = {"cohort": room.training_class.cohort_id, "region": "622927"}
    client.post(f"{LISTS[1]}add/", {**data, "file": SimpleUploadedFile("学习.xlsx", content)})
    staged = LearningImport.objects.get()
    jobs.run(staged.job_id)

    url = reverse("admin:classbooks_learningimport_change", args=[staged.pk])
    page = client.get(url).content.decode()
    assert trainee.name in page and "ZB-1" in page
    client.post(f"{url.removesuffix('change/')}move/apply/", {})
    assert LearningRecord.objects.get().minutes == 50
    assert client.get(url).status_code == 200


def test_a_viewer_writes_nothing(client):
    room = make_room()
    client.force_login(member(StaffGroup.MANAGER))
    file = SimpleUploadedFile("考勤.xlsx", book_of(room.headers, [room.line(0, "出勤", "出勤")]).read())
    client.post(f"{LISTS[0]}add/", {"training_class": room.training_class.pk, "reason": "", "file": file})
    staged = AttendanceImport.objects.get()
    jobs.run(staged.job_id)
    client.force_login(member(StaffGroup.VIEWER))

    url = reverse("admin:classbooks_attendanceimport_move", args=[staged.pk, "apply"])
    assert client.post(url, {}).status_code == 403
    assert not Attendance.objects.exists()
