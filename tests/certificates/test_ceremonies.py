"""Ceremonies: who may hold which, what becomes of them as one file, and work that goes on where it was killed."""

import re
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.translation import override

from incubator.accounts.models import AccessRecord, Posting
from incubator.certificates import jobs
from incubator.certificates.models import Ceremony, CeremonyPlace, Edition
from incubator.certificates.services import (
    add_awards,
    ask_for_certificates,
    open_ceremony,
    take_awards,
    take_out,
)
from incubator.certification.models import Award
from incubator.certification.services import withdraw_award
from incubator.common.errors import RuleBroken, Stale
from incubator.credentials.services import issue_credential
from incubator.jobs.choices import JobState
from incubator.jobs.models import Job
from incubator.jobs.services import run, sweep, working_folder
from incubator.jobs.views import has_file
from incubator.regions.models import Region
from tests import factories
from tests.certificates.world import NOT_DRAWN, TODAY, award_of, pages, seal_of

HERE, NEXT_DOOR, ELSEWHERE = "622927", "622921", "520526"


@pytest.fixture(autouse=True)
def in_english():
    with override("en"):
        yield


@pytest.fixture
def head(db):
    return factories.superuser()


@pytest.fixture
def clerk(db):
    return factories.official(HERE, is_staff=True)


def ceremony_of(by, region=None, **said):
    region = Region.objects.get(code=region) if region else None
    told = {"name": "颁证仪式", "held_on": TODAY, "place": "县礼堂", "order": "county"} | said
    return open_ceremony(region=region, by=by, **told)


def made(ceremony, by, order="county"):
    """The job after it was done."""
    ask_for_certificates(ceremony, by=by, order=order)
    run(ceremony.job_id)
    return Job.objects.get(pk=ceremony.job_id)


# --- Who may hold which -----------------------------------------------------------------------------------------------


def test_a_clerk_holds_ceremonies_of_the_own_county_only(clerk, head):
    factories.region(ELSEWHERE)
    own = ceremony_of(clerk, HERE)
    assert (own.region.code, own.made_by, own.name) == (HERE, clerk, "颁证仪式")
    for region in (ELSEWHERE, "622900", "620000", None):
        with pytest.raises(RuleBroken):
            ceremony_of(clerk, region)
    for region in (ELSEWHERE, "620000", None):
        ceremony_of(head, region)
    assert list(Ceremony.objects.visible_to(clerk)) == [own]


def test_awards_of_strangers_are_not_found(clerk, head):
    own, strange = award_of(code=HERE), award_of(code=NEXT_DOOR)
    ceremony = ceremony_of(clerk, HERE)
    with pytest.raises(RuleBroken, match="1 award was not found"):
        add_awards(ceremony, [own, strange], by=clerk, on=TODAY)
    assert not CeremonyPlace.objects.exists()
    assert add_awards(ceremony, [own], by=clerk, on=TODAY) == 1
    assert add_awards(ceremony, [own], by=clerk, on=TODAY) == 0
    with pytest.raises(RuleBroken, match="not found in the region"):
        add_awards(ceremony, [strange], by=head, on=TODAY)  # seen by head office, and yet not of this county


def test_a_ceremony_of_strangers_is_not_found(clerk, head):
    own = award_of(code=HERE)
    for region in (ELSEWHERE, "622900", None):
        factories.region(ELSEWHERE)
        ceremony = ceremony_of(head, region)
        for attempt in (
            lambda there=ceremony: add_awards(there, [own], by=clerk, on=TODAY),
            lambda there=ceremony: take_awards(there, by=clerk, on=TODAY),
            lambda there=ceremony: take_out(there, [own], by=clerk),
            lambda there=ceremony: ask_for_certificates(there, by=clerk, order="name"),
        ):
            with pytest.raises(RuleBroken, match="This ceremony was not found"):
                attempt()


