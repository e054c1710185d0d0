"""Two records of a person become one without losing a row, and become two again exactly as they were."""

from datetime import date, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from courses.models import Attendance, Enrolment, Graduation
from incubator.accounts.models import User
from incubator.certification.models import Award, Candidate
from incubator.common.errors import RuleBroken, Stale
from incubator.duplicates.choices import PairState
from incubator.duplicates.models import DuplicatePair, Merge
from incubator.duplicates.plan import plan_merge
from incubator.duplicates.services import (
    ask_about,
    decide_different,
    fingerprint,
    forget_merges,
    merge_people,
    undo_merge,
    undo_obstacles,
)
from incubator.grants.models import Grant, LedgerEntry
from incubator.metrics.models import CreatorAccount, Reading
from incubator.metrics.rollups import COUNTRY, standing_of
from incubator.metrics.services.readings import write_readings
from incubator.programmes.models import Participation, ParticipationMove
from incubator.programmes.services import nominate_trainees
from incubator.rosters.models import RosterRow
from tests import factories
from tests.duplicates.world import ID_ONE, ID_OTHER, TODAY, award, furnish, graduate, pair_of, picture, record
from tests.metrics.test_readings import assert_regions_are_true
from trainees.identity import id_number_index, phone_index
from trainees.models import FormerNumber, Trainee, TraineeChange
from trainees.queries import person_q

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff():
    return factories.superuser()


@pytest.fixture
def two(staff):
    """T1 and T2, each with a life of its own; both read on the same days."""
    one = record("T2026-9000001", id_number=ID_ONE, phone="+8613800000001", township="吹麻滩镇")
    other = record("T2026-9000002", id_number=ID_OTHER, phone="+8613800000002", education="大专")
    furnish(one, staff, "one", followers=[9_000, 12_000, 15_000])
    furnish(other, staff, "other", followers=[80_000, 99_000, 120_000])
    pair_of(one, other)
    return one, other


def reconciled():
    out = StringIO()
    call_command("reconcile", "--since", str(TODAY - timedelta(days=5)), "--day", str(TODAY), stdout=out)
    return "everything is as the readings say" in out.getvalue()


def merge(one, other, by, **kwargs):
    return merge_people(pair_of(one, other), stays=one.pk, by=by, **kwargs)


def undo(done, by):
    return undo_merge(done.pair, by=by, reason="they are sisters")


# Everything of both is kept


def test_every_row_of_both_hangs_on_the_one_who_stays(two, staff):
    one, other = two
    kept = [
        Participation,
        Enrolment,
        Attendance,
        ParticipationMove,
        Grant,
        LedgerEntry,
        CreatorAccount,
        Reading,
        RosterRow,
    ]
    before = [model.objects.count() for model in kept]
    before_people = standing_of(COUNTRY, on=TODAY)

    merge(one, other, staff)

    assert [model.objects.count() for model in kept] == before
    assert not Trainee.objects.filter(pk=other.pk).exists()
    for rows in (Participation.objects, CreatorAccount.objects, RosterRow.objects):
        assert list(rows.values_list("trainee", flat=True)) == [one.pk] * 2
    assert before_people.people_over(10_000) == 2 and standing_of(COUNTRY, on=TODAY).people_over(10_000) == 1
    assert_regions_are_true()
    assert reconciled()


def test_undoing_puts_every_table_back_exactly(two, staff):
    one, other = two
    before = picture()

    done = merge(one, other, staff, kept={"phone": other.pk, "id_number": other.pk})
    assert picture() != before
    undo(done, staff)

    assert picture() == before
    assert reconciled()
    assert DuplicatePair.objects.get().state == PairState.OPEN
    assert list(Trainee.objects.order_by("number").values_list("number", flat=True)) == [one.number, other.number]
    assert Trainee.objects.get(pk=other.pk).id_number == ID_OTHER


def test_it_can_be_merged_again_after_undoing(two, staff):
    one, other = two
    undo(merge(one, other, staff), staff)

    again = merge_people(DuplicatePair.objects.get(), stays=other.pk, by=staff)

    assert again.survivor_id == other.pk
    assert list(Merge.objects.in_force()) == [again]


