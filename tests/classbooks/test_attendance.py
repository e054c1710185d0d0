"""An attendance workbook of a class: what is wrong is named by row, column and reason; the rest is as chosen."""

from datetime import timedelta
from io import BytesIO

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from courses.models import (
    Attendance,
    AttendanceChange,
    GraduationQuestion,
    InstitutionPosting,
    TrainingInstitution,
)
from courses.services import graduate, leave_class, mark_attendance
from incubator.classbooks.models import AttendanceImport
from incubator.classbooks.services import (
    apply_attendance,
    check_attendance,
    discard,
    explain_corrections,
    recheck_attendance,
    upload_attendance,
)
from incubator.classbooks.template import blank_attendance, class_workbook
from incubator.common.errors import RuleBroken, Stale
from incubator.common.workbooks import read_workbook
from incubator.jobs import services as jobs
from tests.classbooks.world import (
    FIRST_ROW,
    HOURS,
    book_of,
    bring_in,
    enrol_rows,
    make_room,
    session_on,
    sums_up,
    told,
)
from tests.factories import ParticipationFactory, TraineeFactory, UserFactory, official, region, superuser
from trainees.identity import id_number_index, phone_index

pytestmark = pytest.mark.django_db

PRESENT, ABSENT, ON_LEAVE = ("present", HOURS), ("absent", 0), ("on_leave", 0)


@pytest.fixture
def clerk(db):
    return official("622927")


@pytest.fixture
def room(db):
    return make_room()


def confirm(staged, by, **kwargs):
    return apply_attendance(staged, by=by, at=timezone.now(), **kwargs)


def one_cell(room, clerk, text, **kwargs):
    """An import in which the second person's first mark is ``text``."""
    rows = [room.line(0, "出勤", "出勤"), room.line(1, text, "出勤"), room.line(2, "出勤", "出勤")]
    return bring_in(book_of(room.headers, rows), room.training_class, clerk, **kwargs)


def test_a_workbook_is_previewed_and_then_written(room, clerk):
    rows = [room.line(0, "出勤", "缺勤"), room.line(1, "√", "×"), room.line(2, "请假", 60)]
    staged = bring_in(book_of(room.headers, rows, below=[["合计", "3人"]]), room.training_class, clerk)

    assert (staged.state, staged.new_count, staged.wrong_count, staged.skipped_count) == ("checked", 3, 0, 1)
    assert (staged.title, staged.filled_by) == ("考勤表", "某学院")
    assert not Attendance.objects.exists()

    done = confirm(staged, clerk)

    assert room.marks() == {
        (0, 0): PRESENT,
        (0, 1): ABSENT,
        (1, 0): PRESENT,
        (1, 1): ABSENT,
        (2, 0): ON_LEAVE,
        (2, 1): ("present", 60),
    }
    assert (done.state, done.written_count, done.is_partial) == ("applied", 6, False)
    assert set(Attendance.objects.values_list("method", "marked_by")) == {("workbook", clerk.pk)}


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("出勤", PRESENT),
        (" 到 课 ", PRESENT),
        ("✓", PRESENT),
        ("缺勤", ABSENT),
        ("旷课", ABSENT),
        ("x", ABSENT),
        ("病假", ON_LEAVE),
        ("△", ON_LEAVE),
        ("迟到10", PRESENT),  # the grace that check-ins have
        ("迟到11", ("present", HOURS - 11)),
        ("早退20分钟", ("present", HOURS - 20)),
        ("45", ("present", 45)),
        (45, ("present", 45)),
        ("４５分钟", ("present", 45)),
        (HOURS, PRESENT),
        (1, ("present", 1)),
    ],
)
def test_marks_are_understood_as_people_write_them(room, clerk, text, mark):
    confirm(one_cell(room, clerk, text), clerk)

    assert room.marks()[1, 0] == mark


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("来了", "not known|无法识别"),
        ("迟到", "how many|多少分钟|几分钟"),
        (-5, "negative|负"),
        ("-5分钟", "negative|负"),
        (0, "缺勤"),
        (12.5, "whole number|整数"),
        (HOURS + 1, str(HOURS)),
        ("迟到95", "at least|至少"),
        (None, "empty|空"),
    ],
)
def test_a_wrong_cell_is_named_by_row_column_and_reason_and_nothing_is_written(room, clerk, text, said):
    staged = one_cell(room, clerk, text)

    [(row, column, sentence)] = told(staged)
    assert (row, column) == (FIRST_ROW + 1, room.headers[3])
    assert any(word in sentence for word in said.split("|")), sentence
    assert staged.state == "in_review" and sums_up(staged)
    with pytest.raises(RuleBroken):
        confirm(staged, clerk)
    assert not Attendance.objects.exists()

    confirm(staged, clerk, is_partial=True)

    assert room.marks() == {(0, 0): PRESENT, (0, 1): PRESENT, (2, 0): PRESENT, (2, 1): PRESENT}


