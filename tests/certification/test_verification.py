"""Awards decided anew: what was tampered with is found, what a later correction explains is told apart."""

from copy import deepcopy
from datetime import date, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from courses.models import Attendance, AttendanceChange
from courses.services import mark_attendance
from incubator.certification.interests import awards_and_those_who_have_none
from incubator.certification.models import Award, AwardCheck, Candidate, Flag
from incubator.certification.proof import prove, runs
from incubator.certification.services import check_awards, evaluate, withdraw_award
from incubator.certification.services.checks import awards_without_evidence, eligible_without_award
from incubator.certification.services.dossiers import digest_of
from incubator.certification.services.verification import verify_awards
from incubator.certification.services.works import take_back_work
from incubator.metrics.models import Alarm, Correction, CreatorAccount, Reading
from incubator.metrics.services.alarms import check_freshness
from incubator.programmes.choices import ParticipationState
from incubator.programmes.models import Participation
from incubator.programmes.support import extend_support, take_back_support_change
from tests import factories
from tests.certification.test_explaining import FIRST, GRADUATED, followers, graduate, note, rule_of
from tests.world import in_training

pytestmark = pytest.mark.django_db

ON = FIRST + timedelta(days=40)


@pytest.fixture
def rule():
    return rule_of({"all": [GRADUATED, followers(held_days=3)]})


HISTORY = [(4, 99_000), (5, 100_000), (6, 101_000), (7, 102_000), (8, 103_000), (9, 98_000)]


def awarded(*readings, **kwargs):
    graduate(*(readings or HISTORY), **kwargs)
    assert evaluate(on=ON)
    return factories.approve(Candidate.objects.latest("pk"), by=factories.UserFactory(), on=ON)


def told():
    """``(code, is explained)`` of everything that is found."""
    return [(finding.code, finding.is_explained) for finding in verify_awards()]


def forge(award, change, *, with_digest=False):
    """The dossier changed as nobody may: past the database's guard."""
    dossier = deepcopy(award.evidence)
    change(dossier)
    if with_digest:
        dossier["digest"] = digest_of(dossier)
    write(dossier)


def write(dossier):
    factories.rewrite_award(Award.objects.get(), evidence=dossier)


def test_an_award_as_given_is_proved(rule):
    award = awarded()

    assert told() == []
    assert prove(award.evidence).is_met and prove(award.evidence).by_word == ()


def lower_readings(dossier):
    for reading in dossier["readings"]:
        reading["followers"] = 99_999


def shorten(dossier):
    dossier["readings"] = dossier["readings"][:3]


def end_before(dossier):
    dossier["participation"]["support_ends_on"] = dossier["participation"]["support_starts_on"]


def graduate_later(dossier):
    dossier["participation"]["graduated_on"] = "2027-01-01"


def ask_for_less(dossier):
    dossier["rule"]["conditions"]["all"][1]["held_days"] = 1


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        (lower_readings, {"conditions", "reading"}),
        (shorten, {"conditions"}),
        (end_before, {"conditions"}),
        (graduate_later, {"conditions"}),
        (ask_for_less, {"rule"}),
        (lambda dossier: dossier["decided"].update(by="nobody"), set()),
    ],
)
@pytest.mark.parametrize("with_digest", [False, True])
def test_a_forged_dossier_is_found(rule, change, codes, with_digest):
    forge(awarded(), change, with_digest=with_digest)

    found = {code for code, is_explained in told() if not is_explained}

    assert found == codes | (set() if with_digest else {"digest"})


@pytest.mark.parametrize("evidence", [{}, {"form": 2}, {"reading": {"handle": "x"}}, []])
def test_what_is_no_dossier_is_said_to_be_none(rule, evidence):
    awarded()
    write(evidence)

    assert told() == [("dossier", False)]


def first_form(dossier, **changes):
    """A dossier as they were before rules were data."""
    reading = dossier["reading"]
    person, decided = dossier["participation"], dossier["decided"]
    dossier.clear()
    dossier |= {
        "rule": {"badge": "b", "version": 1, "followers": 100_000, "strict": False} | changes,
        "reading": reading,
        "participation": person,
        "graduation": {},
        "decided": decided,
    }


