"""The desk's pages of people with a million of them: p95 of the list, of each search and filter, of a person's page.

Each kind of request is made by a programme manager, who sees the country, and by the clerk of the largest county, each
time with other words, through Django's test client: login, permissions, queries and the whole HTML. The baseline makes
the queries of the stock ``ModelAdmin`` for the same question, and no HTML: COUNT of everything, ``icontains`` over the
same columns, joins, its drop-downs left out.
"""

import math
import os
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import batched
from pathlib import Path
from typing import Any

import time_machine
from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import connection
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from incubator.accounts.choices import Role, StaffGroup
from incubator.accounts.models import Posting, User
from incubator.regions.models import Region
from tests.bench.measure import Result, benchmark
from tests.bench.servers import database
from tests.bench.world import make_month, month_of, one, run, say
from trainees.models import Trainee
from trainees.services import NewTrainee, enter_trainees

LIMIT_MS = 300
ROUNDS = 40  # requests of each kind and person, each with other words
QUICK_ROUNDS = 3  # on a quick pass, whose figures say little
STOCK_ROUNDS = 3  # the baseline takes seconds a request
BIG = "622927"  # the clerk's county holds one person in fifty: more than any real one
YEARS = range(2019, 2027)
CHUNK = 5_000
SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹曾单区仇查解翟覃"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英文华玉萍红建国志梅兰春花晓东海燕雪云飞鹏宇浩然子轩"
BACKGROUNDS = [("other", 40), ("founder", 25), ("graduate", 20), ("recorder", 12), ("cadre", 3)]


# --- A country of people --------------------------------------------------------------------------------------------


def _fill(people: int) -> None:
    """That many people, entered by the service, county by county and year by year as rosters bring them; once."""
    if one("SELECT count(*) FROM trainees_trainee") == people and one("SELECT count(*) FROM metrics_consentevent"):
        return
    say(f"Entering {people:,} people")
    run("TRUNCATE trainees_trainee, metrics_creatoraccount, programmes_programme CASCADE")
    call_command("load_divisions", verbosity=0)
    began = time.perf_counter()
    for number, some in enumerate(batched(_people(people), CHUNK, strict=False)):
        for year, chunk in _by_year(some):
            day = date(year, 3, 1) + timedelta(days=number * 7 % 270)
            with time_machine.travel(datetime(day.year, day.month, day.day, 8, tzinfo=UTC), tick=False):
                enter_trainees(chunk, year=year)
    say(f"  entered in {time.perf_counter() - began:.0f} s")
    for statement in HANGING_ON:
        run(statement)
    _whole_stories()
    run("VACUUM ANALYZE")


