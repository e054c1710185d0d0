"""The desk and the portal: downloads, the filter of differing names, moves, ceremonies; and the stranger each time."""

from datetime import date

import pytest
from django.contrib.auth.models import Group, Permission
from django.contrib.messages import get_messages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from incubator.accounts.choices import Role, StaffGroup
from incubator.accounts.models import Posting
from incubator.certificates.models import Ceremony, Edition, Seal
from incubator.certificates.services import edition_to_print
from incubator.certification.models import Award
from incubator.certification.services import withdraw_award
from incubator.jobs.models import Job
from incubator.jobs.services import run
from tests import factories
from tests.certificates.world import NOT_DRAWN, PICTURE, award_of, pages, seal_of
from trainees.models import Trainee

pytestmark = pytest.mark.django_db
HERE, ELSEWHERE = "622927", "520526"
LIST = "admin:certification_award_changelist"


@pytest.fixture(autouse=True)
def in_english(client):
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"


def county_staff(code):
    user = factories.official(code, is_staff=True)
    user.user_permissions.set(Permission.objects.all())
    return user


@pytest.fixture
def staff(client):
    user = county_staff(HERE)
    client.force_login(user)
    return user


def said(answer):
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))


def file_url(award, kind="certificate"):
    return reverse(f"admin:certificates_edition_{kind}", args=[award.pk])


def award_page(client, award):
    return client.get(reverse("admin:certification_award_change", args=[award.pk])).content.decode()


def move(client, row, name, **answers):
    opts = row._meta
    url = reverse(f"admin:{opts.app_label}_{opts.model_name}_move", args=[row.pk, name])
    return client.post(url, answers)


def act(client, name, rows, **answers):
    chosen = {"action": name, "_selected_action": [row.pk for row in rows], "confirmed": "1"}
    return client.post(reverse(LIST), {**chosen, **answers}, follow=True)


# --- Downloads of the desk --------------------------------------------------------------------------------------------


def test_staff_download_a_certificate_named_by_its_number(staff, client, tmp_path):
    award = award_of("王勇")
    assert file_url(award) in award_page(client, award)
    answer = client.get(file_url(award))
    assert answer["Content-Type"] == "application/pdf"
    assert award.number in answer["Content-Disposition"] and "attachment" in answer["Content-Disposition"]
    assert "no-store" in answer["Cache-Control"]
    assert "王勇" in pages(answer.content, tmp_path)[0]
    assert Edition.objects.get().by == staff


def test_a_withdrawn_one_has_a_notice_and_a_copy_for_the_archive(staff, client, tmp_path):
    award = award_of("王勇")
    for kind in ("archive", "notice"):
        assert client.get(file_url(award, kind)).status_code == 404
        assert file_url(award, kind) not in award_page(client, award)
    withdraw_award(award, by=staff, reason="刷量")

    page = award_page(client, award)
    assert file_url(award, "notice") in page and file_url(award, "archive") in page
    assert file_url(award) not in page
    assert "刷量" in page and "withdrawn" in page
    refused = client.get(file_url(award))
    assert refused.status_code == 302 and "withdrawn" in said(refused)
    assert "已撤销" in pages(client.get(file_url(award, "archive")).content, tmp_path)[0]
    notice = client.get(file_url(award, "notice"))
    assert "刷量" in pages(notice.content, tmp_path)[0] and award.number in notice["Content-Disposition"]


def test_an_expired_one_is_only_for_the_archive(staff, client, tmp_path):
    award = award_of(expires_on=date(2026, 11, 21))
    Award.objects.update(expires_on=timezone.localdate() - timezone.timedelta(days=1))
    refused = client.get(file_url(award))
    assert refused.status_code == 302 and "valid until" in said(refused)
    assert "已过期" in pages(client.get(file_url(award, "archive")).content, tmp_path)[0]
    assert client.get(file_url(award, "notice")).status_code == 404


def test_a_name_without_glyphs_is_told_on_the_page(staff, client):
    refused = client.get(file_url(award_of(NOT_DRAWN)))
    assert refused.status_code == 302 and "🐑" in said(refused)


@pytest.mark.parametrize("kind", ["certificate", "archive", "notice"])
def test_strangers_and_those_without_permission_get_nothing(client, kind):
    award = award_of(code=ELSEWHERE)
    if kind != "certificate":
        withdraw_award(award, by=factories.superuser(), reason="失实")
    client.force_login(county_staff(HERE))
    assert client.get(file_url(award, kind)).status_code == 404
    client.force_login(factories.official(ELSEWHERE, is_staff=True))
    assert client.get(file_url(award, kind)).status_code == 404
    client.force_login(county_staff(ELSEWHERE))
    assert client.get(file_url(award, kind)).status_code == 200


# --- Names that differ ------------------------------------------------------------------------------------------------


