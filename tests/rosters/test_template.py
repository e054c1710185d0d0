"""The template of a cohort and region: what it offers, what it says of itself, and who may take it."""

import warnings
from io import BytesIO
from urllib.parse import unquote

import openpyxl
import pytest
from django.contrib.auth.models import Permission
from django.core import signing
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.translation import override

from incubator.common.errors import RuleBroken
from incubator.regions.models import RegionAlias
from incubator.regions.queries import RegionFinder
from incubator.rosters.choices import BACKGROUNDS, SEXES, Column
from incubator.rosters.guide import EXAMPLE, GUIDES
from incubator.rosters.identity import SALT, VERSION, Identity, check_identity
from incubator.rosters.places import county_names, township_names
from incubator.rosters.template import COLUMNS, blank_roster, roster_template, template_name
from tests.factories import CohortFactory, TraineeFactory, official, region, superuser
from trainees.identity import parse_id_number, parse_mobile

pytestmark = pytest.mark.django_db

COUNTY, PREFECTURE, PROVINCE = "622927", "622900", "620000"


def opened(content):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return openpyxl.load_workbook(BytesIO(content))


@pytest.fixture
def cohort():
    return CohortFactory(name="2026春")


@pytest.fixture
def county():
    found = region(COUNTY, "积石山保安族东乡族撒拉族自治县")
    RegionAlias.objects.create(region=found, name="积石山县")
    return found


@pytest.fixture
def prefecture():
    return region(PREFECTURE, level="prefecture")


def lists(book):
    """What each column's drop-down offers, by header."""
    sheet = book["报名表"]
    headers = {cell.column_letter: cell.value for cell in sheet[4]}
    found = {}
    for rule in sheet.data_validations.dataValidation:
        if rule.type != "list":
            continue
        [letter] = {reference.coord.split(":")[0].rstrip("0123456789") for reference in rule.sqref.ranges}
        found[headers[letter].rstrip("*")] = _values(book, rule.formula1)
    return found


def _values(book, formula):
    if formula.startswith('"'):
        return formula.strip('"').split(",")
    name, cells = formula.lstrip("=").split("!")
    return [row[0].value for row in book[name.strip("'")][cells.replace("$", "")]]


def identity_of(book):
    return book["incubator"]["A1"].value


# --- What is in it ----------------------------------------------------------------------------------------------------


def test_every_column_has_its_instructions_and_every_word_it_offers_is_understood(cohort, county):
    offered = lists(opened(roster_template(cohort, county, by=superuser())))

    assert set(GUIDES) == set(EXAMPLE) == set(COLUMNS) <= set(Column)
    assert offered["性别"] == list(SEXES)
    assert set(BACKGROUNDS.values()) <= {BACKGROUNDS.get(word, "other") for word in offered["类别"]}
    assert offered["类别"][-1] == "其他" and len(offered["类别"]) == 5
    assert "本科" in offered["学历"]
    assert all(len(guide.prompt) <= 255 for guide in GUIDES.values())


def test_cells_are_text_needed_columns_starred_and_each_cell_says_what_it_wants(cohort, county):
    book = opened(roster_template(cohort, county, by=superuser()))
    sheet = book["报名表"]

    assert [cell.value for cell in sheet[4]][1:5] == ["姓名*", "性别", "身份证号*", "联系电话*"]
    assert "2026春" in sheet["A1"].value and county.name in sheet["A1"].value
    for letter in "BDEJ":
        assert sheet.column_dimensions[letter].width > 10
        assert sheet[f"{letter}5"].number_format == "@"
    assert {r.promptTitle for r in sheet.data_validations.dataValidation} == {c.label for c in COLUMNS}
    assert sheet.freeze_panes == "C5"
    assert (sheet.page_setup.orientation, sheet.page_setup.paperSize, sheet.page_setup.fitToHeight) == (
        "landscape",
        9,
        0,
    )
    assert sheet.sheet_properties.pageSetUpPr.fitToPage and sheet.print_title_rows == "$4:$4"


def test_whole_columns_are_text_so_that_row_five_thousand_does_not_round_either(cohort, county):
    sheet = opened(roster_template(cohort, county, by=superuser()))["报名表"]

    styles = {letter: sheet.column_dimensions[letter].number_format for letter in "BCDEFGHIJ"}
    assert set(styles.values()) == {"@"}


def test_the_instructions_name_the_cohort_the_county_and_the_care_for_personal_data(cohort, county):
    said = "\n".join(
        str(cell.value) for row in opened(roster_template(cohort, county, by=superuser()))["填写说明"] for cell in row
    )

    assert "2026春" in said and county.path_name in said
    assert "个人信息" in said and "选择性粘贴" in said
    assert all(guide.how in said and guide.mistakes in said for guide in GUIDES.values())


