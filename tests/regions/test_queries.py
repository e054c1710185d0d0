"""Finding a division by what rosters write."""

from datetime import date

import pytest

from incubator.common.errors import RuleBroken
from incubator.regions.choices import KeyCountyStatus
from incubator.regions.models import KeyCounty, Region, RegionAlias
from incubator.regions.names import bare_name, short_name
from incubator.regions.queries import RegionFinder
from incubator.regions.services import check_key_county, load_divisions, retire_region
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def divisions(kept_rows):
    kept_rows(load_divisions)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("622927", "622927"),
        ("积石山保安族东乡族撒拉族自治县", "622927"),
        ("积石山县", "622927"),
        (" 积石山 县 ", "622927"),
        ("甘肃省临夏回族自治州积石山县", "622927"),
        ("甘肃省 临夏回族自治州 积石山县", "622927"),
        ("临夏回族自治州积石山县", "622927"),
        ("甘肃临夏积石山县", "622927"),
        ("威宁县", "520526"),
        ("东莞市", "441900"),
        ("广东省东莞市", "441900"),
        ("６２２９２７", "622927"),
        ("622927000000", "622927"),
        ("622927100", "622927"),
        ("622927 积石山县", "622927"),
        ("积石山", "622927"),
        ("甘肃省/临夏州/积石山县", "622927"),
        ("甘肃—临夏—积石山", "622927"),
        ("甘肃省，临夏州，积石山县\n", "622927"),
        ("前郭尔罗斯县", "220721"),
        ("鄂伦春旗", "150723"),
        ("门源县", "632221"),
        ("新晃", "431227"),
    ],
)
def test_division_is_found_by_code_name_alias_and_path(divisions, text, code):
    assert RegionFinder().find(text).code == code


@pytest.mark.parametrize(
    "text",
    [
        "",
        "县",
        "甘肃省",
        "临夏回族自治州",
        "没有这个县",
        "999999",
        "620000",
        "陕西省积石山县",
        "622927东乡县",
        "62292",
        "6229270",
    ],
)
def test_what_is_no_county_is_refused(divisions, text):
    with pytest.raises(RuleBroken):
        RegionFinder().find(text)


def test_equal_names_are_settled_by_the_path_or_by_what_surrounds_them(divisions):
    named = list(Region.objects.filter(name="城关区"))
    assert len(named) >= 2
    finder = RegionFinder()
    with pytest.raises(RuleBroken) as refusal:
        finder.find("城关区")
    assert "兰州市" in str(refusal.value)
    assert finder.find("甘肃省兰州市城关区").code == "620102"
    assert finder.find("城关区", within=Region.objects.get(code="620000")).code == "620102"
    assert finder.find("城关区", within=Region.objects.get(code="540100")).code == "540102"


def test_an_alias_that_is_also_a_name_is_ambiguous():
    one, other = factories.region("629901", "甲县"), factories.region("529901", "乙县")
    RegionAlias.objects.create(region=other, name="甲县")
    with pytest.raises(RuleBroken):
        RegionFinder().find("甲县")
    assert RegionFinder().find(one.code) == one


def test_retired_code_is_understood_as_its_successor():
    old, new, gone = factories.region("622901"), factories.region("622902"), factories.region("622903")
    retire_region(old, on=date(2026, 1, 1), replaced_by=new)
    retire_region(gone, on=date(2026, 1, 1))
    finder = RegionFinder()
    assert finder.find("622901") == new
    for text in ("622903", old.name):
        with pytest.raises(RuleBroken):
            finder.find(text)


def test_retirement_is_made_once_and_names_a_code_in_use():
    old, new = factories.region("622901"), factories.region("622902")
    with pytest.raises(RuleBroken):
        retire_region(old, on=date(2026, 1, 1), replaced_by=old)
    retire_region(new, on=date(2026, 1, 1))
    with pytest.raises(RuleBroken):
        retire_region(old, on=date(2026, 1, 1), replaced_by=new)
    with pytest.raises(RuleBroken):
        retire_region(new, on=date(2026, 2, 1))


def test_finder_asks_the_database_a_fixed_number_of_times(divisions, django_assert_num_queries):
    with django_assert_num_queries(2):
        finder = RegionFinder()
        for code in ("622927", "520526", "441900"):
            finder.find(code)


def test_loading_again_keeps_what_staff_changed(divisions):
    Region.objects.filter(code="622927").update(name="积石山")
    RegionAlias.objects.filter(region="622927").delete()
    check_key_county(KeyCounty.objects.first(), by="somebody", on=date(2026, 1, 1))
    assert load_divisions() == {"regions": 0, "aliases": 0, "key_counties": 0}
    assert Region.objects.get(code="622927").name == "积石山"
    assert KeyCounty.objects.filter(status=KeyCountyStatus.CHECKED).count() == 1
    assert KeyCounty.objects.count() == 160


@pytest.mark.parametrize(
    ("name", "short", "bare"),
    [
        ("威宁彝族回族苗族自治县", "威宁县", "威宁"),
        ("积石山保安族东乡族撒拉族自治县", "积石山县", "积石山"),
        ("东乡族自治县", "东乡县", "东乡"),
        ("鄂伦春自治旗", "鄂伦春旗", "鄂伦春"),
        ("隆林各族自治县", "隆林县", "隆林"),
        ("双江拉祜族佤族布朗族傣族自治县", "双江县", "双江"),
        ("土默特左旗", "", "土默特左"),
        ("礼县", "", ""),
        ("东莞市", "", "东莞"),
    ],
)
def test_names_are_shortened_as_people_do(name, short, bare):
    assert (short_name(name), bare_name(name)) == (short, bare)


def test_a_short_name_never_takes_the_place_of_somebody_elses_full_one(divisions):
    """Every division is found by its own path, and no shortening leads from it to another."""
    finder = RegionFinder()
    for region in Region.objects.with_people().current().select_related("province", "prefecture"):
        assert finder.find(region.path_name).code == region.code
        assert finder.find(region.name, within=region).code == region.code
