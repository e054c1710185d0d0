"""Why not? What is missing, in which unit, until when, and what to do; for every form of a rule and every state."""

import random
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from incubator.certification import wording
from incubator.certification.amounts import amounts_of
from incubator.certification.choices import CandidateState
from incubator.certification.conditions import sentence
from incubator.certification.explaining import explain, explain_all
from incubator.certification.models import Candidate, Flag, NearMiss, Rule, Work
from incubator.certification.services import evaluate, refuse_candidate, withdraw_award
from incubator.metrics.choices import AccountState
from incubator.metrics.models import Correction, CreatorAccount, QuarantinedReading, Reading
from incubator.programmes.choices import ParticipationState
from incubator.programmes.models import Participation
from tests import factories
from tests.world import in_training

pytestmark = pytest.mark.django_db

FIRST = date(2026, 6, 1)  # day of graduation, first day of support
LAST = FIRST + timedelta(days=29)
ON = FIRST + timedelta(days=20)
GRADUATED = {"kind": "graduated"}
NO_FLAG = {"kind": "no_open_flag"}


def followers(number=100_000, *, strict=False, held_days=1, when="support"):
    return {"kind": "followers", "number": number, "strict": strict, "held_days": held_days, "when": when}


def rule_of(tree, **kwargs):
    return factories.RuleFactory(conditions=tree, **kwargs)


def graduate(*readings, days=30, state=AccountState.LINKED, **kwargs):
    """A graduate with one account and these ``(days after the first, followers)``."""
    person = factories.graduate_row(FIRST, days=days, **kwargs)
    account = factories.CreatorAccountFactory(trainee=person.trainee, state=state)
    for day, number in readings:
        factories.reading(account, FIRST + timedelta(days=day), number)
    return person


def of_kind(explanation, code):
    return next(reason for reason in explanation.reasons if reason.code == code)


# --- Followers --------------------------------------------------------------------------------------------------------


def test_missing_followers_are_those_of_the_best_reading_in_the_period():
    person = graduate((-1, 99_999), (3, 97_500), (5, 96_000))

    found = explain(person, rule_of({"all": [GRADUATED, followers()]}), ON)

    reason = of_kind(found, "followers")
    assert (reason.is_met, reason.have, reason.need, reason.missing) == (False, 97_500, 100_000, 2_500)
    assert (reason.unit, reason.day, reason.last_day) == ("followers", FIRST + timedelta(days=3), LAST)
    assert reason.account == str(CreatorAccount.objects.get())
    assert of_kind(found, "graduated").is_met and not found.is_met
    assert found.next_step.code == "grow_until" and "2,500" in found.next_step.sentence
    assert found.as_of == FIRST + timedelta(days=5)


def test_a_strict_number_is_one_more():
    person = graduate((3, 100_000))

    reason = of_kind(explain(person, rule_of(followers(strict=True)), ON), "followers")

    assert (reason.is_met, reason.need, reason.missing) == (False, 100_001, 1)


def test_accounts_are_not_added_up_and_the_better_one_is_named():
    person = graduate((3, 60_000))
    other = factories.CreatorAccountFactory(trainee=person.trainee)
    factories.reading(other, FIRST + timedelta(days=4), 70_000)

    reason = of_kind(explain(person, rule_of(followers()), ON), "followers")

    assert (reason.have, reason.missing, reason.account) == (70_000, 30_000, str(other))


def test_a_number_below_the_index_is_found_too():
    reason = of_kind(explain(graduate((3, 4_200), (4, 4_100)), rule_of(followers()), ON), "followers")

    assert (reason.have, reason.missing, reason.day) == (4_200, 95_800, FIRST + timedelta(days=3))


@pytest.mark.parametrize(
    ("when", "have"),
    [("support", 20_000), ("cohort", 30_000), ("ever", 40_000)],
)
def test_each_period_has_its_own_best_reading(when, have):
    cohort = factories.CohortFactory(starts_on=FIRST - timedelta(days=10), ends_on=FIRST + timedelta(days=10))
    person = graduate((-40, 40_000), (-5, 30_000), (3, 20_000), cohort=cohort)

    reason = of_kind(explain(person, rule_of(followers(when=when)), ON), "followers")

    assert reason.have == have
    assert reason.last_day == {"support": LAST, "cohort": cohort.ends_on, "ever": None}[when]


