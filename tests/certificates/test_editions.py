"""Editions: what was printed stays; a corrected name makes the next; seals change for what is printed later."""

import threading
from io import BytesIO

import pytest
from django.db import IntegrityError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from incubator.certificates.models import Edition, Seal
from incubator.certificates.paper import certificate_pdf
from incubator.certificates.queries import name_differs, on_paper
from incubator.certificates.services import (
    LARGEST_SEAL,
    edition_to_print,
    editions_to_print,
    put_seal,
    reissue_certificate,
)
from incubator.certification.models import Award
from incubator.certification.services import withdraw_award
from incubator.certification.services.corrections import correct_holder_name
from incubator.common.errors import RuleBroken, Stale
from tests import factories
from tests.certificates.world import (
    NOT_DRAWN,
    OTHER_PICTURE,
    PICTURE,
    TODAY,
    award_of,
    pages,
    programme_of,
    seal_of,
)
from trainees.models import Trainee


@pytest.fixture(autouse=True)
def in_english():
    with override("en"):
        yield


@pytest.fixture
def staff(db):
    return factories.superuser()


def rename(award, name):
    Trainee.objects.filter(pk=award.trainee_id).update(name=name)
    return Award.objects.get(pk=award.pk)


# --- Seals ------------------------------------------------------------------------------------------------------------


def test_a_seal_lies_sealed_and_says_who_put_it_and_when(staff):
    award = award_of()
    seal = put_seal(programme_of(award), BytesIO(PICTURE), issuer=" 县委组织部 ", by=staff)
    assert (seal.issuer, seal.put_by, seal.width, seal.height) == ("县委组织部", staff, 320, 320)
    assert seal.put_at is not None
    with seal.image.open() as file:
        assert b"PNG" not in file.read()
    assert Seal.objects.get().image.read_unsealed().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("content", "word"),
    [(b"%PDF-", "no PNG"), (PICTURE[:-30], "damaged"), (PICTURE + b"\0" * LARGEST_SEAL, "1 MB")],
)
def test_what_is_no_seal_is_refused(staff, content, word):
    with pytest.raises(RuleBroken) as refusal:
        put_seal(factories.ProgrammeFactory(), BytesIO(content), issuer="办", by=staff)
    assert word in str(refusal.value)
    assert not Seal.objects.exists()


def test_only_head_office_puts_seals_and_sees_them(staff):
    seal_of(award_of())
    county = factories.official("622927", is_staff=True)
    with pytest.raises(RuleBroken):
        put_seal(factories.ProgrammeFactory(), BytesIO(PICTURE), issuer="办", by=county)
    assert not Seal.objects.visible_to(county).exists()
    assert Seal.objects.visible_to(staff).exists()


def test_certificates_made_before_keep_the_seal_they_had(staff):
    before, after = award_of(), award_of()
    after.candidate.participation.cohort.programme = programme_of(before)
    after.candidate.participation.cohort.save()
    first = seal_of(before, issuer="旧章")
    old = certificate_pdf(edition_to_print(before, by=staff, on=TODAY), on=TODAY)
    second = seal_of(before, issuer="新章", picture=OTHER_PICTURE)

    assert edition_to_print(before, by=staff, on=TODAY).seal == first
    assert certificate_pdf(edition_to_print(before, by=staff, on=TODAY), on=TODAY) == old
    assert edition_to_print(after, by=staff, on=TODAY).seal == second


def test_another_programmes_seal_is_not_used(staff):
    seal_of(award_of())
    assert edition_to_print(award_of(), by=staff, on=TODAY).seal is None


def test_what_was_printed_without_a_seal_gets_the_first_there_is_and_keeps_it(staff, tmp_path):
    award = award_of()
    assert edition_to_print(award, by=staff, on=TODAY).seal is None
    first = seal_of(award, issuer="县委组织部")
    assert edition_to_print(award, by=staff, on=TODAY).seal == first
    seal_of(award, issuer="新章")
    edition = edition_to_print(award, by=staff, on=TODAY)
    assert (edition.seal, Edition.objects.count()) == (first, 1)
    assert "县委组织部" in pages(certificate_pdf(edition, on=TODAY), tmp_path)[0]


