"""Invented histories are judged by the statement that decides, and by no row that is there."""

import re

import pytest
from django.db import connection
from django.utils.translation import override

from incubator.certification.conditions import SUPPORT_RULE, checked
from incubator.certification.examples import JUDGED_ON, TABLES, History, examples, histories, judged
from incubator.certification.judging import Judging, conditions_met
from tests import factories

pytestmark = pytest.mark.django_db


def followers(number=100_000, *, strict=False, held_days=1, when="support"):
    return {"kind": "followers", "number": number, "strict": strict, "held_days": held_days, "when": when}


def said(tree):
    """``{words: is_met}`` of a tree's examples."""
    with override("en"):
        found = examples(checked(tree))
    assert len({example.words for example in found}) == len(found)
    return {example.words: example.is_met for example in found}


def test_examples_of_the_programmes_own_rule():
    assert said(SUPPORT_RULE) == {
        "Everything met in the middle of the support period": True,
        "The same, but not graduated": False,
        "99,999 followers on the last day": False,
        "100,000 followers on the last day": True,
        "100,001 followers on the last day": True,
        "100,000 followers only a day after the end": False,
        "100,000 followers only before the first day": False,
        "Two accounts with 60,000 followers each": False,
    }


def test_more_than_the_number_is_not_reaching_it():
    found = said({"all": [followers(strict=True, when="cohort")]})
    assert not found["100,000 followers on the last day"] and found["100,001 followers on the last day"]


def test_held_days_are_shown_on_both_sides_of_each_bound():
    found = said({"all": [followers(held_days=3)]})
    assert found == {
        "Everything met in the middle of the support period": True,
        "99,999 followers from the last day on, for 3 days": False,
        "100,000 followers from the last day on, for 3 days": True,
        "100,001 followers from the last day on, for 3 days": True,
        "100,000 followers only a day after the end": False,
        "100,000 followers only before the first day": False,
        "100,000 followers for 2 of 3 days, then one less": False,
        "100,000 followers for 3 days, read every 7 days only": True,
        "100,000 followers for 3 days, read every 8 days only": False,
        "Two accounts with 60,000 followers each": False,
    }


def test_any_day_has_no_last_one():
    assert "100,000 followers" in said({"all": [followers(when="ever")]})


def test_hours_works_and_questions():
    tree = {
        "all": [
            {"kind": "class_hours", "number": "16.0"},
            {"kind": "published", "number": 10_000},
            {"kind": "no_open_flag"},
        ]
    }
    assert said(tree) == {
        "Everything met in the middle of the support period": True,
        "The same with 15.9 class hours": False,
        "The same with 16.0 class hours": True,
        "The same with published works: 9999": False,
        "The same with published works: 10000": True,
        "The same with an open question about an account": False,
        "The same, the question answered": True,
    }


def test_what_is_missing_is_said_in_words():
    with override("en"):
        missing = {example.words: example.missing for example in examples(checked(SUPPORT_RULE))}
    assert missing["The same, but not graduated"] == ["Graduated from the training"]
    assert missing["100,000 followers on the last day"] == []


def test_of_alternatives_each_is_tried_alone():
    hours = {"kind": "class_hours", "number": "8.0"}
    found = said({"all": [{"kind": "graduated"}, {"any": [followers(), {"all": [hours, {"kind": "no_open_flag"}]}]}]})
    assert found == {
        "Everything met in the middle of the support period": True,
        "The same, but not graduated": False,
        "99,999 followers on the last day": False,
        "100,000 followers on the last day": True,
        "100,001 followers on the last day": True,
        "100,000 followers only a day after the end": False,
        "100,000 followers only before the first day": False,
        "Two accounts with 60,000 followers each": False,
        "The same with 7.9 class hours": False,
        "The same with 8.0 class hours": True,
        "The same with an open question about an account": False,
        "The same, the question answered": True,
    }


def test_of_alternatives_all_are_missing_where_none_is_met():
    [neither] = judged(checked({"any": [{"kind": "graduated"}, followers()]}), [History("", has_graduated=False)])
    assert not neither.is_met and len(neither.missing) == 2


def test_real_rows_are_not_read(django_assert_num_queries):
    person = factories.graduate_row(pk=1)
    factories.reading(factories.CreatorAccountFactory(trainee=person.trainee, pk=10), JUDGED_ON, 150_000)
    with django_assert_num_queries(1):
        [nobody] = judged(checked({"all": [followers(when="ever")]}), [History("")])
    assert not nobody.is_met


def test_the_statement_touches_no_table():
    """Were a table added to the judging, it would be read behind the examples' back: they have to name it too."""
    every = {
        "all": [
            followers(),
            followers(held_days=3, when="cohort"),
            {"kind": "class_hours", "number": "16.0"},
            {"kind": "published", "number": 1},
            {"kind": "no_open_flag"},
            {"kind": "graduated"},
        ]
    }
    judging = Judging(checked(every))
    named = set(re.findall(r"(?:FROM|JOIN) ([a-z]+_[a-z]+)\b", judging.all_conditions))
    own = {name for name in named if name in connection.introspection.table_names(include_views=True)}
    assert own == set(TABLES)


def test_examples_and_real_rows_are_judged_alike():
    """The same histories as rows of the tables, judged as candidates are."""
    rule = factories.RuleFactory(held_days=3)
    cohort = factories.CohortFactory(starts_on="2026-01-01", ends_on="2026-12-31")
    invented = list(histories(rule.conditions))
    verdicts = [example.is_met for example in judged(rule.conditions, invented)]
    found = []
    for history in invented:
        state = "graduated" if history.has_graduated else "training"
        person = factories.ParticipationFactory(
            cohort=cohort,
            state=state,
            graduated_on="2026-03-01" if history.has_graduated else None,
            support_starts_on="2026-03-01",
            support_ends_on="2026-08-27",
        )
        for readings in history.accounts:
            account = factories.CreatorAccountFactory(trainee=person.trainee)
            for day, number in readings:
                factories.reading(account, day, number)
        found.append(conditions_met(rule.conditions, [person.pk], on=JUDGED_ON)[person.pk][0])
    assert found == verdicts and {True, False} == set(found)