def test_a_column_in_which_nothing_is_written_says_nothing(room, clerk):
    rows = [room.line(n, "出勤", "") for n in range(3)]
    confirm(bring_in(book_of(room.headers, rows), room.training_class, clerk), clerk)

    assert set(room.marks()) == {(0, 0), (1, 0), (2, 0)}


def test_a_session_still_to_come_is_refused(clerk):
    room = make_room()
    later = timezone.localtime(timezone.now() + timedelta(days=2)).replace(second=0, microsecond=0)
    session = room.sessions[1]
    session.starts_at, session.ends_at = later, later + timedelta(minutes=HOURS)
    session.save()
    headers = [*room.headers[:4], f"{later:%Y-%m-%d %H:%M}"]
    staged = bring_in(book_of(headers, [room.line(0, "出勤", "出勤")]), room.training_class, clerk)

    [(row, column, sentence)] = told(staged)
    assert (row, column) == (FIRST_ROW, headers[4]) and ("to come" in sentence or "还没" in sentence)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("2026-04-09 08:00", "2026-04-09"),
        ("2026-04-02 09:00", "08:00"),
        ("2026-13-02 08:00", "no such day|没有这一天"),
        ("2026-04-01 08:00", "Two columns|两列"),
        ("2026-04-02 25:00", "time of day|时间"),
    ],
)
def test_a_column_of_no_session_of_the_class_refuses_the_workbook(room, clerk, header, said):
    headers = [*room.headers[:4], header]
    staged = bring_in(book_of(headers, [room.line(0, "出勤", "出勤")]), room.training_class, clerk)

    assert staged.state == "refused" and header in staged.error
    assert any(word in staged.error for word in said.split("|")), staged.error


def test_a_day_alone_names_the_only_session_of_it(room, clerk):
    headers = [*room.headers[:3], "2026年4月1日", "2026/4/2 8:00 直播基础"]
    confirm(bring_in(book_of(headers, [room.line(0, "出勤", "缺勤")]), room.training_class, clerk), clerk)

    assert room.marks() == {(0, 0): PRESENT, (0, 1): ABSENT}

    session_on(room.training_class, 1, hour=14)
    staged = bring_in(book_of(headers, [room.line(0, "出勤", "缺勤")]), room.training_class, clerk)
    assert staged.state == "refused" and "14:00" in staged.error


def test_a_workbook_without_sessions_or_numbers_is_refused(room, clerk):
    without = bring_in(book_of(room.headers[:3], [room.line(0)]), room.training_class, clerk)
    assert without.state == "refused" and "2026-04-01 08:00" in without.error

    nameless = bring_in(
        book_of(["姓名", "日期", "2026-04-01 08:00"], [["马一", "2026-04-01", "出勤"]]), room.training_class, clerk
    )
    assert nameless.state == "refused" and "学员编号" in nameless.error


# --- Who --------------------------------------------------------------------------------------------------------------


def test_people_are_found_by_any_of_their_numbers(room, clerk):
    card, mobile = "110101199003070011", "13800001234"
    by_card, by_phone = room.people[0].trainee, room.people[1].trainee
    by_card.id_number_index = id_number_index(card)
    by_card.save(update_fields=["id_number_index"])
    by_phone.phone_index = phone_index(f"+86{mobile}")
    by_phone.save(update_fields=["phone_index"])
    headers = ["姓名", "身份证号", "手机号", "学员编号", "2026-04-01 08:00"]
    rows = [
        [by_card.name, card, "", "", "出勤"],
        [by_phone.name, "", mobile, "", "缺勤"],
        [room.people[2].trainee.name, "", "", room.people[2].trainee.number[1:], "请假"],
    ]
    staged = bring_in(book_of(headers, rows), room.training_class, clerk)

    assert told(staged) == []
    confirm(staged, clerk)
    assert room.marks() == {(0, 0): PRESENT, (1, 0): ABSENT, (2, 0): ON_LEAVE}
    text = str(list(staged.findings.values_list("value", "sentence")))
    assert card not in text and mobile not in text