# --- What was printed stays -------------------------------------------------------------------------------------------


def test_what_was_printed_stays_whatever_changes(staff):
    award = award_of()
    before = certificate_pdf(edition_to_print(award, by=staff, on=TODAY), on=TODAY)
    award.badge.name = "新称号"
    award.badge.save()
    programme = programme_of(award)
    programme.name = "新项目"
    programme.save()
    trainee = award.trainee
    trainee.county = factories.region("520526")
    trainee.name = "别名"
    trainee.save()
    assert certificate_pdf(edition_to_print(award, by=staff, on=TODAY), on=TODAY) == before


def test_the_county_is_that_of_the_award_though_the_person_moved(staff):
    award = award_of(code="622927")
    Trainee.objects.update(county=factories.region("520526", "威宁县"))
    assert edition_to_print(award, by=staff, on=TODAY).words["county"].endswith("622927县")


@pytest.mark.parametrize("change", [{"holder_name": "李四"}, {"words": {}}, {"reason": "x"}, {"seal": None}])
def test_the_database_refuses_to_change_or_delete_an_edition(staff, change):
    award = award_of()
    seal_of(award)
    edition_to_print(award, by=staff, on=TODAY)
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        Edition.objects.update(**change)
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        Edition.objects.all().delete()


def test_a_seal_is_put_once_and_nothing_else_with_it(staff):
    award = award_of()
    edition_to_print(award, by=staff, on=TODAY)
    seal = seal_of(award)
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        Edition.objects.update(seal=seal, holder_name="李四")
    assert Edition.objects.update(seal=seal) == 1


def test_printing_many_asks_as_often_as_printing_one(staff):
    awards = [award_of() for _n in range(12)]
    seal_of(awards[0])

    def asked(pks):
        with CaptureQueriesContext(connection) as captured:
            printed, refused = editions_to_print(on_paper(pks), by=staff, on=TODAY)
        assert (len(printed), refused) == (len(pks), [])
        return len(captured)

    pks = [award.pk for award in awards]
    assert asked(pks[:1]) == asked(pks[1:])  # first editions
    assert asked(pks[:1]) == asked(pks[1:])  # known ones


# --- Reissue ----------------------------------------------------------------------------------------------------------


def test_a_corrected_name_is_found_and_reissued(staff, tmp_path):
    award, other = award_of("王晓明"), award_of("李四")
    edition_to_print(award, by=staff, on=TODAY)
    award = rename(award, "王小明")
    assert list(name_differs(Award.objects.all())) == [award]

    edition = reissue_certificate(award, by=staff, reason=" 姓名录入有误 ", on=TODAY)

    assert (edition.number, edition.name_before, edition.holder_name) == (2, "王晓明", "王小明")
    assert (edition.reason, edition.by) == ("姓名录入有误", staff)
    assert Award.objects.get(pk=award.pk).holder_name == "王小明"
    assert Award.objects.get(pk=award.pk).code == award.code
    assert list(name_differs(Award.objects.all())) == []
    [page] = pages(certificate_pdf(edition_to_print(award, by=staff, on=TODAY), on=TODAY), tmp_path)
    assert "王小明" in page and "（第2版，" in page and "换发）" in page
    assert list(award.editions.order_by("number").values_list("number", "holder_name")) == [
        (1, "王晓明"),
        (2, "王小明"),
    ]
    assert not other.editions.exists()


def test_a_third_edition_follows_the_second(staff):
    award = award_of("甲")
    for n, name in enumerate(("乙", "丙"), 2):
        assert reissue_certificate(rename(award, name), by=staff, reason="误", on=TODAY).number == n


def test_nothing_is_reissued_without_a_difference_or_a_reason(staff):
    award = award_of("王晓明")
    with pytest.raises(RuleBroken, match="nothing to reissue"):
        reissue_certificate(award, by=staff, reason="误", on=TODAY)
    award = rename(award, "王小明")
    with pytest.raises(RuleBroken, match="Say why"):
        reissue_certificate(award, by=staff, reason="  ", on=TODAY)
    assert not Edition.objects.filter(number=2).exists()