# What can be there only once


@pytest.fixture
def same_cohort(staff):
    """T1 in training and T2 a graduate of one cohort, class and session; both were marked and read."""
    one, other = record("T2026-9000001", id_number=ID_ONE), record("T2026-9000002", phone="+8613800000002")
    ours = furnish(one, staff, "one", followers=[20_000])
    enrolment = ours.enrolments.get()
    theirs = furnish(
        other, staff, "other", cohort=ours.cohort, training_class=enrolment.training_class,
        session=ours.attendances.get().session, followers=[30_000],
    )  # fmt: skip
    graduate(theirs, staff)
    Participation.objects.filter(pk=theirs.pk).update(nominated_on=date(2026, 5, 1))
    Attendance.objects.filter(participation=ours).update(minutes=180)
    pair_of(one, other)
    return one, other, ours, theirs


def test_participations_of_one_cohort_become_the_one_further_along(same_cohort, staff):
    one, other, _ours, theirs = same_cohort
    before = picture()

    done = merge(one, other, staff)

    stays = Participation.objects.get()
    assert (stays.pk, stays.trainee_id, stays.state) == (theirs.pk, one.pk, "graduated")
    assert stays.nominated_on == date(2026, 3, 1)  # the earlier of both days
    assert Attendance.objects.get().minutes == 180  # of two marks of one session the longer presence
    assert Enrolment.objects.get().participation_id == stays.pk
    assert Graduation.objects.get().participation_id == stays.pk
    assert set(Grant.objects.values_list("participation", flat=True)) == {stays.pk}
    assert LedgerEntry.objects.count() == 2 == ParticipationMove.objects.filter(participation=stays).count()
    assert reconciled()

    undo(done, staff)

    assert picture() == before


def test_joining_works_in_both_directions(same_cohort, staff):
    one, other, _ours, theirs = same_cohort
    before = picture()

    done = merge_people(pair_of(one, other), stays=other.pk, by=staff)

    assert Participation.objects.get().pk == theirs.pk
    assert Participation.objects.get().trainee_id == other.pk
    undo(done, staff)
    assert picture() == before


def test_candidates_of_one_rule_become_the_certified_one(same_cohort, staff):
    one, other, ours, theirs = same_cohort
    given = award(ours, staff, "XC-1")
    Candidate.objects.create(
        rule=given.candidate.rule, participation=theirs, account=other.accounts.get(), crossed_on=TODAY,
        followers=100_000, found_on=TODAY,
    )  # fmt: skip
    before = picture()

    done = merge_people(pair_of(one, other), stays=other.pk, by=staff)

    assert Candidate.objects.get() == given.candidate
    now = Award.objects.get()
    assert (now.trainee_id, now.candidate_id, now.evidence) == (other.pk, given.candidate_id, given.evidence)
    undo(done, staff)
    assert picture() == before


def test_two_valid_awards_of_one_badge_stand_in_the_way(two, staff):
    one, other = two
    rule = factories.RuleFactory()
    award(one.participations.get(), staff, "XC-1", rule=rule)
    award(other.participations.get(), staff, "XC-2", rule=rule)
    before = picture(without=())

    with pytest.raises(RuleBroken, match=r"XC-1.*XC-2"):
        merge(one, other, staff)

    assert picture(without=()) == before


def test_a_withdrawn_award_is_no_obstacle_and_moves_along(two, staff):
    one, other = two
    rule = factories.RuleFactory()
    award(one.participations.get(), staff, "XC-1", rule=rule)
    award(other.participations.get(), staff, "XC-2", rule=rule, withdrawn=True)

    merge(one, other, staff)

    assert set(Award.objects.values_list("number", "trainee")) == {("XC-1", one.pk), ("XC-2", one.pk)}


