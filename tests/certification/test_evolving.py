"""From day to day: readings late, corrected, out of order. Evaluating changes leaves what evaluating all would."""

import random
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from incubator.certification.models import Candidate, CandidateEvent, Recheck
from incubator.certification.services import evaluate, evaluate_changes
from incubator.metrics.models import CreatorAccount, Reading
from incubator.metrics.services.readings import Figures, Origin, write_figures
from incubator.programmes.models import Participation
from tests import factories
from tests.certification import oracle
from tests.certification.oracle import DAY, FIRST, generate
from tests.certification.test_oracle import GRADUATED, UNFLAGGED, enter, followers

pytestmark = pytest.mark.django_db
PEOPLE, DAYS = 200, 22
WAITING = ["holding", "lapsed"]
HELD_THREE = {"all": [GRADUATED, followers(held_days=3)]}
AT_ONCE = {"all": [GRADUATED, followers()]}
ANY_WAY = {"any": [followers(number=150_000), {"all": [GRADUATED, UNFLAGGED, followers(held_days=2)]}]}


def arrivals(chance, history):
    """When each reading is told: ``(day of arrival, account, day, followers)``; a correction comes later."""
    told = []
    for place, account in enumerate(history.accounts):
        for day, count in account.items():
            delay = chance.choice([0, 0, 0, 0, 1, 3, 6]) * DAY
            if chance.random() < 0.1:
                wrong = chance.choice(oracle.AROUND)
                told += [(day, place, day, wrong), (day + (2 + chance.randrange(4)) * DAY, place, day, count)]
            else:
                told.append((day + delay, place, day, count))
    return told


def write(rows, at):
    if rows:
        write_figures(Figures.of((*row, None) for row in rows), Origin("api", at), is_trusted=True)


def known_on(told, history, today):
    """The history with what has been told by the end of a day; of one day the last that was told counts."""
    accounts = [{} for _account in history.accounts]
    for arrives, place, day, count in sorted(told, key=lambda one: one[0]):
        if arrives <= today:
            accounts[place][day] = count
    return oracle.History(**{**vars(history), "accounts": accounts})


def begun(history):
    """Graduated, and asked about, before the first day: those are no matters of the future."""
    flags = [(place, FIRST - 4 * DAY, is_cleared) for place, _day, is_cleared in history.flags]
    graduated_on = history.graduated_on and FIRST - 4 * DAY
    return oracle.History(**{**vars(history), "graduated_on": graduated_on, "flags": flags})


def states():
    return dict(Candidate.objects.values_list("participation_id", "state"))


@pytest.mark.parametrize("tree", [AT_ONCE, HELD_THREE, ANY_WAY], ids=["at_once", "held", "any_way"])
def test_what_changed_is_looked_at_again_and_nobody_else(tree):
    chance = random.Random(18)
    factories.RuleFactory(conditions=tree)
    histories = [begun(generate(seed)) for seed in range(50_000, 50_000 + PEOPLE)]
    told = [arrivals(chance, history) for history in histories]
    rows = enter([oracle.History(**{**vars(h), "accounts": [{} for _a in h.accounts]}) for h in histories])
    own = {}
    for account in CreatorAccount.objects.order_by("pk").select_related("trainee"):
        own.setdefault(account.trainee_id, []).append(account.pk)
    evaluate_changes(on=FIRST - 4 * DAY)
    start, lately = timezone.now() - timedelta(days=60), []
    for n in range(-3, DAYS):
        today = FIRST + n * DAY
        arrived = [
            (own[row.trainee_id][place], day, count)
            for row, history_told in zip(rows, told, strict=True)
            for arrives, place, day, count in history_told
            if arrives == today
        ]
        on_their_way = set(Candidate.objects.filter(state__in=WAITING).values_list("participation", flat=True))
        write(arrived, start + timedelta(days=n))
        done = evaluate_changes(on=today)

        touched = {account for account, _day, _count in arrived}
        lately = [*lately[-2:], {row.pk for row in rows if touched & set(own.get(row.trainee_id, []))}]
        people = set().union(*lately)
        assert done.looked_at <= len(people | on_their_way)
        now = states()
        for row, history, history_told in zip(rows, histories, told, strict=True):
            known = known_on(history_told, history, today)
            wanted = oracle.is_judged(known) and oracle.meets(tree, known, today)
            assert (now.get(row.pk) == "pending") == wanted, (today, known, now.get(row.pk))
    before = states()
    evaluate(on=FIRST + (DAYS - 1) * DAY)
    assert states() == before
    assert Reading.objects.exists() and CandidateEvent.objects.filter(after="lapsed").exists()
    assert not Recheck.objects.exists()


