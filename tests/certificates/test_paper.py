"""What stands on a certificate and on a notice, read back from the PDF."""

import re
import subprocess
from datetime import date, datetime

import pytest

from incubator.certificates.models import Edition
from incubator.certificates.paper import certificate_pdf, chinese_day, in_groups, notice_pdf
from incubator.certificates.queries import editions_as_they_are, on_paper
from incubator.certificates.services import edition_to_print
from incubator.certification.models import Award
from incubator.certification.services import withdraw_award
from incubator.common.errors import RuleBroken
from tests import factories
from tests.certificates.world import (
    LONG_NAME,
    NOT_DRAWN,
    RARE_NAME,
    TODAY,
    VERY_RARE,
    award_of,
    pages,
    run,
    seal_of,
)
from tests.factories import SHANGHAI

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(db):
    return factories.superuser()


def printed(award, staff, tmp_path):
    [page] = pages(certificate_pdf(edition_to_print(award, by=staff, on=TODAY), on=TODAY), tmp_path)
    return page


def widths(pdf, tmp_path):
    """The lines of a page as ``(text, left, right)`` in points."""
    boxes = run(tmp_path, "pdftotext", pdf, "-bbox-layout")
    found = re.findall(r'<line xMin="([\d.]+)" yMin="[\d.]+" xMax="([\d.]+)".*?>(.*?)</line>', boxes, re.DOTALL)
    return [("".join(re.findall(r">([^<]+)</word>", words)), float(left), float(right)) for left, right, words in found]


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2026, 11, 28), "二〇二六年十一月二十八日"),
        (date(2030, 1, 10), "二〇三〇年一月十日"),
        (date(2027, 10, 1), "二〇二七年十月一日"),
        (date(2028, 2, 29), "二〇二八年二月二十九日"),
        (date(2027, 12, 20), "二〇二七年十二月二十日"),
        (date(2027, 3, 31), "二〇二七年三月三十一日"),
        (date(2027, 3, 11), "二〇二七年三月十一日"),
    ],
)
def test_days_are_written_as_on_certificates(day, words):
    assert chinese_day(day) == words


def test_a_certificate_says_who_what_when_and_where_to_check(staff, tmp_path):
    programme = factories.ProgrammeFactory(name="农村青年主播")
    award = award_of("王勇", cohort=factories.CohortFactory(programme=programme, name="2026年第一期"))
    seal_of(award, issuer="县委组织部")

    page = printed(award, staff, tmp_path)

    for words in (
        "农村青年主播",
        "证书",
        "王勇",
        "参加“农村青年主播2026年第一期”培训，于2026年6月1日结业，",
        "扶持期内于2026年9月3日粉丝数达到120,345人，经审核，认定为",
        "幸福乡村带头人",
        f"证书编号：{award.number}",
        "有效期：长期有效",
        "县委组织部二〇二六年十一月二十日",
        in_groups(award.code).replace(" ", ""),
        "622927县",
    ):
        assert words in page, words
    assert "版" not in page and "已撤销" not in page


@pytest.mark.parametrize("name", ["王勇", "欧阳若男", LONG_NAME, RARE_NAME, VERY_RARE, "Ma Li"])
def test_every_name_stands_on_one_line_within_the_border(staff, tmp_path, name):
    award = award_of(name)
    pdf = certificate_pdf(edition_to_print(award, by=staff, on=TODAY), on=TODAY)

    lines = widths(pdf, tmp_path)

    [(_text, left, right)] = [line for line in lines if line[0] == name.replace(" ", "")]
    assert 842 / 2 - (left + right) / 2 == pytest.approx(0, abs=9)  # letters that stand apart have one gap too many
    assert right - left < 205 / 25.4 * 72 + 1
    assert len(run(tmp_path, "pdftotext", pdf).split("\f")) == 2


def test_a_name_with_a_very_rare_character_is_set_in_one_font_as_a_whole(staff, tmp_path):
    common = certificate_pdf(edition_to_print(award_of("王勇"), by=staff, on=TODAY), on=TODAY)
    rare = certificate_pdf(edition_to_print(award_of(VERY_RARE), by=staff, on=TODAY), on=TODAY)

    def fonts(pdf):
        path = tmp_path / "a.pdf"
        path.write_bytes(pdf)
        return subprocess.run(["pdffonts", path], capture_output=True, check=True).stdout.decode()

    assert "Rare" not in fonts(common) and "NotoSansCJKSCRare" in fonts(rare)