def test_counties_offered_are_those_of_the_region_in_use_and_each_is_understood(prefecture, county):
    region("622926", "东乡族自治县")
    region("520526", "威宁县")
    gone = region("622925", "旧县")
    gone.retired_on = "2020-01-01"
    gone.save()

    offered = county_names(prefecture)

    assert offered == ["东乡族自治县", county.name]
    assert [RegionFinder().find(name, within=prefecture).code for name in offered] == ["622926", COUNTY]
    assert county_names(county) == [county.name]


def test_equal_names_in_one_province_carry_their_path_and_are_still_understood():
    province = region("320000", "江苏省", level="province")
    region("320100", "南京市", level="prefecture")
    region("320300", "徐州市", level="prefecture")
    region("320106", "鼓楼区")
    region("320302", "鼓楼区")

    offered = county_names(province)

    assert offered == ["江苏省南京市鼓楼区", "江苏省徐州市鼓楼区"]
    assert [RegionFinder().find(name, within=province).code for name in offered] == ["320106", "320302"]


def test_a_long_list_of_counties_stands_in_a_hidden_sheet(cohort):
    province = region(PROVINCE, level="province")
    names = [region(f"6229{n:02d}", f"某某回族自治县之{n}").name for n in range(21, 61)]

    book = opened(roster_template(cohort, province, by=superuser()))

    assert lists(book)["县（市、区）"] == names
    assert book["选项"].sheet_state == "hidden"
    assert [cell.value for cell in book["报名表"][4]][5] == "县（市、区）*"


def test_townships_are_those_of_people_one_may_see(county):
    TraineeFactory(county=county, township="吹麻滩镇")
    TraineeFactory(county=county, township="吹麻滩镇")
    TraineeFactory(county=county, township="前庄村三社")
    TraineeFactory(county=region("520526"), township="草海街道")

    assert township_names(county, by=official(COUNTY)) == ["吹麻滩镇"]
    assert township_names(county, by=official("520526")) == []
    assert township_names(region(PREFECTURE), by=superuser()) == []


def test_the_example_is_nobody(cohort):
    with pytest.raises(RuleBroken):
        parse_id_number(EXAMPLE[Column.ID_NUMBER])
    assert parse_mobile(EXAMPLE[Column.PHONE])  # but looks as it should


def test_the_blank_workbook_is_for_everybody_and_says_nothing_of_itself():
    book = opened(blank_roster())

    assert book.sheetnames == ["报名表", "填写说明"]
    assert book["报名表"]["A1"].value == "学员报名表"


# --- What it says of itself -------------------------------------------------------------------------------------------


def test_the_identity_is_in_a_sheet_no_menu_shows_and_fits_its_cohort_and_region(cohort, county):
    book = opened(roster_template(cohort, county, by=superuser()))

    assert book["incubator"].sheet_state == "veryHidden"
    assert check_identity(identity_of(book), cohort=cohort, region=county) == Identity(
        cohort.pk, COUNTY, "报名表", VERSION
    )
    assert check_identity("", cohort=cohort, region=county) is None


def refusal(text, cohort, place):
    with override("en"), pytest.raises(RuleBroken) as refused:
        check_identity(text, cohort=cohort, region=place)
    return str(refused.value)


def test_another_countys_template_is_refused_naming_both(cohort, county):
    theirs = region("622924", "和政县")

    said = refusal(Identity(cohort.pk, theirs.code, "报名表").sign(), cohort, county)

    assert said.startswith(f"This is the template of 和政县, and this import is for {county.name}.")
    assert "copy the rows" in said


def test_another_cohorts_template_is_refused_naming_both(cohort, county):
    other = CohortFactory(name="2025秋")

    said = refusal(Identity(other.pk, COUNTY, "报名表").sign(), cohort, county)

    assert "2025秋" in said and "2026春" in said
    assert str(cohort.pk + 999) in refusal(Identity(cohort.pk + 999, COUNTY, "报名表").sign(), cohort, county)


def test_an_old_template_is_refused_saying_what_to_download(cohort, county):
    said = refusal(Identity(cohort.pk, COUNTY, "报名表", VERSION - 1).sign(), cohort, county)

    assert "old template" in said and county.name in said and "Download the present one" in said


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:-1] + ("A" if text[-1] != "A" else "B"),
        lambda text: "X" + text,
        lambda text: signing.dumps({"cohort": 1}, salt=SALT),
        lambda text: signing.dumps([1], salt=SALT),
        lambda text: signing.dumps({"cohort": 1, "region": COUNTY, "sheet": "x"}, salt="another"),
        lambda text: "622927",
    ],
)
def test_a_changed_identity_is_refused(cohort, county, change):
    text = change(Identity(cohort.pk, COUNTY, "报名表").sign())

    assert "was changed" in refusal(text, cohort, county)


