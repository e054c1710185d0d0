"""Candidates on the desk: tabs, evidence, two people, asking back, and several decided side by side."""

from datetime import date, timedelta

import pytest
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from incubator.certification.models import Award, Candidate, CandidateEvent, Flag
from incubator.certification.queries import conditions_of, holding_of
from incubator.certification.services import evaluate, propose_candidate, report_flag
from incubator.common.dates import moment
from incubator.metrics.models import Reading, Spike
from tests import factories

pytestmark = pytest.mark.django_db

HERE, THERE = "622927", "520526"


def today():
    return timezone.localdate()


@pytest.fixture
def rule():
    return factories.RuleFactory()


@pytest.fixture
def staff(client):
    user = factories.superuser()
    client.force_login(user)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return user


def person(county=HERE, followers=150_000, back=3):
    """A graduate whose account had that many on each of the last days."""
    trainee = factories.TraineeFactory(county=factories.region(county, f"县{county}"))
    graduate = factories.graduate_row(today() - timedelta(days=30), trainee=trainee)
    account = factories.CreatorAccountFactory(trainee=trainee)
    for n in range(back):
        factories.reading(account, today() - timedelta(days=back - 1 - n), followers)
    return graduate


def candidates(count, **kwargs):
    people = [person(**kwargs) for _n in range(count)]
    evaluate(on=today())
    return list(Candidate.objects.filter(participation__in=people).order_by("pk"))


def page(candidate, name="change", *args):
    return reverse(f"admin:certification_candidate_{name}", args=[candidate.pk, *args])


def review_url(*some):
    return reverse("admin:certification_candidate_review") + "?ids=" + ",".join(str(c.pk) for c in some)