def test_what_was_never_read_is_unknown_and_all_of_it_is_missing():
    reason = of_kind(explain(graduate(), rule_of(followers()), ON), "followers")

    assert (reason.have, reason.missing, reason.day) == (None, 100_000, None)


def test_held_days_are_counted_and_the_day_until_is_told():
    person = graduate((1, 99_000), (5, 100_500), (8, 101_000))

    found = explain(person, rule_of({"all": [GRADUATED, followers(held_days=7)]}), FIRST + timedelta(days=9))

    reason = of_kind(found, "followers")
    assert (reason.unit, reason.have, reason.need, reason.missing) == ("days", 4, 7, 3)
    assert (reason.held_days, reason.days_to_go) == (4, 3)
    assert (reason.day, reason.until) == (FIRST + timedelta(days=5), FIRST + timedelta(days=11))
    assert found.next_step.code == "hold" and "6" in found.next_step.sentence


def test_holding_begins_anew_after_a_fall():
    person = graduate((5, 100_500), (8, 101_000), (9, 99_000))

    found = explain(person, rule_of(followers(held_days=7)), FIRST + timedelta(days=10))

    reason = of_kind(found, "followers")
    assert (reason.unit, reason.have, reason.missing, reason.held_days) == ("days", 0, 7, 4)
    assert found.next_step.code == "reach_again"


def test_holding_goes_on_after_the_period_and_is_not_over():
    person = graduate((28, 100_500), (33, 101_000))

    found = explain(person, rule_of(followers(held_days=7)), LAST + timedelta(days=5))

    reason = of_kind(found, "followers")
    assert (reason.have, reason.missing, reason.is_over) == (6, 1, False)
    assert found.next_step.code == "hold"


# --- Other conditions -------------------------------------------------------------------------------------------------


def test_class_hours_are_told_in_tenths_also_where_followers_are_missing():
    person = in_training("T1", sessions=2)
    tree = {"all": [{"kind": "class_hours", "number": "20.5"}, followers()]}

    found = explain(person, rule_of(tree), timezone.localdate())

    reason = of_kind(found, "class_hours")
    assert (reason.is_met, reason.have, reason.need, reason.missing) == (
        False,
        Decimal("16.0"),
        Decimal("20.5"),
        Decimal("4.5"),
    )
    enough = {"all": [{"kind": "class_hours", "number": "16.0"}, followers()]}
    reason = of_kind(explain(person, rule_of(enough), timezone.localdate()), "class_hours")
    assert (reason.is_met, reason.missing) == (True, 0)


def test_training_that_is_not_finished_gives_its_own_reasons():
    found = explain(in_training("T1", sessions=2), rule_of({"all": [GRADUATED, followers()]}), timezone.localdate())

    reason = of_kind(found, "graduated")
    assert not reason.is_met and len(reason.details) >= 1
    assert set(reason.details) <= set(found.spoken())
    assert found.next_step.code == "attend_classes"
    enough = explain(in_training("T2", sessions=3), rule_of({"all": [GRADUATED]}), timezone.localdate())
    assert enough.next_step.code == "wait_for_graduation"


def note(person, day, **kwargs):
    return Work.objects.create(
        trainee=person.trainee,
        title="x",
        address=f"https://example.org/{Work.objects.count()}",
        published_on=day,
        noted_by=factories.UserFactory(),
        **kwargs,
    )


def test_works_count_from_the_first_day_of_the_cohort_to_the_last_of_the_period():
    person = graduate()
    first = person.cohort.starts_on
    for day in (first - timedelta(days=1), first, LAST, LAST + timedelta(days=1)):
        note(person, day)

    reason = of_kind(
        explain(person, rule_of({"kind": "published", "number": 3}), LAST + timedelta(days=9)), "published"
    )

    assert (reason.have, reason.missing, reason.unit) == (2, 1, "works")


