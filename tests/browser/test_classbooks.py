"""An attendance workbook and a signed sheet in a browser, on a wide and a narrow screen."""

import pytest
from django.urls import reverse

from courses.models import PaperSheet
from incubator.classbooks.models import AttendanceImport
from incubator.classbooks.services import upload_attendance
from incubator.jobs import services as jobs
from tests.browser.conftest import fits
from tests.classbooks.world import book_of, make_room
from tests.factories import superuser

WIDTHS = pytest.mark.parametrize("width", [1280, 390])


@WIDTHS
def test_attendance_is_previewed_and_its_good_rows_written(visit, shoot, live_server, width):
    root = superuser(username="root")
    room = make_room(people=4)
    rows = [room.line(0, "出勤", "出勤"), room.line(1, "来了", "出勤"), room.line(2, "请假", 60), room.line(3, -5, "")]
    staged = upload_attendance(
        book_of(room.headers, rows), training_class=room.training_class, by=root, name="考勤表.xlsx"
    )
    jobs.run(staged.job_id)
    page = visit("root", width=width)

    page.goto(f"{live_server.url}{reverse('admin:courses_trainingclass_change', args=[room.training_class.pk])}")
    shoot(page, f"class-page-{width}")
    page.locator("a.desk-link", has_text="考勤表.xlsx").click()
    page.locator(".import-counts").wait_for()
    shoot(page, f"attendance-preview-{width}")
    assert fits(page)
    assert page.locator(".import-findings tbody tr").count() == 3

    page.locator("details:has(form[action*='/move/apply_good/']) summary").click()
    page.locator("form[action*='/move/apply_good/'] input[type=checkbox]").check()
    page.locator("form[action*='/move/apply_good/'] button").click()
    page.locator(".import-counts").wait_for()
    shoot(page, f"attendance-written-{width}")
    assert AttendanceImport.objects.get().is_partial
    assert set(room.marks()) == {(0, 0), (0, 1), (2, 0), (2, 1)}


@WIDTHS
def test_a_signed_sheet_is_uploaded_and_marked_from(visit, shoot, live_server, width):
    superuser(username="root")
    room = make_room(people=4)
    page = visit("root", width=width)
    page.goto(f"{live_server.url}{reverse('admin:courses_session_change', args=[room.sessions[0].pk])}")
    page.locator(f"a[href='{reverse('admin:courses_papersheet_session', args=[room.sessions[0].pk])}']").click()

    scan = {"name": "签到表.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 signed"}
    page.set_input_files("input[type=file]", scan)
    shoot(page, f"sheet-upload-{width}")
    page.locator("form[enctype] button").click()
    page.locator(".desk-sheet").wait_for()
    assert PaperSheet.objects.get().file_name == "签到表.pdf"

    for person in room.people[:3]:
        page.locator(f"input[name=state_{person.pk}][value=present]").check()
    shoot(page, f"sheet-marks-{width}")
    assert fits(page)
    page.locator("form:not([enctype]) button.desk-button-main").click()
    page.wait_for_load_state()
    assert {who for who, _session in room.marks()} == {0, 1, 2}
