"""Which rows of a sheet are people, under which header, in which sheet: as counties make them by hand."""

import pytest
import xlsxwriter
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from incubator.common.errors import RuleBroken
from incubator.common.workbooks import Leftover, Row, TableNotFound, find_table, normalised, read_workbook
from incubator.rosters.sheet import ROSTER

HEADER = ["序号", "姓名", "身份证号", "联系电话", "乡镇"]


def person(n=0, name="马兰", township="吹麻滩镇"):
    return [n, name, f"62000019980203{1000 + n}", f"154000{n:05d}", township]


def rows(*lines):
    return [Row(number, cells) for number, cells in enumerate(lines, 1) if any(cell != "" for cell in cells)]


def table_of(*lines, **options):
    table = find_table(rows(*lines), ROSTER, **options)
    return table, [[table.cell(row, column).text for column in table.columns] for row in table.rows]


def left_out(*lines):
    table, _people = table_of(*lines)
    assert table.skipped == list(table.reasons)
    return {number: str(why.value) for number, why in table.reasons.items()}


def columns_of(*header_rows, **options):
    """Column letters by column, for a header in one row or more."""
    width = len(header_rows[-1])
    filler = ["x"] * width
    table = find_table(rows(*header_rows, filler), ROSTER, **options)
    return {column: chr(65 + place) for column, place in table.columns.items()}


@pytest.mark.parametrize(
    ("header", "column"),
    [
        ("姓 名", "name"),
        ("＊姓名（必填）", "name"),
        ("学员姓名", "name"),
        ("身份证号码", "id_number"),
        ("身份证号\n（18位）", "id_number"),
        ("公民身份号码", "id_number"),
        ("联系方式", "phone"),
        ("手机", "phone"),
        ("手机号码：", "phone"),
        ("文化程度", "education"),
        ("县（市、区）", "county"),
        ("县/区", "county"),
        ("所在旗县", None),
        ("乡（镇）", "township"),
        ("乡镇/街道", "township"),
        ("快手ID", "handle"),
        ("快手ｉｄ", "handle"),
        ("快手帐号", "handle"),
        ("抖音号", None),
        ("微信号", None),
        ("备注", None),
    ],
)
def test_headers_are_understood_as_counties_write_them(header, column):
    found = ROSTER.known(header)
    assert (found[0] if found else "") == (column or "")


@given(
    st.sampled_from(["身份证号", "联系电话", "姓名"]),
    st.sampled_from([" ", "\n", "　", "*", "＊", "：", "\t"]),
    st.data(),
)
def test_spaces_and_signs_in_a_header_change_nothing(header, sign, data):
    place = data.draw(st.integers(0, len(header)))
    assert normalised(header[:place] + sign + header[place:]) == normalised(header)


def test_titles_and_lines_above_the_header_are_no_rows():
    table, people = table_of(
        ["学员报名表"], ["填报单位：农业农村局", "", "2026年3月2日"], ["注：请如实填写"], HEADER, person()
    )
    assert (table.title, table.filled_by, table.outline.header_row) == ("学员报名表", "农业农村局", 4)
    assert len(people) == 1 and table.skipped == []


def test_a_header_in_two_rows_is_put_together():
    upper = ["序号", "姓名", "身份证号", "联系方式", "", "地址", ""]
    lower = ["", "", "", "手机", "微信", "县", "乡镇"]
    assert columns_of(upper, lower) == {"name": "B", "id_number": "C", "phone": "D", "county": "F", "township": "G"}
    table, people = table_of(upper, lower, [1, "马兰", "x", "y", "z", "积石山县", "吹麻滩镇"])
    assert len(people) == 1 and table.header("phone") == "联系方式 手机"


def test_the_second_row_of_a_header_is_no_person_also_where_nothing_in_it_is_known():
    upper = ["姓名", "身份证号", "联系电话", "成绩", ""]
    assert table_of(upper, ["", "", "", "笔试", "面试"], ["马兰", "x", "y", 1, 2])[1] == [["马兰", "x", "y"]]


def test_accounts_of_another_platform_are_not_taken_for_ours():
    upper = ["姓名", "身份证号", "手机", "抖音", "", "快手", ""]
    lower = ["", "", "", "账号", "粉丝数", "账号", "粉丝数"]
    assert columns_of(upper, lower)["handle"] == "F"


