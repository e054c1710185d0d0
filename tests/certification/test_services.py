"""Who becomes a candidate, what is decided about them, and what an award keeps."""

import threading
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connections, transaction

from incubator.certification.models import Award, Candidate, Rule
from incubator.certification.services import (
    current_rules,
    evaluate,
    publish_rule,
    refuse_candidate,
    rehearse,
    withdraw_award,
)
from incubator.common.errors import RuleBroken, Stale
from incubator.metrics.models import Reading
from incubator.programmes.choices import ParticipationState
from incubator.programmes.models import Participation
from tests import factories

FIRST = date(2026, 6, 1)  # day of graduation, first day of support
LAST = FIRST + timedelta(days=179)
LONG_AFTER = date(2027, 6, 1)
FIFTY_THOUSAND = {"kind": "followers", "number": 50_000, "strict": False, "held_days": 1, "when": "support"}


@pytest.fixture
def rule(db):
    return factories.RuleFactory()


@pytest.fixture
def staff(db):
    return factories.UserFactory()


def leader(*readings, **kwargs):
    """A graduate with one account and these ``(day, followers)``."""
    person = factories.graduate_row(FIRST, **kwargs)
    account = factories.CreatorAccountFactory(trainee=person.trainee)
    for day, followers in readings:
        factories.reading(account, day, followers)
    return person


@pytest.mark.parametrize(
    ("day", "is_found"),
    [
        (FIRST - timedelta(days=1), False),
        (FIRST, True),
        (LAST, True),
        (LAST + timedelta(days=1), False),
    ],
)
def test_number_counts_on_days_of_the_support_period_only(rule, day, is_found):
    leader((day, 150_000))
    assert evaluate(on=LONG_AFTER) == is_found


@pytest.mark.parametrize(
    ("followers", "is_strict", "is_found"),
    [(99_999, False, False), (100_000, False, True), (100_000, True, False), (100_001, True, True)],
)
def test_reaching_the_number_counts_unless_the_rule_asks_for_more(db, followers, is_strict, is_found):
    factories.RuleFactory(is_strict=is_strict)
    leader((FIRST, followers))
    assert evaluate(on=LONG_AFTER) == is_found


def test_first_day_with_the_number_is_the_crossing(rule):
    person = leader((FIRST, 99_000), (FIRST + timedelta(days=3), 101_000), (FIRST + timedelta(days=4), 140_000))
    second = factories.CreatorAccountFactory(trainee=person.trainee)
    factories.reading(second, FIRST + timedelta(days=3), 102_000)
    assert evaluate(on=LONG_AFTER) == 1
    candidate = Candidate.objects.get()
    assert (candidate.crossed_on, candidate.followers) == (FIRST + timedelta(days=3), 102_000)
    assert (candidate.account, candidate.participation) == (second, person)


def test_readings_after_the_day_asked_for_do_not_count_yet(rule):
    leader((FIRST + timedelta(days=5), 150_000))
    assert evaluate(on=FIRST + timedelta(days=4)) == 0
    assert evaluate(on=FIRST + timedelta(days=5)) == 1


@pytest.mark.parametrize(
    ("state", "is_found"),
    [
        (ParticipationState.GRADUATED, True),
        (ParticipationState.CONCLUDED, True),
        (ParticipationState.WITHDRAWN, False),
        (ParticipationState.TRAINING, False),
    ],
)
def test_only_graduates_become_candidates(rule, state, is_found):
    person = leader((FIRST, 150_000))
    Participation.objects.filter(pk=person.pk).update(state=state)
    assert evaluate(on=LONG_AFTER) == is_found


def test_evaluating_twice_finds_nobody_twice(rule):
    leader((FIRST, 150_000))
    assert [evaluate(on=LONG_AFTER), evaluate(on=LONG_AFTER)] == [1, 0]
    assert Candidate.objects.count() == 1


def test_refused_stays_refused(rule, staff):
    leader((FIRST, 150_000))
    evaluate(on=LONG_AFTER)
    refuse_candidate(Candidate.objects.get(), by=staff, reason="买粉")
    assert evaluate(on=LONG_AFTER) == 0
    assert Candidate.objects.get().state == "refused"
    with pytest.raises(Stale):
        factories.approve(Candidate.objects.get(), by=staff, on=LONG_AFTER)


def test_who_holds_the_badge_is_no_candidate_of_its_next_rule(rule, staff):
    leader((FIRST, 150_000))
    evaluate(on=LONG_AFTER)
    award = factories.approve(Candidate.objects.get(), by=staff, on=LONG_AFTER)
    factories.RuleFactory(badge=rule.badge, version=2, followers=50_000)
    assert evaluate(on=LONG_AFTER) == 0
    withdraw_award(award, by=staff, reason="失实")
    assert evaluate(on=LONG_AFTER) == 1


def test_newest_published_version_of_each_badge_decides(rule):
    newest = factories.RuleFactory(badge=rule.badge, version=2, followers=200_000)
    factories.RuleFactory(badge=rule.badge, version=3, published_at=None)
    other = factories.RuleFactory()
    assert set(current_rules()) == {newest, other}
    leader((FIRST, 150_000))
    assert evaluate(on=LONG_AFTER) == 1
    assert Candidate.objects.get().rule == other


