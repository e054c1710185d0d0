"""Why not? The same words on the trainee's page, in the staff desk and for the telephone; dossiers and near misses."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from incubator.accounts.models import AccessRecord
from incubator.certification import wording
from incubator.certification.explaining import explain
from incubator.certification.models import AwardCheck, Candidate, NearMiss, Rule
from incubator.certification.services import evaluate, find_near_misses
from incubator.certification.services.dossiers import digest_of
from incubator.portal.queries import NextStep, standing_of
from tests import factories
from tests.certification.test_explaining import GRADUATED, followers, rule_of
from tests.world import certified, graduate

pytestmark = pytest.mark.django_db

TREE = {"all": [GRADUATED, {"any": [followers(held_days=3), followers(300_000, when="ever")]}]}


@pytest.fixture
def rule():
    return rule_of(TREE)


def staff(code, *permissions):
    """Somebody of the desk posted to a county, with these permissions."""
    user = factories.official(code, is_staff=True)
    for label in permissions:
        room, name = label.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=room, codename=name))
    return user


MAY_EXPLAIN = ("trainees.view_trainee", "programmes.view_participation", "certification.explain_candidate")


def text(response):
    """The page as it is read, without its marks of HTML for quotes and apostrophes."""
    page = response.content.decode()
    return page.replace("&#x27;", "'").replace("&quot;", '"').replace("&amp;", "&")


def sentences_of(participation):
    found = explain(participation, Rule.objects.get(), timezone.localdate())
    return [reason.says for reason in found.reasons] + [found.next_step.sentence]


def test_trainee_hotline_and_staff_read_the_same_words(client, rule):
    participation = graduate("T1", followers=[80_000, 97_500])
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    with override("en"):
        words = sentences_of(participation)
    person = participation.trainee
    assert any("2,500" in sentence for sentence in words)
    client.force_login(person.user)
    pages = [text(client.get("/me/why/"))]
    client.force_login(staff(person.county_id, *MAY_EXPLAIN))
    pages += [
        text(client.get(reverse("admin:programmes_participation_change", args=[participation.pk]))),
        text(client.get(reverse("admin:trainees_trainee_change", args=[person.pk]))),
        text(client.get(reverse("certification_why"), {"q": person.number})),
        text(client.get(reverse("certification_why"), {"trainee": person.pk})),
    ]

    for page in pages:
        assert [sentence for sentence in words if sentence not in page] == []


def test_the_trainee_s_page_is_small_works_without_scripts_and_asks_no_more_for_more(client, rule):
    used = []
    for n, days in enumerate((2, 80)):
        participation = graduate(f"T{n}", followers=[50_000] * days)
        client.force_login(participation.trainee.user)
        client.get("/me/why/")
        with CaptureQueriesContext(connection) as captured:
            response = client.get("/me/why/")
        used.append(len(captured))
        assert response.status_code == 200 and len(response.content) < 100_000
        assert b"<script" not in response.content or b"defer" in response.content

    assert used[0] == used[1]


def test_home_leads_to_the_page(client, rule):
    client.force_login(graduate("T1", followers=[50_000]).trainee.user)

    assert 'href="/me/why/"' in text(client.get("/me/"))


def test_without_a_participation_or_a_rule_it_says_so(client):
    participation = graduate("T1", followers=[50_000])
    client.force_login(participation.trainee.user)

    assert client.get("/me/why/").status_code == 200


def test_the_page_is_for_trainees(client, rule):
    client.force_login(factories.superuser())

    assert client.get("/me/why/").status_code == 404


# --- Next steps -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "step"),
    [
        ("holding", NextStep.HOLD),
        ("pending", NextStep.WAIT_FOR_REVIEW),
        ("proposed", NextStep.WAIT_FOR_REVIEW),
        ("asked", NextStep.ASKED),
        ("lapsed", NextStep.LAPSED),
    ],
)
def test_a_candidate_s_state_is_the_next_step(client, state, step):
    factories.RuleFactory()
    participation = graduate("T1", followers=[90_000, 120_000])
    evaluate(on=timezone.localdate())
    Candidate.objects.update(state=state, proposed_by=factories.UserFactory(), proposed_at=timezone.now())

    assert standing_of(participation.trainee, on=timezone.localdate()).next_step == step

    client.force_login(participation.trainee.user)
    page = text(client.get("/me/"))
    assert step == NextStep.WAIT_FOR_REVIEW or wording.candidacy(Candidate.objects.get()) in page


def test_a_number_that_has_to_be_held_is_not_reviewed_yet():
    factories.RuleFactory(held_days=7)
    participation = graduate("T1", followers=[90_000, 120_000])

    assert standing_of(participation.trainee, on=timezone.localdate()).next_step == NextStep.HOLD


# --- Who may ----------------------------------------------------------------------------------------------------------


def test_strangers_and_those_without_the_permission_are_told_nothing(client, rule):
    participation = graduate("T1", followers=[80_000, 97_500])
    person, url = participation.trainee, reverse("certification_why")
    client.force_login(staff("622926", *MAY_EXPLAIN))  # of another county
    assert person.name not in text(client.get(url, {"q": person.number}))
    assert client.get(url, {"trainee": person.pk}).status_code == 404
    client.force_login(staff(person.county_id, "trainees.view_trainee", "programmes.view_participation"))
    assert client.get(url, {"q": person.number}).status_code == 403
    for name, pk in (("programmes_participation", participation.pk), ("trainees_trainee", person.pk)):
        page = text(client.get(reverse(f"admin:{name}_change", args=[pk])))
        assert "97,500" not in page or sentences_of(participation)[-1] not in page


@pytest.mark.parametrize("term", ["", "nobody", "x" * 500])
def test_a_look_up_that_finds_nobody_is_a_sentence(client, rule, term):
    client.force_login(staff("622927", *MAY_EXPLAIN))

    assert client.get(reverse("certification_why"), {"q": term}).status_code == 200
    assert client.get(reverse("certification_why"), {"trainee": "abc"}).status_code == 404


def test_of_several_people_one_is_chosen_first(client, rule):
    people = [graduate(f"T{n}", followers=[50_000], name="马海兰").trainee for n in range(2)]
    client.force_login(staff("622927", *MAY_EXPLAIN))

    page = text(client.get(reverse("certification_why"), {"q": "马海兰"}))

    assert all(f"?trainee={person.pk}" in page for person in people)


# --- The long form of a dossier ---------------------------------------------------------------------------------------


def test_the_dossier_is_taken_with_its_permission_and_recorded(client):
    award = certified("T1")
    urls = [reverse("admin:award_dossier", args=[award.pk]), reverse("admin:award_dossier.json", args=[award.pk])]
    client.force_login(staff("622927", "certification.view_award"))
    assert [client.get(url).status_code for url in urls] == [403, 403]
    client.force_login(staff("622926", "certification.view_award", "certification.audit_award"))
    assert [client.get(url).status_code for url in urls] == [404, 404]
    assert not AccessRecord.objects.exists()
    auditor = staff("622927", "certification.view_award", "certification.audit_award")
    client.force_login(auditor)

    page, file = (client.get(url) for url in urls)

    assert "120,000" in text(page) and award.evidence["digest"] in text(page)
    dossier = json.loads(file.content)
    assert dossier == award.evidence and dossier["digest"] == digest_of(dossier)
    assert "attachment" in file["Content-Disposition"] and "no-store" in file["Cache-Control"]
    records = AccessRecord.objects.filter(what="certification.award", row=str(award.pk), by=auditor, kind="export")
    assert records.count() == 2


def test_the_award_s_page_shows_conditions_readings_and_the_digest(client):
    award = certified("T1")
    client.force_login(factories.superuser())

    page = text(client.get(reverse("admin:certification_award_change", args=[award.pk])))

    assert all(f"{reading['followers']:,}" in page for reading in award.evidence["readings"])
    assert award.evidence["digest"] in page
    assert reverse("admin:award_dossier", args=[award.pk]) in page


# --- Near misses and checks -------------------------------------------------------------------------------------------


def missed():
    rule_of({"all": [GRADUATED, followers()]})
    graduate("T1", followers=[99_500, 99_500, 99_500], started=31, days=30)  # the last day was the day before yesterday
    assert find_near_misses(on=timezone.localdate()) == 1
    return NearMiss.objects.get()


def test_a_near_miss_leads_to_the_period_and_to_figures_and_is_closed_with_words(client):
    miss = missed()
    client.force_login(factories.superuser())
    page = text(client.get(reverse("admin:certification_nearmiss_change", args=[miss.pk])))
    assert reverse("admin:programmes_participation_change", args=[miss.participation_id]) in page
    assert reverse("admin:figures_figuresimport_add") in page

    move = reverse("admin:certification_nearmiss_move", args=[miss.pk, "close"])
    client.post(move, {"finding": ""})
    assert NearMiss.objects.open().exists()
    client.post(move, {"finding": "平台当日无数据"})

    miss.refresh_from_db()
    assert miss.closing == "平台当日无数据" and miss.closed_by is not None
    listed = text(client.get(reverse("admin:certification_nearmiss_changelist")))
    assert miss.participation.trainee.number not in listed
    listed = text(client.get(reverse("admin:certification_nearmiss_changelist") + "?miss=closed"))
    assert miss.participation.trainee.number in listed


def test_a_check_names_what_it_found(client):
    check = AwardCheck.objects.create(
        day=timezone.localdate() - timedelta(days=1),
        at=timezone.now(),
        awards=7,
        eligible=1,
        unproven=1,
        explained=0,
        findings={"eligible": [["T2026-0001", "x v1"]], "unproven": [["XC-2026-622927-0001", "digest"]]},
    )
    client.force_login(factories.superuser())

    page = text(client.get(reverse("admin:certification_awardcheck_change", args=[check.pk])))

    assert "T2026-0001" in page and "XC-2026-622927-0001" in page