def test_two_awards_of_one_rule_and_cohort_cannot_become_one(same_cohort, staff):
    one, other, ours, theirs = same_cohort
    rule = factories.RuleFactory()
    award(ours, staff, "XC-1", rule=rule)
    award(theirs, staff, "XC-2", rule=rule, withdrawn=True)

    with pytest.raises(RuleBroken, match=r"XC-2.*XC-1|XC-1.*XC-2"):
        merge(one, other, staff)


def test_a_withdrawn_graduate_and_somebody_in_training_is_for_people_to_decide(same_cohort, staff):
    one, other, _ours, theirs = same_cohort
    Participation.objects.filter(pk=theirs.pk).update(state="withdrawn")

    with pytest.raises(RuleBroken, match="“"):
        merge(one, other, staff)

    assert Participation.objects.count() == 2


# Identity, login, numbers


def test_chosen_values_are_kept_and_the_person_is_found_by_them(two, staff):
    one, other = two

    merge(one, other, staff, kept={"id_number": other.pk, "phone": other.pk, "township": one.pk})

    now = Trainee.objects.get()
    assert (now.number, now.id_number, now.phone) == (one.number, ID_OTHER, "+8613800000002")
    assert (now.township, now.education) == ("吹麻滩镇", "大专")  # an empty field takes the other's
    assert Trainee.objects.filter(person_q(ID_OTHER)).get() == now
    assert not Trainee.objects.filter(person_q(ID_ONE)).exists()


def test_what_was_before_lies_sealed(two, staff):
    one, other = two
    done = merge(one, other, staff, kept={"id_number": other.pk})

    with connection.cursor() as cursor:
        cursor.execute("SELECT before FROM duplicates_merge")
        stored = bytes(cursor.fetchone()[0])

    assert ID_ONE.encode() not in stored and other.number.encode() not in stored
    assert ID_ONE in Merge.objects.get(pk=done.pk).before


def test_an_id_number_that_says_otherwise_is_refused(staff):
    one = record("T2026-9000001", born_on=date(1999, 5, 5))
    other = record("T2026-9000002", id_number=ID_OTHER)

    with pytest.raises(RuleBroken):
        merge(one, other, staff, kept={"id_number": other.pk, "born_on": one.pk})
    merge_people(DuplicatePair.objects.get(), stays=one.pk, kept={"born_on": other.pk}, by=staff)

    assert Trainee.objects.get().born_on == date(2000, 1, 1)


def test_the_other_number_leads_to_the_person_for_ever(two, staff):
    one, other = two
    third = record("T2026-9000003")
    merge(one, other, staff)
    merge_people(pair_of(third, one), stays=third.pk, by=staff)

    assert list(Trainee.objects.filter(person_q(other.number))) == [third]
    assert list(Trainee.objects.filter(person_q(one.number))) == [third]
    assert set(FormerNumber.objects.values_list("former_id", flat=True)) == {one.pk, other.pk}


def login(trainee):
    trainee.user = factories.UserFactory(username=trainee.number, role="trainee")
    trainee.save()
    return trainee.user


def test_of_two_logins_the_other_one_is_closed(two, staff):
    one, other = two
    kept, closed = login(one), login(other)
    before = picture()

    done = merge(one, other, staff)

    assert Trainee.objects.get().user == kept
    assert list(User.objects.filter(is_active=False)) == [closed]
    undo(done, staff)
    assert picture() == before


def test_the_only_login_becomes_that_of_the_person(two, staff):
    one, other = two
    only = login(other)
    before = picture()

    done = merge(one, other, staff)

    assert Trainee.objects.get().user == only and User.objects.get(pk=only.pk).is_active
    undo(done, staff)
    assert picture() == before


def test_history_says_what_was_changed_without_whole_numbers(two, staff):
    one, other = two
    done = merge(one, other, staff, kept={"id_number": other.pk}, remark="one card")
    undo(done, staff)

    kinds = list(TraineeChange.objects.filter(trainee=one.pk).order_by("pk").values_list("kind", "origin", "by"))
    assert kinds == [(kind, f"duplicates.merge/{done.pk}", staff.pk) for kind in ("merged", "separated")]
    [merged] = TraineeChange.objects.filter(trainee=one.pk, kind="merged")
    assert merged.fields["id_number"] == ["622927********0028", "622927********0044"]
    assert TraineeChange.objects.filter(trainee=other.pk).count() == 2


