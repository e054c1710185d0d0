"""An applied roster is undone while nothing depends on it, and says by row what does."""

from datetime import date, timedelta

import pytest
from django.apps import apps
from django.db.models import CASCADE, SET_NULL
from django.utils import timezone

from courses.models import Enrolment
from incubator.common.errors import RuleBroken
from incubator.figures.models import FiguresImport, FiguresRow
from incubator.grants.models import Grant
from incubator.imports.choices import ImportState
from incubator.metrics.models import Authorisation, ConsentRequest, CreatorAccount
from incubator.programmes.models import Participation, ParticipationMove
from incubator.programmes.services import start_training, withdraw
from incubator.rosters.models import RosterImport
from incubator.rosters.services import apply_roster, undo_roster
from incubator.rosters.undoing import HOLDS, MADE, fields_pointing_to, holds
from tests.factories import CohortFactory, TrafficPoolFactory, TraineeFactory, TrainingClassFactory, official, reading
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
from tests.rosters.test_matching import known
from trainees.identity import id_number_index
from trainees.models import Trainee
from trainees.services import open_login

pytestmark = pytest.mark.django_db


def applied(rows, cohort, county, by, **more):  # noqa: F811
    return apply_roster(bring_in(workbook(rows), cohort, county, by), by=by, on=FILLED_ON, **more)


def test_whoever_it_entered_is_gone_and_the_record_stays(cohort, county, clerk):  # noqa: F811
    roster = applied([line(0), line(1)], cohort, county, clerk)

    roster = undo_roster(roster, by=clerk)

    assert nothing_was_written() and not ParticipationMove.objects.exists()
    assert (roster.state, roster.undone_by, roster.new_count) == ("undone", clerk, 2)
    assert roster.undone_at and roster.rows.filter(status="new").count() == 2


def test_it_can_be_brought_in_again(cohort, county, clerk):  # noqa: F811
    undo_roster(applied([line(0), line(1)], cohort, county, clerk), by=clerk)

    applied([line(0), line(1)], cohort, county, clerk)

    assert Trainee.objects.count() == Participation.objects.count() == CreatorAccount.objects.count() == 2


def test_what_it_changed_is_put_back_and_only_that(cohort, county, clerk):  # noqa: F811
    trainee = known(0, name="旧名", initials="jm", township="老镇", phone="+8613900000000", education="大专")
    roster = applied([line(0, 乡镇="新镇")], cohort, county, clerk)
    Trainee.objects.filter(pk=trainee.pk).update(education="本科")

    undo_roster(roster, by=clerk)

    trainee.refresh_from_db()
    assert (trainee.name, trainee.initials, trainee.township, trainee.phone) == ("旧名", "jm", "老镇", "+8613900000000")
    assert trainee.education == "本科" and trainee.id_number == PEOPLE[0].id_number
    assert not trainee.participations.exists() and not trainee.accounts.exists()


def test_what_was_filled_in_is_taken_out_again(cohort, county, clerk):  # noqa: F811
    trainee = known(0, phone=None)

    undo_roster(applied([line(0)], cohort, county, clerk), by=clerk)

    trainee.refresh_from_db()
    assert (trainee.phone, trainee.phone_index) == (None, None)


def test_what_was_there_before_stays(cohort, county, clerk):  # noqa: F811
    """The second of two imports entered nobody: undoing it takes nothing of the first."""
    first = applied([line(0)], cohort, county, clerk)
    second = applied([line(0), line(1)], cohort, county, clerk)

    undo_roster(second, by=clerk)
    assert Trainee.objects.count() == Participation.objects.count() == CreatorAccount.objects.count() == 1
    undo_roster(first, by=clerk)
    assert nothing_was_written()


# --- What holds it ----------------------------------------------------------------------------------------------------


def _later_import(roster, trainee, by):
    return applied([line(0)], roster.cohort, roster.region, by)


def _changed(roster, trainee, by):
    Trainee.objects.filter(pk=trainee.pk).update(township="改过")


def _login(roster, trainee, by):
    open_login(trainee, password="a long password")


def _training(roster, trainee, by):
    start_training([trainee.participations.get()], by=by)


def _withdrawn(roster, trainee, by):
    withdraw(trainee.participations.get(), by=by, reason="搬走")


def _enrolled(roster, trainee, by):
    training_class = TrainingClassFactory(cohort=roster.cohort)
    Enrolment.objects.create(training_class=training_class, participation=trainee.participations.get())


def _grant(roster, trainee, by):
    Grant.objects.create(
        pool=TrafficPoolFactory(),
        participation=trainee.participations.get(),
        impressions=1,
        proposed_by=by,
        proposed_on=timezone.localdate(),
    )


def _reading(roster, trainee, by):
    reading(trainee.accounts.get(), timezone.localdate(), 10)


def _consent(roster, trainee, by):
    now = timezone.now()
    Authorisation.objects.create(
        account=trainee.accounts.get(),
        external_id="e",
        access_token="a",
        refresh_token="r",
        access_expires_at=now,
        refresh_expires_at=now,
        granted_at=now,
    )


def _second_cohort(roster, trainee, by):
    Participation.objects.create(trainee=trainee, cohort=CohortFactory(), nominated_on=date(2026, 3, 1))


def _second_account(roster, trainee, by):
    CreatorAccount.objects.create(trainee=trainee, handle="another")