def test_numbers_that_cannot_be_are_masked_in_findings(room, clerk):
    headers = ["姓名", "身份证号", "2026-04-01 08:00"]
    staged = bring_in(book_of(headers, [["马一", "110101199003070018", "出勤"]]), room.training_class, clerk)

    finding = staged.findings.get()
    assert (finding.row, finding.column) == (FIRST_ROW, "身份证号")
    assert finding.value == "110101********0018" and "19900307" not in finding.sentence


@pytest.mark.parametrize("place", [1, 3])
def test_numbers_in_the_wrong_column_are_masked_too(room, clerk, place):
    row = room.line(0, "出勤", "出勤")
    row[place] = "110101199003070011"
    staged = bring_in(book_of(room.headers, [row]), room.training_class, clerk)

    assert [finding.value for finding in staged.findings.all()] == ["110101********0011"]


def test_a_name_that_does_not_fit_the_number_is_an_error(room, clerk):
    rows = [room.line(0, "出勤", "出勤", name="张三"), room.line(1, "出勤", "出勤")]
    staged = bring_in(book_of(room.headers, rows), room.training_class, clerk)

    [(row, column, sentence)] = told(staged)
    assert (row, column) == (FIRST_ROW, "学员编号") and room.people[0].trainee.name in sentence


def test_the_dot_of_a_name_and_its_spaces_do_not_matter(room, clerk):
    trainee = room.people[0].trainee
    trainee.name = "阿卜杜热合曼·买买提"
    trainee.save()
    rows = [room.line(0, "出勤", "出勤", name="阿卜杜热合曼 • 买买提")]

    assert told(bring_in(book_of(room.headers, rows), room.training_class, clerk)) == []


def test_the_same_person_twice_makes_both_rows_wrong(room, clerk):
    rows = [room.line(0, "出勤", "出勤"), room.line(1, "出勤", "出勤"), room.line(0, "缺勤", "出勤")]
    staged = bring_in(book_of(room.headers, rows), room.training_class, clerk)

    assert {(row, column) for row, column, _s in told(staged)} == {(FIRST_ROW, "学员编号"), (FIRST_ROW + 2, "学员编号")}
    confirm(staged, clerk, is_partial=True)
    assert set(room.marks()) == {(1, 0), (1, 1)}


def test_whom_one_may_not_see_and_whom_nobody_knows_get_the_same_sentence(room, clerk):
    """Somebody of another county, in this class and not in it, and a number of nobody."""
    stranger = TraineeFactory(county=region("520526"), name="外人甲")
    inside = ParticipationFactory(
        trainee=TraineeFactory(county=region("520526"), name="外人乙"), cohort=room.training_class.cohort
    )
    enrol_rows(room.training_class, [inside])
    numbers = [stranger.number, inside.trainee.number, "T2026-0000009"]
    rows = [room.line(0, "出勤", "出勤", number=number, name="外人") for number in numbers]
    staged = bring_in(book_of(room.headers, rows), room.training_class, clerk)

    found = told(staged)
    assert len(found) == 3 and len({sentence for _r, _c, sentence in found}) == 1
    assert "外人甲" not in str(found) and "外人乙" not in str(found)


def test_somebody_known_who_is_not_in_the_class_is_told_so(room, clerk):
    other = TraineeFactory(county=region("622927"))
    rows = [room.line(0, "出勤", "出勤", number=other.number, name=other.name)]
    [(_row, _column, sentence)] = told(bring_in(book_of(room.headers, rows), room.training_class, clerk))

    assert "not in this class" in sentence or "不在" in sentence


def test_who_left_counts_until_then_and_who_waits_counts_not(room, clerk):
    leave_class(room.training_class.enrolments.get(participation=room.people[0]), by=clerk, reason="病")
    room.training_class.enrolments.filter(participation=room.people[0]).update(since=room.sessions[1].starts_at)
    room.training_class.enrolments.filter(participation=room.people[1]).update(state="waiting")
    rows = [room.line(0, "出勤", "出勤"), room.line(1, "出勤", "出勤"), room.line(2, "出勤", "出勤")]
    staged = bring_in(book_of(room.headers, rows), room.training_class, clerk)

    sentences = {(row, column): sentence for row, column, sentence in told(staged)}
    assert sentences[FIRST_ROW, room.headers[4]] != sentences[FIRST_ROW + 1, room.headers[4]]
    assert set(sentences) == {
        (FIRST_ROW, room.headers[4]),
        (FIRST_ROW + 1, room.headers[3]),
        (FIRST_ROW + 1, room.headers[4]),
    }