def said(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


def state_of(candidate):
    return Candidate.objects.values_list("state", flat=True).get(pk=candidate.pk)


def answers(response, **choices):
    """The page's form with these decisions: ``c12=("propose", "words")``."""
    data = {}
    for card in response.context["cards"]:
        prefix = f"c{card.candidate.pk}"
        choice, words = choices.get(prefix, ("leave", ""))
        data |= {f"{prefix}-choice": choice, f"{prefix}-words": words, f"{prefix}-seen": card.seen}
    return data


# Two people


def test_the_database_wants_two_people(rule, staff):
    """Whatever writes it, past services and forms."""
    [candidate] = candidates(1)
    proposed = {"proposed_by": staff, "proposed_at": timezone.now(), "decided_at": timezone.now()}
    for decided_by in (staff.pk, None):
        with pytest.raises(IntegrityError), transaction.atomic():
            Candidate.objects.filter(pk=candidate.pk).update(state="approved", decided_by=decided_by, **proposed)
    with pytest.raises(IntegrityError, match="two_people"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE certification_candidate SET state = 'approved', proposed_by_id = %s, proposed_at = now(), "
            "decided_by_id = %s, decided_at = now() WHERE id = %s",
            [staff.pk, staff.pk, candidate.pk],
        )
    other = factories.UserFactory()
    assert Candidate.objects.filter(pk=candidate.pk).update(state="approved", decided_by=other, **proposed) == 1


def test_who_proposed_sees_why_they_cannot_approve(rule, staff, client):
    [candidate] = candidates(1)
    client.post(page(candidate, "move", "propose"), {"remark": "Looked at the films"})
    shown = client.get(page(candidate)).content.decode()
    assert "You proposed this yourself" in shown and page(candidate, "move", "approve") not in shown
    refused = client.post(page(candidate, "move", "approve"))
    assert "yourself" in said(refused)[-1] and not Award.objects.exists()

    client.force_login(factories.superuser())
    assert page(candidate, "move", "approve") in client.get(page(candidate)).content.decode()
    client.post(page(candidate, "move", "approve"))
    assert Award.objects.get().candidate == candidate


def test_the_county_answers_what_is_asked_back_and_decides_nothing(rule, staff, client):
    [candidate] = candidates(1)
    client.post(page(candidate, "move", "ask"), {"question": "Is the account hers?"})
    county = factories.official(HERE, is_staff=True)
    county.user_permissions.set(Permission.objects.filter(codename__in=["view_candidate", "answer_candidate"]))
    client.force_login(county)
    shown = client.get(page(candidate)).content.decode()
    assert "Is the account hers?" in shown and page(candidate, "move", "answer") in shown
    assert page(candidate, "move", "refuse") not in shown
    assert client.post(page(candidate, "move", "refuse"), {"reason": "no"}).status_code == 403
    client.post(page(candidate, "move", "answer"), {"answer": "Seen at her home"})
    assert (state_of(candidate), Candidate.objects.get().answer) == ("pending", "Seen at her home")
    assert list(CandidateEvent.objects.values_list("after", "words")) == [
        ("pending", ""),
        ("asked", "Is the account hers?"),
        ("pending", "Seen at her home"),
    ]


def test_a_question_and_a_reason_are_needed(rule, staff, client):
    [candidate] = candidates(1)
    for move, name in (("ask", "question"), ("refuse", "reason")):
        assert client.post(page(candidate, "move", move), {name: " "}).context["form"].errors[name]
    assert state_of(candidate) == "pending"


# The list


def test_tabs_count_what_the_reader_sees(rule, staff, client):
    mine, other = candidates(1)[0], candidates(1, county=THERE)[0]
    propose_candidate(mine, by=staff)
    url = reverse("admin:certification_candidate_changelist")
    county = factories.official(HERE, is_staff=True)
    county.user_permissions.set(Permission.objects.all())
    for user, counts in (
        (staff, {"review": 2, "pending": 1, "proposed": 1, "all": 2}),
        (county, {"review": 1, "proposed": 1, "pending": 0, "all": 1}),
    ):
        client.force_login(user)
        tabs = {
            address.removeprefix("?decision="): count
            for _label, address, count, _now in client.get(url).context["state_tabs"]
        }
        assert {name: tabs[name] for name in counts} == counts
    assert [c.pk for c in client.get(url).context["cl"].queryset] == [mine.pk]
    assert other.pk != mine.pk


def test_the_list_tells_who_is_holding_and_how_long_still(staff, client):
    factories.RuleFactory(held_days=7)
    [candidate] = candidates(1, back=3)
    assert candidate.state == "holding"
    held = holding_of(candidate)
    assert (held.since, held.days_to_go(today())) == (today() - timedelta(days=2), 4)
    url = reverse("admin:certification_candidate_changelist")
    assert not client.get(url).context["cl"].queryset.exists()
    shown = client.get(url, {"decision": "holding"}).content.decode()
    assert "4 days to go" in shown


@pytest.mark.parametrize(("back", "words"), [(6, "1 day to go"), (5, "2 days to go")])
def test_days_to_go_are_counted_down(staff, client, back, words):
    factories.RuleFactory(held_days=7)
    [candidate] = candidates(1, back=back)
    assert words in client.get(page(candidate)).content.decode()


def test_an_open_question_shows_in_list_filter_and_page(rule, staff, client):
    [candidate] = candidates(1)
    url = reverse("admin:certification_candidate_changelist")
    assert not client.get(url, {"flag": "open"}).context["cl"].queryset.exists()
    report_flag(candidate.account, day=today(), note="Bought, they say", by=staff)
    assert client.get(url, {"flag": "open"}).context["cl"].queryset.get() == candidate
    assert "open question" in client.get(url).content.decode()
    assert "Bought, they say" in client.get(page(candidate)).content.decode()


# The page


def test_the_rule_is_shown_met_and_unmet(staff, client):
    rule = factories.RuleFactory()
    conditions = {
        "all": [{"kind": "graduated"}, {"any": [rule.conditions["all"][1], {"kind": "published", "number": 1}]}]
    }
    factories.RuleFactory(badge=rule.badge, version=2, conditions=conditions)
    [candidate] = candidates(1)
    lines = conditions_of([candidate], on=today())[candidate.pk]
    assert [(line.depth, line.is_met, line.is_group) for line in lines] == [
        (0, True, True),
        (1, True, False),
        (1, True, True),
        (2, True, False),
        (2, False, False),
    ]
    Reading.objects.update(followers=99_999)
    lines = conditions_of([candidate], on=today())[candidate.pk]
    assert [line.is_met for line in lines] == [False, True, False, False, False]
    shown = client.get(page(candidate)).content.decode()
    assert shown.count("rule-unmet") == 4 and shown.count("rule-met") == 1


def test_the_page_tells_source_and_time_of_each_reading(rule, staff, client):
    [candidate] = candidates(1)
    shown = client.get(page(candidate)).content.decode()
    for reading in Reading.objects.all():
        assert f"<td>{reading.get_source_display()}</td><td>{moment(reading.fetched_at)}</td>" in shown


# Side by side


def test_choosing_in_the_list_leads_to_the_page(rule, staff, client):
    chosen = candidates(2)
    url = reverse("admin:certification_candidate_changelist")
    answer = client.post(url, {"action": "review_chosen", "_selected_action": [c.pk for c in chosen]})
    assert answer.status_code == 302
    shown = client.get(answer.url)
    assert {card.candidate for card in shown.context["cards"]} == set(chosen)
    assert shown.content.decode().count('<svg class="line-chart"') == 2


def test_each_is_decided_as_chosen(rule, staff, client):
    proposed_by_other, pending, refused, left = candidates(4)
    propose_candidate(proposed_by_other, by=factories.UserFactory())
    url = review_url(proposed_by_other, pending, refused, left)
    data = answers(
        client.get(url),
        **{
            f"c{proposed_by_other.pk}": ("approve", ""),
            f"c{pending.pk}": ("propose", "Seen"),
            f"c{refused.pk}": ("refuse", "Bought"),
        },
    )
    answer = client.post(url, data)
    assert answer.status_code == 302
    assert [state_of(c) for c in (proposed_by_other, pending, refused, left)] == [
        "approved",
        "proposed",
        "refused",
        "pending",
    ]
    assert Award.objects.get().candidate == proposed_by_other
    assert Candidate.objects.get(pk=pending.pk).remark == "Seen"
    assert Candidate.objects.get(pk=refused.pk).reason == "Bought"


def test_a_refusal_stands_with_its_candidate_and_the_others_are_decided(rule, staff, client):
    flagged, fine, silent = candidates(3)
    Spike.objects.create(account=flagged.account, day=flagged.crossed_on, gained=20_000, usual=100)
    url = review_url(flagged, fine, silent)
    data = answers(
        client.get(url),
        **{f"c{flagged.pk}": ("propose", " "), f"c{fine.pk}": ("propose", ""), f"c{silent.pk}": ("refuse", "")},
    )
    answer = client.post(url, data)
    assert answer.status_code == 200
    refusals = {card.candidate.pk: card.refusal for card in answer.context["cards"]}
    assert "20,000" in refusals[flagged.pk] and not refusals[fine.pk] and "Say why" in refusals[silent.pk]
    assert [state_of(c) for c in (flagged, fine, silent)] == ["pending", "proposed", "pending"]
    forms = {card.candidate.pk: card.form for card in answer.context["cards"]}
    assert forms[flagged.pk]["choice"].value() == "propose" and forms[fine.pk]["choice"].value() == "leave"
    assert (
        CandidateEvent.objects.filter(candidate__in=[flagged, silent], after__in=["proposed", "refused"]).count() == 0
    )


def test_ones_own_proposal_is_not_offered_and_not_taken(rule, staff, client):
    [candidate] = candidates(1)
    propose_candidate(candidate, by=staff)
    url = review_url(candidate)
    shown = client.get(url)
    assert "You proposed this yourself" in shown.content.decode()
    answer = client.post(url, answers(shown, **{f"c{candidate.pk}": ("approve", "")}))
    assert answer.context["cards"][0].refusal and not Award.objects.exists()


def test_what_changed_since_the_page_was_opened_is_not_decided(rule, staff, client):
    [candidate] = candidates(1)
    url = review_url(candidate)
    data = answers(client.get(url), **{f"c{candidate.pk}": ("propose", "")})
    report_flag(candidate.account, day=today(), note="Bought", by=staff)
    answer = client.post(url, data)
    assert "changed since" in answer.context["cards"][0].refusal and state_of(candidate) == "pending"


def test_strangers_are_not_on_the_page_and_not_decided(rule, staff, client):
    mine, stranger = candidates(1)[0], candidates(1, county=THERE)[0]
    url = review_url(mine, stranger)
    data = answers(client.get(url), **{f"c{stranger.pk}": ("refuse", "no"), f"c{mine.pk}": ("propose", "")})
    county = factories.official(HERE, is_staff=True)
    county.user_permissions.set(Permission.objects.all())
    client.force_login(county)
    shown = client.get(url)
    assert [card.candidate for card in shown.context["cards"]] == [mine]
    assert f"县{THERE}" not in shown.content.decode()
    client.post(url, data)
    assert (state_of(mine), state_of(stranger)) == ("proposed", "pending")


def test_who_may_only_look_does_not_decide(rule, client):
    [candidate] = candidates(1)
    viewer = factories.official(HERE, is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename="view_candidate"))
    client.force_login(viewer)
    assert client.get(review_url(candidate)).status_code == 403
    url = reverse("admin:certification_candidate_changelist")
    assert "review_chosen" not in client.get(url).content.decode()