WAYS = [_later_import, _changed, _login, _training, _withdrawn, _enrolled, _grant, _reading, _consent, _second_cohort,
         _second_account]  # fmt: skip


@pytest.mark.parametrize("hold", WAYS, ids=lambda f: f.__name__)
def test_what_depends_on_a_row_holds_the_import_and_is_named(cohort, county, clerk, hold):  # noqa: F811
    roster = applied([line(1), line(0), line(2)], cohort, county, clerk)
    trainee = Trainee.objects.get(id_number_index=id_number_index(PEOPLE[0].id_number))
    hold(roster, trainee, clerk)
    before = Trainee.objects.count(), Participation.objects.count(), CreatorAccount.objects.count()

    held = holds(roster)
    assert {one.row for one in held} == {5} and all(one.what for one in held)
    with pytest.raises(RuleBroken, match=PEOPLE[0].name):
        undo_roster(roster, by=clerk)

    assert (Trainee.objects.count(), Participation.objects.count(), CreatorAccount.objects.count()) == before
    assert RosterImport.objects.get(pk=roster.pk).state == "applied"


def test_a_changed_person_changed_again_holds(cohort, county, clerk):  # noqa: F811
    trainee = known(0, township="老镇")
    roster = applied([line(0, 乡镇="新镇")], cohort, county, clerk)
    Trainee.objects.filter(pk=trainee.pk).update(township="第三镇")

    with pytest.raises(RuleBroken):
        undo_roster(roster, by=clerk)
    trainee.refresh_from_db()
    assert trainee.township == "第三镇"


def test_a_preview_holds_nothing(cohort, county, clerk):  # noqa: F811
    """Somebody has uploaded the next file and looks at it: it goes stale, that is all."""
    roster = applied([line(0)], cohort, county, clerk)
    bring_in(workbook([line(0)]), cohort, county, clerk)

    undo_roster(roster, by=clerk)
    assert nothing_was_written()


def test_an_earlier_import_is_held_by_a_later_one_and_not_the_other_way_round(cohort, county, clerk):  # noqa: F811
    first = applied([line(0)], cohort, county, clerk)
    second = applied([line(0)], cohort, county, clerk)
    RosterImport.objects.filter(pk=second.pk).update(applied_at=timezone.now() + timedelta(seconds=1))
    second.refresh_from_db()

    assert holds(first) and not holds(second)


def test_every_relation_to_what_an_import_makes_is_looked_at():
    """A model that will be written tomorrow holds too: nothing is named here but what is looked at elsewhere."""
    looked_at = {
        (field.model, field.name) for model in MADE for field in fields_pointing_to(model, [*HOLDS, SET_NULL, CASCADE])
    }
    missing = {
        (model._meta.label, field.name)
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.is_relation and field.related_model in MADE and (model, field.name) not in looked_at
    }
    # A reading is known by the newest of its account; spent calls and history are logs; staged rows are asked apart.
    assert missing == {
        ("metrics.Reading", "account"),
        ("metrics.AccountCalls", "account"),
        ("rosters.RosterRow", "trainee"),
        ("rosters.RosterRow", "looks_like"),
        ("trainees.TraineeChange", "trainee"),
    }


def test_what_would_go_with_the_account_goes_with_it(cohort, county, clerk):  # noqa: F811
    """Somebody has begun to ask for a consent and not come back."""
    roster = applied([line(0)], cohort, county, clerk)
    account = CreatorAccount.objects.get()
    ConsentRequest.objects.create(state="s", account=account, asked_by=clerk, asked_at=timezone.now())

    undo_roster(roster, by=clerk)
    assert nothing_was_written() and not ConsentRequest.objects.exists()


def test_what_would_be_emptied_is_emptied(cohort, county, clerk):  # noqa: F811
    roster = applied([line(0)], cohort, county, clerk)
    figures = FiguresImport.objects.create(region=county, file="x.xlsx", file_name="x.xlsx", uploaded_by=clerk)
    row = FiguresRow.objects.create(
        figures=figures, number=1, status="wrong", values="{}", account=CreatorAccount.objects.get()
    )

    undo_roster(roster, by=clerk)
    row.refresh_from_db()
    assert nothing_was_written() and row.account_id is None


def test_only_what_was_written_is_undone_and_only_once(cohort, county, clerk):  # noqa: F811
    roster = bring_in(workbook([line(0)]), cohort, county, clerk)
    with pytest.raises(RuleBroken):
        undo_roster(roster, by=clerk)
    roster = undo_roster(apply_roster(roster, by=clerk, on=FILLED_ON), by=clerk)
    with pytest.raises(RuleBroken):
        undo_roster(roster, by=clerk)
    with pytest.raises(RuleBroken):
        apply_roster(roster, by=clerk, on=FILLED_ON)
    assert roster.state == ImportState.UNDONE


def test_a_partly_written_roster_is_undone(cohort, county, clerk):  # noqa: F811
    roster = applied([line(0), line(1, 姓名="")], cohort, county, clerk, is_partial=True)

    undo_roster(roster, by=clerk)
    assert nothing_was_written()


def test_people_of_others_are_not_touched(cohort, county, clerk):  # noqa: F811
    other = TraineeFactory(county=county)
    undo_roster(applied([line(0)], cohort, county, official("622927")), by=clerk)

    assert list(Trainee.objects.all()) == [other]