def test_old_dossiers_are_checked_for_what_they_have(rule):
    award = awarded()
    forge(award, first_form)
    assert told() == []

    forge(award, lambda dossier: first_form(dossier, strict=True))
    assert told() == [("conditions", False)]


def test_a_reading_changed_behind_the_award_is_found(rule):
    awarded()
    Reading.objects.filter(day=FIRST + timedelta(days=6)).update(followers=1)

    assert sorted(told()) == [("raw", False), ("reading", False)]


def correct(day, old, new, at):
    account = CreatorAccount.objects.get()
    Reading.objects.filter(day=day).update(followers=new)
    Correction.objects.create(
        account=account,
        day=day,
        old_followers=old,
        new_followers=new,
        old_source="file",
        new_source="api",
        old_fetched_at=at,
        new_fetched_at=at,
    )


def test_a_correction_after_the_award_explains_it(rule):
    awarded()
    day, at = FIRST + timedelta(days=6), timezone.now()
    correct(day, 101_000, 100_500, at + timedelta(minutes=1))
    assert told() == [("reading", True)]
    correct(day, 100_500, 90_000, at + timedelta(minutes=2))
    assert sorted(told()) == [("raw", True), ("reading", True)]


@pytest.mark.parametrize(
    ("old", "new", "later"),
    [
        (100_999, 90_000, 60),  # it found another figure than the dossier has
        (101_000, 90_000, -86_400),  # it was known when the award was given
    ],
)
def test_a_correction_of_something_else_explains_nothing(rule, old, new, later):
    awarded()
    correct(FIRST + timedelta(days=6), old, new, timezone.now() + timedelta(seconds=later))

    assert ("reading", False) in told()


def test_a_figure_other_than_the_last_correction_is_not_explained(rule):
    awarded()
    correct(FIRST + timedelta(days=6), 101_000, 100_500, timezone.now() + timedelta(minutes=1))
    Reading.objects.filter(day=FIRST + timedelta(days=6)).update(followers=90_000)

    assert ("reading", False) in told()


def test_a_question_raised_later_explains_it():
    rule_of({"all": [GRADUATED, followers(), {"kind": "no_open_flag"}]})
    awarded()
    Flag.objects.create(account=CreatorAccount.objects.get(), kind="inflation", day=FIRST)
    assert told() == [("raw", True)]
    Flag.objects.update(raised_at=timezone.now() - timedelta(days=9))
    assert told() == [("raw", False)]


def approved(on=ON):
    assert evaluate(on=on)
    factories.approve(Candidate.objects.get(), by=factories.UserFactory(), on=on)
    assert told() == []


def test_a_period_moved_later_explains_it():
    rule_of({"all": [GRADUATED, followers()]})
    person, staff = graduate((32, 120_000)), factories.UserFactory()  # its 30 days are over by then
    given = {"days": 10, "cause": "other", "reason": "迟开班"}
    change = extend_support(person, **given, by=staff, on=FIRST + timedelta(days=20))
    approved()

    take_back_support_change(change, reason="录错", by=staff, on=ON)

    assert told() == [("raw", True)]


def test_a_work_taken_back_later_explains_it():
    rule_of({"all": [GRADUATED, {"kind": "published", "number": 1}]})
    work = note(graduate(), FIRST)
    approved()

    take_back_work(work, by=factories.UserFactory(), reason="不是本人的作品")

    assert told() == [("raw", True)]


def test_attendance_corrected_later_explains_it():
    rule_of({"kind": "class_hours", "number": "16.0"})
    person = in_training("T1", sessions=2)
    approved(on=timezone.localdate())

    session = person.attendances.first().session
    mark_attendance(session, marks={person.pk: ("absent", None)}, by=factories.UserFactory(), reason="误记")

    assert told() == [("raw", True)]


def test_what_gave_more_later_explains_nothing():
    rule_of({"all": [GRADUATED, followers()]})
    person = graduate((9, 120_000))
    approved()
    Reading.objects.update(followers=90_000)

    given = {"days": 10, "cause": "other", "reason": "迟开班"}
    extend_support(person, **given, by=factories.UserFactory(), on=FIRST + timedelta(days=20))

    assert sorted(told()) == [("raw", False), ("reading", False)]