def test_an_open_question_is_told_and_an_answered_one_is_not():
    person = graduate((3, 120_000))
    account = CreatorAccount.objects.get()
    flag = Flag.objects.create(account=account, kind="inflation", day=FIRST)

    found = explain(person, rule_of({"all": [followers(), NO_FLAG]}), ON)

    assert (of_kind(found, "no_open_flag").missing, found.next_step.code) == (1, "wait_for_answer")
    Flag.objects.filter(pk=flag.pk).update(cleared_at=timezone.now(), cleared_by=factories.UserFactory(), clearance="x")
    assert explain(person, rule_of({"all": [followers(), NO_FLAG]}), ON).is_met


# --- Alternatives -----------------------------------------------------------------------------------------------------


def test_of_alternatives_the_nearest_is_marked_and_leads_to_the_next_step():
    person = graduate((3, 90_000))
    tree = {"any": [{"all": [followers(200_000), GRADUATED]}, {"all": [followers(95_000), GRADUATED]}]}

    found = explain(person, rule_of(tree), ON)

    assert [(line.depth, line.is_met, line.is_nearest) for line in found.lines] == [
        (0, False, True),
        (1, False, False),
        (2, False, False),
        (2, True, False),
        (1, False, True),
        (2, False, True),
        (2, True, False),
    ]
    assert "5,000" in found.next_step.sentence


def test_an_alternative_that_can_still_be_met_is_nearer_than_one_that_is_over():
    person = graduate((3, 99_000))
    tree = {"any": [followers(), followers(150_000, when="ever")]}

    found = explain(person, rule_of(tree), LAST + timedelta(days=1))

    assert [line.is_nearest for line in found.lines] == [True, False, True]
    assert found.next_step.code == "grow" and "51,000" in found.next_step.sentence


# --- States around the rule -------------------------------------------------------------------------------------------

PLAIN = {"all": [GRADUATED, followers()]}


def codes(explanation):
    return [circumstance.code for circumstance in explanation.circumstances]


def test_before_the_admission_nothing_is_judged():
    person = factories.ParticipationFactory()

    found = explain(person, rule_of(PLAIN), ON)

    assert (codes(found), found.next_step.code) == (["not_admitted"], "wait_for_admission")
    assert not found.is_met and all(reason.missing == reason.need for reason in found.reasons)


@pytest.mark.parametrize("state", [ParticipationState.WITHDRAWN, ParticipationState.REFUSED])
def test_who_left_is_told_so(state):
    found = explain(factories.ParticipationFactory(state=state), rule_of(PLAIN), ON)

    assert (codes(found), found.next_step.code) == (["ended"], "ended")


def test_after_the_period_the_next_step_is_another_cohort():
    found = explain(graduate((3, 99_000)), rule_of(PLAIN), LAST + timedelta(days=1))

    assert (codes(found), found.next_step.code) == (["support_over"], "support_over")
    assert explain(graduate((3, 99_000)), rule_of(PLAIN), LAST).next_step.code == "grow_until"


@pytest.mark.parametrize(
    ("state", "code", "step"),
    [
        (AccountState.UNLINKED, "consent_missing", "connect_account"),
        (AccountState.NEEDS_CONSENT, "consent_missing", "consent_again"),
        (AccountState.WITHDRAWN, "consent_missing", "connect_account"),
        (AccountState.GONE, "account_gone", "account_gone"),
        (AccountState.LINKED, None, "wait_for_reading"),
    ],
)
def test_what_keeps_figures_from_coming_is_told_first(state, code, step):
    found = explain(graduate(state=state), rule_of(PLAIN), ON)

    assert (codes(found), found.next_step.code) == ([code] if code else [], step)


def test_who_has_no_account_tells_its_number():
    found = explain(factories.graduate_row(FIRST), rule_of(PLAIN), ON)

    assert (codes(found), found.next_step.code) == (["no_account"], "tell_account")


def test_a_figure_held_back_is_waited_for():
    person = graduate((3, 20_000))
    QuarantinedReading.objects.create(
        account=CreatorAccount.objects.get(),
        day=FIRST + timedelta(days=4),
        followers=250_000,
        source="api",
        fetched_at=timezone.now(),
        last_day=FIRST + timedelta(days=3),
        last_followers=20_000,
        why="rise",
    )

    found = explain(person, rule_of(PLAIN), ON)

    assert (codes(found), found.next_step.code) == (["held_back"], "wait_for_figure")