def test_differing_names_are_filtered_shown_and_reissued(staff, client):
    award, other = award_of("王晓明"), award_of("李四")
    assert "reissue" not in award_page(client, award).split("desk-section")[0]
    Trainee.objects.filter(pk=award.trainee_id).update(name="王小明")

    found = client.get(reverse(LIST), {"name": "differs"})
    assert list(found.context["cl"].queryset) == [award]
    page = award_page(client, award)
    assert "王晓明" in page and "王小明" in page and "/move/reissue/" in page
    assert "/move/reissue/" not in award_page(client, other)

    move(client, award, "reissue", reason="姓名录入有误")

    award.refresh_from_db()
    assert award.holder_name == "王小明"
    page = award_page(client, award)
    assert "姓名录入有误" in page and "/move/reissue/" not in page
    person = client.get(reverse("admin:trainees_trainee_change", args=[award.trainee_id])).content.decode()
    assert "姓名录入有误" in person


def test_a_stranger_reissues_nothing(client):
    award = award_of("王晓明", code=ELSEWHERE)
    Trainee.objects.update(name="王小明")
    client.force_login(county_staff(HERE))
    move(client, award, "reissue", reason="误")
    assert Award.objects.get().holder_name == "王晓明" and not Edition.objects.exists()


def test_who_may_only_look_reissues_nothing(client):
    award = award_of("王晓明")
    Trainee.objects.update(name="王小明")
    viewer = factories.official(HERE, is_staff=True)
    viewer.groups.add(Group.objects.get(name=StaffGroup.VIEWER))
    client.force_login(viewer)
    assert move(client, award, "reissue", reason="误").status_code == 403
    assert client.get(file_url(award)).status_code == 200


# --- Ceremonies of the desk -------------------------------------------------------------------------------------------


def new_ceremony(client, region=HERE, **changes):
    told = {"name": "颁证仪式", "held_on": "2026-12-01", "place": "礼堂", "region": region, "order": "county"}
    return client.post(reverse("admin:certificates_ceremony_add"), told | changes)


def test_a_ceremony_from_its_entry_to_its_file(staff, client, tmp_path):
    good, rare = award_of("王勇"), award_of(NOT_DRAWN)
    assert new_ceremony(client).status_code == 302
    ceremony = Ceremony.objects.get()
    assert (ceremony.made_by, ceremony.region_id) == (staff, HERE)

    act(client, "add_to_ceremony", [good, rare], ceremony=ceremony.pk)
    assert set(ceremony.awards.all()) == {good, rare}
    page = client.get(reverse("admin:certificates_ceremony_change", args=[ceremony.pk])).content.decode()
    assert good.number in page and "/move/print/" in page
    assert ceremony.name in award_page(client, good)
    listed = client.get(reverse(LIST), {"ceremony": ceremony.pk})
    assert set(listed.context["cl"].queryset) == {good, rare}

    move(client, ceremony, "print", order="name")
    job = Job.objects.get()
    run(job.pk)

    page = client.get(reverse("admin:certificates_ceremony_change", args=[ceremony.pk])).content.decode()
    assert reverse("job", args=[job.pk]) in page
    assert "Not among them (1)" in page and "🐑" in page and "1 certificate." in page
    status = client.get(reverse("job_status", args=[job.pk])).json()
    assert (status["percent"], status["done"], status["total"]) == (100, 4, 4)
    assert "王勇" in pages(client.get(status["file"]).getvalue(), tmp_path)[0]

    act(client, "take_out_of_ceremony", [rare], ceremony=ceremony.pk)
    assert list(ceremony.awards.all()) == [good]
    move(client, ceremony, "take", badge="", cohort="", first="", last="")
    assert set(ceremony.awards.all()) == {good, rare}


def test_strange_ids_and_ceremonies_are_refused(staff, client):
    own, strange = award_of(), award_of(code=ELSEWHERE)
    head = factories.superuser()
    new_ceremony(client)
    ceremony = Ceremony.objects.get()
    theirs = Ceremony.objects.create(
        name="外县仪式", held_on=date(2026, 12, 1), region=factories.region(ELSEWHERE), made_by=head
    )
    act(client, "add_to_ceremony", [own, strange], ceremony=ceremony.pk)
    assert list(ceremony.awards.all()) == [own]
    answer = act(client, "add_to_ceremony", [own], ceremony=theirs.pk)
    assert not theirs.awards.exists() and "外县仪式" not in answer.content.decode()
    move(client, theirs, "take", badge="", cohort="", first="", last="")
    move(client, theirs, "print", order="name")
    assert not theirs.awards.exists() and not Job.objects.exists()
    assert client.get(reverse("admin:certificates_ceremony_change", args=[theirs.pk])).status_code == 302
    assert "颁证仪式" in award_page(client, own) and "外县仪式" not in award_page(client, own)
    assert "外县仪式" not in client.get(reverse(LIST)).content.decode()
    theirs.places.create(award=own, added_by=head)
    assert "外县仪式" not in award_page(client, own)
    assert list(client.get(reverse(LIST), {"ceremony": theirs.pk}).context["cl"].queryset) == []