def test_present_elsewhere_at_that_time_is_refused_without_naming_the_other_class(room, clerk):
    other = make_room(people=0, sessions=0, code="520526")
    there = session_on(other.training_class, 1, hour=9)
    enrol_rows(other.training_class, [room.people[0]])
    Attendance.objects.create(session=there, participation=room.people[0], state="present", minutes=5, marked_by=clerk)
    staged = bring_in(book_of(room.headers, [room.line(0, "出勤", "出勤")]), room.training_class, clerk)

    [(row, column, sentence)] = told(staged)
    assert (row, column) == (FIRST_ROW, room.headers[3])
    assert "09:00" in sentence and other.training_class.name not in sentence
    absent = bring_in(book_of(room.headers, [room.line(0, "缺勤", "出勤")]), room.training_class, clerk)
    assert told(absent) == []


# --- Again, and corrections -------------------------------------------------------------------------------------------


def test_the_same_file_twice_changes_nothing(room, clerk):
    def file():
        return book_of(room.headers, [room.line(n, "出勤", 60) for n in range(3)])

    confirm(bring_in(file(), room.training_class, clerk), clerk)
    before = list(Attendance.objects.order_by("pk").values())
    again = bring_in(file(), room.training_class, clerk)

    assert (again.state, again.same_count, again.to_write_count) == ("checked", 3, 0)
    with pytest.raises(RuleBroken):
        confirm(again, clerk)
    with pytest.raises(Stale):
        confirm(AttendanceImport.objects.exclude(pk=again.pk).get(), clerk)
    assert list(Attendance.objects.order_by("pk").values()) == before
    assert not AttendanceChange.objects.exists()


def test_a_correction_needs_a_reason_which_can_be_given_afterwards(room, clerk):
    mark_attendance(room.sessions[0], marks={room.people[0].pk: ("absent", None)}, by=clerk)
    rows = [room.line(0, "出勤", "出勤"), room.line(1, "出勤", "出勤")]
    staged = bring_in(book_of(room.headers, rows), room.training_class, clerk)

    [(row, column, _sentence)] = told(staged)
    assert (row, column) == (FIRST_ROW, room.headers[3])

    for nothing in ("", "  "):
        with pytest.raises(RuleBroken):
            explain_corrections(staged, by=clerk, reason=nothing)
    explain_corrections(staged, by=clerk, reason="纸质签到表为准")
    jobs.run(staged.job_id)
    staged.refresh_from_db()
    assert (told(staged), staged.corrected_count, staged.new_count) == ([], 1, 1)
    confirm(staged, clerk)

    change = AttendanceChange.objects.get()
    assert (change.state_before, change.state_after, change.reason, change.by) == (
        "absent",
        "present",
        "纸质签到表为准",
        clerk,
    )


def test_a_correction_by_workbook_opens_the_question_of_a_graduation(clerk):
    room = make_room(people=1, sessions=3)
    for session in room.sessions:
        session.ends_at = session.starts_at + timedelta(minutes=240)
        session.save()
        mark_attendance(session, marks={room.people[0].pk: ("present", None)}, by=clerk)
    graduate(room.people[0], on=timezone.localdate(), by=clerk)
    rows = [room.line(0, "缺勤", "出勤", "出勤")]
    staged = bring_in(book_of(room.headers, rows), room.training_class, clerk, reason="代签")
    confirm(staged, clerk)

    assert GraduationQuestion.objects.open().count() == 1


def test_a_preview_that_no_longer_holds_is_refused(room, clerk):
    staged = bring_in(book_of(room.headers, [room.line(0, "出勤", "出勤")]), room.training_class, clerk)
    mark_attendance(room.sessions[0], marks={room.people[0].pk: ("absent", None)}, by=clerk)

    with pytest.raises(Stale):
        confirm(staged, clerk)
    assert room.marks() == {(0, 0): ABSENT}

    recheck_attendance(staged, by=clerk)
    jobs.run(staged.job_id)
    staged.refresh_from_db()
    assert staged.wrong_count == 1


