"""Two hundred people through the whole product, then everything it left anywhere is searched for their numbers: none.

A database, a broker, a worker and a web server of their own, each logging all it can. The dump of the database, the
files of the broker, the logs, the uploads and what lies in the temporary folder are searched in clear and encoded.
"""

import http.cookiejar
import io
import json
import logging
import os
import re
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import redis
import xlsxwriter
from django.core.management import call_command
from stdnum.cn import ric

from incubator.common.encryption import VERSION
from incubator.demo.people import InventedPerson, invent_people
from incubator.embedded import PROJECT_DIR, cache_url_of
from incubator.embedded.binaries import postgres_dir
from incubator.jobs.models import Job
from incubator.jobs.services import ask_for_job
from incubator.rosters.models import RosterImport
from incubator.rosters.services import apply_roster, upload_roster
from tests.cluster import CLUSTER
from tests.embedded.conftest import free_port
from tests.factories import CohortFactory, region, superuser
from tests.faults.house import LEASE_SECONDS, LOG_LINE, House, until
from tests.personal.search import Search
from trainees.models import Trainee
from trainees.services import open_login

ON, COUNT = date(2026, 9, 1), 200
PEOPLE = invent_people("622927", ["吹麻滩镇"], COUNT + 1, seed=7, on=ON)
HEADERS = ["序号", "姓名", "性别", "身份证号码", "联系电话", "所在县", "乡镇", "快手号"]
PASSWORD = "correct horse"
UNFINISHED = ("uploaded", "reading")


def mistyped(number: str) -> str:
    """The same number with a last character that does not fit."""
    return number[:-1] + ("0" if ric.calc_check_digit(number[:-1] + "0") != "0" else "1")


WRONG = PEOPLE[COUNT]  # somebody whose ID number is mistyped: she is refused
EVERY_NUMBER = [n for p in PEOPLE for n in (p.id_number, p.phone)] + [mistyped(WRONG.id_number), "15499990000"]


def workbook(people: list[InventedPerson]) -> io.BytesIO:
    """A roster as a county would send it."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer)
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["积石山县农村青年主播培育项目学员报名表"])
    sheet.write_row(1, 0, HEADERS)
    for n, p in enumerate(people, 1):
        cells = [str(n), p.name, p.sex, p.id_number, p.phone, "积石山县", p.township, p.handle]
        for column, cell in enumerate(cells):
            sheet.write_string(1 + n, column, cell)
    book.close()
    buffer.seek(0)
    return buffer


class LeakHouse(House):
    """A house whose programs keep files and logs in its own folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.temporary, self.var = folder / "tmp", folder / "var"
        for made in (self.temporary, self.var):
            made.mkdir()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def environment(self) -> dict[str, str]:
        return super().environment() | {
            "INCUBATOR_VAR": str(self.var),
            "TMPDIR": str(self.temporary),
            "INCUBATOR_PUBLIC_URL": self.url,
        }

    def start_program(self, name: str, *command: str) -> subprocess.Popen:
        with (self.logs / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "incubator.embedded.child", *command],
                cwd=PROJECT_DIR,
                env=self.environment(),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def answers(self) -> bool:
        try:
            return urllib.request.urlopen(f"{self.url}/accounts/login/", timeout=5).status == 200
        except OSError:
            return False