def test_the_first_person_below_a_header_is_not_taken_for_part_of_it():
    assert len(table_of(HEADER, [1, "马兰", "", "15400000000", ""])[1]) == 1
    assert len(table_of(HEADER, ["", "马兰", "", "", ""])[1]) == 1


def test_a_mobile_goes_before_any_telephone():
    assert columns_of(["姓名", "身份证号", "联系电话", "手机号"])["phone"] == "D"


def test_of_two_equal_headers_the_first_is_taken_and_the_other_listed():
    table, _people = table_of(
        ["姓名", "身份证号", "联系电话", "联系电话", "备注", "序号"], ["马兰", "x", "y", "z", "w", 1]
    )
    assert table.columns["phone"] == 2
    assert [(header.letter, header.text) for header in table.outline.unused] == [("D", "联系电话"), ("E", "备注")]


def test_a_column_without_a_header_is_listed_when_something_stands_in_it():
    table, _people = table_of([*HEADER, "", ""], [*person(), "", "what is this"])
    assert [(header.letter, header.key) for header in table.outline.unused] == [("G", "列G")]


@pytest.mark.parametrize(
    "letters",
    [
        ["A", "B", "C", "D", "E"],
        ["甲", "乙", 1, 2, 3],
        ["栏次", "甲", "乙", "1", "2"],
        ["(1)", "(2)", "(3)", "(4)", "(5)"],
        ["①", "②", "③", "④", "⑤"],
        ["1栏", "2栏", "3栏", "4栏", "5栏"],
        ["甲", "乙", "丙", "丁", "戊"],
        [1.0, 2.0, 3.0, 4.0, 5.0],
    ],
)
def test_letters_and_numbers_of_columns_are_left_out_below_the_header_only(letters):
    assert left_out(HEADER, letters, person(1)) == {2: "letters"}
    assert len(table_of(HEADER, person(1), letters)[1]) == 2


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (["合计", "20人"], "total"),
        (["合 计", "", "", "", 20], "total"),
        (["", "小计", "", "", ""], "total"),
        ([21, "合计", "", "", ""], "total"),
        (["吹麻滩镇小计", "5人"], "total"),
        (["吹麻滩镇合计：5人"], "total"),
        (["总计（人）", "", "20"], "total"),
        (["共计20人"], "total"),
        (["序号", "姓名", "身份证号", "联系电话", "乡镇"], "header"),
        (["序号", "姓 名", "身份证号（必填）", "联系电话", ""], "header"),
        (["填表人：马某", "", "审核人：王某"], "note"),
        (["单位负责人（签字）：", "", "填报日期："], "note"),
        (["联系人：马某 联系电话：0930-7721234"], "note"),
        (["（盖章）"], "note"),
        (["2026年3月2日"], "note"),
        (["", "", "", "", "年  月  日"], "note"),
        (["备注：快手号请填写数字"], "note"),
        (["说明", "一人一行"], "note"),
        (["1.本表一式两份，报县局备案后由各乡镇保存。"], "note"),
        (["一、吹麻滩镇"], "heading"),
        (["吹麻滩镇"], "heading"),
        ([5], "serial"),
        (["5、"], "serial"),
        ([5, "", "", "", "吹麻滩镇"], "nobody"),
        (["", "", "", " ", ""], "nobody"),
    ],
)
def test_rows_about_nobody_are_left_out_in_the_middle_and_at_the_end_with_the_reason(line, why):
    padded = [*line, *[""] * (5 - len(line))]
    assert left_out(HEADER, person(1), padded, person(2)) == {3: why}
    assert left_out(HEADER, person(1), person(2), padded) == {4: why}


@pytest.mark.parametrize(
    "line",
    [
        [1, "马兰", "", "", ""],
        ["", "马兰", "", "", ""],
        ["", "", "620000199802031234", "", ""],
        ["", "", "", "15400000000", ""],
        [2, "平凡", "620000199802031234", "15400000000", "x"],
        [2, "合计", "620000199802031234", "15400000000", "x"],
        [2, "王小计", "620000199802031234", "", ""],
        [2, "马兰", "620000199802031234", "15400000000", "合计村"],
        ["姓名", "马兰", "620000199802031234", "15400000000", "x"],
        ["说", "明亮", "620000199802031234", "15400000000", "x"],
    ],
)
def test_a_row_that_somebody_did_not_finish_is_somebody(line):
    assert left_out(HEADER, person(1), line, person(2)) == {}