def test_who_confirms_sees_what_was_previewed(room, clerk):
    """The preview of somebody who sees more does not write for somebody who sees less."""
    far = ParticipationFactory(
        trainee=TraineeFactory(county=region("520526")), cohort=room.training_class.cohort, state="training"
    )
    enrol_rows(room.training_class, [far])
    room.people.append(far)
    staged = bring_in(book_of(room.headers, [room.line(3, "出勤", "出勤")]), room.training_class, superuser())

    assert told(staged) == []
    with pytest.raises(Stale):
        confirm(staged, clerk)
    assert room.marks() == {}


def test_a_class_one_may_not_see_takes_no_workbook(clerk):
    far = make_room(code="520526")
    with pytest.raises(RuleBroken):
        upload_attendance(book_of(far.headers, []), training_class=far.training_class, by=clerk)
    assert not AttendanceImport.objects.exists()


def test_staff_of_an_institution_bring_in_their_own_class_whatever_county_people_are_of(room):
    school = TrainingInstitution.objects.create(name="学院", region=region("110101"))
    room.training_class.institution = school
    room.training_class.save()
    far = ParticipationFactory(trainee=TraineeFactory(county=region("520526")), cohort=room.training_class.cohort)
    enrol_rows(room.training_class, [far])
    room.people.append(far)
    user = UserFactory(is_staff=True)
    InstitutionPosting.objects.create(institution=school, user=user, starts_on="2020-01-01")
    staged = bring_in(book_of(room.headers, [room.line(3, "出勤", "出勤")]), room.training_class, user)

    assert told(staged) == []
    confirm(staged, user)
    assert room.marks() == {(3, 0): PRESENT, (3, 1): PRESENT}
    with pytest.raises(RuleBroken):
        upload_attendance(book_of(room.headers, []), training_class=make_room().training_class, by=user)


def test_a_discarded_import_is_not_written(room, clerk):
    staged = bring_in(book_of(room.headers, [room.line(0, "出勤", "出勤")]), room.training_class, clerk)
    discard(staged, by=clerk)
    with pytest.raises(RuleBroken):
        confirm(staged, clerk)
    assert room.marks() == {}


def test_the_database_keeps_wrong_rows_out_unless_somebody_chose(room, clerk):
    staged = one_cell(room, clerk, "来了")
    for changes in ({"state": "applied"}, {"state": "applied", "applied_by": clerk}):
        with pytest.raises(IntegrityError), transaction.atomic():
            AttendanceImport.objects.filter(pk=staged.pk).update(**changes)


# --- A row for each mark ----------------------------------------------------------------------------------------------

LONG = ["学员编号", "姓名", "日期", "开始时间", "考勤", "分钟", "到达时间", "离开时间"]


def long(room, n, *cells):
    trainee = room.people[n].trainee
    return [trainee.number, trainee.name, *cells]


@pytest.mark.parametrize(
    ("cells", "mark"),
    [
        (("2026-04-01", "08:00", "出勤"), PRESENT),
        (("2026-04-01", "", "缺勤"), ABSENT),
        (("2026/4/1 8:00", "", "", 45), ("present", 45)),
        (("2026-04-01", "8点", "出勤", "30"), ("present", 30)),
        (("2026-04-01", "", "", "", "08:20", ""), ("present", HOURS - 20)),
        (("2026-04-01", "", "", "", "08:10", "09:20"), PRESENT),
        (("2026-04-01", "", "", "", "2026-04-01 08:11", "2026-04-01 09:19:30"), ("present", 68)),
        (("2026-04-01", "", "请假", "", "08:20", "09:00"), ON_LEAVE),
    ],
)
def test_a_row_for_each_mark_is_understood_too(room, clerk, cells, mark):
    staged = bring_in(book_of(LONG, [long(room, 0, *cells)]), room.training_class, clerk)

    assert told(staged) == []
    confirm(staged, clerk)
    assert room.marks() == {(0, 0): mark}