def test_only_valid_awards_are_added(head):
    withdrawn, expired, last_day = award_of(), award_of(expires_on=date(2026, 11, 27)), award_of(expires_on=TODAY)
    withdraw_award(withdrawn, by=head, reason="失实")
    ceremony = ceremony_of(head)
    for award in (withdrawn, expired):
        with pytest.raises(RuleBroken, match=award.number):
            add_awards(ceremony, [award, last_day], by=head, on=TODAY)
    assert take_awards(ceremony, by=head, on=TODAY) == 1
    assert list(ceremony.awards.all()) == [last_day]


def test_awards_are_taken_by_badge_cohort_and_day(head):
    first, second = award_of(code=HERE), award_of(code=HERE, awarded_on=date(2026, 12, 1))
    other = award_of(code=ELSEWHERE)

    def taken(region=None, **asked):
        ceremony = ceremony_of(head, region)
        take_awards(ceremony, by=head, on=TODAY, **asked)
        return set(ceremony.awards.all())

    assert taken() == {first, second, other}
    assert taken("620000") == taken("622900") == taken(HERE) == {first, second}
    assert taken(badge=first.badge) == {first}
    assert taken(cohort=second.candidate.participation.cohort) == {second}
    assert taken(first=date(2026, 12, 1)) == {second}
    assert taken(last=date(2026, 11, 20)) == {first, other}
    assert taken(first=date(2026, 11, 20), last=date(2026, 11, 20)) == {first, other}
    with pytest.raises(RuleBroken, match="No valid award"):
        taken(first=date(2027, 1, 1))


def test_a_clerk_takes_what_the_clerk_sees(clerk, head):
    own, strange = award_of(code=HERE), award_of(code=NEXT_DOOR)
    ceremony = ceremony_of(clerk, HERE)
    take_awards(ceremony, by=clerk, on=TODAY)
    assert list(ceremony.awards.all()) == [own]
    assert take_out(ceremony, [own, strange], by=clerk) == 1
    with pytest.raises(RuleBroken, match="None of these"):
        take_out(ceremony, [own], by=clerk)


# --- One file ---------------------------------------------------------------------------------------------------------


def people(*named):
    """Awards by ``(name, county)``, with initials as entering them makes them."""
    awards = []
    for name, initials, code in named:
        award = award_of(name, code)
        award.trainee.initials = initials
        award.trainee.save(update_fields=["initials"])
        awards.append(award)
    return awards


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("county", ["陈一", "赵二", "白三", "张四"]),
        ("name", ["白三", "陈一", "张四", "赵二"]),
        ("number", ["赵二", "张四", "陈一", "白三"]),
    ],
)
def test_all_certificates_in_the_order_asked_for(head, tmp_path, order, names, monkeypatch):
    monkeypatch.setattr(jobs, "PART", 3)
    awards = people(
        ("赵二", "ze", "520526"), ("张四", "zdsi", "622927"), ("陈一", "cy", "520526"), ("白三", "bs", "622927")
    )
    for n, award in enumerate(awards, 1):
        factories.rewrite_award(award, number=f"XC-2026-000000-{n:04d}")
    Region.objects.create(code="000000", name="县", level="county", province_id="520000")
    ceremony = ceremony_of(head)
    add_awards(ceremony, awards, by=head, on=TODAY)

    job = made(ceremony, head, order)

    assert (job.state, job.done, job.total) == (JobState.DONE, 8, 8), job.error
    assert job.result == {"printed": 4, "signed": 4, "left_out": {}, "unseen": 0}
    found = [re.search("赵二|张四|陈一|白三", page)[0] for page in pages(job.result_file.read_unsealed(), tmp_path)]
    assert found == names
    assert job.result_name.endswith(".pdf") and "颁证仪式" in job.result_name
    assert not list(working_folder().iterdir())
    record = AccessRecord.objects.get()
    assert (record.by, record.count, record.what, record.fields) == (head, 4, "certification.award", ["holder_name"])


