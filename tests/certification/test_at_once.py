"""Thirty-two evaluations, proposals and approvals of the same people at the same instant: one award each."""

import threading
from collections import Counter

import pytest
from django.db import IntegrityError, connections, transaction
from django.utils import timezone

from incubator.certification.models import Award, Candidate, CandidateEvent
from incubator.certification.services import approve_candidate, evaluate, evaluate_changes, propose_candidate
from incubator.common.errors import RuleBroken, Stale
from tests import factories
from tests.certification.oracle import DAY, FIRST

AT_ONCE = 32
PEOPLE = 4


def leader(county="622927"):
    person = factories.graduate_row(FIRST, trainee__county=factories.region(county))
    account = factories.CreatorAccountFactory(trainee=person.trainee)
    for n in range(3):
        factories.reading(account, FIRST + n * DAY, 120_000)
    return person


def at_once(tasks):
    """Run all at the same instant; what each returned or raised."""
    gate, results = threading.Barrier(len(tasks)), []

    def run(task):
        try:
            gate.wait(timeout=60)
            results.append(task())
        except Exception as error:
            results.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[task]) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.django_db(transaction=True)
def test_however_many_work_at_once_everybody_gets_one_award():
    factories.RuleFactory(held_days=2)
    people = [leader() for _n in range(PEOPLE)]
    staff = [factories.UserFactory() for _n in range(4)]
    on = FIRST + 2 * DAY

    def evaluating(n):
        return lambda: (evaluate if n % 2 else evaluate_changes)(on=on)

    results = at_once([evaluating(n) for n in range(AT_ONCE)])
    assert not [error for error in results if isinstance(error, Exception)]
    candidates = list(Candidate.objects.order_by("pk"))
    assert {c.participation_id for c in candidates} == {p.pk for p in people} and len(candidates) == PEOPLE
    assert CandidateEvent.objects.count() == PEOPLE

    def deciding(n):
        candidate, by = candidates[n % PEOPLE], staff[n // 8]

        def propose_and_approve():
            mine = Candidate.objects.get(pk=candidate.pk)
            try:
                propose_candidate(mine, by=by)
            except Stale:
                mine.refresh_from_db()
            evaluate_changes(on=on)
            return approve_candidate(mine, by=by, on=on)

        return propose_and_approve

    results = at_once([deciding(n) for n in range(AT_ONCE)])
    for candidate in Candidate.objects.filter(state="proposed"):  # whoever proposed last could not approve it
        approve_candidate(candidate, by=next(s for s in staff if s.pk != candidate.proposed_by_id), on=on)

    unforeseen = [r for r in results if isinstance(r, Exception) and not isinstance(r, RuleBroken | Stale)]
    assert not unforeseen
    awards = list(Award.objects.select_related("candidate"))
    assert Counter(award.trainee_id for award in awards) == {p.trainee_id: 1 for p in people}
    assert all(award.awarded_by_id != award.candidate.proposed_by_id for award in awards)
    assert sorted(award.number for award in awards) == [f"XC-2028-622927-{n:04d}" for n in range(1, PEOPLE + 1)]


@pytest.mark.django_db
def test_database_itself_wants_two_people():
    factories.RuleFactory()
    leader()
    evaluate(on=FIRST)
    one, other, now = factories.UserFactory(), factories.UserFactory(), timezone.now()
    for proposed_by in (None, one):
        with pytest.raises(IntegrityError), transaction.atomic():
            Candidate.objects.update(state="approved", proposed_by=proposed_by, decided_by=one, decided_at=now)
    assert Candidate.objects.update(state="approved", proposed_by=other, decided_by=one, decided_at=now) == 1


@pytest.mark.django_db
def test_who_proposed_cannot_approve():
    factories.RuleFactory()
    leader()
    evaluate(on=FIRST)
    one = factories.UserFactory()
    candidate = propose_candidate(Candidate.objects.get(), by=one)
    with pytest.raises(RuleBroken):
        approve_candidate(candidate, by=one, on=FIRST)
    assert Candidate.objects.get().state == "proposed" and not Award.objects.exists()
    assert approve_candidate(candidate, by=factories.UserFactory(), on=FIRST).candidate == candidate