@pytest.mark.parametrize(
    ("cells", "column", "said"),
    [
        (("", "08:00", "出勤"), "日期", "empty|空"),
        (("4月1日", "08:00", "出勤"), "日期", "year|年"),
        (("2026-04-31", "08:00", "出勤"), "日期", "no such day|没有这一天"),
        (("2026-04-09", "08:00", "出勤"), "日期", "2026-04-09"),
        (("2026-04-01", "10:00", "出勤"), "日期", "08:00"),
        (("2026-04-01", "早上", "出勤"), "日期", "time of day|时间"),
        (("2026-04-01", "", ""), "考勤", "empty|空"),
        (("2026-04-01", "", "", "", "09:00", "08:30"), "到达时间", "before|早于|之前"),
        (("2026-04-01", "", "", "", "10:00", "11:00"), "到达时间", "before|within|范围|早于|之前"),
        (("2026-04-01", "", "", 1500), "分钟", str(HOURS)),
    ],
)
def test_a_wrong_row_of_one_mark_is_named(room, clerk, cells, column, said):
    rows = [long(room, 0, *cells), long(room, 1, "2026-04-01", "08:00", "出勤")]
    staged = bring_in(book_of(LONG, rows), room.training_class, clerk)

    [(row, where, sentence)] = told(staged)
    assert (row, where) == (FIRST_ROW, column)
    assert any(word in sentence for word in said.split("|")), sentence


def test_somebody_twice_at_one_session_is_wrong_in_both_rows_and_at_two_sessions_in_none(room, clerk):
    rows = [long(room, 0, "2026-04-01", "", "出勤"), long(room, 0, "2026-04-02", "", "出勤")]
    assert told(bring_in(book_of(LONG, rows), room.training_class, clerk)) == []

    rows.append(long(room, 0, "2026-04-01", "", "缺勤"))
    found = told(bring_in(book_of(LONG, rows), room.training_class, clerk))
    assert [row for row, _c, _s in found] == [FIRST_ROW, FIRST_ROW + 2]


# --- The workbook of a class ------------------------------------------------------------------------------------------


def test_the_workbook_of_a_class_comes_back_and_changes_nothing(room, clerk):
    mark_attendance(room.sessions[0], marks={p.pk: ("present", 33) for p in room.people}, by=clerk)
    content = class_workbook(room.training_class, by=clerk)
    staged = bring_in(BytesIO(content), room.training_class, clerk)

    assert (staged.state, staged.same_count, staged.error) == ("checked", 3, "")


def test_the_workbook_of_another_class_is_refused(room, clerk):
    other, far = make_room(), make_room(code="520526")
    near = bring_in(BytesIO(class_workbook(other.training_class, by=clerk)), room.training_class, clerk)
    assert near.state == "refused" and other.training_class.name in near.error

    content = class_workbook(far.training_class, by=superuser())
    unseen = bring_in(BytesIO(content), room.training_class, clerk)
    assert unseen.state == "refused" and far.training_class.name not in unseen.error


def test_a_changed_mark_of_a_template_is_refused(room, clerk):
    from incubator.rosters.template import roster_template

    content = roster_template(room.training_class.cohort, region("622927"), by=clerk)
    staged = bring_in(BytesIO(content), room.training_class, clerk)
    assert staged.state == "refused" and room.training_class.name in staged.error


def test_the_workbook_names_only_whom_one_may_see(room, clerk, tmp_path):
    far = ParticipationFactory(
        trainee=TraineeFactory(county=region("520526"), name="外人"), cohort=room.training_class.cohort
    )
    enrol_rows(room.training_class, [far])
    path = tmp_path / "a.xlsx"
    path.write_bytes(class_workbook(room.training_class, by=clerk))
    with read_workbook(path) as book:
        cells = [cell.text for row in book for cell in row.cells]
    assert room.people[0].trainee.name in cells and "外人" not in cells


def test_the_blank_workbook_is_read_as_a_row_for_each_mark(room, clerk):
    staged = bring_in(BytesIO(blank_attendance()), room.training_class, clerk)
    assert staged.state == "refused" and "4" in staged.error


# --- How it is asked --------------------------------------------------------------------------------------------------


def test_the_database_is_asked_as_often_for_three_rows_as_for_sixty(clerk):
    counted = []
    for people in (3, 60):
        room = make_room(people=people)
        rows = [room.line(n, "出勤", "出勤") for n in range(people)]
        rows.append(["", "T2026-0000009", "没有", "出勤", "出勤"])
        staged = upload_attendance(book_of(room.headers, rows), training_class=room.training_class, by=clerk)
        with CaptureQueriesContext(connection) as checking:
            check_attendance(staged, at=timezone.now())
        staged.refresh_from_db()
        with CaptureQueriesContext(connection) as writing:
            confirm(staged, clerk, is_partial=True)
        counted.append((len(checking), len(writing)))
    assert counted[0] == counted[1], counted
    assert counted[0][0] <= 25 and counted[0][1] <= 45, counted
