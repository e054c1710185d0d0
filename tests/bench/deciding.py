"""Graduation of a whole cohort: our one decision beside a loop over its people, as one would write it with the ORM."""

import random
import time
from collections import defaultdict
from datetime import date, timedelta
from typing import Any

from django.core.management import call_command

from tests.bench.measure import Result, benchmark, rate, runs_at, timed
from tests.bench.servers import database
from tests.bench.world import run, say

CLASS, SESSIONS, A_DAY = 50, 30, 6  # people a class, sessions a class, sessions a day
LOOPED = 400  # people of whom the loop is measured
ON = date(2026, 7, 1)

PEOPLE = """
INSERT INTO trainees_trainee (number, name, initials, county_id, sex, background, education, township, id_number_index,
    phone_index, created_at)
SELECT 'D' || lpad(n::text, 9, '0'), '学员' || n, 'xy', %(county)s, '', '', '', '', NULL, NULL, now()
FROM generate_series(1, %(people)s) AS n
"""
PARTICIPATIONS = """
INSERT INTO programmes_participation (trainee_id, cohort_id, state, nominated_on)
SELECT id, %(cohort)s, 'training', '2026-03-01' FROM trainees_trainee ORDER BY id
"""
CLASSES = """
INSERT INTO courses_trainingclass (cohort_id, name, kind, level, region_id, place, head_teacher, capacity, feed_key)
SELECT %(cohort)s, '班' || n, 'concentrated', 'basic', %(county)s, '', '', %(size)s, 'key' || n
FROM generate_series(1, %(classes)s) AS n
"""
TIMETABLE = """
INSERT INTO courses_session (training_class_id, version_id, starts_at, ends_at, room, asks_check_out, check_in_key)
SELECT class.id, (%(versions)s::bigint[])[1 + n %% 4],
    '2026-05-04 08:00+08'::timestamptz + since, '2026-05-04 09:30+08'::timestamptz + since, '', false, ''
FROM courses_trainingclass class CROSS JOIN generate_series(0, %(sessions)s - 1) AS n
CROSS JOIN LATERAL make_interval(days => n / %(a_day)s, hours => n %% %(a_day)s * 2) AS since
"""
ENROLMENTS = """
INSERT INTO courses_enrolment (training_class_id, participation_id, state, since)
SELECT class.id, person.id, 'enrolled', now()
FROM (SELECT id, (row_number() OVER (ORDER BY id) - 1) / %(size)s AS place FROM programmes_participation) AS person
JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM courses_trainingclass) AS class USING (place)
"""
# Session after session, as classes are marked; about one mark in nine says absent.
MARKS = """
INSERT INTO courses_attendance (session_id, participation_id, state, minutes, method, marked_by_id, marked_at)
SELECT session.id, enrolment.participation_id,
    CASE WHEN (session.id * 7 + enrolment.participation_id) %% 9 = 0 THEN 'absent' ELSE 'present' END,
    CASE WHEN (session.id * 7 + enrolment.participation_id) %% 9 = 0 THEN 0 ELSE 90 END, 'staff', %(by)s, now()
FROM courses_session session JOIN courses_enrolment enrolment USING (training_class_id) ORDER BY session.starts_at
"""
ASSESSMENTS = """
INSERT INTO courses_assessment (training_class_id, title, kind, full_marks, pass_marks, is_required, most_attempts)
SELECT id, '结业考核', 'written', 100, 60, true, 2 FROM courses_trainingclass
"""
ATTEMPTS = """
INSERT INTO courses_attempt
    (assessment_id, participation_id, number, link, marks, marked_by_id, marked_at, appeal_reason)
SELECT assessment.id, enrolment.participation_id, 1, '', 55 + enrolment.participation_id %% 40, %(by)s, now(), ''
FROM courses_assessment assessment JOIN courses_enrolment enrolment USING (training_class_id)
"""
TABLES = """trainees_trainee, programmes_participation, courses_session, courses_enrolment, courses_attendance,
    courses_attempt"""