class Browser:
    """Somebody who logs in at the web server and looks at pages."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    def get(self, path: str) -> str:
        return self._ask(urllib.request.Request(self.url + path))

    def post(self, path: str, **data: str) -> str:
        token = next(cookie.value for cookie in self.cookies if cookie.name == "csrftoken")
        body = urllib.parse.urlencode(data | {"csrfmiddlewaretoken": token}).encode()
        return self._ask(urllib.request.Request(self.url + path, body, {"Referer": self.url + path}))

    def log_in(self, name: str, password: str = PASSWORD) -> str:
        self.get("/accounts/login/")
        return self.post("/accounts/login/", login=name, password=password)

    def _ask(self, request: urllib.request.Request) -> str:
        try:
            return self._opener.open(request, timeout=60).read().decode()
        except urllib.error.HTTPError as error:
            return error.read().decode()


@pytest.fixture(scope="module")
def house(django_db_blocker) -> Iterator[LeakHouse]:
    made = LeakHouse(CLUSTER.folder / "leaks")
    made.start()
    bind = ["--bind", f"127.0.0.1:{made.port}", "--no-control-socket", "--workers", "1", "--preload"]
    logs = ["--access-logfile", "-", "--log-level", "debug"]
    flags = ["--pool", "prefork", "--concurrency", "2", "--without-mingle", "--loglevel", "DEBUG"]
    programs = [
        made.start_program("web", "gunicorn", "incubator.wsgi:application", *bind, *logs),
        made.start_program("worker", "celery", "-A", "tests.personal.celery_app", "worker", *flags),
    ]
    try:
        with django_db_blocker.unblock(), made.at_home():
            until(made.answers, 60)
            until(lambda: " ready." in (made.logs / "worker.log").read_text(errors="replace"), 60)
            yield made
    finally:
        for program in programs:
            program.kill()
            program.wait(10)
        made.stop()


@pytest.fixture
def at_home(house, settings):
    """This process keeps files where the house does, and logs beside its programs."""
    settings.MEDIA_ROOT, settings.JOB_LEASE_SECONDS = house.var / "files", LEASE_SECONDS
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]  # one that the web server knows
    handler = logging.FileHandler(house.logs / "desk.log")
    handler.setFormatter(LOG_LINE)
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel("DEBUG")
    yield house
    root.setLevel(level)
    root.removeHandler(handler)
    handler.close()


def finished(house: LeakHouse, is_over: Callable[[], bool]) -> None:
    house.wait(is_over, 120)


def import_people(house: LeakHouse, people: list[InventedPerson], by) -> RosterImport:
    """A workbook on its way as far as the worker brings it."""
    cohort = CohortFactory(name=f"Cohort of {len(people)}")
    roster = upload_roster(
        workbook(people), cohort=cohort, region=region("622927", "积石山县"), by=by, name="名册.xlsx"
    )
    finished(house, lambda: RosterImport.objects.get(pk=roster.pk).state not in UNFINISHED)
    return RosterImport.objects.get(pk=roster.pk)


def dumped(house: LeakHouse) -> Path:
    """The whole database as text, by the server's own tool."""
    target = house.folder / "dump.sql"
    address = house.postgres.url()
    subprocess.run([str(postgres_dir() / "pg_dump"), "--dbname", address, "--file", str(target)], check=True)
    return target


def test_nothing_that_is_kept_anywhere_holds_a_number(at_home):
    house, staff = at_home, superuser(username="root")

    # A roster, read by the worker and applied; one with somebody who is refused; a file that is none.
    roster = import_people(house, PEOPLE[:COUNT], staff)
    assert roster.state == "checked", roster.error
    apply_roster(roster, by=staff, on=ON)
    finished(house, lambda: Trainee.objects.count() == COUNT)
    refused = import_people(house, [PEOPLE[0], replace(WRONG, id_number=mistyped(WRONG.id_number))], staff)
    assert refused.wrong_count == 1 and refused.findings.exists()
    broken = upload_roster(
        io.BytesIO(",".join([PEOPLE[0].phone, PEOPLE[0].id_number]).encode()),
        cohort=roster.cohort,
        region=roster.region,
        by=staff,
        name="broken.csv",
    )
    finished(house, lambda: RosterImport.objects.get(pk=broken.pk).state not in UNFINISHED)

    # Work that fails with a person in its hands, and work that makes files.
    first = Trainee.objects.order_by("pk").first()
    failing = ask_for_job("fails_with_a_person", key="1", by=staff, max_attempts=1, trainee=first.pk)
    finished(house, lambda: Job.objects.get(pk=failing.pk).state == "failed")
    browser = Browser(house.url)
    assert "logout" in browser.log_in("root")
    browser.post("/reports/622927/workbook/", period="2026Q3")
    finished(house, lambda: Job.objects.filter(kind="county_report", state="done").exists())
    call_command(
        "county_report", "622927", "--period", "2026Q3", "--format", "csv", "--output", house.var / "report.csv"
    )

    # The desk: searched by phone and ID number, looked at, shown in full; and addresses that are not there.
    for person in PEOPLE[:20]:
        for term in (person.phone, f"+86 {person.phone}", person.id_number):
            found = browser.get(f"/admin/trainees/trainee/?{urllib.parse.urlencode({'q': term})}")
            assert person.name in found and Search(EVERY_NUMBER).within(_without_search(found, term)) == set()
    assert first.number in browser.get(f"/admin/trainees/trainee/{first.pk}/change/")
    shown = browser.post(f"/admin/trainees/trainee/{first.pk}/reveal/", field="phone", reason="回访")
    assert first.phone in shown, "it is really shown"
    browser.post("/admin/nowhere/", phone=first.phone)
    browser.get(f"/nowhere/{PEOPLE[1].phone}/")

    # A trainee in the portal; people who type their phone or ID number where the user name goes.
    open_login(first, password=PASSWORD)
    assert first.name in Browser(house.url).log_in(first.number)
    for name in (PEOPLE[2].phone, PEOPLE[2].id_number):
        Browser(house.url).log_in(name, PEOPLE[3].phone)

    found = everything_searched(house)

    assert found == {}, f"{ {place: len(numbers) for place, numbers in found.items()} }"