# Counties


def test_people_of_two_counties_leave_every_region_true(staff):
    one = record("T2026-9000001", county=factories.region("622927"))
    other = record("T2026-9000002", county=factories.region("520526"))
    furnish(one, staff, "one", followers=[9_000, 12_000])
    furnish(other, staff, "other", followers=[5_000, 80_000, 120_000])
    pair_of(one, other)
    before = picture()

    done = merge(one, other, staff, kept={"county": other.pk})

    assert Trainee.objects.get().county_id == "520526"
    assert_regions_are_true()
    assert reconciled()
    assert standing_of("620000", on=TODAY) is None
    undo(done, staff)
    assert picture() == before


# Rights


def test_across_counties_only_the_head_office_merges(two, staff):
    one, other = two
    Trainee.objects.filter(pk=other.pk).update(county=factories.region("622926"))
    prefecture = factories.official("622900", is_superuser=False)
    prefecture.user_permissions.set(permissions())
    pair = pair_of(one, other)

    for decide in (
        lambda: merge_people(pair, stays=one.pk, by=prefecture),
        lambda: decide_different(pair, by=prefecture),
    ):
        with pytest.raises(RuleBroken):
            decide()

    assert DuplicatePair.objects.get().state == PairState.OPEN


def permissions():
    from django.contrib.auth.models import Permission

    return Permission.objects.filter(content_type__app_label="duplicates")


def test_a_county_merges_its_own_people_and_nobody_elses(two, staff):
    one, other = two
    here, there = factories.official("622927"), factories.official("520526")
    for user in (here, there):
        user.user_permissions.set(permissions())
    pair = pair_of(one, other)

    with pytest.raises(RuleBroken):
        merge_people(pair, stays=one.pk, by=there)
    done = merge_people(pair, stays=one.pk, by=here)
    with pytest.raises(RuleBroken):
        undo_merge(pair, by=there, reason="mine")
    undo_merge(pair, by=here, reason="sisters")

    assert not Merge.objects.in_force().exists() and done.by == here


def test_without_the_permission_nobody_merges(two):
    one, other = two
    viewer = factories.official("622927")
    pair = pair_of(one, other)

    with pytest.raises(RuleBroken):
        merge_people(pair, stays=one.pk, by=viewer)

    assert Trainee.objects.count() == 2


# Decided once


def test_a_decided_pair_is_not_merged(two, staff):
    one, other = two
    pair = pair_of(one, other)
    decide_different(pair, by=staff)
    with pytest.raises(Stale):
        merge_people(pair, stays=one.pk, by=staff)

    with pytest.raises(Stale):
        decide_different(pair, by=staff)


def test_what_changed_since_the_page_was_opened_is_not_merged(two, staff):
    one, other = two
    pair = pair_of(one, other)
    seen = fingerprint(one, other, plan_merge(one.pk, other.pk))
    nominate_trainees([other], cohort=factories.CohortFactory(), on=TODAY, by=staff)

    with pytest.raises(Stale):
        merge_people(pair, stays=one.pk, by=staff, seen=seen)

    fresh = fingerprint(one, other, plan_merge(other.pk, one.pk))
    assert merge_people(pair, stays=one.pk, by=staff, seen=fresh)


def test_the_record_that_stays_is_one_of_the_two(two, staff):
    one, other = two
    with pytest.raises(RuleBroken):
        merge_people(pair_of(one, other), stays=10**9, by=staff)


# The other questions


def test_questions_about_the_record_that_goes_become_questions_about_the_other(two, staff):
    one, other = two
    third, fourth, fifth = (record(f"T2026-900000{n}") for n in (3, 4, 5))
    pair_of(other, third)
    pair_of(one, fourth)
    decide_different(pair_of(other, fourth), by=staff)
    decide_different(pair_of(one, fifth), by=staff)
    pair_of(other, fifth)
    pair = pair_of(one, other)
    before = picture()

    merge_people(pair, stays=one.pk, by=staff)

    asked = dict(DuplicatePair.objects.exclude(pk=pair.pk).values_list("second", "state"))
    assert asked == {third.pk: "open", fourth.pk: "different", fifth.pk: "different"}
    assert set(DuplicatePair.objects.exclude(pk=pair.pk).values_list("first", flat=True)) == {one.pk}
    undo_merge(pair, by=staff, reason="sisters")
    assert picture() == before


