"""A draft is run on real data before it decides, and publishing needs that."""

from datetime import date, timedelta

import pytest
import time_machine
from django.utils import timezone

from incubator.certification.models import (
    Award,
    Candidate,
    CandidateEvent,
    Rehearsal,
    RehearsalCounty,
    RehearsalPerson,
    Rule,
)
from incubator.certification.services import (
    ask_for_rehearsal,
    change_draft,
    draft_rule,
    evaluate,
    new_version,
    publish_rule,
    rehearse,
)
from incubator.certification.services import rehearsals as rehearsing
from incubator.common.errors import RuleBroken, Stale
from incubator.jobs import services as jobs
from incubator.jobs.models import Job
from tests import factories

pytestmark = pytest.mark.django_db

TODAY = timezone.localdate
HERE, THERE = "622927", "520526"


@pytest.fixture
def staff():
    return factories.superuser()


def person(followers, county=HERE, **kwargs):
    trainee = factories.TraineeFactory(county=factories.region(county))
    graduate = factories.graduate_row(TODAY() - timedelta(days=30), trainee=trainee, **kwargs)
    factories.reading(factories.CreatorAccountFactory(trainee=trainee), TODAY() - timedelta(days=1), followers)
    return graduate


def asking(number):
    asked = {"number": number, "strict": False, "held_days": 1, "when": "support"}
    return {"all": [{"kind": "graduated"}, {"kind": "followers", **asked}]}


@pytest.fixture
def present():
    return factories.RuleFactory()


@pytest.fixture
def draft(present, staff):
    return draft_rule(present.badge, asking(50_000), by=staff)


def figures(row):
    return row.meets, row.met, row.gains, row.loses


def test_who_gains_and_who_loses_by_county(present, draft, staff):
    gaining = [person(60_000), person(50_000, THERE)]
    person(49_999)
    person(100_000)
    done = rehearse(draft, on=TODAY(), by=staff)
    assert figures(done) == (3, 1, 2, 0)
    assert {row.county_id: figures(row) for row in done.counties.all()} == {HERE: (2, 1, 1, 0), THERE: (1, 0, 1, 0)}
    assert set(done.people.values_list("participation", "gains")) == {(p.pk, True) for p in gaining}
    assert (done.against, done.conditions, done.by) == (present, draft.conditions, staff)


def test_a_stricter_draft_takes_from_people(present, staff):
    losing = person(150_000)
    done = rehearse(draft_rule(present.badge, asking(200_000), by=staff), on=TODAY(), by=staff)
    assert figures(done) == (0, 1, 0, 1)
    assert list(done.people.values_list("participation", "gains")) == [(losing.pk, False)]


def test_readings_after_the_day_do_not_count(draft, staff):
    person(60_000)
    assert rehearse(draft, on=TODAY() - timedelta(days=2), by=staff).meets == 0


def test_first_version_has_nothing_to_compare_with(staff):
    person(60_000)
    done = rehearse(factories.RuleFactory(published_at=None, followers=50_000), on=TODAY(), by=staff)
    assert (figures(done), done.against) == ((1, 0, 1, 0), None)


def test_who_holds_the_badge_or_was_refused_is_judged_like_anybody(present, draft, staff):
    person(150_000)
    evaluate(on=TODAY())
    factories.approve(Candidate.objects.get(), by=staff, on=TODAY())
    assert figures(rehearse(draft, on=TODAY(), by=staff)) == (1, 1, 0, 0)


def test_nothing_of_candidates_and_awards_changes(present, draft, staff):
    person(150_000)
    person(120_000)
    evaluate(on=TODAY())
    factories.approve(Candidate.objects.order_by("pk")[0], by=staff, on=TODAY())
    person(60_000)
    before = [list(model.objects.order_by("pk").values()) for model in (Candidate, CandidateEvent, Award, Rule)]
    rehearse(draft, on=TODAY(), by=staff)
    after = [list(model.objects.order_by("pk").values()) for model in (Candidate, CandidateEvent, Award, Rule)]
    assert after == before