def test_what_cannot_be_printed_is_listed_and_the_others_are_printed(head, tmp_path):
    good, rare, withdrawn, expired = award_of("王勇"), award_of(NOT_DRAWN), award_of("甲"), award_of("乙")
    ceremony = ceremony_of(head)
    add_awards(ceremony, [good, rare, withdrawn, expired], by=head, on=TODAY)
    withdraw_award(withdrawn, by=head, reason="失实")
    Award.objects.filter(pk=expired.pk).update(expires_on=timezone.localdate() - timedelta(days=1))

    job = made(ceremony, head)

    assert job.result["printed"] == 1
    assert job.result["left_out"] == {"glyphs": [rare.pk], "withdrawn": [withdrawn.pk], "expired": [expired.pk]}
    [page] = pages(job.result_file.read_unsealed(), tmp_path)
    assert "王勇" in page
    assert [edition.award for edition in Edition.objects.all()] == [good]


def test_a_ceremony_of_which_nothing_can_be_printed_says_so(head):
    ceremony = ceremony_of(head)
    with pytest.raises(RuleBroken, match="Add awards"):
        ask_for_certificates(ceremony, by=head, order="name")
    add_awards(ceremony, [award_of(NOT_DRAWN)], by=head, on=TODAY)
    job = made(ceremony, head)
    assert job.state == JobState.FAILED and not job.result_file
    assert not AccessRecord.objects.exists()


def test_whoever_lost_the_county_meanwhile_gets_no_file(clerk):
    ceremony = ceremony_of(clerk, HERE)
    add_awards(ceremony, [award_of("王勇", HERE)], by=clerk, on=TODAY)
    ask_for_certificates(ceremony, by=clerk, order="name")
    clerk.postings.all().delete()
    run(ceremony.job_id)
    job = Job.objects.get(pk=ceremony.job_id)
    assert job.state == JobState.FAILED and "不在您的管辖范围内" in job.error and not job.result_file
    assert not Edition.objects.exists() and not AccessRecord.objects.exists()


def test_what_went_to_another_county_is_not_in_the_file(clerk, head, tmp_path):
    stays, goes = award_of("留下", HERE), award_of("远走", HERE)
    ceremony = ceremony_of(clerk, HERE)
    take_awards(ceremony, by=clerk, on=TODAY)
    goes.trainee.county = factories.region(ELSEWHERE)
    goes.trainee.save()
    with pytest.raises(RuleBroken, match="None of these"):
        take_out(ceremony, [goes], by=clerk)

    job = made(ceremony, clerk)

    assert (job.result["printed"], job.result["unseen"]) == (1, 1)
    [page] = pages(job.result_file.read_unsealed(), tmp_path)
    assert stays.holder_name in page and goes.holder_name not in page


def test_the_file_is_for_who_still_sees_the_ceremony(clerk):
    award_of(code=HERE)
    ceremony = ceremony_of(clerk, HERE)
    take_awards(ceremony, by=clerk, on=TODAY)
    job = made(ceremony, clerk)
    assert has_file(job, by=clerk.pk)
    Posting.objects.update(region=factories.region(ELSEWHERE))
    assert not has_file(Job.objects.get(pk=job.pk), by=clerk.pk)


def test_a_job_of_somebody_whose_posting_became_narrower_makes_nothing(db):
    """The awards of the county left are still seen, but the prefecture's ceremony is not."""
    award_of(code=HERE)
    asker = factories.official("622900", is_staff=True)
    ceremony = ceremony_of(asker, "622900")
    take_awards(ceremony, by=asker, on=TODAY)
    ask_for_certificates(ceremony, by=asker, order="name")
    Posting.objects.update(region=factories.region(HERE))
    run(ceremony.job_id)
    job = Job.objects.get()
    assert job.state == JobState.FAILED and not job.result_file


def test_one_job_at_a_time_and_whose_it_is(head):
    award_of()
    ceremony = ceremony_of(head)
    take_awards(ceremony, by=head, on=TODAY)
    ask_for_certificates(ceremony, by=head, order="name")
    assert ask_for_certificates(ceremony, by=head, order="name").job_id == Job.objects.get().pk
    with pytest.raises(Stale):
        ask_for_certificates(ceremony, by=factories.superuser(), order="name")


