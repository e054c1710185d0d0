"""Files of online learning: each course counts once however often it is told; what is wrong is named."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from io import BytesIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from courses.models import GraduationQuestion, LearningRecord, Taught
from courses.queries import training_standings
from courses.services import revise_course
from courses.services.learning import Learned, write_learning_records
from incubator.classbooks.models import LearningImport
from incubator.classbooks.services import apply_learning, check_learning, upload_learning
from incubator.classbooks.template import blank_learning
from incubator.common.errors import RuleBroken, Stale
from tests.classbooks.world import FIRST_ROW, at, book_of, bring_learning, sums_up, told
from tests.factories import (
    CohortFactory,
    CourseFactory,
    ParticipationFactory,
    TraineeFactory,
    official,
    region,
    superuser,
)

pytestmark = pytest.mark.django_db

HEADERS = ["学员编号", "姓名", "课程", "学习分钟", "完成时间"]
DAY = date(2026, 3, 2)


@pytest.fixture
def county(db):
    return region("622927")


@pytest.fixture
def clerk(county):
    return official("622927")


@pytest.fixture
def cohort(db):
    return CohortFactory()


@pytest.fixture
def people(county, cohort):
    return [
        ParticipationFactory(trainee=TraineeFactory(county=county, name=f"马{n}"), cohort=cohort, state="training")
        for n in range(3)
    ]


@pytest.fixture
def course(db):
    """Of an id unlike its version's, so that nothing takes the one for the other."""
    revise_course(CourseFactory(), by=superuser(), hours=Decimal(3), note="")
    return CourseFactory(code="zb-01", title="直播基础", kind="general", hours=2, delivery="online")


def line(person, course="ZB-01", minutes=60, finished="2026-03-02 10:00", *, name=None):
    trainee = person.trainee
    return [trainee.number, trainee.name if name is None else name, course, minutes, finished]


def confirm(staged, by, **kwargs):
    return apply_learning(staged, by=by, at=timezone.now(), **kwargs)


def records():
    found = LearningRecord.objects.order_by("participation_id", "version_id")
    return list(found.values_list("participation__trainee__name", "version__course__code", "minutes"))


def test_a_file_is_previewed_and_then_counted(cohort, county, clerk, people, course):
    rows = [line(people[0]), line(people[1], "直播 基础", "45分钟", "2026-03-02")]
    staged = bring_learning(book_of(HEADERS, rows), cohort, county, clerk)

    assert (staged.state, staged.new_count, told(staged)) == ("checked", 2, [])
    assert not LearningRecord.objects.exists()

    done = confirm(staged, clerk)

    assert records() == [("马0", "zb-01", 60), ("马1", "zb-01", 45)]
    assert (done.state, done.written_count) == ("applied", 2)
    first, second = LearningRecord.objects.order_by("participation_id")
    assert first.origin == f"classbooks.learningimport/{staged.pk}"
    assert (first.finished_at, timezone.localtime(second.finished_at).date()) == (
        datetime(2026, 3, 2, 10, tzinfo=at(1).tzinfo),
        DAY,
    )
    assert training_standings(people)[people[0].pk].general_minutes == 60


def test_however_often_it_is_told_it_counts_once_with_the_longest(cohort, county, clerk, people, course):
    for minutes in (60, 60, 50, 80, 80, 10):
        staged = bring_learning(book_of(HEADERS, [line(people[0], minutes=minutes)]), cohort, county, clerk)
        if staged.to_write_count:
            confirm(staged, clerk)

    assert records() == [("马0", "zb-01", 80)]
    assert list(Taught.objects.values_list("minutes", "source")) == [(80, "online")]
    kept = LearningRecord.objects.get()
    assert kept.origin.endswith(f"/{LearningImport.objects.filter(state='applied').first().pk}")


def test_at_most_the_hours_of_the_course_count(cohort, county, clerk, people, course):
    confirm(bring_learning(book_of(HEADERS, [line(people[0], minutes=300)]), cohort, county, clerk), clerk)

    assert Taught.objects.get().minutes == 90


def test_a_new_version_of_a_course_does_not_count_it_again(cohort, county, clerk, people, course):
    revise_course(course, by=clerk, hours=Decimal(4), note="longer")
    course.refresh_from_db()
    old = course.versions.get(number=1)
    LearningRecord.objects.create(participation=people[0], version=old, minutes=60, finished_at=at(1))
    today = timezone.localtime().strftime("%Y-%m-%d %H:%M")
    rows = [line(people[0], minutes=100, finished=today), line(people[1], minutes=30, finished="2026-03-02 10:00")]
    staged = bring_learning(book_of(HEADERS, rows), cohort, county, clerk)

    assert (staged.corrected_count, staged.new_count) == (1, 1)
    confirm(staged, clerk)
    assert records() == [("马0", "zb-01", 100), ("马1", "zb-01", 30)]
    assert LearningRecord.objects.get(participation=people[1]).version == old


