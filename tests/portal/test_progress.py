"""How far am I, what is missing, what do I do next."""

from datetime import date, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from incubator.certification.models import Candidate
from incubator.certification.services import evaluate, refuse_candidate, withdraw_award
from incubator.metrics.choices import AccountState
from incubator.metrics.models import Authorisation, CreatorAccount
from incubator.portal.queries import NextStep, standing_of
from incubator.programmes.choices import ParticipationState
from incubator.programmes.models import Participation
from tests.factories import (
    SHANGHAI,
    CreatorAccountFactory,
    ParticipationFactory,
    RuleFactory,
    UserFactory,
    graduate_row,
    official,
    superuser,
)
from tests.world import certified, graduate, in_training, trainee_with_login

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def rule():
    return RuleFactory()


def standing(participation, on=None):
    return standing_of(participation.trainee, on=on or timezone.localdate())


def test_somebody_in_no_cohort_is_told_whom_to_ask():
    found = standing_of(trainee_with_login("T1"), on=timezone.localdate())

    assert (found.next_step, found.followers, found.days_left) == (NextStep.NOT_TAKING_PART, None, None)


@pytest.mark.parametrize(
    ("state", "step"),
    [
        (ParticipationState.NOMINATED, NextStep.WAIT_FOR_ADMISSION),
        (ParticipationState.ADMITTED, NextStep.ATTEND_CLASSES),
        (ParticipationState.WITHDRAWN, NextStep.ENDED),
        (ParticipationState.REFUSED, NextStep.ENDED),
    ],
)
def test_before_graduation_the_state_decides(state, step):
    assert standing(ParticipationFactory(state=state)).next_step == step


@pytest.mark.parametrize(
    ("sessions", "step"),
    [(0, NextStep.ATTEND_CLASSES), (2, NextStep.ATTEND_CLASSES), (3, NextStep.WAIT_FOR_GRADUATION)],
)
def test_in_training_the_hours_decide(sessions, step):
    assert standing(in_training("T1", sessions=sessions)).next_step == step


def test_a_graduate_without_an_account_tells_its_number():
    today = timezone.localdate()

    assert standing(graduate_row(today)).next_step == NextStep.TELL_ACCOUNT


@pytest.mark.parametrize(
    ("state", "step"),
    [
        (AccountState.UNLINKED, NextStep.CONNECT_ACCOUNT),
        (AccountState.GONE, NextStep.CONNECT_ACCOUNT),
        (AccountState.NEEDS_CONSENT, NextStep.CONSENT_AGAIN),
        (AccountState.LINKED, NextStep.WAIT_FOR_READING),
    ],
)
def test_a_graduate_without_a_reading_is_led_to_one(state, step):
    participation = graduate_row(timezone.localdate())
    CreatorAccountFactory(trainee=participation.trainee, state=state)

    found = standing(participation)

    assert found.next_step == step
    assert (found.followers, found.missing_followers, found.needed_a_day) == (None, None, None)


def test_on_the_way_the_pace_is_told():
    found = standing(graduate("T1", followers=[90_000, 97_001], days=60, started=30))

    assert found.next_step == NextStep.GROW
    assert (found.missing_followers, found.days_left, found.needed_a_day) == (2_999, 30, 100)


def test_a_strict_rule_asks_for_one_more(rule):
    RuleFactory(badge=rule.badge, version=2, is_strict=True)

    found = standing(graduate("T1", followers=[100_000]))

    assert (found.goal, found.missing_followers, found.next_step) == (100_001, 1, NextStep.GROW)


@pytest.mark.parametrize(("day", "left"), [(0, 10), (9, 1), (10, 0), (400, 0)])
def test_days_left_count_the_last_day(day, left):
    start = date(2026, 6, 1)
    found = standing(graduate_row(start, days=10), on=start + timedelta(days=day))

    assert found.days_left == left
    assert (found.next_step == NextStep.SUPPORT_OVER) == (left == 0)