def test_a_prefectures_template_serves_its_counties_and_a_countys_not_the_prefecture(cohort, county, prefecture):
    """Each row of the larger one names its county and is checked; in the smaller one it may be left out."""
    larger, smaller = Identity(cohort.pk, PREFECTURE, "报名表"), Identity(cohort.pk, COUNTY, "报名表")

    assert check_identity(larger.sign(), cohort=cohort, region=county) == larger
    assert check_identity(Identity(cohort.pk, PROVINCE, "x").sign(), cohort=cohort, region=county)
    assert "template of 积石山" in refusal(smaller.sign(), cohort, prefecture)
    assert refusal(larger.sign(), cohort, region("520526"))


def test_a_template_made_before_its_county_got_another_code_still_serves(cohort, county):
    old = region("622999", "旧县")
    old.retired_on, old.replaced_by = "2025-01-01", county
    old.save()

    assert check_identity(Identity(cohort.pk, old.code, "报名表").sign(), cohort=cohort, region=county)


# --- Who may take it --------------------------------------------------------------------------------------------------


def staff(code, *permissions):
    user = official(code, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


@pytest.fixture
def clerk(client, county):
    user = staff(COUNTY, "view_rosterimport", "add_rosterimport", "view_cohort")
    client.force_login(user)
    return user


FILE, CHOOSE = "admin:rosters_rosterimport_template", "admin:rosters_rosterimport_choose"


def test_a_clerk_chooses_and_gets_the_template_of_their_county(client, clerk, cohort, county):
    page = client.get(reverse(CHOOSE))
    assert page.status_code == 200 and f'value="{county.name}"' in page.content.decode()

    for text in (county.name, "积石山县", COUNTY):
        answer = client.get(reverse(CHOOSE), {"cohort": cohort.pk, "region": text}, follow=True)
        assert answer.status_code == 200 and "no-store" in answer["Cache-Control"]
        assert check_identity(identity_of(opened(answer.content)), cohort=cohort, region=county)
    assert unquote(answer["Content-Disposition"]).endswith(template_name(cohort, county))


def test_a_strangers_region_or_no_cohort_is_not_there(client, clerk, cohort, county):
    region("520526", "威宁县")
    for asked in (
        {"cohort": cohort.pk, "region": "520526"},
        {"cohort": cohort.pk, "region": PREFECTURE},
        {"cohort": cohort.pk + 1, "region": COUNTY},
        {"cohort": "x", "region": COUNTY},
        {"cohort": cohort.pk},
        {"region": COUNTY},
        {"cohort": cohort.pk, "region": "\0"},
    ):
        assert client.get(reverse(FILE), asked).status_code == 404, asked
    said = client.get(reverse(CHOOSE), {"cohort": cohort.pk, "region": "威宁县"})
    assert said.status_code == 200 and not said.context["form"].is_valid()
    assert '<option value="520526"' not in said.content.decode()


def test_a_name_of_several_regions_is_asked_for_by_code(client, cohort):
    client.force_login(superuser())
    region("320106", "鼓楼区")
    region("320302", "鼓楼区")

    said = client.get(reverse(CHOOSE), {"cohort": cohort.pk, "region": "鼓楼区"}).content.decode()

    assert "320106" in said and "320302" in said


def test_the_blank_workbook_is_still_there_and_both_are_linked(client, clerk, cohort):
    assert opened(client.get(reverse(FILE)).content).sheetnames[0] == "报名表"
    for name in ("changelist", "add"):
        assert reverse(CHOOSE) in client.get(reverse(f"admin:rosters_rosterimport_{name}")).content.decode()
    said = client.get(reverse("admin:programmes_cohort_change", args=[cohort.pk])).content.decode()
    assert f'action="{reverse(CHOOSE)}"' in said and f'<option value="{COUNTY}">' in said


def test_without_the_right_to_see_rosters_there_is_no_template(client, county, cohort):
    client.force_login(staff(COUNTY, "view_cohort"))

    assert client.get(reverse(CHOOSE)).status_code == 403
    assert client.get(reverse(FILE), {"cohort": cohort.pk, "region": COUNTY}).status_code == 403
    said = client.get(reverse("admin:programmes_cohort_change", args=[cohort.pk])).content.decode()
    assert reverse(CHOOSE) not in said


def test_a_name_of_a_file_has_no_slash(county):
    assert "/" not in template_name(CohortFactory(name="2026/春 一期"), county)


def test_the_form_asks_as_often_for_thirty_counties_as_for_one(client, clerk, cohort, county):
    many = staff(PREFECTURE, "view_rosterimport")
    for n in range(30):
        region(f"6229{n + 30}")
    client.force_login(many)
    client.get(reverse(CHOOSE))
    with CaptureQueriesContext(connection) as many_counties:
        assert client.get(reverse(CHOOSE)).content.decode().count("<option value=") > 30
    client.force_login(clerk)
    client.get(reverse(CHOOSE))
    with CaptureQueriesContext(connection) as one_county:
        client.get(reverse(CHOOSE))
    assert len(one_county) == len(many_counties)