def test_a_header_in_two_rows_is_known_where_it_is_repeated():
    upper = ["姓名", "身份证号", "联系方式", "", "乡镇"]
    lower = ["", "", "手机", "微信", ""]
    line = ["马兰", "620000199802031234", "15400000000", "mm", "x"]
    assert left_out(upper, lower, line, upper, lower, line) == {4: "header", 5: "header"}


def test_a_blank_first_column_and_blank_rows_change_nothing():
    lines = [["", *HEADER], ["", *person(1)], [""] * 6, ["", *person(2)]]
    table, people = table_of(*lines)
    assert len(people) == 2 and table.skipped == [] and table.columns["name"] == 2


# --- What is merged ---------------------------------------------------------------------------------------------------


def book(path, lines, merged=(), *, others=()):
    """A workbook; ``merged`` are ``(first row, first column, last row, last column)`` from 0, with the value in it."""
    made = xlsxwriter.Workbook(str(path))
    for name, cells in others:
        sheet = made.add_worksheet(name)
        for number, line in enumerate(cells):
            sheet.write_row(number, 0, line)
    sheet = made.add_worksheet("名单")
    for number, line in enumerate(lines):
        for place, value in enumerate(line):
            if value != "":
                sheet.write(number, place, value)
    for cells in merged:
        sheet.merge_range(*cells, lines[cells[0]][cells[1]])
    made.close()
    return path


def townships(table):
    return [table.cell(row, "township").text for row in table.rows]


def test_a_merged_township_stands_for_all_of_its_rows(tmp_path):
    lines = [HEADER, person(1), person(2, township=""), person(3, township=""), person(4, township="刘集乡")]
    table = find_table(read_workbook(book(tmp_path / "a.xlsx", lines, [(1, 4, 3, 4)])), ROSTER)
    assert townships(table) == ["吹麻滩镇"] * 3 + ["刘集乡"]
    assert table.taken == {"township": 2}


def test_a_township_that_is_not_merged_is_not_made_up(tmp_path):
    lines = [HEADER, person(1), person(2, township=""), person(3, township="")]
    table = find_table(read_workbook(book(tmp_path / "a.xlsx", lines, [(1, 4, 2, 4)])), ROSTER)
    assert townships(table) == ["吹麻滩镇", "吹麻滩镇", ""]


def test_a_merged_township_reaches_over_a_total_but_not_beyond_its_end(tmp_path):
    lines = [HEADER, person(1), ["合计", "", "", "", ""], person(2, township=""), person(3, township="")]
    table = find_table(read_workbook(book(tmp_path / "a.xlsx", lines, [(1, 4, 3, 4)])), ROSTER)
    assert townships(table) == ["吹麻滩镇", "吹麻滩镇", ""] and table.skipped == [3]


def test_where_a_format_does_not_say_what_is_merged_a_block_is_filled(tmp_path):
    path = tmp_path / "a.csv"
    lines = [
        HEADER,
        person(1),
        person(2, township=""),
        ["合计", "2"],
        person(3, township=""),
        person(4, township="刘集乡"),
        [],
        person(5, township=""),
    ]
    path.write_text("\n".join(",".join(map(str, line)) for line in lines))
    table = find_table(read_workbook(path), ROSTER)
    assert townships(table) == ["吹麻滩镇", "吹麻滩镇", "", "刘集乡", ""]
    assert table.taken == {"township": 1}


@pytest.mark.parametrize("mark", ["同上", "〃", '"'])
def test_ditto_is_understood_for_places_and_never_for_numbers(mark):
    table, people = table_of(HEADER, person(1), [2, "马丽", mark, mark, mark], [3, "马红", mark, mark, mark])
    assert people[1][1:] == [mark, mark, "吹麻滩镇"] and people[2][1:] == [mark, mark, "吹麻滩镇"]
    assert table.taken == {"township": 2}


def test_a_heading_over_the_whole_row_is_nobody_also_where_it_stands_in_the_name_column(tmp_path):
    header = HEADER[1:]
    lines = [header, ["吹麻滩镇", "", "", ""], person(1)[1:]]
    table = find_table(read_workbook(book(tmp_path / "a.xlsx", lines, [(1, 0, 1, 3)])), ROSTER)
    assert len(list(table.rows)) == 1 and table.reasons == {2: Leftover.HEADING}


