"""An import as a thing one can follow: what it becomes, who made it so, and what a fault or a kill leaves behind."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.utils import timezone

from incubator.common.errors import RuleBroken, Stale
from incubator.jobs import services as jobs
from incubator.jobs.choices import JobState
from incubator.jobs.models import Job
from incubator.metrics.models import CreatorAccount
from incubator.programmes.models import Participation, ParticipationMove
from incubator.rosters import services, writing
from incubator.rosters.models import RosterImport, RosterRow
from incubator.rosters.services import (
    apply_roster,
    ask_to_apply,
    ask_to_undo,
    check_roster,
    discard_roster,
    recheck_roster,
    upload_roster,
)
from tests.factories import TraineeFactory, region, superuser
from tests.rosters.test_import import (  # noqa: F401
    FILLED_ON,
    PEOPLE,
    bring_in,
    clerk,
    cohort,
    counts,
    county,
    line,
    nothing_was_written,
    workbook,
)
from trainees.identity import id_number_index, phone_index
from trainees.models import Trainee, TraineeChange

pytestmark = pytest.mark.django_db

BAD = {"姓名": ""}


def moves(roster):
    return [(move.before, move.after) for move in roster.moves.all()]


def test_what_a_roster_changes_about_a_person_is_in_their_history_and_so_is_taking_it_back(cohort, county, clerk):  # noqa: F811
    bring_in(workbook([line(0)]), cohort, county, clerk)
    apply_roster(RosterImport.objects.get(), by=clerk, on=FILLED_ON)
    assert not TraineeChange.objects.exists()
    before = Trainee.objects.get()

    again = bring_in(workbook([line(0, 乡镇="新集镇", 联系电话="15400009999")]), cohort, county, clerk)
    ask_to_undo(apply_roster(again, by=clerk, on=FILLED_ON), by=clerk)

    taken_back, imported = TraineeChange.objects.all()
    assert (imported.kind, taken_back.kind) == ("imported", "undone")
    assert imported.fields == {"township": [before.township, "新集镇"], "phone": ["", ""]}
    assert taken_back.fields == {"township": ["新集镇", before.township], "phone": ["", ""]}
    for change in (imported, taken_back):
        assert (change.trainee, change.by, change.origin) == (before, clerk, f"rosters.rosterimport/{again.pk}")


def test_a_preview_does_not_outlast_the_key_people_were_found_by(cohort, county, clerk, settings):  # noqa: F811
    roster = bring_in(workbook([line(0)]), cohort, county, clerk)
    settings.PERSONAL_INDEX_KEY = "ab" * 32

    with pytest.raises(Stale):
        apply_roster(roster, by=clerk, on=FILLED_ON)
    assert not Trainee.objects.exists()


def test_nobody_is_written_under_another_index_key_than_those_who_are_there(cohort, county, clerk, settings):  # noqa: F811
    apply_roster(bring_in(workbook([line(0)]), cohort, county, clerk), by=clerk, on=FILLED_ON)
    settings.PERSONAL_INDEX_KEY = "ab" * 32
    other = bring_in(workbook([line(1)]), cohort, county, clerk)

    with pytest.raises(RuleBroken, match="PERSONAL_INDEX_KEY"):
        apply_roster(other, by=clerk, on=FILLED_ON)
    assert Trainee.objects.count() == 1


def test_every_change_of_state_is_kept_with_who_made_it(cohort, county, clerk):  # noqa: F811
    roster = bring_in(workbook([line(0)]), cohort, county, clerk)
    roster = apply_roster(roster, by=clerk, on=FILLED_ON)
    ask_to_undo(roster, by=clerk)

    assert moves(roster) == [
        ("uploaded", "reading"), ("reading", "checked"), ("checked", "applied"), ("applied", "undone")
    ]  # fmt: skip
    assert [move.by for move in roster.moves.all()] == [None, None, clerk, clerk]


def test_in_review_while_something_is_to_be_decided(cohort, county, clerk):  # noqa: F811
    assert bring_in(workbook([line(0), line(1, **BAD)]), cohort, county, clerk).state == "in_review"
    assert bring_in(workbook([line(0)]), cohort, county, clerk).state == "checked"


def test_the_good_rows_are_written_by_choice_and_the_wrong_ones_stay_listed(cohort, county, clerk):  # noqa: F811
    roster = bring_in(workbook([line(0), line(1, **BAD), line(2)]), cohort, county, clerk)
    with pytest.raises(RuleBroken):
        ask_to_apply(roster, by=clerk, on=FILLED_ON)
    assert nothing_was_written()

    roster = ask_to_apply(roster, by=clerk, on=FILLED_ON, is_partial=True)

    assert (roster.state, roster.is_partial, counts(roster)) == ("applied", True, (2, 0, 1, 1))
    assert set(Trainee.objects.values_list("name", flat=True)) == {PEOPLE[0].name, PEOPLE[2].name}
    assert roster.rows.get(status="wrong").number == 5 and roster.findings.filter(row=5).exists()


def test_a_fault_is_tried_again_and_then_told(cohort, county, clerk, monkeypatch):  # noqa: F811
    def broken(*args, **kwargs):
        raise RuntimeError("secret 620000199001011234")

    monkeypatch.setattr(services, "match_rows", broken)
    roster = upload_roster(workbook([line(0)]), cohort=cohort, region=county, by=clerk, name="名单.xlsx")
    for _attempt in range(roster.job.max_attempts):
        Job.objects.update(not_before=None)
        jobs.run(roster.job_id)
    roster.refresh_from_db()
    assert roster.state == "failed" and roster.error and "6200" not in roster.error

    monkeypatch.undo()
    recheck_roster(roster, by=clerk)
    jobs.run(roster.job_id)
    roster.refresh_from_db()
    assert (roster.state, counts(roster), roster.error) == ("checked", (1, 0, 0, 1), "")


def test_a_check_that_stops_without_a_word_is_told_too(cohort, county, clerk):  # noqa: F811
    roster = upload_roster(workbook([line(0)]), cohort=cohort, region=county, by=clerk, name="名单.xlsx")
    RosterImport.objects.update(state="reading")
    Job.objects.update(state=JobState.RUNNING, attempts=5, lease_until=timezone.now() - timedelta(hours=1))

    jobs.sweep(at=timezone.now())

    roster.refresh_from_db()
    assert roster.state == "failed" and roster.error


@pytest.mark.parametrize("fails_at", ["stage_rows", "stage_leftovers", "match_rows", "review"])
def test_a_check_cut_off_anywhere_is_done_again_from_its_beginning(cohort, county, clerk, monkeypatch, fails_at):  # noqa: F811
    class Killed(BaseException):
        pass

    monkeypatch.setattr(services, "CHUNK", 2)
    roster = upload_roster(workbook([line(n) for n in range(5)]), cohort=cohort, region=county, by=clerk, name="a.xlsx")
    real, calls = getattr(services, fails_at), []

    def killed(*args, **kwargs):
        calls.append(1)
        if len(calls) == 2 or fails_at != "stage_rows":
            raise Killed
        return real(*args, **kwargs)

    monkeypatch.setattr(services, fails_at, killed)
    with pytest.raises(Killed):
        check_roster(roster, on=FILLED_ON)
    monkeypatch.setattr(services, fails_at, real)
    roster = check_roster(RosterImport.objects.get(pk=roster.pk), on=FILLED_ON)

    assert (roster.state, counts(roster), roster.rows.count()) == ("checked", (5, 0, 0, 1), 6)


def test_work_that_was_done_is_not_done_again(cohort, county, clerk, monkeypatch):  # noqa: F811
    """A worker that dies between writing and saying so: the next one finds it written."""
    monkeypatch.setattr(services, "AT_ONCE", 0)
    roster = bring_in(workbook([line(0), line(1)]), cohort, county, clerk)
    ask_to_apply(roster, by=clerk, on=FILLED_ON)
    assert nothing_was_written()

    jobs.run(roster.job_id)
    Job.objects.filter(pk=roster.job_id).update(state=JobState.QUEUED)
    jobs.run(roster.job_id)

    roster.refresh_from_db()
    job = Job.objects.get(pk=roster.job_id)
    assert (roster.state, job.state, job.done, job.total) == ("applied", "done", 2, 2)
    assert Trainee.objects.count() == Participation.objects.count() == 2

    ask_to_undo(roster, by=clerk)
    jobs.run(RosterImport.objects.get().job_id)
    Job.objects.filter(kind="roster_undo").update(state=JobState.QUEUED)
    jobs.run(RosterImport.objects.get().job_id)
    assert nothing_was_written() and RosterImport.objects.get().state == "undone"


def test_a_refusal_in_the_background_is_on_the_job(cohort, county, clerk, monkeypatch):  # noqa: F811
    monkeypatch.setattr(services, "AT_ONCE", 0)
    roster = bring_in(workbook([line(0)]), cohort, county, clerk)
    ask_to_apply(roster, by=clerk, on=FILLED_ON)
    TraineeFactory(county=county, id_number_index=id_number_index(PEOPLE[0].id_number))

    jobs.run(roster.job_id)

    roster.refresh_from_db()
    assert roster.state == "checked" and roster.job.state == "failed" and roster.job.error


def test_nothing_is_asked_for_while_work_is_under_way(cohort, county, clerk, monkeypatch):  # noqa: F811
    monkeypatch.setattr(services, "AT_ONCE", 0)
    roster = bring_in(workbook([line(0)]), cohort, county, clerk)
    ask_to_apply(roster, by=clerk, on=FILLED_ON)

    with pytest.raises(Stale):
        ask_to_apply(roster, by=clerk, on=FILLED_ON)


# --- Stale previews ---------------------------------------------------------------------------------------------------


def _rename(trainee, cohort):  # noqa: F811
    Trainee.objects.filter(pk=trainee.pk).update(name="改了")


def _move(trainee, cohort):  # noqa: F811
    Trainee.objects.filter(pk=trainee.pk).update(county=region("620102"))


def _gone(trainee, cohort):  # noqa: F811
    trainee.delete()


def _phone(trainee, cohort):  # noqa: F811
    Trainee.objects.filter(pk=trainee.pk).update(phone_index=b"1" * 32)


def _same_phone_elsewhere(trainee, cohort):  # noqa: F811
    TraineeFactory(county=region("520526"), phone_index=phone_index(f"+86{PEOPLE[1].phone}"))


def _looks_like(trainee, cohort):  # noqa: F811
    row = RosterRow.objects.get(number=5)
    TraineeFactory(county_id=row.county_id, name=row.name, born_on=row.born_on)


def _conditions(trainee, cohort):  # noqa: F811
    cohort.max_age = 20
    cohort.save()


@pytest.mark.parametrize(
    "change", [_rename, _move, _gone, _phone, _same_phone_elsewhere, _looks_like, _conditions], ids=lambda f: f.__name__
)
def test_what_changed_since_the_check_makes_the_preview_stale(cohort, county, clerk, change):  # noqa: F811
    trainee = TraineeFactory(county=county, id_number_index=id_number_index(PEOPLE[0].id_number), name=PEOPLE[0].name)
    roster = bring_in(workbook([line(0), line(1)]), cohort, county, clerk)
    change(trainee, cohort)

    with pytest.raises(Stale):
        apply_roster(roster, by=clerk, on=FILLED_ON)
    assert not Participation.objects.exists()


def test_who_may_see_more_than_the_uploader_checks_again_first(cohort, county, clerk):  # noqa: F811
    TraineeFactory(county=region("520526"), id_number_index=id_number_index(PEOPLE[0].id_number), name=PEOPLE[0].name)
    roster = bring_in(workbook([line(0), line(1)]), cohort, county, clerk)
    office = superuser()
    assert counts(roster) == (1, 0, 1, 1)
    with pytest.raises(Stale):
        apply_roster(roster, by=office, on=FILLED_ON, is_partial=True)

    recheck_roster(roster, by=office)
    jobs.run(roster.job_id)
    roster.refresh_from_db()
    assert counts(roster) == (1, 1, 0, 1)
    assert apply_roster(roster, by=office, on=FILLED_ON).state == "applied"


def test_a_discarded_roster_is_not_written(cohort, county, clerk):  # noqa: F811
    roster = bring_in(workbook([line(0)]), cohort, county, clerk)
    discard_roster(roster, by=clerk)

    with pytest.raises(RuleBroken):
        apply_roster(roster, by=clerk, on=FILLED_ON)
    assert nothing_was_written()


def test_nothing_personal_stands_in_clear_in_what_is_staged(cohort, county, clerk):  # noqa: F811
    known = TraineeFactory(
        county=county,
        name=PEOPLE[0].name,
        phone="+8615400007777",
        phone_index=phone_index("+8615400007777"),
        id_number_index=id_number_index(PEOPLE[0].id_number),
    )
    bad = "15400008888x"
    roster = bring_in(workbook([line(0), line(1), line(2, 联系电话=bad)]), cohort, county, clerk)
    assert roster.changed_count == 1 and known

    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(r::text, '') FROM rosters_rosterrow r")
        stored = cursor.fetchone()[0]
        cursor.execute("SELECT string_agg(f::text, '') FROM rosters_rosterfinding f")
        stored += cursor.fetchone()[0]
    for secret in (PEOPLE[0].phone, PEOPLE[0].id_number, PEOPLE[1].id_number, "15400007777", "15400008888"):
        assert secret not in stored and secret.encode().hex() not in stored


# --- Two at once ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_two_overlapping_rosters_at_the_same_moment_write_nobody_twice(cohort, county, clerk, monkeypatch, order):  # noqa: F811
    """Both are checked before either is written; each has people of the other, in the opposite order."""
    known = [PEOPLE[n] for n in (8, 9)]
    for person in known:
        TraineeFactory(county=county, name=person.name, id_number_index=id_number_index(person.id_number))
    rows = [[line(n) for n in (0, 1, 2, 3, 8, 9)], [line(n) for n in (9, 8, 3, 2, 4, 5)]]
    rosters = [bring_in(workbook(rows[n]), cohort, county, clerk, name=f"{n}.xlsx") for n in order]
    at_the_gate, outcomes = threading.Barrier(2), []
    real = writing.one_after_the_other

    def together():
        at_the_gate.wait(20)
        real()

    monkeypatch.setattr(services, "one_after_the_other", together)

    def apply(roster):
        try:
            outcomes.append(apply_roster(roster, by=clerk, on=FILLED_ON).state)
        except Stale as refusal:
            outcomes.append(f"Stale: {refusal}")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=apply, args=[roster]) for roster in rosters]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sorted(outcome.split(":")[0] for outcome in outcomes) == ["Stale", "applied"], outcomes
    loser = RosterImport.objects.get(state="checked")
    monkeypatch.undo()
    recheck_roster(loser, by=clerk)
    jobs.run(loser.job_id)
    loser.refresh_from_db()
    apply_roster(loser, by=clerk, on=FILLED_ON)

    assert Trainee.objects.count() == Participation.objects.count() == 8
    assert Trainee.objects.exclude(id_number_index=None).values("id_number_index").distinct().count() == 8
    assert CreatorAccount.objects.count() == 8 and ParticipationMove.objects.count() == 8


@pytest.mark.django_db(transaction=True)
def test_how_far_writing_is_can_be_seen_while_it_is_not_finished(cohort, county, clerk, monkeypatch):  # noqa: F811
    monkeypatch.setattr(services, "AT_ONCE", 0)
    monkeypatch.setattr(writing, "SLICE", 2)
    roster = bring_in(workbook([line(n) for n in range(5)]), cohort, county, clerk)
    ask_to_apply(roster, by=clerk, on=FILLED_ON)
    seen = []
    real = jobs.RunningJob.progress_beside

    def look(self, done):
        real(self, done)
        with jobs.Beside() as cursor:
            cursor.execute("SELECT done FROM jobs_job WHERE id = %s", [self.pk])
            told = cursor.fetchone()[0]
            cursor.execute("SELECT count(*) FROM trainees_trainee")
            seen.append((told, cursor.fetchone()[0]))

    monkeypatch.setattr(jobs.RunningJob, "progress_beside", look)
    jobs.run(roster.job_id)

    assert seen == [(2, 0), (4, 0), (5, 0)] and Trainee.objects.count() == 5


@pytest.mark.django_db(transaction=True)
def test_writing_that_is_cancelled_midway_leaves_nothing(cohort, county, clerk, monkeypatch):  # noqa: F811
    monkeypatch.setattr(services, "AT_ONCE", 0)
    monkeypatch.setattr(writing, "SLICE", 2)
    roster = bring_in(workbook([line(n) for n in range(5)]), cohort, county, clerk)
    ask_to_apply(roster, by=clerk, on=FILLED_ON)
    real = jobs.RunningJob.progress_beside

    def cancel(self, done):
        with jobs.Beside() as cursor:
            cursor.execute("UPDATE jobs_job SET is_cancel_asked = true")
        real(self, done)

    monkeypatch.setattr(jobs.RunningJob, "progress_beside", cancel)
    jobs.run(roster.job_id)

    roster.refresh_from_db()
    assert nothing_was_written() and roster.state == "checked"
    assert Job.objects.get(pk=roster.job_id).state == JobState.CANCELLED