@pytest.mark.parametrize("region", [ELSEWHERE, "622900", ""])
def test_a_clerk_opens_no_ceremony_beyond_the_county(staff, client, region):
    factories.region(ELSEWHERE)
    answer = new_ceremony(client, region=region)
    assert answer.status_code == 200 and not Ceremony.objects.exists()


def test_whole_country_ceremonies_are_head_offices(client):
    user = county_staff(HERE)
    Posting.objects.create(user=user, is_whole_country=True, starts_on=date(2020, 1, 1))
    client.force_login(user)
    assert new_ceremony(client, region="").status_code == 302
    assert Ceremony.objects.get().region is None


# --- Seals of the desk ------------------------------------------------------------------------------------------------


def put(client, programme, content=PICTURE):
    file = SimpleUploadedFile("a.png", content, content_type="image/png")
    url = reverse("admin:certificates_seal_add")
    return client.post(url, {"programme": programme.pk, "issuer": "县委组织部", "image": file})


def test_head_office_puts_a_seal_and_looks_at_it(client):
    client.force_login(factories.superuser())
    programme = factories.ProgrammeFactory()
    assert put(client, programme).status_code == 302
    seal = Seal.objects.get()
    page = client.get(reverse("admin:certificates_seal_change", args=[seal.pk])).content.decode()
    url = reverse("admin:certificates_seal_picture", args=[seal.pk])
    assert url in page and "320 × 320" in page
    answer = client.get(url)
    assert answer.content.startswith(b"\x89PNG") and "attachment" in answer["Content-Disposition"]

    refused = put(client, programme, b"\xff\xd8\xff JPEG")
    assert refused.status_code == 200 and "This is no PNG" in refused.content.decode()
    assert Seal.objects.count() == 1


def test_the_county_sees_no_seal(staff, client):
    seal = seal_of(award_of())
    assert client.get(reverse("admin:certificates_seal_picture", args=[seal.pk])).status_code == 404
    assert put(client, factories.ProgrammeFactory()).status_code == 200
    assert Seal.objects.count() == 1


# --- The portal -------------------------------------------------------------------------------------------------------


@pytest.fixture
def holder(client):
    user = factories.UserFactory(role=Role.TRAINEE)
    client.force_login(user)
    return user


def own_url(award, kind="certificate"):
    return f"/me/certificate/{award.number}/{kind}.pdf"


def test_the_holder_takes_the_own_certificate(holder, client, tmp_path):
    award = award_of("王勇", user=holder)
    assert own_url(award) in client.get(f"/me/certificate/{award.number}/").content.decode()
    answer = client.get(own_url(award))
    assert "王勇" in pages(answer.content, tmp_path)[0]
    assert award.number in answer["Content-Disposition"] and "no-store" in answer["Cache-Control"]
    assert client.get(own_url(award, "notice")).status_code == 404


def test_the_page_shows_the_name_that_is_printed(holder, client):
    award = award_of("王晓明", user=holder)
    Trainee.objects.update(name="王小明")
    assert "王晓明" in client.get(f"/me/certificate/{award.number}/").content.decode()


def test_a_withdrawn_certificate_leads_to_its_notice(holder, client, tmp_path):
    award = award_of("王勇", user=holder)
    withdraw_award(award, by=factories.superuser(), reason="刷量")
    page = client.get(f"/me/certificate/{award.number}/").content.decode()
    assert own_url(award, "notice") in page and own_url(award) not in page
    assert "刷量" in pages(client.get(own_url(award, "notice")).content, tmp_path)[0]
    refused = client.get(own_url(award), follow=True)
    assert refused.redirect_chain and "withdrawn" in refused.content.decode()


def test_an_expired_certificate_says_so(holder, client):
    award = award_of("王勇", user=holder, expires_on=timezone.localdate() - timezone.timedelta(days=1))
    page = client.get(f"/me/certificate/{award.number}/").content.decode()
    assert "was valid until" in page and own_url(award) not in page


@pytest.mark.parametrize("kind", ["certificate", "notice"])
def test_another_trainee_gets_nothing(client, kind):
    award = award_of("王勇", user=factories.UserFactory(role=Role.TRAINEE))
    withdraw_award(award, by=factories.superuser(), reason="失实")
    stranger = factories.UserFactory(role=Role.TRAINEE)
    factories.TraineeFactory(user=stranger)
    client.force_login(stranger)
    assert client.get(own_url(award, kind)).status_code == 404
    assert client.get(f"/me/certificate/{award.number}/").status_code == 404


def test_a_page_of_one_award_and_of_many_editions_asks_as_often(staff, client):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    award = award_of("甲")
    edition_to_print(award, by=staff, on=timezone.localdate())
    award_page(client, award)

    def asked():
        with CaptureQueriesContext(connection) as captured:
            award_page(client, award)
        return len(captured)

    before = asked()
    for n in range(2, 12):
        Edition.objects.create(
            award=award,
            number=n,
            holder_name="甲",
            name_before="乙",
            reason="误",
            words={},
            by=factories.superuser(),
            at=timezone.now(),
        )
    assert asked() == before
