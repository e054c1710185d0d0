"""Whatever a sheet holds: new + matched + wrong + skipped are its rows, and each row is one of them."""

from collections import Counter

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incubator.jobs import services as jobs
from incubator.rosters.services import apply_roster, upload_roster
from tests.rosters.test_import import FILLED_ON, HEADERS, PEOPLE, clerk, cohort, county, line, workbook  # noqa: F401
from tests.rosters.test_matching import known
from trainees.models import Trainee

pytestmark = pytest.mark.django_db

odd = st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
cell = st.one_of(
    odd,
    st.sampled_from(["", " ", "合计", "小计", "备注：", "示例", "男", "女", "积石山县", "０", "×", "无"]),
    st.sampled_from(["620000199001011234", "13800001234", "1.1E+17", "=1+1", "-", "\\N", "\\.", "a\\b", "x'y\"z"]),
    st.integers(-5, 10**18),
    st.floats(allow_nan=False, allow_infinity=False),
)  # fmt: skip
person = st.integers(0, 9).map(lambda n: line(n))
changed = st.builds(
    lambda n, column, value: line(n, **{column: value}), st.integers(0, 9), st.sampled_from(HEADERS), cell
)
total = st.builds(lambda word, value: [word, value, *[""] * 6], st.sampled_from(["合计", "小计", "填表人："]), odd)
noise = st.lists(cell, min_size=8, max_size=8)
sheets = st.lists(st.one_of(person, changed, total, noise), min_size=1, max_size=12)


def is_blank(row):
    return all(value in ("", None) or (isinstance(value, str) and not value.strip()) for value in row)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=sheets)
def test_no_row_is_lost_and_none_is_counted_twice(cohort, county, clerk, rows):  # noqa: F811
    with transaction.atomic():
        known(0)
        known(1, id_number=None, phone=None)
        roster = upload_roster(workbook(rows), cohort=cohort, region=county, by=clerk, name="名单.xlsx")
        jobs.run(roster.job_id)
        roster.refresh_from_db()
        if roster.state == "refused":
            assert roster.error and not roster.rows.exists()
        else:
            staged = Counter(roster.rows.values_list("status", flat=True))
            numbers = set(roster.rows.values_list("number", flat=True))
            expected = {4 + n for n, row in enumerate(rows) if not is_blank(row)} | {4 + len(rows)}  # and the total
            assert roster.state in ("checked", "in_review"), (roster.state, roster.error)
            assert numbers == expected and roster.row_count == len(expected)
            assert staged == Counter(
                {k: v for k, v in zip(("new", "matched", "wrong", "skipped"), _counts(roster), strict=True) if v}
            )
            assert roster.rows.filter(status="wrong").count() == len(
                set(roster.findings.filter(is_error=True).values_list("row", flat=True))
            )
            before = Trainee.objects.count()
            if roster.good_count:
                apply_roster(roster, by=clerk, on=FILLED_ON, is_partial=roster.wrong_count > 0)
                assert Trainee.objects.count() == before + roster.new_count
        transaction.set_rollback(True)


def _counts(roster):
    return roster.new_count, roster.matched_count, roster.wrong_count, roster.skipped_count


def test_the_invented_people_are_good_rows(cohort, county, clerk):  # noqa: F811
    """Without this the sheets above could all be refused."""
    roster = upload_roster(workbook([line(n) for n in range(len(PEOPLE))]), cohort=cohort, region=county, by=clerk)
    jobs.run(roster.job_id)
    roster.refresh_from_db()
    assert roster.new_count == len(PEOPLE)