def _without_search(html: str, term: str) -> bytes:
    """The page without what was typed into its own search field and stands in its own links."""
    return re.sub(r'(value|href|action)="[^"]*"', "", html).replace(term, "").encode()


def everything_searched(house: LeakHouse) -> dict[str, set[str]]:
    """Which numbers stand where, after it was made sure that there is something to find them in."""
    search, places = Search(EVERY_NUMBER), searched_places(house)
    names = [path.name for path in places]
    dump = (house.folder / "dump.sql").read_text()
    assert all(dump.count(number) for number in Trainee.objects.values_list("number", flat=True)), "the dump is whole"
    web, worker = ((house.logs / f"{name}.log").read_text(errors="replace") for name in ("web", "worker"))
    assert "/admin/trainees/trainee/?q=154****" in web, "the log of the web server has the searches, masked"
    assert "calling +154****" in worker and "ValueError" in worker, "the worker logged the fault, masked"
    assert {"dump.sql", "web.log", "worker.log", "postgres.log", "valkey.log", "desk.log"} <= set(names)
    assert any(name.endswith((".aof", ".rdb")) for name in names), names
    kept = [path for path in (house.var / "files").rglob("*") if path.is_file()]
    assert len(kept) >= 4 and all(path.read_bytes().startswith(VERSION) for path in kept), "files lie sealed"
    return {str(path.relative_to(house.folder)): found for path in places if (found := search.within_file(path))}


def searched_places(house: LeakHouse) -> list[Path]:
    dumped(house)
    with redis.Redis.from_url(cache_url_of(house.valkey.url())) as broker:
        broker.config_set("rdbcompression", "no")
        broker.save()
    folders = [house.folder / "valkey", house.logs, house.var, house.temporary]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return [house.folder / "dump.sql", *files]


def test_a_planted_number_is_found_in_every_place(at_home):
    """Else the search above would find nothing because it looks nowhere."""
    house, phone, search = at_home, PEOPLE[5].phone, Search(EVERY_NUMBER)
    Job.objects.create(kind="planted", key="1", arguments={"phone": phone})
    with redis.Redis.from_url(cache_url_of(house.valkey.url())) as broker:
        broker.set("planted", json.dumps({"phone": f"+86{phone}"}))
    (house.logs / "planted.log").write_text(f"phone {phone[:3]} {phone[3:7]} {phone[7:]}")
    (house.var / "planted.xlsx").write_bytes(workbook([PEOPLE[5]]).getvalue())
    (house.temporary / "planted").write_bytes(phone.encode("utf-16"))

    found = {path.name for path in searched_places(house) if phone in search.within_file(path)}

    assert {"dump.sql", "planted.log", "planted.xlsx", "planted"} <= found
    assert any(name.endswith((".aof", ".rdb")) for name in found), found
    assert os.environ["DATABASE_URL"] != house.postgres.url(), "none of this was done to the servers of other tests"