def test_a_candidate_reads_where_it_stands():
    rule = rule_of(PLAIN)
    person = graduate((3, 120_000))
    assert explain(person, rule, ON).next_step.code == "wait_for_evaluation"
    evaluate(on=ON)
    for state, step in (
        (CandidateState.PENDING, "wait_for_review"),
        (CandidateState.ASKED, "wait_for_county"),
        (CandidateState.PROPOSED, "wait_for_review"),
    ):
        changes = {"proposed_by": factories.UserFactory(), "proposed_at": timezone.now()}
        Candidate.objects.update(state=state, **changes)
        found = explain(person, rule, ON)
        assert (codes(found), found.next_step.code) == ([state], step)


def test_a_refusal_tells_its_reason():
    rule = rule_of(PLAIN)
    person = graduate((3, 120_000))
    evaluate(on=ON)
    refuse_candidate(Candidate.objects.get(), by=factories.UserFactory(), reason="买粉")

    found = explain(person, rule, ON)

    assert (codes(found), found.next_step.code) == (["refused"], "refused")
    assert "买粉" in found.circumstances[0].sentence


def lapsed(change):
    """A candidate who met the rule until ``change`` was done, and the explanation afterwards."""
    rule = rule_of(PLAIN)
    person = graduate((3, 120_000))
    evaluate(on=ON)
    change(person)
    evaluate(on=ON)
    assert Candidate.objects.get().state == CandidateState.LAPSED
    found = explain(Participation.objects.get(pk=person.pk), rule, ON)
    assert found.circumstances[0].code == "lapsed"
    return found.circumstances[0].sentence


def correct(person):
    now = timezone.now()
    Reading.objects.update(followers=90_000)
    Correction.objects.create(
        account=CreatorAccount.objects.get(),
        day=FIRST + timedelta(days=3),
        old_followers=120_000,
        new_followers=90_000,
        old_source="file",
        new_source="api",
        old_fetched_at=now,
        new_fetched_at=now,
    )


def test_a_lapsed_candidate_reads_which_figure_was_corrected():
    words = lapsed(correct)

    assert "120,000" in words and "90,000" in words


def test_a_lapsed_candidate_reads_that_the_period_changed():
    words = lapsed(lambda person: Participation.objects.update(support_starts_on=FIRST + timedelta(days=5)))

    assert "4" in words and "6" in words and "120,000" not in words


def test_a_lapsed_candidate_reads_that_the_account_went():
    other = factories.TraineeFactory()

    assert wording.account_moved() in lapsed(lambda person: CreatorAccount.objects.update(trainee=other))


def test_a_lapsed_candidate_reads_that_the_graduation_went():
    words = lapsed(lambda person: Participation.objects.update(state=ParticipationState.TRAINING))

    assert wording.graduation_gone() in words


def test_held_and_withdrawn_badges_are_told():
    rule = rule_of(PLAIN)
    person = graduate((3, 120_000))
    evaluate(on=ON)
    award = factories.approve(Candidate.objects.get(), by=factories.UserFactory(), on=ON)

    held = explain(person, rule, ON)
    assert (codes(held), held.next_step.code) == (["held"], "held")
    assert award.number in held.circumstances[0].sentence

    withdraw_award(award, by=factories.UserFactory(), reason="粉丝造假")
    gone = explain(person, rule, ON)
    assert (codes(gone), gone.next_step.code) == (["withdrawn"], "withdrawn")
    assert "粉丝造假" in gone.circumstances[0].sentence


def test_a_near_miss_that_is_open_is_told():
    person, rule = graduate((29, 99_500)), rule_of(PLAIN)
    NearMiss.objects.create(
        rule=rule,
        participation=person,
        kind="close",
        account=CreatorAccount.objects.get(),
        ended_on=LAST,
        best_day=LAST,
        best=99_500,
        found_on=LAST + timedelta(days=1),
    )

    found = explain(person, rule, LAST + timedelta(days=1))

    assert (codes(found), found.next_step.code) == (["support_over", "near_miss"], "near_miss")


# --- Held against the statement that decides --------------------------------------------------------------------------

