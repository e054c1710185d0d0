"""Leaps of followers that no traffic explains: who is flagged, what approving then takes, and what the award keeps."""

from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils.translation import override

from incubator.certification.models import Award, Candidate
from incubator.certification.queries import unexplained_leaps, with_flag
from incubator.certification.services import evaluate
from incubator.common.errors import RuleBroken
from incubator.grants.models import Grant
from incubator.metrics.models import Spike
from tests import factories

pytestmark = pytest.mark.django_db

FIRST = date(2026, 6, 1)  # day of graduation, first day of support
CROSSED = FIRST + timedelta(days=50)
LATER = date(2026, 12, 1)


@pytest.fixture
def candidate():
    factories.RuleFactory()
    person = factories.graduate_row(FIRST)
    account = factories.CreatorAccountFactory(trainee=person.trainee)
    factories.reading(account, CROSSED, 150_000)
    evaluate(on=LATER)
    return Candidate.objects.get()


@pytest.fixture
def staff():
    return factories.superuser()


def leap(candidate, day, account=None):
    return Spike.objects.create(account=account or candidate.account, day=day, gained=20_000, usual=100.4)


def grant(candidate, on, state="approved"):
    staff = factories.UserFactory()
    return Grant.objects.create(
        pool=factories.TrafficPoolFactory(),
        participation=candidate.participation,
        impressions=10,
        state=state,
        proposed_by=staff,
        proposed_on=on,
        approved_on=on,
    )


def flagged(candidate):
    """By the page's query and by the list's, which have to say the same."""
    of_list = with_flag(Candidate.objects.filter(pk=candidate.pk)).get().is_flagged
    assert of_list == unexplained_leaps(candidate).exists()
    return of_list


@pytest.mark.parametrize(
    ("day", "is_flagged"),
    [
        (FIRST - timedelta(days=1), False),
        (FIRST, True),
        (CROSSED, True),
        (CROSSED + timedelta(days=1), False),
    ],
)
def test_leaps_from_the_first_day_of_support_to_the_crossing_count(candidate, day, is_flagged):
    leap(candidate, day)
    assert flagged(candidate) == is_flagged


@pytest.mark.parametrize(("days", "is_flagged"), [(30, True), (31, False)])
def test_a_crossing_early_in_the_period_is_looked_at_for_thirty_days_back(candidate, days, is_flagged):
    Candidate.objects.update(crossed_on=FIRST)
    candidate.refresh_from_db()
    leap(candidate, FIRST - timedelta(days=days))
    assert flagged(candidate) == is_flagged


@pytest.mark.parametrize(("days", "is_flagged"), [(-1, True), (0, False), (29, False), (30, True)])
def test_a_grant_explains_leaps_while_its_traffic_runs(candidate, days, is_flagged):
    grant(candidate, CROSSED - timedelta(days=days))
    leap(candidate, CROSSED)
    assert flagged(candidate) == is_flagged


def test_grants_that_never_ran_or_are_somebody_elses_explain_nothing(candidate):
    grant(candidate, CROSSED, state="proposed")
    other = factories.graduate_row(FIRST)
    Grant.objects.create(
        pool=factories.TrafficPoolFactory(),
        participation=other,
        impressions=10,
        state="approved",
        proposed_by=factories.UserFactory(),
        proposed_on=CROSSED,
        approved_on=CROSSED,
    )
    leap(candidate, CROSSED)
    assert flagged(candidate)


def test_leaps_of_another_account_flag_nobody(candidate):
    leap(candidate, CROSSED, account=factories.CreatorAccountFactory(trainee=candidate.participation.trainee))
    assert not flagged(candidate)


def test_approving_a_flagged_candidate_takes_a_remark(candidate, staff):
    leap(candidate, CROSSED)
    with override("en"), pytest.raises(RuleBroken, match="20,000"):
        factories.approve(candidate, by=staff, on=LATER, remark="  ")
    assert Candidate.objects.get().state == "pending" and not Award.objects.exists()

    award = factories.approve(candidate, by=staff, on=LATER, remark="Her film was seen everywhere")

    assert award.evidence["proposed"]["remark"] == "Her film was seen everywhere"


def test_the_award_keeps_the_leaps_it_was_given_with(candidate, staff):
    grant(candidate, CROSSED)
    leap(candidate, CROSSED)
    award = factories.approve(candidate, by=staff, on=LATER)
    Spike.objects.all().delete()
    assert Award.objects.get(pk=award.pk).evidence["leaps"] == [
        {"day": CROSSED.isoformat(), "gained": 20_000, "usual": 100, "ran_traffic": True}
    ]


# On the desk


@pytest.fixture
def desk(client, staff):
    client.force_login(staff)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def test_the_list_flags_and_filters(desk, candidate):
    url = reverse("admin:certification_candidate_changelist")
    assert not desk.get(url, {"leap": "unexplained"}).context["cl"].queryset.exists()
    leap(candidate, CROSSED)
    assert desk.get(url, {"leap": "unexplained"}).context["cl"].queryset.get() == candidate
    assert not desk.get(url, {"leap": "none"}).context["cl"].queryset.exists()


def test_the_page_warns_and_the_move_asks_for_the_remark(desk, candidate, staff):
    page = reverse("admin:certification_candidate_change", args=[candidate.pk])
    propose, approve = (
        reverse("admin:certification_candidate_move", args=[candidate.pk, name]) for name in ("propose", "approve")
    )
    assert "desk-flag" not in desk.get(page).content.decode()
    leap(candidate, CROSSED)
    shown = desk.get(page).content.decode()
    assert "desk-flag" in shown and "+20,000" in shown

    refused = desk.post(propose, {"remark": ""}, follow=True)
    assert "20,000" in str(next(iter(refused.context["messages"]))) and not Award.objects.exists()

    desk.post(propose, {"remark": "seen her films"}, follow=True)
    second = factories.superuser()
    desk.force_login(second)
    desk.post(approve, follow=True)
    award = Award.objects.get()
    frozen = desk.get(reverse("admin:certification_award_change", args=[award.pk])).content.decode()
    assert award.awarded_by == second and "+20,000" in frozen
    assert award.evidence["proposed"]["remark"] == "seen her films"
    assert "seen her films" in desk.get(page).content.decode()


def test_many_are_proposed_at_once_but_for_the_flagged_one(desk, candidate):
    leap(candidate, CROSSED)
    person = factories.graduate_row(FIRST)
    factories.reading(factories.CreatorAccountFactory(trainee=person.trainee), CROSSED, 150_000)
    evaluate(on=LATER)
    chosen = {"action": "propose", "_selected_action": list(Candidate.objects.values_list("pk", flat=True))}
    url = reverse("admin:certification_candidate_changelist")

    response = desk.post(url, {**chosen, "confirmed": "1", "remark": ""}, follow=True)

    assert len(list(response.context["messages"])) == 2
    assert Candidate.objects.get(state="proposed").participation == person
    assert Candidate.objects.get(state="pending") == candidate