def test_names_are_kept_up_to_a_limit_and_all_are_counted(draft, staff, monkeypatch):
    monkeypatch.setattr(rehearsing, "NAMED", 2)
    for _n in range(3):
        person(60_000)
    done = rehearse(draft, on=TODAY(), by=staff)
    assert (done.gains, done.people.count()) == (3, 2)


def test_two_rehearsals_in_one_transaction_do_not_mix(present, draft, staff):
    person(60_000)
    stricter = draft_rule(present.badge, asking(200_000), by=staff)
    assert rehearse(draft, on=TODAY(), by=staff).meets == 1
    assert rehearse(stricter, on=TODAY(), by=staff).meets == 0


def test_counties_are_seen_by_those_posted_there(draft, staff):
    person(60_000)
    person(60_000, THERE)
    rehearse(draft, on=TODAY(), by=staff)
    official = factories.official(HERE)
    assert [row.county_id for row in RehearsalCounty.objects.visible_to(official)] == [HERE]
    assert RehearsalPerson.objects.visible_to(official).count() == 1


# Publishing


def test_publishing_needs_a_rehearsal_of_these_conditions(draft, staff):
    with pytest.raises(RuleBroken):
        publish_rule(draft, by=staff)
    rehearse(draft, on=TODAY(), by=staff)
    changed = change_draft(draft, asking(60_000), by=staff)
    with pytest.raises(RuleBroken):
        publish_rule(changed, by=staff)
    rehearse(changed, on=TODAY(), by=staff)
    assert publish_rule(changed, by=staff).published_at


@pytest.mark.parametrize(("days", "is_published"), [(6.99, True), (7.01, False)])
def test_a_rehearsal_serves_for_seven_days(draft, staff, days, is_published):
    rehearse(draft, on=TODAY(), by=staff)
    with time_machine.travel(timezone.now() + timedelta(days=days), tick=False):
        if is_published:
            publish_rule(draft, by=staff)
        else:
            with pytest.raises(RuleBroken):
                publish_rule(draft, by=staff)


def test_a_rehearsal_against_an_older_version_does_not_serve(present, draft, staff):
    last = draft_rule(present.badge, asking(70_000), by=staff)
    for rule in (draft, last):
        rehearse(rule, on=TODAY(), by=staff)
    publish_rule(draft, by=staff)
    with pytest.raises(RuleBroken):
        publish_rule(last, by=staff)
    rehearse(last, on=TODAY(), by=staff)
    publish_rule(last, by=staff)


def test_published_versions_are_neither_rehearsed_nor_changed(present, staff):
    with pytest.raises(RuleBroken):
        rehearse(present, on=TODAY(), by=staff)
    with pytest.raises(RuleBroken):
        ask_for_rehearsal(present, by=staff)
    with pytest.raises(Stale):
        change_draft(present, asking(50_000), by=staff)


def test_a_draft_is_refused_what_cannot_be_understood(draft, staff):
    with pytest.raises(RuleBroken):
        change_draft(draft, {"all": []}, by=staff)
    with pytest.raises(RuleBroken):
        change_draft(draft, asking(1), by=staff)
    with pytest.raises(RuleBroken):
        change_draft(draft, asking(50_000), by=staff, valid_from=date(2026, 2, 1), valid_until=date(2026, 1, 31))
    assert Rule.objects.get(pk=draft.pk).conditions == asking(50_000)


def test_a_new_version_says_what_the_present_one_says(present, staff):
    draft = new_version(present, by=staff)
    assert (draft.version, draft.conditions, draft.published_at) == (2, present.conditions, None)


# In the background


def test_the_job_rehearses_once_however_often_it_runs(draft, staff):
    person(60_000)
    job = ask_for_rehearsal(draft, by=staff)
    assert ask_for_rehearsal(draft, by=staff) == job
    jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.done, job.total) == ("done", 3, 3)
    Job.objects.update(state="queued", finished_at=None)
    jobs.run(job.pk)
    assert Rehearsal.objects.get().pk == Job.objects.get().result["rehearsal"]