@pytest.mark.parametrize("after", ["present", "on_leave"])
def test_attendance_that_counted_nothing_before_explains_nothing(after):
    rule_of({"kind": "class_hours", "number": "16.0"})
    person = in_training("T1", sessions=2)
    approved(on=timezone.localdate())
    one, other = person.attendances.all()
    Attendance.objects.filter(pk=one.pk).update(state="absent", minutes=0)

    before = {"method_before": other.method, "marked_by_before": other.marked_by, "marked_at_before": other.marked_at}
    told_later = {"state_after": after, "minutes_after": 45, "by": other.marked_by, "reason": "补记"}
    AttendanceChange.objects.create(attendance=other, state_before="absent", minutes_before=0, **before, **told_later)

    assert told() == [("raw", False)]


def test_readings_that_are_kept_no_longer_are_explained(rule, settings):
    awarded()
    Reading.objects.all().delete()
    assert {code for code, is_explained in told() if not is_explained} == {"raw", "reading"}
    settings.READINGS_KEEP_MONTHS = 1
    assert {code for code, _is_explained in told()} <= {"dropped"} or timezone.localdate() < date(2026, 9, 1)


def test_conditions_without_figures_rest_on_the_dossier_s_word():
    rule_of({"all": [{"kind": "published", "number": 1}, {"any": [followers(), followers(200_000, when="ever")]}]})
    person = graduate(*HISTORY)
    note(person, FIRST)
    evaluate(on=ON)
    award = factories.approve(Candidate.objects.get(), by=factories.UserFactory(), on=ON)

    proof = prove(award.evidence)

    assert (proof.is_met, proof.unmet, proof.by_word) == (True, (), (1,))
    assert told() == []


def test_statements_do_not_grow_with_awards(rule):
    used = []
    for count in (1, 12):
        for _n in range(count):
            awarded()
        with CaptureQueriesContext(connection) as captured:
            assert told() == []
        used.append(len(captured))

    assert used[0] == used[1] <= 4


@pytest.mark.parametrize(
    ("days", "found"),
    [
        ([(1, 9), (2, 10), (3, 11), (5, 12)], [(2, 5)]),
        ([(1, 10), (2, 9), (3, 10)], [(1, 1), (3, 3)]),
        ([(1, 10), (8, 10), (16, 10)], [(1, 8), (16, 16)]),
        ([(3, 10), (1, 10)], [(1, 3)]),
        ([(1, 10), (2, 10), (30, 10)], [(1, 2)]),
        ([], []),
    ],
)
def test_runs_of_a_dossier(days, found):
    readings = [(FIRST + timedelta(days=day), number) for day, number in days]

    told = list(runs(readings, 10, first=FIRST, until=FIRST + timedelta(days=20)))

    assert told == [(FIRST + timedelta(days=a), FIRST + timedelta(days=b)) for a, b in found]


# --- The guard of the database ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"evidence": {}},
        {"number": "XC-1"},
        {"code": "A" * 20},
        {"awarded_on": FIRST},
        {"badge": None},
        {"awarded_by": None},
        {"candidate": None},
    ],
)
def test_what_an_award_says_is_never_changed(rule, change):
    award = awarded()
    others = {
        "badge": lambda: factories.BadgeFactory(),
        "awarded_by": lambda: factories.UserFactory(),
        "candidate": lambda: another_candidate(),
    }
    change = {name: others[name]() if value is None else value for name, value in change.items()}

    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        Award.objects.filter(pk=award.pk).update(**change)


def another_candidate():
    graduate(*HISTORY)
    evaluate(on=ON)
    return Candidate.objects.latest("pk")


def test_all_else_of_an_award_may_change(rule):
    award, other = awarded(), factories.TraineeFactory()

    Award.objects.filter(pk=award.pk).update(trainee=other, holder_name="另一个", name_shown_since=timezone.now())
    withdraw_award(award, by=factories.UserFactory(), reason="失实")


# --- Every morning ----------------------------------------------------------------------------------------------------


def alarms():
    check_freshness(at=timezone.now())
    return set(Alarm.objects.open().filter(kind__in=["not_awarded", "unproven"]).values_list("kind", flat=True))