def test_a_pair_that_was_merged_and_undone_survives_being_one_question_with_another(two, staff):
    one, other = two
    third = record("T2026-9000003")
    undone = merge(other, third, staff)
    undo(undone, staff)
    decide_different(pair_of(one, third), by=staff)
    before = picture()

    done = merge(one, other, staff)

    assert Merge.objects.get(pk=undone.pk).pair_id == DuplicatePair.objects.get(second=third.pk).pk
    undo(done, staff)
    assert {k: v for k, v in picture().items() if k != "duplicates_duplicatepair"} == {
        k: v for k, v in before.items() if k != "duplicates_duplicatepair"
    }
    assert Merge.objects.get(pk=undone.pk).pair.first_id == other.pk


# What stands in the way of undoing


def obstacles(done):
    return undo_obstacles(Merge.objects.select_related("survivor").get(pk=done.pk), at=timezone.now())


CAME_SINCE = {
    "participation": lambda one, staff: nominate_trainees([one], cohort=factories.CohortFactory(), on=TODAY, by=staff),
    "account": lambda one, staff: factories.CreatorAccountFactory(trainee=one),
    "award": lambda one, staff: award(one.participations.first(), staff, "XC-9"),
    "account moved": lambda one, staff: CreatorAccount.objects.filter(handle="ks-other").update(
        trainee=record("T2026-9000009")
    ),
    "identity edited": lambda one, staff: Trainee.objects.filter(pk=one.pk).update(education="硕士"),
    "another merge": lambda one, staff: merge(one, record("T2026-9000008"), staff),
    "merged away": lambda one, staff: merge(record("T2026-9000008"), one, staff),
    "applied roster": lambda one, staff: RosterRow.objects.create(
        roster=RosterRow.objects.first().roster, number=9, status="matched", trainee=one
    ),
}


@pytest.mark.parametrize("what", CAME_SINCE)
def test_what_depends_on_a_merge_is_listed_and_nothing_is_undone(two, staff, what):
    one, other = two
    done = merge(one, other, staff)
    assert obstacles(done) == []
    CAME_SINCE[what](one, staff)
    before = picture(without=())

    found = obstacles(done)
    with pytest.raises(RuleBroken) as refusal:
        undo(done, staff)

    assert len(found) >= 1 and found[0] in str(refusal.value)
    assert picture(without=()) == before


def test_somebody_with_the_freed_id_number_stands_in_the_way(two, staff):
    one, other = two
    done = merge(one, other, staff)
    assert Trainee.objects.get(pk=one.pk).id_number == ID_ONE
    record("T2026-9000007", id_number=ID_OTHER)

    assert any(other.number in sentence for sentence in obstacles(done))
    with pytest.raises(RuleBroken):
        undo(done, staff)


def test_what_hangs_on_moved_rows_goes_back_with_them(two, staff):
    """Nightly readings, marks and grants of a participation that moved as a whole are no obstacle."""
    one, other = two
    done = merge(one, other, staff)
    moved = CreatorAccount.objects.get(handle="ks-other")
    write_readings([(moved.pk, TODAY + timedelta(days=1), 121_000, None)], source="api", at=timezone.now())
    participation = Participation.objects.get(cohort__rosters__file_name="名册other.xlsx")
    Attendance.objects.create(
        session=factories.SessionFactory(), participation=participation, state="present", minutes=45, marked_by=staff
    )
    CreatorAccount.objects.filter(pk=moved.pk).update(state="needs_consent")

    undo(done, staff)

    assert moved.readings.count() == 4
    assert CreatorAccount.objects.get(pk=moved.pk).trainee_id == other.pk
    assert Participation.objects.get(pk=participation.pk).trainee_id == other.pk
    assert participation.attendances.count() == 2
    assert_regions_are_true()