def test_nobody_chosen_says_so(rule, staff, client):
    for query in ("", "?ids=", "?ids=x,,9", "?ids=999999"):
        answer = client.get(reverse("admin:certification_candidate_review") + query)
        assert answer.status_code == 200 and "desk-nothing" in answer.content.decode()


def test_the_page_asks_the_database_as_often_for_twenty_as_for_one(rule, staff, client):
    some = candidates(20)
    for candidate in some:
        report_flag(candidate.account, day=today(), note="x", by=staff)
        Spike.objects.create(account=candidate.account, day=candidate.crossed_on, gained=20_000, usual=100)
    client.get(review_url(*some))
    counts = []
    for chosen in (some[:1], some):
        with CaptureQueriesContext(
            connection,
        ) as captured:
            answer = client.get(review_url(*chosen))
        assert len(answer.context["cards"]) == len(chosen)
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 25


# Doubts and works on the desk


def test_a_doubt_is_reported_and_cleared_on_the_desk(rule, staff, client):
    [candidate] = candidates(1)
    said_ = {"account": candidate.account_id, "day": today().isoformat(), "note": "Bought"}
    client.post(reverse("admin:certification_flag_add"), said_)
    flag = Flag.objects.get()
    assert (flag.kind, flag.raised_by, flag.note) == ("reported", staff, "Bought")
    again = client.post(reverse("admin:certification_flag_add"), said_)
    assert again.status_code == 200 and "already" in again.content.decode()
    clear = reverse("admin:certification_flag_move", args=[flag.pk, "clear"])
    assert client.post(clear, {"reason": ""}).status_code == 200
    client.post(clear, {"reason": "Every film was seen"})
    assert Flag.objects.get().clearance == "Every film was seen"
    assert "Every film was seen" in client.get(page(candidate)).content.decode()


def test_a_doubt_about_a_strangers_account_is_not_reported(rule, client):
    stranger = candidates(1, county=THERE)[0]
    county = factories.official(HERE, is_staff=True)
    county.user_permissions.set(Permission.objects.all())
    client.force_login(county)
    answer = client.post(
        reverse("admin:certification_flag_add"),
        {"account": stranger.account_id, "day": today().isoformat(), "note": "Bought"},
    )
    assert answer.status_code == 200 and not Flag.objects.exists()


def test_a_work_is_noted_and_taken_back_on_the_desk(staff, client):
    trainee = factories.TraineeFactory()
    seen = {"trainee": trainee.pk, "title": "花椒", "address": "https://example.org/1", "published_on": "2026-06-01"}
    client.post(reverse("admin:certification_work_add"), seen)
    work = trainee.works.get()
    assert (work.noted_by, work.published_on) == (staff, date(2026, 6, 1))
    again = client.post(reverse("admin:certification_work_add"), seen)
    assert again.status_code == 200 and trainee.works.count() == 1
    client.post(reverse("admin:certification_work_move", args=[work.pk, "take_back"]), {"reason": "Not hers"})
    work.refresh_from_db()
    assert (work.taken_back_by, work.taken_back_why) == (staff, "Not hers")