# --- Sheets -----------------------------------------------------------------------------------------------------------


def test_the_sheet_whose_header_fits_best_is_read(tmp_path):
    others = [("说明", [["姓名", "填写真实姓名"], ["联系电话", "11位"]]), ("统计", [["乡镇", "人数"], ["吹麻滩镇", 3]])]
    table = find_table(read_workbook(book(tmp_path / "a.xlsx", [HEADER, person(1)], others=others)), ROSTER)
    assert table.outline.sheet == "名单"
    assert [sheet.name for sheet in table.outline.sheets] == ["说明", "统计", "名单"]


def test_a_sheet_can_be_chosen(tmp_path):
    others = [("第一批", [HEADER, person(7, name="马七")])]
    path = book(tmp_path / "a.xlsx", [HEADER, person(1)], others=others)
    assert [row.cell(1).text for row in find_table(read_workbook(path), ROSTER, sheet="名单").rows] == ["马兰"]
    assert [row.cell(1).text for row in find_table(read_workbook(path), ROSTER).rows] == ["马七"]
    with override("en"), pytest.raises(RuleBroken, match=r"no sheet “第三批”.*第一批、名单"):
        find_table(read_workbook(path), ROSTER, sheet="第三批")


# --- What somebody says about columns ---------------------------------------------------------------------------------


def test_a_column_that_is_not_known_can_be_told():
    lines = [["户主", "证号", "电话", "备注"], ["马兰", "x", "15400000000", "y"]]
    with pytest.raises(TableNotFound) as missing:
        table_of(*lines)
    keys = [header.key for header in missing.value.outline.headers]
    assert keys == ["户主", "证号", "电话", "备注"]

    table, people = table_of(*lines, mapping={"户主": "name", "证号": "id_number"})

    assert set(table.columns) == {"name", "id_number", "phone"} and len(people) == 1
    assert [header.text for header in table.outline.unused] == ["备注"]


def test_what_somebody_says_goes_before_what_headers_are_known_to_mean():
    header = ["姓名", "身份证号", "联系电话", "微信"]
    assert columns_of(header, mapping={"联系电话": "", "微信": "phone"})["phone"] == "D"
    assert columns_of(header, mapping={"微信": "phone"})["phone"] == "D"


def test_what_could_not_be_found_is_told_with_samples_to_choose_by():
    with override("en"), pytest.raises(TableNotFound, match="身份证号") as missing:
        table_of(["姓名", "联系电话", "证件"], ["马兰", "15400000000", "A1"], ["马丽", "", "A2"])
    outline = missing.value.outline
    assert (outline.header_row, [h.column for h in outline.headers]) == (1, ["name", "phone", ""])
    assert outline.headers[2].samples == ["A1", "A2"]


def test_a_sheet_without_any_known_header_shows_its_widest_row():
    with pytest.raises(TableNotFound) as missing:
        table_of(["花名册"], ["甲方", "乙方", "丙方"], ["a", "b", "1540000000000"])
    assert [header.text for header in missing.value.outline.headers] == ["甲方", "乙方", "丙方"]


# --- Nothing is lost --------------------------------------------------------------------------------------------------

LINES = st.one_of(
    st.integers(0, 99).map(person),
    st.integers(0, 99).map(lambda n: [n, "", "", "", ""]),
    st.sampled_from(
        [HEADER, ["合计", "3人"], ["小计"], ["填表人：马某"], ["一、吹麻滩镇"], [1, 2, 3, 4, 5], list("ABCDE"), []]
    ),
    st.lists(st.one_of(st.just(""), st.text(max_size=6), st.integers(0, 10**6), st.sampled_from(HEADER)), max_size=7),
)


@given(st.lists(LINES, max_size=40))
def test_every_row_below_the_header_is_somebody_or_left_out_for_a_reason(lines):
    there = [number for number, cells in enumerate(lines, 3) if any(cell != "" for cell in cells)]
    given_rows = [Row(1, ["名单"]), Row(2, HEADER), *(Row(n, lines[n - 3]) for n in there)]
    try:
        table = find_table(given_rows, ROSTER)
    except RuleBroken:
        return
    if table.outline.header_row != 2:  # a line that was made up fits better
        return
    people = [row.number for row in table.rows]
    assert sorted(people + table.skipped) == there and not set(people) & set(table.skipped)