def test_a_candidate_waits_and_a_refused_one_reads_why(client):
    participation = graduate("T1", followers=[90_000, 101_000])
    assert standing(participation).next_step == NextStep.WAIT_FOR_REVIEW  # reached, evaluated tonight
    evaluate(on=timezone.localdate())
    assert standing(participation).next_step == NextStep.WAIT_FOR_REVIEW

    refuse_candidate(Candidate.objects.get(), by=superuser(), reason="粉丝异常增长")

    assert standing(participation).next_step == NextStep.REFUSED
    client.force_login(participation.trainee.user)
    assert "粉丝异常增长" in client.get("/me/").content.decode()


def test_the_newest_participation_counts_and_the_others_are_listed(client):
    participation = graduate("T1", followers=[50_000])
    newer = ParticipationFactory(trainee=participation.trainee)

    found = standing(participation)

    assert found.participation == newer and found.others == [participation]


def test_unknown_is_never_shown_as_nought(client):
    participation = graduate_row(timezone.localdate(), trainee=trainee_with_login("T1"))
    CreatorAccountFactory(trainee=participation.trainee)
    client.force_login(participation.trainee.user)

    page = client.get("/me/").content.decode()

    assert "还没有读取" in page and "<svg" not in page and '<p class="big">0' not in page


# In the morning in China it is still yesterday by UTC: both hours are 14 days before the day on which consent ends.
@pytest.mark.parametrize("hour", [5, 23])
@pytest.mark.parametrize("ends_hour", [5, 23])
def test_consent_that_ends_soon_is_announced(client, hour, ends_hour):
    with time_machine.travel(datetime(2026, 11, 25, hour, tzinfo=SHANGHAI), tick=False):
        page = page_with_consent_until(client, datetime(2026, 12, 9, ends_hour, tzinfo=SHANGHAI))

    assert "14 天" in page and "续期" in page


def page_with_consent_until(client, ends_at):
    participation = graduate("T1", followers=[50_000])
    now = timezone.now()
    Authorisation.objects.create(
        account=CreatorAccount.objects.get(),
        external_id="x",
        access_token="a",
        refresh_token="r",
        access_expires_at=now,
        refresh_expires_at=ends_at,
        granted_at=now,
    )
    client.force_login(participation.trainee.user)
    return client.get("/me/").content.decode()


def test_queries_do_not_grow_with_history(client):
    used = []
    for n, days in enumerate((2, 80)):
        participation = graduate(f"T{n}", followers=[50_000] * days)
        client.force_login(participation.trainee.user)
        client.get("/me/")
        with CaptureQueriesContext(connection) as captured:
            assert client.get("/me/").status_code == 200
        used.append(len(captured))

    assert used[0] == used[1]


def test_a_certificate_is_its_holders_only(client):
    award = certified("T1")
    url = f"/me/certificate/{award.number}/"
    client.force_login(award.trainee.user)
    assert award.number in client.get(url).content.decode()

    for stranger in (trainee_with_login("T2").user, official("622927"), superuser()):
        client.force_login(stranger)
        assert client.get(url).status_code == 404


def test_a_withdrawn_certificate_says_so(client):
    award = certified("T1")
    withdraw_award(award, by=superuser(), reason="粉丝造假")
    client.force_login(award.trainee.user)

    page = client.get(f"/me/certificate/{award.number}/").content.decode()

    assert "粉丝造假" in page and "certificate withdrawn" in page
    assert standing(Participation.objects.get()).award is None


@pytest.mark.parametrize("make", [lambda: official("622927"), superuser, UserFactory])
def test_the_portal_is_for_trainees(client, make):
    client.force_login(make())

    assert client.get("/me/").status_code == 404
    assert client.get("/me/account/").status_code == 404


def test_everybody_is_led_to_their_own_pages(client):
    for user, where in (
        (superuser(), "/admin/"),
        (official("622927"), "/reports/"),
        (trainee_with_login("T1").user, "/me/"),
    ):
        client.force_login(user)
        assert client.get("/")["Location"] == where
    client.force_login(UserFactory())
    assert client.get("/").status_code == 200