FORMS = [
    followers(),
    followers(strict=True),
    followers(held_days=5),
    followers(50_000, held_days=12, when="cohort"),
    followers(when="ever"),
    PLAIN,
    {"all": [GRADUATED, followers(held_days=3), NO_FLAG]},
    {"any": [followers(held_days=4), {"all": [{"kind": "published", "number": 2}, followers(80_000, when="cohort")]}]},
    {"all": [{"any": [NO_FLAG, followers(120_000)]}, {"kind": "class_hours", "number": "8.0"}, followers(90_000)]},
]
LEVELS = (9_000, 49_999, 50_000, 79_999, 80_000, 90_000, 99_999, 100_000, 100_001, 120_000)


def made_up(dice):
    """Somebody with accounts and a history of any shape: gaps, plateaus, days before and after the period."""
    state = dice.choice(
        [ParticipationState.GRADUATED] * 4
        + [ParticipationState.CONCLUDED, ParticipationState.ADMITTED, ParticipationState.NOMINATED]
    )
    cohort = factories.CohortFactory(starts_on=FIRST - timedelta(days=15), ends_on=FIRST + timedelta(days=12))
    dates = {}
    if state in (ParticipationState.GRADUATED, ParticipationState.CONCLUDED):
        dates = {"graduated_on": FIRST, "support_starts_on": FIRST, "support_ends_on": LAST}
    person = factories.ParticipationFactory(state=state, cohort=cohort, **dates)
    for _n in range(dice.choice([0, 1, 1, 2])):
        account = factories.CreatorAccountFactory(trainee=person.trainee)
        level = dice.choice(LEVELS)
        for day in range(-20, 45):
            if dice.random() < 0.25:
                level = dice.choice(LEVELS)
            if dice.random() < 0.6:
                factories.reading(account, FIRST + timedelta(days=day), level)
        if dice.random() < 0.5:
            Flag.objects.create(account=account, kind="inflation", day=FIRST + timedelta(days=dice.randrange(-10, 30)))
    for _n in range(dice.randrange(9)):
        note(person, FIRST + timedelta(days=dice.randrange(-30, 50)))
    return person


@pytest.mark.parametrize("seed", range(4))
def test_a_condition_is_met_exactly_when_nothing_is_missing(seed):
    dice = random.Random(seed)
    people = [made_up(dice) for _n in range(12)]
    rules = [rule_of(tree) for tree in FORMS]
    seen = set()
    for on in (FIRST + timedelta(days=dice.randrange(-5, 45)) for _n in range(5)):
        for found in explain_all(people, rules, on=on):
            for reason in found.reasons:
                assert reason.is_met == (reason.missing == 0), (found.rule.conditions, on, reason)
                assert reason.missing >= 0 and (reason.have is None or reason.have >= 0)
                seen.add((reason.code, reason.is_met, reason.unit))
            assert found.lines[0].is_met == found.is_met
            assert found.is_met == (not any(line.is_nearest for line in found.lines))
            assert found.next_step.sentence in found.spoken()
    assert {("followers", True, "followers"), ("followers", False, "followers"), ("followers", True, "days")} <= seen
    assert {("followers", False, "days"), ("published", True, "works"), ("published", False, "works")} <= seen
    assert {("no_open_flag", True, "questions"), ("no_open_flag", False, "questions")} <= seen


def test_flags_are_those_of_the_statement_that_decides():
    person = graduate((3, 120_000))
    rule = rule_of(PLAIN)
    found = explain(person, rule, ON)

    decided = amounts_of(rule.conditions, [person.pk], on=ON).flags[person.pk]

    assert (found.is_met, [reason.is_met for reason in found.reasons]) == (decided[0], list(decided[1]))
    assert [reason.asks for reason in found.reasons] == [sentence(leaf) for leaf in PLAIN["all"]]


def test_queries_depend_on_rules_not_on_people_or_readings():
    rules = [rule_of({"all": [GRADUATED, followers(held_days=3), {"kind": "class_hours", "number": "8.0"}]})]
    used = []
    for count in (1, 30):
        people = [graduate(*[(day, 90_000) for day in range(count)]) for _n in range(count)]
        with CaptureQueriesContext(connection) as captured:
            explain_all(people, rules, on=ON)
        used.append(len(captured))

    assert used[0] == used[1] <= 20


def test_nobody_and_no_rule_is_nothing():
    assert explain_all([], list(Rule.objects.all()), on=ON) == []