def leader(*readings, first=FIRST):
    person = factories.graduate_row(first)
    account = factories.CreatorAccountFactory(trainee=person.trainee)
    for day, count in readings:
        factories.reading(account, day, count)
    return person


def looked_at(on):
    return evaluate_changes(on=on).looked_at


def test_a_longer_period_opens_the_person_again_and_nobody_else():
    factories.RuleFactory()
    person, other = leader((FIRST + 200 * DAY, 150_000)), leader((FIRST + 200 * DAY, 150_000))
    on = FIRST + 210 * DAY
    evaluate(on=on)
    assert not Candidate.objects.exists() and looked_at(on) == 0

    Participation.objects.filter(pk=person.pk).update(support_ends_on=FIRST + 200 * DAY)

    assert looked_at(on) == 1 and Candidate.objects.get().participation == person
    Participation.objects.filter(pk=other.pk).update(nominated_on=FIRST)  # nothing that decides
    assert looked_at(on) == 0

    Participation.objects.filter(pk=person.pk).update(support_ends_on=FIRST + 199 * DAY)
    assert looked_at(on) == 1 and Candidate.objects.get().state == "lapsed"


def test_of_those_who_were_read_only_whom_it_can_decide_about_is_looked_at():
    first = factories.RuleFactory()
    before, on = FIRST + 5 * DAY, FIRST + 6 * DAY
    had_it_long_ago = leader((FIRST - 90 * DAY, 150_000))
    candidate, holder = leader((FIRST, 150_000)), leader((FIRST, 150_000))
    withdrawn, small, reaches = leader(), leader(), leader()
    Participation.objects.filter(pk=withdrawn.pk).update(state="withdrawn")
    evaluate(on=before)
    factories.approve(Candidate.objects.get(participation=holder), by=factories.UserFactory(), on=before)
    second = factories.RuleFactory(badge=first.badge, version=2)
    evaluate(on=before)
    Recheck.objects.all().delete()
    read = [(had_it_long_ago, 99_999), (candidate, 150_001), (holder, 150_001), (withdrawn, 150_000), (small, 99_999),
            (reaches, 100_000)]  # fmt: skip
    for person, count in read:
        factories.reading(CreatorAccount.objects.get(trainee=person.trainee), on, count)

    assert looked_at(on) == 1
    now = Candidate.objects.filter(rule=second).values_list("participation", flat=True)
    assert set(now) == {candidate.pk, reaches.pk}


def test_an_award_outlives_what_it_rested_on():
    """Progress can go backwards before an award, never after."""
    factories.RuleFactory()
    person = leader((FIRST, 150_000))
    evaluate(on=FIRST)
    award = factories.approve(Candidate.objects.get(), by=factories.UserFactory(), on=FIRST)
    Participation.objects.filter(pk=person.pk).update(support_starts_on=FIRST + DAY)
    Reading.objects.update(followers=10)
    evaluate(on=FIRST + DAY)
    evaluate_changes(on=FIRST + DAY)
    award.refresh_from_db()
    assert award.withdrawn_at is None and Candidate.objects.get().state == "approved"


def test_of_a_past_day_only_is_added():
    factories.RuleFactory(held_days=3)
    leader(*[(FIRST + n * DAY, 120_000) for n in range(4)])
    evaluate(on=FIRST + 3 * DAY)
    assert Candidate.objects.get().state == "pending"
    evaluate(on=FIRST + DAY)
    assert Candidate.objects.get().state == "pending"


def test_who_was_proposed_by_other_figures_is_looked_at_again():
    factories.RuleFactory()
    person = leader((FIRST + 2 * DAY, 150_000))
    evaluate(on=FIRST + 2 * DAY)
    from incubator.certification.services import propose_candidate

    candidate = propose_candidate(Candidate.objects.get(), by=factories.UserFactory())
    factories.reading(person.trainee.accounts.get(), FIRST + DAY, 101_000)
    evaluate(on=FIRST + 2 * DAY)
    candidate.refresh_from_db()
    assert (candidate.state, candidate.crossed_on, candidate.followers) == ("pending", FIRST + DAY, 101_000)
    assert [(e.before, e.after) for e in candidate.events.all()] == [
        ("", "pending"), ("pending", "proposed"), ("proposed", "pending"),
    ]  # fmt: skip


def test_statements_of_an_evaluation_do_not_grow(django_assert_max_num_queries):
    factories.RuleFactory(held_days=2)
    for _n in range(3):
        leader((FIRST, 150_000), (FIRST + DAY, 150_000))
    with django_assert_max_num_queries(20):
        assert evaluate(on=FIRST + DAY) == 3
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