def test_nothing_personal_stands_in_the_job(head):
    award_of("王小勇")
    ceremony = ceremony_of(head)
    take_awards(ceremony, by=head, on=TODAY)
    job = made(ceremony, head)
    assert job.arguments == {"ceremony": ceremony.pk}
    assert "王小勇" not in f"{job.title}{job.result}{job.error}{job.result_name}"


# --- Killed -----------------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """As a worker dies: nothing is said to anybody."""


@pytest.mark.parametrize("dies_at", ["credentials", "first page", "last page", "keeping"])
def test_a_killed_worker_goes_on_where_it_was(head, tmp_path, monkeypatch, dies_at):
    monkeypatch.setattr(jobs, "PART", 2)
    awards = [award_of(f"人{n}") for n in "甲乙丙丁戊己"]
    seal_of(awards[0])
    ceremony = ceremony_of(head)
    add_awards(ceremony, awards, by=head, on=TODAY)
    ask_for_certificates(ceremony, by=head, order="number")
    signed, rendered, die = [], [], [True]

    def give(part):
        if die[0] and dies_at == "credentials" and signed:
            raise Killed
        new = [award.pk for award in part if award.pk not in signed]
        signed.extend(new)
        return len(new)

    def render(*args, **kwargs):
        if die[0] and len(rendered) == {"first page": 0, "last page": 2}.get(dies_at):
            raise Killed
        rendered.append(args)
        return real(*args, **kwargs)

    def join(*args, **kwargs):
        if die[0] and dies_at == "keeping":
            raise Killed
        return joined(*args, **kwargs)

    real, joined = jobs.render_pdf, jobs.join_pdfs
    monkeypatch.setattr(jobs, "issue_credentials", give)
    monkeypatch.setattr(jobs, "render_pdf", render)
    monkeypatch.setattr(jobs, "join_pdfs", join)
    with pytest.raises(Killed):
        run(ceremony.job_id)
    assert Job.objects.get().state == JobState.RUNNING

    die[0] = False
    assert sweep(at=timezone.now() + timedelta(hours=1)) == 1
    run(ceremony.job_id)

    job = Job.objects.get()
    assert (job.state, job.attempts, job.result["printed"]) == (JobState.DONE, 2, 6), job.error
    assert len(signed) == 6 and len(rendered) == 3  # each once, over both attempts
    assert Edition.objects.count() == 6
    assert len(pages(job.result_file.read_unsealed(), tmp_path)) == 6
    assert AccessRecord.objects.count() == 1


def test_what_changed_between_two_attempts_is_made_anew(head, tmp_path, monkeypatch):
    award = award_of("王晓明")
    ceremony = ceremony_of(head)
    add_awards(ceremony, [award], by=head, on=TODAY)
    ask_for_certificates(ceremony, by=head, order="number")
    real = jobs.join_pdfs
    monkeypatch.setattr(jobs, "join_pdfs", lambda *a, **k: (_ for _ in ()).throw(Killed))
    with pytest.raises(Killed):
        run(ceremony.job_id)
    withdraw_award(award, by=head, reason="失实")
    good = award_of("李四")
    add_awards(ceremony, [good], by=head, on=TODAY)
    monkeypatch.setattr(jobs, "join_pdfs", real)
    sweep(at=timezone.now() + timedelta(hours=1))
    run(ceremony.job_id)
    [page] = pages(Job.objects.get().result_file.read_unsealed(), tmp_path)
    assert "李四" in page


def test_queries_of_the_job_grow_with_parts_and_not_with_people(head, monkeypatch):
    def asked(count):
        ceremony = ceremony_of(head)
        add_awards(ceremony, [award_of() for _n in range(count)], by=head, on=TODAY)
        ask_for_certificates(ceremony, by=head, order="name")
        with CaptureQueriesContext(connection) as captured:
            run(ceremony.job_id)
        assert Job.objects.get(pk=ceremony.job_id).result["printed"] == count
        return len(captured)

    issue_credential(award_of())  # the first one makes the key and the list that the others use
    assert asked(2) == asked(15)