def _people(people: int) -> Iterator[tuple[int, NewTrainee]]:
    """``(year, person)`` in the order in which they are entered."""
    dice = random.Random(7)
    counties = list(Region.objects.with_people().current().select_related("province").order_by("code"))
    big = next(county for county in counties if county.pk == BIG)
    places = dice.choices([*counties, big], weights=[1.0] * len(counties) + [len(counties) / 49], k=10_000)
    backgrounds, weights = zip(*BACKGROUNDS, strict=True)
    for n in range(people):
        year = YEARS[n * len(YEARS) // people]
        county = places[(n // 50) % len(places)]  # a roster is fifty people
        name = invented_name(dice)
        born_on = date(1985, 1, 1) + timedelta(days=n // 1000 * 7 % 7000)  # with n, so that no number comes twice
        number = _id_number(county.pk, born_on, n)
        sex = "" if n % 97 == 0 else "male" if int(number[16]) % 2 else "female"
        [background] = dice.choices(backgrounds, weights)
        yield year, NewTrainee(name, county, sex, born_on, "吹麻滩镇", background, "大专", number, f"+86139{n:08d}")


def invented_name(dice: random.Random) -> str:
    return dice.choice(SURNAMES) + "".join(dice.choices(GIVEN, k=dice.choice((1, 2, 2))))


def _by_year(some: tuple) -> list[tuple[int, list[NewTrainee]]]:
    years = dict.fromkeys(year for year, _person in some)
    return [(year, [person for y, person in some if y == year]) for year in years]


def _id_number(county: str, born_on: date, n: int) -> str:
    """18 characters with the check digit of GB 11643; nobody's but by accident."""
    body = f"{county}{born_on:%Y%m%d}{n % 1000:03d}"
    weights = [pow(2, 17 - place, 11) for place in range(17)]
    check = sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True)) % 11
    return body + "10X98765432"[check]


# Each year has its cohort; nineteen of twenty have an account, four in five of those connected.
HANGING_ON = [
    "INSERT INTO programmes_programme (name, description) VALUES ('农村青年主播', ''), ('返乡创业', '')",
    """INSERT INTO programmes_cohort (programme_id, name, starts_on, ends_on, support_days, max_age, min_age,
        out_of_age, without_id_number, without_phone, without_account)
    SELECT programme.id, year || '年', make_date(year, 3, 1), make_date(year, 12, 31), 180, 35, 16,
        'warn', 'refuse', 'refuse', 'ignore'
    FROM generate_series(2019, 2026) AS year
    JOIN programmes_programme programme ON (programme.name = '返乡创业') = (year %% 4 = 0)""",
    """INSERT INTO programmes_participation
        (trainee_id, cohort_id, state, nominated_on, graduated_on, support_starts_on, support_ends_on)
    SELECT trainee.id, cohort.id, state.state, cohort.starts_on,
        CASE WHEN state IN ('graduated', 'concluded') THEN cohort.starts_on + 60 END,
        CASE WHEN state IN ('graduated', 'concluded') THEN cohort.starts_on + 60 END,
        CASE WHEN state IN ('graduated', 'concluded') THEN cohort.starts_on + 239 END
    FROM trainees_trainee trainee
    JOIN programmes_cohort cohort ON cohort.starts_on = make_date(substr(trainee.number, 2, 4)::int, 3, 1)
    CROSS JOIN LATERAL (SELECT CASE
        WHEN trainee.id %% 50 = 0 THEN 'withdrawn' WHEN trainee.id %% 211 = 0 THEN 'refused'
        WHEN cohort.name < '2025' THEN 'concluded' WHEN cohort.name < '2026' THEN 'graduated'
        WHEN trainee.id %% 3 = 0 THEN 'admitted' ELSE 'training' END AS state) AS state""",
    """INSERT INTO metrics_creatoraccount (trainee_id, platform, handle, state)
    SELECT id, CASE id %% 3 WHEN 0 THEN 'douyin' ELSE 'kuaishou' END,
        CASE id %% 2 WHEN 0 THEN (3000000000 + id)::text ELSE initials || id END,
        CASE WHEN id %% 5 > 0 THEN 'linked' WHEN id %% 400 = 0 THEN 'gone' ELSE 'unlinked' END
    FROM trainees_trainee WHERE id %% 20 > 0""",
    """INSERT INTO metrics_latestreading (account_id, day, followers, peak, fetched_at, source)
    SELECT id, CURRENT_DATE, size, size, now(), 'api'
    FROM metrics_creatoraccount
    CROSS JOIN LATERAL (SELECT (40 + power(10::float8, 1.5 + (id %% 997) / 250::float8))::int AS size) AS size
    WHERE state = 'linked'""",
]

# One person in five thousand has a long story: that is whose page is opened.
STORIES = [
    """INSERT INTO metrics_reading (account_id, fetched_at, day, followers, source)
    SELECT account.id, day + interval '3 hours', day, 9000 + 300 * (day - CURRENT_DATE + 365), 'api'
    FROM metrics_creatoraccount account
    CROSS JOIN LATERAL (SELECT (CURRENT_DATE - n) AS day FROM generate_series(0, 364) AS n) AS days
    WHERE trainee_id %% 5000 = 1""",
    """INSERT INTO trainees_traineechange (trainee_id, kind, fields, by_id)
    SELECT trainee.id, 'edited', '{"township": ["甲镇", "乙镇"]}', auth.id
    FROM trainees_trainee trainee, accounts_user auth, generate_series(1, 100)
    WHERE trainee.id %% 5000 = 1 AND auth.username = 'bench-manager'""",
    """INSERT INTO grants_trafficpool (name, impressions, promised) VALUES ('流量池', 1000000000, 0)""",
    """INSERT INTO grants_grant
        (pool_id, participation_id, impressions, level, state, proposed_by_id, proposed_on, approved_on)
    SELECT pool.id, participation.id, 1000, 'first', 'approved', auth.id, CURRENT_DATE - n, CURRENT_DATE - n
    FROM grants_trafficpool pool, programmes_participation participation, accounts_user auth,
        generate_series(1, 30) AS n
    WHERE participation.trainee_id %% 5000 = 1 AND auth.username = 'bench-manager'""",
    """INSERT INTO programmes_participationmove (participation_id, before, after, by_id, at, reason)
    SELECT participation.id, 'nominated', 'admitted', auth.id, now(), ''
    FROM programmes_participation participation, accounts_user auth
    WHERE participation.trainee_id %% 5000 = 1 AND auth.username = 'bench-manager'""",
    """INSERT INTO metrics_consentevent (account_id, what, why, at, by_id)
    SELECT account.id, 'granted', '', now() - n * interval '20 days', NULL
    FROM metrics_creatoraccount account, generate_series(1, 20) AS n WHERE trainee_id %% 5000 = 1""",
]


def _whole_stories() -> None:
    for months_ago in range(13):
        make_month(month_of(timezone.localdate() - timedelta(days=30 * months_ago)))
    _people_who_look()
    for statement in STORIES:
        run(statement)


# --- Who looks --------------------------------------------------------------------------------------------------------


def _people_who_look() -> dict[str, User]:
    """A programme manager of the whole country and a clerk of the largest county, as an installation has them."""
    return {"manager": _staff("manager", StaffGroup.MANAGER, None), "clerk": _staff("clerk", StaffGroup.CLERK, BIG)}


def _staff(name: str, group: str, county: str | None) -> User:
    user, is_new = User.objects.get_or_create(
        username=f"bench-{name}", defaults={"role": Role.STAFF, "is_staff": True, "display_name": name}
    )
    if is_new:
        user.groups.add(Group.objects.get(name=group))
        Posting.objects.create(user=user, region_id=county, is_whole_country=county is None)
    return user


# --- Questions --------------------------------------------------------------------------------------------------------

PEOPLE, PAGE = "admin:trainees_trainee_changelist", "admin:trainees_trainee_change"


@dataclass(frozen=True)
class Sample:
    """Somebody whom the person who looks may see, by all that can be typed."""

    pk: int
    number: str
    name: str
    initials: str
    county: str
    handle: str
    phone: str
    id_number: str
    cohort: int
    programme: int


def _samples(user: User, rounds: int) -> list[Sample]:
    """People from all over the table, the same at every run."""
    visible = Trainee.objects.visible_to(user).filter(accounts__isnull=False).order_by("pk")
    keys = list(visible.values_list("pk", flat=True))
    dice = random.Random(11)
    people = Trainee.objects.in_bulk(dice.sample(keys, rounds))
    return [_sample(person) for person in people.values()]


def _sample(person: Trainee) -> Sample:
    cohort = person.participations.select_related("cohort").get().cohort
    return Sample(
        person.pk, person.number, person.name, person.initials, person.county_id,
        person.accounts.first().handle, str(person.phone).removeprefix("+86"), str(person.id_number),
        cohort.pk, cohort.programme_id,
    )  # fmt: skip


STATES = ["concluded", "graduated", "training", "admitted", "withdrawn", "refused"]


def _asked(kind: str, sample: Sample, n: int) -> dict[str, Any]:
    """What the list is asked for the n-th time."""
    year = YEARS[n % len(YEARS)]
    state = STATES[n % len(STATES)]
    background = BACKGROUNDS[n % len(BACKGROUNDS)][0]
    return {
        "first_page": {},
        "page_2_to_40": {"p": n + 1},
        "deep_page": {"p": 100 + n * 497},  # up to the 19,483rd of 20,000
        "search_whole_name": {"q": sample.name},
        "search_surname": {"q": sample.name[0]},
        "search_initials": {"q": sample.initials},
        "search_two_letters": {"q": sample.initials[:2]},
        "search_phone": {"q": sample.phone},
        "search_id_number": {"q": sample.id_number},
        "search_handle": {"q": sample.handle},
        "search_number": {"q": sample.number},
        "filter_county": {"county__code__exact": sample.county},
        "filter_prefecture": {"county__code__exact": sample.county[:4] + "00"},
        "filter_province": {"county__code__exact": sample.county[:2] + "0000"},
        "filter_background": {"background__exact": background},
        "filter_sex": {"sex__exact": ("male", "female", "")[n % 2]},
        "filter_entered_year": {"created_at_from": f"{year}-01-01", "created_at_to": f"{year}-12-31"},
        "filter_entered_day": {"created_at_from": f"{year}-05-{n % 28 + 1:02}", "created_at_to": f"{year}-05-28"},
        "filter_programme": {"programme": sample.programme},
        "filter_cohort": {"cohort": sample.cohort},
        "filter_state": {"participation": state},
        "filter_cohort_state": {"cohort": sample.cohort, "participation": state},
        "filter_has_account": {"account": "any"},
        "filter_has_none": {"account": "none"},
        "filter_account_state": {"account": ("linked", "unlinked", "gone")[n % 3]},
        "filter_three": {"county__code__exact": sample.county[:2] + "0000", "background__exact": background,
                         "participation": state},
        "search_and_filter": {"q": sample.name[0], "cohort": sample.cohort},
    }[kind]  # fmt: skip


def _asked_of(people: int, kind: str, sample: Sample, n: int) -> dict[str, Any]:
    """The same, where so many people are entered: on a quick pass a clerk's list, and a deep page, is the first."""
    asked = _asked(kind, sample, n)
    return asked | {"p": 1} if "p" in asked and people < 1_000_000 else asked


LISTS = [
    "first_page", "page_2_to_40", "deep_page", "search_whole_name", "search_surname", "search_initials",
    "search_two_letters", "search_phone", "search_id_number", "search_handle", "search_number", "filter_county",
    "filter_prefecture", "filter_province", "filter_background", "filter_sex", "filter_entered_year",
    "filter_entered_day", "filter_programme", "filter_cohort", "filter_state", "filter_cohort_state",
    "filter_has_account", "filter_has_none", "filter_account_state", "filter_three", "search_and_filter",
]  # fmt: skip
# What the stock admin calls the same; kinds without an entry are those that it has no way to ask.
STOCK = {
    "county__code__exact": lambda code: (
        {"county__province": code} if code.endswith("0000")
        else {"county__prefecture": code} if code.endswith("00") else {"county": code}
    ),
    "background__exact": lambda value: {"background": value},
    "sex__exact": lambda value: {"sex": value},
    "created_at_from": lambda day: {"created_at__date__gte": day},
    "created_at_to": lambda day: {"created_at__date__lte": day},
    "programme": lambda pk: {"participations__cohort__programme": pk},
    "cohort": lambda pk: {"participations__cohort": pk},
    "participation": lambda state: {"participations__state": state},
    "account": lambda value: {"any": {"accounts__isnull": False}, "none": {"accounts__isnull": True}}.get(
        value, {"accounts__state": value}
    ),
}  # fmt: skip
CANNOT = ("search_phone", "search_id_number")  # ciphertext has no parts to be found by


# --- Measuring --------------------------------------------------------------------------------------------------------


@benchmark("trainee_desk")
def trainee_desk(people: int) -> list[Result]:
    """The worse of two p95: the manager's and the clerk's."""
    with database("bench_desk", is_kept=True):
        _fill(people)
        users = _people_who_look()
        rounds = ROUNDS if people >= 1_000_000 else QUICK_ROUNDS
        samples = {name: _samples(user, rounds) for name, user in users.items()}
        results = [_list_row(kind, users, samples, people) for kind in LISTS]
        return [*results, _page_row(users, samples), _box_row(users, samples)]


def _list_row(kind: str, users: dict[str, User], samples: dict[str, list[Sample]], people: int) -> Result:
    def address(sample: Sample, n: int) -> tuple[str, dict[str, Any]]:
        return reverse(PEOPLE), _asked_of(people, kind, sample, n)

    own = {name: _milliseconds(user, samples[name], address) for name, user in users.items()}
    baseline = None if kind in CANNOT else _p95(_stock(people, kind, samples["manager"]))
    return _row(kind, own, baseline)


def _page_row(users: dict[str, User], samples: dict[str, list[Sample]]) -> Result:
    """Half of the people have a long story: a hundred changes, thirty grants, a year of readings."""
    own = {}
    for name, user in users.items():
        visible = Trainee.objects.visible_to(user).order_by("pk")
        rounds = len(samples[name])
        told = list(visible.filter(changes__isnull=False).distinct().values_list("pk", flat=True)[: rounds // 2])
        keys = [*told, *(sample.pk for sample in samples[name])][:rounds]
        pages = iter(keys * 2)
        own[name] = _milliseconds(
            user, samples[name], lambda _s, _n, keys=pages: (reverse(PAGE, args=[next(keys)]), {})
        )
    return _row("change_page", own, None)


def _box_row(users: dict[str, User], samples: dict[str, list[Sample]]) -> Result:
    def address(sample: Sample, n: int) -> tuple[str, dict[str, Any]]:
        words = (sample.name, sample.initials, sample.phone, sample.handle, sample.number)
        return reverse("desk_search"), {"s": words[n % len(words)]}

    return _row("search_box", {name: _milliseconds(u, samples[name], address) for name, u in users.items()}, None)


@dataclass(frozen=True)
class Taken:
    """Milliseconds of each answer by the clock, and those that the two processes worked for it."""

    wall: list[float]
    work: list[float]


def _milliseconds(user: User, samples: list[Sample], address: Callable) -> Taken:
    """How long each answer took, after one that is not counted."""
    client, taken = Client(), Taken([], [])
    client.force_login(user)
    for n, sample in enumerate([samples[0], *samples]):
        url, asked = address(sample, max(0, n - 1))
        worked, began = _worked(), time.perf_counter()
        answer = client.get(url, asked)
        if n:
            taken.wall.append((time.perf_counter() - began) * 1000)
            taken.work.append(_worked() - worked)
        if answer.status_code != 200:
            raise RuntimeError(f"{url} {asked}: {answer.status_code}")
    return taken


def _worked() -> float:
    """Milliseconds of processor that this process and its database session have had so far."""
    stat = Path(f"/proc/{connection.connection.info.backend_pid}/stat").read_text().rpartition(")")[2].split()
    session = (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
    return (time.process_time() + session) * 1000


class StockAdmin(ModelAdmin):
    """As Django has it."""

    list_display = ("number", "name", "county", "sex", "background")
    list_select_related = ("county",)
    search_fields = ("number", "name", "initials", "accounts__handle")
    list_per_page = 50

    def lookup_allowed(self, *args: Any, **kwargs: Any) -> bool:
        return True


def _stock(people: int, kind: str, samples: list[Sample]) -> list[float]:
    """The stock list's queries for a few of the same questions."""
    desk, taken = StockAdmin(Trainee, AdminSite()), []
    for n, sample in list(enumerate(samples))[:STOCK_ROUNDS]:
        request = RequestFactory().get("/", _in_stock_words(_asked_of(people, kind, sample, n)))
        request.user = User(is_superuser=True, is_staff=True, is_active=True)
        began = time.perf_counter()
        list(desk.get_changelist_instance(request).result_list)
        taken.append((time.perf_counter() - began) * 1000)
    return taken


def _in_stock_words(asked: dict[str, Any]) -> dict[str, Any]:
    words: dict[str, Any] = {}
    for name, value in asked.items():
        words |= STOCK[name](value) if name in STOCK else {name: value}
    return words


def _p95(taken: list[float]) -> float:
    return sorted(taken)[math.ceil(0.95 * len(taken)) - 1]


def _row(kind: str, own: dict[str, Taken], baseline: float | None) -> Result:
    p95 = {name: _p95(taken.wall) for name, taken in own.items()}
    work = max(_p95(taken.work) for taken in own.values())
    worst = max(p95.values())
    rounds = len(next(iter(own.values())).wall)
    say(f"trainee_desk_{kind}: {worst:.0f} ms (work {work:.0f} ms), stock {baseline or 0:.0f} ms")
    told = ", ".join(f"{name} {ms:.0f} ms" for name, ms in p95.items())
    verdict = "" if worst < LIMIT_MS else f"TOO SLOW: {worst:.0f} ms is not below {LIMIT_MS} ms. "
    what = (
        f"{verdict}p95 of {rounds} answers each, lower is better: {told}; p95 of the "
        f"processor's time alone {work:.0f} ms; limit: {LIMIT_MS} ms; baseline: the queries "
        f"of the stock list alone; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors."
    )
    return Result(f"trainee_desk_{kind}", what, "ms p95", worst, baseline, LIMIT_MS, runs=rounds)