def test_a_file_that_tells_a_course_twice_keeps_the_longer(cohort, county, clerk, people, course):
    rows = [line(people[0], minutes=20), line(people[0], minutes=70, finished="2026-03-03 09:00"), line(people[0])]
    staged = bring_learning(book_of(HEADERS, rows), cohort, county, clerk)

    assert (staged.new_count, staged.same_count, staged.wrong_count) == (1, 2, 0)
    confirm(staged, clerk)
    assert records() == [("马0", "zb-01", 70)]


@pytest.mark.parametrize(
    ("cells", "column", "said"),
    [
        ({"学员编号": ""}, "学员编号", "empty|空"),
        ({"学员编号": "张三"}, "学员编号", "T2026"),
        ({"学员编号": "T2026-0000009"}, "学员编号", "may see|可以查看"),
        ({"姓名": ""}, "姓名", "empty|空"),
        ({"姓名": "张三"}, "学员编号", "马1"),
        ({"课程": ""}, "课程", "empty|空"),
        ({"课程": "没有这课"}, "课程", "code or title|代码或名称"),
        ({"课程": "同名"}, "课程", "Several|多门|几门"),
        ({"学习分钟": ""}, "学习分钟", "empty|空"),
        ({"学习分钟": -1}, "学习分钟", "negative|负"),
        ({"学习分钟": 0}, "学习分钟", "0"),
        ({"学习分钟": "很久"}, "学习分钟", "whole number|整数"),
        ({"学习分钟": 100_001}, "学习分钟", "seconds|秒"),
        ({"学习分钟": 1441}, "学习分钟", "24"),
        ({"完成时间": ""}, "完成时间", "empty|空"),
        ({"完成时间": "3月2日"}, "完成时间", "year|年"),
        ({"完成时间": "昨天"}, "完成时间", "day|日期"),
        ({"完成时间": (timezone.now() + timedelta(days=2)).strftime("%Y-%m-%d")}, "完成时间", "to come|还没"),
    ],
)
def test_a_wrong_cell_is_named_and_the_rest_written_as_chosen(
    cohort, county, clerk, people, course, cells, column, said
):
    for code in ("A-1", "A-2"):
        CourseFactory(code=code, title="同名")
    bad = [(dict(zip(HEADERS, line(people[1]), strict=True)) | cells)[header] for header in HEADERS]
    staged = bring_learning(book_of(HEADERS, [line(people[0]), bad, line(people[2])]), cohort, county, clerk)

    [(row, where, sentence)] = told(staged)
    assert (row, where) == (FIRST_ROW + 1, column)
    assert any(word in sentence for word in said.split("|")), sentence
    assert sums_up(staged)
    with pytest.raises(RuleBroken):
        confirm(staged, clerk)
    assert records() == []
    confirm(staged, clerk, is_partial=True)
    assert [name for name, _code, _minutes in records()] == ["马0", "马2"]


def test_more_than_a_day_a_day_is_wrong_with_what_is_known(cohort, county, clerk, people, course):
    for n in range(3):
        CourseFactory(code=f"L{n}", title=f"长课{n}", delivery="online")
    rows = [line(people[0], "L0", 1000), line(people[0], "L1", 441, "2026-03-02 23:59"), line(people[1], "L0", 1000)]
    staged = bring_learning(book_of(HEADERS, rows), cohort, county, clerk)
    assert [row for row, _c, _s in told(staged)] == [FIRST_ROW, FIRST_ROW + 1]
    confirm(staged, clerk, is_partial=True)
    assert records() == [("马1", "L0", 1000)]

    exactly = bring_learning(book_of(HEADERS, [line(people[1], "L1", 440)]), cohort, county, clerk)
    assert told(exactly) == []
    over = bring_learning(book_of(HEADERS, [line(people[1], "L1", 441)]), cohort, county, clerk)
    assert [(row, column) for row, column, _s in told(over)] == [(FIRST_ROW, "学习分钟")]
    other_day = bring_learning(
        book_of(HEADERS, [line(people[1], "L1", 441, "2026-03-03 00:00")]), cohort, county, clerk
    )
    assert told(other_day) == []