@benchmark("cohort_decision_100k")
def cohort_decision_100k(accounts: int) -> list[Result]:
    """People a second who are decided about: judged, and where they graduate, written with facts, move and support."""
    people, runs = max(2_000, accounts // 10), runs_at(accounts)
    ours: list[float] = []
    with database("deciding"):
        say(f"cohort_decision_100k: filling {people:,} people, {people * SESSIONS:,} marks")
        call_command("load_divisions", verbosity=0)
        cohort, by = fill(people)
        run(f"VACUUM {TABLES}")
        for n in range(1, runs + 1):
            say(f"cohort_decision_100k: measuring, run {n} of {runs}")
            graduated = _ours(cohort, by, ours)
        say("cohort_decision_100k: measuring the baseline")
        looped, theirs = _loop(cohort, by)
    what = (
        f"deciding graduation of a cohort of {people:,} people, {SESSIONS} sessions and one assessment each: "
        f"{graduated:,} graduate, with the figures kept, their change of state and support period. Baseline: an ORM "
        f"loop that judges and graduates {looped} of the same people one by one."
    )
    return [Result("cohort_decision_100k", what, "people/s", rate(people, ours), looped / theirs, runs=runs)]


def fill(people: int) -> tuple[Any, Any]:
    """A cohort in training and who decides about it: classes of 50, each with 30 sessions marked and one assessment."""
    from django.db import connection

    from courses.services import add_course, set_graduation_rule
    from incubator.accounts.models import User
    from incubator.programmes.models import Cohort, Programme
    from incubator.regions.models import Region

    by = User.objects.create(username="decider")
    programme = Programme.objects.create(name="基准")
    cohort = Cohort.objects.create(programme=programme, name="一", starts_on=ON, ends_on=ON + timedelta(days=365))
    set_graduation_rule(cohort, by=by, min_hours=20, min_attendance_percent=75)
    kinds = ("professional", "professional", "general", "practice")
    versions = [add_course(f"B{n}", by=by, title=kind, kind=kind, hours=8).current_id for n, kind in enumerate(kinds)]
    values = {
        "people": people, "county": Region.objects.filter(level="county").earliest("code").pk, "cohort": cohort.pk,
        "size": CLASS, "classes": -(-people // CLASS), "versions": versions, "sessions": SESSIONS, "a_day": A_DAY,
        "by": by.pk,
    }  # fmt: skip
    with connection.cursor() as cursor:
        for statement in (PEOPLE, PARTICIPATIONS, CLASSES, TIMETABLE, ENROLMENTS, MARKS, ASSESSMENTS, ATTEMPTS):
            cursor.execute(statement, values)
        cursor.execute(f"ANALYZE {TABLES}")
    return cohort, by


def _ours(cohort: Any, by: Any, seconds: list[float]) -> int:
    """Decide, and take it back, so that every run finds the same."""
    from django.db import transaction

    from courses.models import Graduation
    from courses.services import decide_graduation

    with transaction.atomic():
        with timed(seconds):
            decide_graduation(cohort=cohort, on=ON, by=by)
        graduated = Graduation.objects.count()
        transaction.set_rollback(True)
    say(f"  decided in {seconds[-1]:.1f} s")
    return graduated


def _loop(cohort: Any, by: Any) -> tuple[int, float]:
    """As one would write it: each person's marks, class and assessment are asked for, judged, and written."""
    from django.db import transaction

    from incubator.programmes.models import Participation

    people = list(Participation.objects.filter(cohort=cohort).select_related("cohort").order_by("pk"))
    chosen = random.Random(1).sample(people, min(LOOPED, len(people)))
    rule = cohort.graduation_rules.current().get()
    with transaction.atomic():
        began = time.perf_counter()
        for person in chosen:
            _decide_one(person, rule, by)
        took = time.perf_counter() - began
        transaction.set_rollback(True)
    return len(chosen), took


def _decide_one(person: Any, rule: Any, by: Any) -> None:
    from courses.models import Attempt, Graduation
    from incubator.programmes.models import Participation, ParticipationMove

    minutes: dict[str, int] = defaultdict(int)
    days, attended = set(), 0
    for mark in person.attendances.filter(state="present").select_related("session__version"):
        minutes[mark.session.version.kind] += mark.minutes
        attended += mark.minutes
        days.add(mark.session.starts_at.date())
    enrolment = person.enrolments.select_related("training_class").get(state="enrolled")
    due = sum(session.minutes for session in enrolment.training_class.sessions.all())
    needed = enrolment.training_class.assessments.filter(is_required=True)
    passed = all(
        any(a.final_marks >= one.pass_marks for a in Attempt.objects.filter(assessment=one, participation=person))
        for one in needed
    )
    counted = minutes["professional"] + minutes["practice"] + min(minutes["general"], 8 * 45)
    is_enough = (
        len(days) >= rule.min_days
        and minutes["professional"] >= rule.min_professional_hours * 45
        and counted >= rule.min_hours * 45
        and attended * 100 >= due * rule.min_attendance_percent
        and passed
    )
    if not is_enough:
        return
    Participation.objects.filter(pk=person.pk, state="training").update(
        state="graduated",
        graduated_on=ON,
        support_starts_on=ON,
        support_ends_on=ON + timedelta(days=person.cohort.support_days - 1),
    )
    ParticipationMove.objects.create(participation=person, before="training", after="graduated", by=by)
    Graduation.objects.create(
        participation=person, rule=rule, graduated_on=ON, decided_by=by, facts={**minutes, "days": len(days)}
    )