def test_a_wrong_seal_can_be_put_right(staff):
    award = award_of()
    seal_of(award, issuer="错章")
    edition_to_print(award, by=staff, on=TODAY)
    right = seal_of(award, issuer="对章")
    edition = reissue_certificate(award, by=staff, reason="印章有误", on=TODAY)
    assert (edition.number, edition.seal, edition.holder_name) == (2, right, award.holder_name)


def test_withdrawn_ones_and_names_without_glyphs_are_not_reissued(staff):
    withdrawn = award_of("甲")
    withdraw_award(withdrawn, by=staff, reason="失实")
    with pytest.raises(RuleBroken, match="withdrawn"):
        reissue_certificate(rename(withdrawn, "乙"), by=staff, reason="误", on=TODAY)
    rare = rename(award_of("丙"), NOT_DRAWN)
    with pytest.raises(RuleBroken, match="🐑"):
        reissue_certificate(rare, by=staff, reason="误", on=TODAY)
    assert Award.objects.get(pk=rare.pk).holder_name == "丙"
    assert not Edition.objects.filter(number=2).exists()


def test_a_name_that_could_not_be_printed_is_corrected(staff):
    award = rename(award_of(NOT_DRAWN), "羊羊")
    assert reissue_certificate(award, by=staff, reason="误", on=TODAY).holder_name == "羊羊"


def test_a_name_changed_meanwhile_is_not_overwritten(staff):
    award = award_of("甲")
    Award.objects.update(holder_name="乙")
    with pytest.raises(Stale):
        correct_holder_name(award, name="丙")
    assert Award.objects.get().holder_name == "乙"


@pytest.mark.parametrize(
    "told",
    [
        {"number": 2, "reason": "", "name_before": "甲"},
        {"number": 2, "reason": "误", "name_before": ""},
        {"number": 1, "reason": "误", "name_before": ""},
        {"number": 0, "reason": "", "name_before": ""},
    ],
)
def test_the_database_wants_to_know_why_there_is_another_edition(staff, told):
    edition = edition_to_print(award_of(), by=staff, on=TODAY)
    other = award_of()
    row = {"award": other, "holder_name": "乙", "words": {}, "by": staff, "at": edition.at}
    with pytest.raises(IntegrityError, match="later_editions"), transaction.atomic():
        Edition.objects.create(**row | told)


# --- At once ----------------------------------------------------------------------------------------------------------


def in_parallel(*works):
    results = []

    def run(work):
        try:
            results.append(work())
        except Exception as error:
            results.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return results


@pytest.mark.django_db(transaction=True)
def test_two_who_print_or_reissue_at_once_make_one_edition():
    staff = factories.superuser()
    award = award_of("甲")
    seal_of(award)
    printed = in_parallel(*[lambda: edition_to_print(award, by=staff, on=TODAY)] * 4)
    assert {edition.pk for edition in printed} == {Edition.objects.get().pk}
    rename(award, "乙")
    work = [lambda: reissue_certificate(Award.objects.get(), by=staff, reason="误", on=TODAY)]
    reissued = in_parallel(*work * 4)
    assert len([each for each in reissued if isinstance(each, RuleBroken)]) == 3, reissued
    assert list(Edition.objects.order_by("number").values_list("number", flat=True)) == [1, 2]


@pytest.mark.django_db(transaction=True)
def test_two_who_put_a_seal_right_at_once_make_one_edition():
    staff = factories.superuser()
    award = award_of("甲")
    seal_of(award, issuer="错章")
    edition_to_print(award, by=staff, on=TODAY)
    seal_of(award, issuer="对章")
    work = [lambda: reissue_certificate(Award.objects.get(), by=staff, reason="误", on=TODAY)]
    reissued = in_parallel(*work * 4)
    assert len([each for each in reissued if isinstance(each, RuleBroken)]) == 3, reissued