def test_what_a_wrong_day_hid_is_written_instead(cohort, county, clerk, people, course):
    """The longest record lies on an impossible day; the shorter one of a good day is then the one to write."""
    rows = [line(people[0], minutes=1500), line(people[0], minutes=30, finished="2026-03-03 10:00")]
    staged = bring_learning(book_of(HEADERS, rows), cohort, county, clerk)

    assert (staged.wrong_count, staged.new_count) == (1, 1)
    confirm(staged, clerk, is_partial=True)
    assert records() == [("马0", "zb-01", 30)]


def test_who_is_elsewhere_is_told_only_to_those_who_may_see(cohort, county, clerk, people, course):
    far = ParticipationFactory(trainee=TraineeFactory(county=region("520526"), name="外人"), cohort=cohort)
    idle = TraineeFactory(county=county, name="闲人")
    rows = [line(far), [idle.number, idle.name, "ZB-01", 60, "2026-03-02"]]
    found = told(bring_learning(book_of(HEADERS, rows), cohort, county, clerk))
    assert len(found) == 2 and county.name not in found[0][2]
    assert "cohort" in found[1][2] or "期次" in found[1][2]

    office = superuser()
    [(_r, _c, sentence), _idle] = told(bring_learning(book_of(HEADERS, rows), cohort, county, office))
    assert county.name in sentence


def test_a_course_of_the_classroom_is_worth_a_look(cohort, county, clerk, people):
    CourseFactory(code="M-1", title="现场课")
    staged = bring_learning(book_of(HEADERS, [line(people[0], "M-1")]), cohort, county, clerk)

    assert (staged.new_count, staged.findings.get().is_error) == (1, False)


def test_a_preview_that_no_longer_holds_is_refused(cohort, county, clerk, people, course):
    staged = bring_learning(book_of(HEADERS, [line(people[0])]), cohort, county, clerk)
    write_learning_records([Learned(people[0].pk, course.current_id, 60, at(1))])

    with pytest.raises(Stale):
        confirm(staged, clerk)
    assert records() == [("马0", "zb-01", 60)]


def test_a_region_not_ones_own_takes_no_file(cohort, clerk, people):
    with pytest.raises(RuleBroken):
        upload_learning(book_of(HEADERS, []), cohort=cohort, region=region("520526"), by=clerk)


def test_the_blank_workbook_is_understood(cohort, county, clerk, people, course):
    staged = bring_learning(BytesIO(blank_learning()), cohort, county, clerk)
    assert staged.state == "refused" and "4" in staged.error


def test_the_database_is_asked_as_often_for_three_records_as_for_ninety(cohort, county, clerk, people, course):
    others = [
        ParticipationFactory(trainee=TraineeFactory(county=county, name=f"羊{n}"), cohort=cohort) for n in range(90)
    ]
    counted = []
    for some in (people, others):
        rows = [*(line(person) for person in some), ["T2026-0000009", "没有", "ZB-01", 5, "2026-03-02"]]
        staged = upload_learning(book_of(HEADERS, rows), cohort=cohort, region=county, by=clerk)
        with CaptureQueriesContext(connection) as checking:
            check_learning(staged, at=timezone.now())
        staged.refresh_from_db()
        with CaptureQueriesContext(connection) as writing:
            confirm(staged, clerk, is_partial=True)
        counted.append((len(checking), len(writing)))
    assert counted[0] == counted[1], counted
    assert max(counted[0]) <= 30, counted


# --- The writer by itself ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minutes", "finished_at"), [(0, at(1)), (-5, at(1)), (1441, at(1)), (5, timezone.now() + timedelta(hours=1))]
)
def test_the_writer_refuses_what_cannot_be(people, course, minutes, finished_at):
    with pytest.raises(RuleBroken):
        write_learning_records([Learned(people[0].pk, course.current_id, minutes, finished_at)])
    assert records() == []


def test_written_again_nothing_is_touched(people, course):
    one = Learned(people[0].pk, course.current_id, 60, at(1))
    assert write_learning_records([one, one], origin="a") == 1
    before = list(LearningRecord.objects.values())
    assert write_learning_records([one, Learned(people[0].pk, course.current_id, 59, at(2))], origin="b") == 0
    assert list(LearningRecord.objects.values()) == before


def test_learning_told_later_settles_the_question_of_a_graduation(people, course, clerk):
    from tests.courses.test_services import ready

    person = ready(clerk)
    from courses.services import graduate

    graduation = graduate(person, on=timezone.localdate(), by=clerk)
    GraduationQuestion.objects.create(graduation=graduation, cause="x", facts={})
    write_learning_records([Learned(person.pk, course.current_id, 60, at(1))])

    assert GraduationQuestion.objects.get().answer == "settled"