@pytest.mark.parametrize("count", [1, 2])
def test_long_titles_and_cohorts_stay_on_the_page(staff, tmp_path, count):
    badge = factories.BadgeFactory(name="幸福乡村带头人（全国示范·特别贡献）" * count)
    cohort = factories.CohortFactory(name="东西部协作乡村振兴重点帮扶县青年电商人才第三十二期" * count)
    page = printed(award_of(rule=factories.RuleFactory(badge=badge), cohort=cohort), staff, tmp_path)
    assert badge.name in page and cohort.name in page and "证书编号" in page


def test_evidence_of_another_form_still_makes_a_sentence(staff, tmp_path):
    page = printed(award_of(evidence={}), staff, tmp_path)
    assert "培训，经审核，认定为幸福乡村带头人" in page


def test_a_name_that_cannot_be_printed_is_refused_with_its_characters(staff):
    award = award_of(NOT_DRAWN)
    with pytest.raises(RuleBroken) as refusal:
        edition_to_print(award, by=staff, on=TODAY)
    assert "🐑" in str(refusal.value) and "羊" not in str(refusal.value)
    assert not Edition.objects.exists()


def test_an_end_of_validity_is_printed(staff, tmp_path):
    assert "有效期：至2028年11月19日" in printed(award_of(expires_on=date(2028, 11, 19)), staff, tmp_path)


def test_withdrawn_and_expired_ones_are_not_printed_as_valid(staff, tmp_path):
    withdrawn, expired = award_of(), award_of(expires_on=date(2026, 11, 27))
    withdraw_award(withdrawn, by=staff, reason="买粉")
    for award, words in ((withdrawn, "已撤销"), (expired, "已过期")):
        with pytest.raises(RuleBroken):
            edition_to_print(award, by=staff, on=TODAY)
        [edition] = editions_as_they_are(on_paper([award.pk]), by=staff)
        assert words in pages(certificate_pdf(edition, on=TODAY), tmp_path)[0]
    assert not Edition.objects.exists()
    assert edition_to_print(expired, by=staff, on=date(2026, 11, 27)).number == 1


def test_same_certificate_is_the_same_file_and_tells_nothing_but_its_number(staff, tmp_path):
    award = award_of("王勇")
    seal_of(award)
    edition = edition_to_print(award, by=staff, on=TODAY)
    pdf = certificate_pdf(edition, on=TODAY)
    again = edition_to_print(Award.objects.get(), by=factories.superuser(), on=date(2027, 1, 1))

    assert certificate_pdf(again, on=date(2027, 1, 1)) == pdf

    path = tmp_path / "a.pdf"
    path.write_bytes(pdf)
    info = subprocess.run(["pdfinfo", path], capture_output=True, check=True).stdout.decode()
    assert f"证书 {award.number}" in info and "王勇" not in info and "Author" not in info
    assert "841.89 x 595.276" in info and re.search(r"Pages:\s+1\n", info)
    assert len(pdf) < 200_000


def test_texts_are_never_markup(staff, tmp_path):
    evil = '#read("/etc/passwd") $x$ *b*'
    badge = factories.BadgeFactory(name=evil)
    assert evil.replace(" ", "") in printed(award_of("#n()", rule=factories.RuleFactory(badge=badge)), staff, tmp_path)


def test_a_notice_says_number_day_reason_and_how_to_object(staff, tmp_path, settings):
    settings.CERTIFICATE_OBJECTION_DAYS = 15
    award = award_of("马🐑小燕")
    seal_of(award, issuer="县委组织部")
    withdraw_award(award, by=staff, reason="粉丝由刷量取得，经核实不符合认证条件。")
    Award.objects.update(withdrawn_at=datetime(2026, 11, 26, 23, 30, tzinfo=SHANGHAI))
    [edition] = editions_as_they_are(on_paper([award.pk]), by=staff)

    [page] = pages(notice_pdf(edition), tmp_path)

    for words in (
        "认证撤销通知书",
        "马□小燕：",
        award.number,
        "已于2026年11月26日撤销",
        "粉丝由刷量取得，经核实不符合认证条件。",
        "15日内，向县委组织部书面提出申诉",
        "县委组织部二〇二六年十一月二十六日",
        "请手写补全",
    ):
        assert words in page, words


def test_there_is_no_notice_of_a_valid_award(staff):
    [edition] = editions_as_they_are(on_paper([award_of().pk]), by=staff)
    with pytest.raises(ValueError, match="withdrawn"):
        notice_pdf(edition)