def approved(staff):
    leader((FIRST, 150_000))
    evaluate(on=LONG_AFTER)
    return factories.approve(Candidate.objects.get(), by=staff, on=LONG_AFTER)


def test_evidence_stays_as_it_was(rule, staff):
    award = approved(staff)
    before = award.evidence
    Reading.objects.update(followers=1)
    Participation.objects.update(support_ends_on=LAST + timedelta(days=30))
    factories.RuleFactory(badge=rule.badge, version=2, followers=10_000)
    evidence = Award.objects.get().evidence
    assert evidence == before
    assert evidence["reading"]["followers"] == 150_000
    assert (evidence["rule"]["badge"], evidence["rule"]["version"]) == (rule.badge.code, 1)
    assert evidence["rule"]["conditions"] == rule.conditions and evidence["met"] == [True, True]
    assert evidence["participation"]["support_ends_on"] == LAST.isoformat()
    assert evidence["decided"]["by"] == staff.username


def test_certificate_numbers_are_of_the_year_and_never_equal(rule, staff):
    numbers = set()
    for _ in range(3):
        leader((FIRST, 150_000))
    evaluate(on=LONG_AFTER)
    for candidate in Candidate.objects.all():
        numbers.add(factories.approve(candidate, by=staff, on=LONG_AFTER).number)
    assert len(numbers) == 3
    assert all(number.startswith("XC-2027-") for number in numbers)


def test_withdrawal_and_refusal_need_a_reason(rule, staff):
    award = approved(staff)
    with pytest.raises(RuleBroken):
        withdraw_award(award, by=staff, reason=" ")
    withdraw_award(award, by=staff, reason="失实")
    with pytest.raises(Stale):
        withdraw_award(award, by=staff, reason="失实")
    leader((FIRST, 150_000))
    evaluate(on=LONG_AFTER)
    with pytest.raises(RuleBroken):
        refuse_candidate(Candidate.objects.get(state="pending"), by=staff, reason="")
    assert Candidate.objects.filter(state="pending").exists()


def test_who_withdrew_from_the_programme_is_not_awarded(rule, staff):
    person = leader((FIRST, 150_000))
    evaluate(on=LONG_AFTER)
    Participation.objects.filter(pk=person.pk).update(state=ParticipationState.WITHDRAWN)
    with pytest.raises(RuleBroken):
        factories.approve(Candidate.objects.get(), by=staff, on=LONG_AFTER)
    assert Candidate.objects.get().state == "proposed"
    assert not Award.objects.exists()


def test_published_rule_is_never_changed(rule, staff):
    with pytest.raises(RuleBroken):
        publish_rule(rule, by=staff)
    for change in (lambda: Rule.objects.update(conditions=FIFTY_THOUSAND), lambda: Rule.objects.all().delete()):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()
    draft = factories.RuleFactory(published_at=None)
    Rule.objects.filter(pk=draft.pk).update(conditions=FIFTY_THOUSAND)
    draft.refresh_from_db()
    rehearse(draft, on=LONG_AFTER, by=staff)
    assert publish_rule(draft, by=staff).published_at


def test_database_allows_one_live_award_a_badge_and_person(rule, staff):
    award = approved(staff)
    twin = factories.RuleFactory(badge=rule.badge, version=2)
    candidate = Candidate.objects.create(
        rule=twin,
        participation=award.candidate.participation,
        account=award.candidate.account,
        crossed_on=FIRST,
        followers=150_000,
        found_on=FIRST,
    )
    with pytest.raises(RuleBroken):
        factories.approve(candidate, by=staff, on=LONG_AFTER)
    with pytest.raises(IntegrityError), transaction.atomic():
        Award.objects.create(
            number="XC-2",
            badge=rule.badge,
            trainee=award.trainee,
            candidate=candidate,
            awarded_on=FIRST,
            awarded_by=staff,
            evidence={},
        )


@pytest.mark.django_db(transaction=True)
def test_parallel_approvals_of_one_person_give_one_award():
    """Two cohorts made the person a candidate twice; two people approve at the same instant."""
    staff, rule = factories.UserFactory(), factories.RuleFactory()
    person = leader((FIRST, 150_000))
    factories.graduate_row(FIRST, trainee=person.trainee)
    assert evaluate(on=LONG_AFTER) == 2
    gate, results = threading.Barrier(2), []

    def approve(pk):
        try:
            candidate = Candidate.objects.get(pk=pk)
            gate.wait(timeout=10)
            results.append(factories.approve(candidate, by=staff, on=LONG_AFTER))
        except Exception as error:
            results.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=approve, args=[pk]) for pk in Candidate.objects.values_list("pk", flat=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(type(result).__name__ for result in results) == ["Award", "RuleBroken"]
    assert Award.objects.get().badge == rule.badge
    assert sorted(Candidate.objects.values_list("state", flat=True)) == ["approved", "proposed"]
