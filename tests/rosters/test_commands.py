"""``import_roster``: the staged road of the staff desk from a shell, with every wrong cell named."""

from io import StringIO

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.utils.translation import override

from incubator.accounts.services import ensure_groups
from incubator.rosters.models import RosterImport
from tests.factories import region
from tests.rosters.test_import import clerk, cohort, county, line, nothing_was_written, workbook  # noqa: F401
from trainees.models import Trainee

pytestmark = pytest.mark.django_db


@pytest.fixture
def importer(clerk):  # noqa: F811
    ensure_groups()
    clerk.groups.add(Group.objects.get(name="county clerk"))
    return clerk


@pytest.fixture
def bring_in(importer, cohort, tmp_path):  # noqa: F811
    """Run the command on a workbook of these rows; returns what it said."""

    def command(*rows, **options):
        file = tmp_path / "名单.xlsx"
        file.write_bytes(workbook(rows).read())
        wanted = {"cohort": cohort.name, "by": importer.username, **options}
        with override("en"):
            call_command("import_roster", wanted.pop("file", file), **wanted, stdout=said)
        return said.getvalue()

    said = StringIO()
    command.said = said
    return command


def test_a_workbook_is_written_for_the_one_region_of_the_importer(bring_in, importer):
    said = bring_in(line(0), line(1))

    assert "new: 2, known already: 0, wrong: 0" in said and said.endswith("Written.\n")
    assert set(Trainee.objects.values_list("county", flat=True)) == {"622927"}
    assert RosterImport.objects.get().applied_by == importer


def test_a_wrong_row_is_named_by_row_and_column_and_nothing_is_written(bring_in):
    with pytest.raises(CommandError, match="1 row") as refusal:
        bring_in(line(0), line(1, 身份证号码="620000199901011231"))

    assert refusal.value.returncode == 1
    assert "Row 5, 身份证号码" in bring_in.said.getvalue()
    assert nothing_was_written() and RosterImport.objects.get().state == "discarded"


def test_a_dry_run_names_what_is_wrong_and_keeps_nothing(bring_in):
    with pytest.raises(CommandError, match="Nothing was written"):
        bring_in(line(0), line(1, 姓名=""), dry_run=True)
    assert "Row 5, 姓名" in bring_in.said.getvalue()
    assert not RosterImport.objects.exists()

    assert "new: 2" in bring_in(line(0), line(1), dry_run=True)
    assert not RosterImport.objects.exists() and nothing_was_written()


def test_a_file_that_is_no_workbook_is_one_sentence(bring_in, tmp_path):
    (tmp_path / "notes.xlsx").write_text("hello")
    with pytest.raises(CommandError, match="xlsx") as refusal:
        bring_in(file=tmp_path / "notes.xlsx", dry_run=True)
    assert refusal.value.returncode == 1


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"cohort": "2019"}, "Which cohort is"),
        ({"by": "nobody"}, "nobody who may import rosters"),
        ({"region": "520526"}, "one of your own regions"),
        ({"file": "nowhere.xlsx"}, "There is no file"),
    ],
)
def test_a_wrong_argument_is_one_sentence_and_exit_code_2(bring_in, options, says):
    region("520526", "威宁县")
    with pytest.raises(CommandError, match=says) as refusal:
        bring_in(line(0), **options)
    assert refusal.value.returncode == 2 and len(str(refusal.value).splitlines()) == 1
    assert nothing_was_written()
