"""``evaluate_certification``: the nightly evaluation by hand."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from django.utils.translation import override

from incubator.certification.models import Candidate
from tests.factories import CreatorAccountFactory, RuleFactory, graduate_row, reading

pytestmark = pytest.mark.django_db

TODAY = timezone.localdate()


@pytest.fixture
def crossing():
    """A graduate who reached the number yesterday."""
    RuleFactory(followers=100_000)
    participation = graduate_row(TODAY - timedelta(days=10))
    account = CreatorAccountFactory(trainee=participation.trainee)
    reading(account, TODAY - timedelta(days=1), 100_000)
    return participation


def evaluate(*arguments):
    said = StringIO()
    with override("en"):
        call_command("evaluate_certification", *arguments, stdout=said)
    return said.getvalue()


def test_who_reached_the_rule_becomes_a_candidate_once(crossing):
    assert "New candidates: 1." in evaluate()
    assert "New candidates: 0." in evaluate()
    assert Candidate.objects.get().participation == crossing


def test_a_day_before_the_crossing_finds_nobody(crossing):
    assert "New candidates: 0." in evaluate("--day", (TODAY - timedelta(days=2)).isoformat())


def test_a_dry_run_counts_and_writes_nothing(crossing):
    assert "would be found: 1." in evaluate("--dry-run")
    assert not Candidate.objects.exists()


def test_a_day_to_come_is_a_wrong_argument(crossing):
    with pytest.raises(CommandError, match="still to come") as refusal:
        evaluate("--day", (TODAY + timedelta(days=1)).isoformat())
    assert refusal.value.returncode == 2


def test_without_a_published_rule_the_command_fails(db):
    with pytest.raises(CommandError, match="No rule is published"):
        evaluate()
