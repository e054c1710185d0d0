"""The planner before a simulated season, beside simpler ways."""

import json

import pytest
from django.core.management import CommandError, call_command

from incubator.metrics.plan_simulation import simulate

SEASON = {"accounts": 20_000, "days": 100, "budget": 2_000, "thresholds": (10_000, 100_000, 1_000_000)}


@pytest.fixture(scope="module")
def outcomes():
    return {outcome.name: outcome for outcome in simulate(**SEASON)}


def test_crossings_are_seen_within_two_days(outcomes):
    planner = outcomes["planner"]
    assert planner.crossings > 100
    assert planner.delay_median <= 1 and planner.within_2_days >= 0.95


def test_everyone_is_read_within_three_weeks(outcomes):
    assert outcomes["planner"].oldest <= 21


def test_the_budget_is_kept(outcomes):
    assert all(outcome.calls_a_day <= SEASON["budget"] for outcome in outcomes.values())


def test_simpler_ways_see_crossings_later(outcomes):
    assert outcomes["planner"].delay_p95 < outcomes["round-robin"].delay_p95
    assert outcomes["planner"].delay_p95 < outcomes["largest-first"].delay_p95


def test_a_tight_budget_still_goes_round():
    [planner] = simulate(**{**SEASON, "budget": 1_100}, names=["planner"])
    assert planner.oldest <= 21


def test_the_command_tells_the_same_twice(capsys):
    told = []
    for _time in range(2):
        call_command("simulate_plan", accounts=2_000, days=60, budget=200, only=["planner"], json=True)
        told.append(json.loads(capsys.readouterr().out))
    assert told[0] == told[1] and told[0][0]["name"] == "planner"


def test_the_command_refuses_a_budget_of_nothing():
    with pytest.raises(CommandError):
        call_command("simulate_plan", "--budget=0")