def test_what_came_to_a_joined_participation_stands_in_the_way(same_cohort, staff):
    one, other, _ours, theirs = same_cohort
    done = merge(one, other, staff)
    Attendance.objects.create(
        session=factories.SessionFactory(), participation=theirs, state="present", minutes=45, marked_by=staff
    )

    assert len(obstacles(done)) == 1


def test_a_preview_that_knows_the_person_is_no_obstacle(two, staff):
    one, other = two
    done = merge(one, other, staff)
    roster = RosterRow.objects.first().roster
    type(roster).objects.filter(pk=roster.pk).update(state="checked", applied_by=None)
    RosterRow.objects.create(roster=roster, number=9, status="matched", trainee=one)

    assert obstacles(done) == []


def test_thirty_days_it_can_be_undone_and_then_what_was_kept_is_wiped(two, staff):
    one, other = two
    done = merge(one, other, staff)
    day = timedelta(days=1)

    assert undo_obstacles(done, at=done.at + 30 * day) == []
    assert undo_obstacles(done, at=done.at + 30 * day + timedelta(seconds=1)) != []
    assert forget_merges(at=done.at + 30 * day) == 0
    assert forget_merges(at=done.at + 30 * day + timedelta(seconds=1)) == 1
    assert Merge.objects.get().before is None
    assert obstacles(done) != []
    with pytest.raises(RuleBroken):
        undo(done, staff)
    assert forget_merges(at=done.at + 60 * day) == 0


def test_undoing_twice_is_refused(two, staff):
    done = merge(*two, staff)
    undo(done, staff)

    with pytest.raises(Stale):
        undo(done, staff)
    with pytest.raises(RuleBroken):
        undo_merge(done.pair, by=staff, reason=" ")


def test_a_key_that_was_retired_meanwhile_does_not_come_back(two, staff, settings):
    one, other = two
    done = merge(one, other, staff, kept={"phone": other.pk})
    settings.PERSONAL_DATA_OLD_KEYS = [settings.PERSONAL_DATA_KEY]
    settings.PERSONAL_DATA_KEY = "ab" * 32
    survivor = Trainee.objects.get(pk=one.pk)
    survivor.save(update_fields=["id_number", "phone"])  # what rotate_keys does, in short
    kept = Merge.objects.get(pk=done.pk)
    kept.save(update_fields=["before"])
    settings.PERSONAL_DATA_OLD_KEYS = []

    undo(done, staff)

    assert (Trainee.objects.get(pk=one.pk).id_number, Trainee.objects.get(pk=one.pk).phone) == (
        ID_ONE,
        "+8613800000001",
    )
    assert Trainee.objects.get(pk=other.pk).id_number == ID_OTHER


def test_asking_takes_one_statement_for_any_number(two, staff, django_assert_num_queries):
    one, other = two
    people = [one, other, *(record(f"T2026-80000{n:02d}") for n in range(20))]
    with django_assert_num_queries(1):
        assert ask_about([(a.pk, b.pk, "phone") for a in people for b in people]) == 22 * 21 / 2 - 1
    assert ask_about([(one.pk, other.pk, "name"), (one.pk, 10**9, "phone")]) == 0
    with pytest.raises(ValueError):
        ask_about([(one.pk, other.pk, "looks")])


def test_people_are_found_again_also_under_another_index_key(two, staff, settings):
    one, other = two
    done = merge(one, other, staff)
    settings.PERSONAL_INDEX_KEY = "cd" * 32
    Trainee.objects.filter(pk=one.pk).update(
        id_number_index=id_number_index(ID_ONE), phone_index=phone_index("+8613800000001")
    )

    undo(done, staff)

    assert Trainee.objects.filter(person_q(ID_ONE)).get() == one
    assert Trainee.objects.filter(person_q(ID_OTHER)).get() == other
    assert Trainee.objects.filter(person_q("13800000002")).get() == other