def test_who_meets_a_rule_and_was_never_found_is_an_alarm_until_found(rule):
    person = graduate(*HISTORY)
    assert [(r, p.pk) for r, p in eligible_without_award(on=ON)] == [(rule, person.pk)]
    assert check_awards(on=ON).eligible == 1
    assert alarms() == {"not_awarded"}

    evaluate(on=ON)
    check = check_awards(on=ON)

    assert (check.eligible, AwardCheck.objects.count()) == (0, 1)
    assert alarms() == set()


def test_whoever_is_a_candidate_in_any_state_or_holds_it_is_not_missed(rule):
    award = awarded()
    assert eligible_without_award(on=ON) == []
    newer = factories.RuleFactory(badge=rule.badge, version=2, followers=50_000)
    assert eligible_without_award(on=ON) == []  # holds the badge
    withdraw_award(award, by=factories.UserFactory(), reason="失实")
    assert [r for r, _p in eligible_without_award(on=ON)] == [newer]
    evaluate(on=ON)
    Candidate.objects.filter(rule=newer).update(state="lapsed")
    assert eligible_without_award(on=ON) == []


def test_an_award_that_nothing_proves_is_an_alarm_until_it_is_withdrawn(rule):
    award = awarded()
    Reading.objects.filter(day=FIRST + timedelta(days=6)).update(followers=1)

    check = check_awards(on=ON)

    assert (check.awards, check.unproven) == (1, 1)
    assert sorted(check.findings["unproven"]) == [[award.number, "raw"], [award.number, "reading"]]
    assert alarms() == {"unproven"}
    withdraw_award(award, by=factories.UserFactory(), reason="失实")
    check_awards(on=ON)
    assert alarms() == set()


def test_an_award_without_its_graduation_is_found(rule):
    award = awarded()
    Participation.objects.update(state=ParticipationState.WITHDRAWN)

    unproven, _explained, _count = awards_without_evidence()

    assert (award.number, "not_graduated") in unproven


def test_an_explained_difference_is_no_alarm(rule):
    awarded()
    correct(FIRST + timedelta(days=6), 101_000, 100_500, timezone.now() + timedelta(minutes=1))

    check = check_awards(on=ON)

    assert (check.unproven, check.explained) == (0, 1)


def test_reconcile_tells_of_both_and_by_region(rule):
    person = graduate(*HISTORY, trainee=factories.TraineeFactory(county=factories.region("622926")))
    factories.region("622927")

    assert len(list(awards_and_those_who_have_none(ON, ""))) == 1
    assert len(list(awards_and_those_who_have_none(ON, "622926"))) == 1
    assert len(list(awards_and_those_who_have_none(ON, "622927"))) == 0
    out = StringIO()
    with pytest.raises(CommandError, match="differences"):
        call_command("reconcile", day=ON, stdout=out)
    assert person.trainee.number in out.getvalue() and person.trainee.name not in out.getvalue()


# --- The command ------------------------------------------------------------------------------------------------------


def run(**options):
    out = StringIO()
    call_command("verify_awards", stdout=out, **options)
    return out.getvalue()


def test_command_says_that_all_are_proved(rule):
    awarded()

    assert "1" in run()


def test_command_tells_each_finding_on_a_line_and_ends_with_1(rule):
    award = awarded()
    Reading.objects.filter(day=FIRST + timedelta(days=6)).update(followers=1)
    out = StringIO()

    with pytest.raises(CommandError) as told:
        call_command("verify_awards", stdout=out)

    assert told.value.returncode == 1
    assert [line.split(":")[0] for line in out.getvalue().splitlines()] == [award.number] * 2
    assert award.trainee.name not in out.getvalue()


def test_command_takes_a_region_and_a_year(rule):
    awarded(trainee=factories.TraineeFactory(county=factories.region("622926")))
    factories.region("622927")
    Reading.objects.filter(day=FIRST + timedelta(days=6)).update(followers=1)

    assert "0" in run(county="622927") and "0" in run(year=2025)
    for options in ({"county": "622900"}, {"year": 2026}):
        with pytest.raises(CommandError):
            run(**options)
    with pytest.raises(CommandError) as told:
        run(county="999999")
    assert told.value.returncode == 2


def test_an_explained_finding_is_told_and_ends_with_0(rule):
    awarded()
    correct(FIRST + timedelta(days=6), 101_000, 100_500, timezone.now() + timedelta(minutes=1))

    assert len(run().splitlines()) == 2
