"""Every view is closed to strangers unless it is named here; headers, production settings, and the login itself."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.factories import official, superuser
from tests.world import trainee_with_login

ROOT = Path(__file__).resolve().parent.parent

# The doors that stand open, each with its reason.
OPEN = {
    "account_login": "the way in",
    "account_logout": "the way out; it asks nobody who is not in",
    "admin:login": "the same way in",
    "credential_status": "programs of strangers verify credentials; the list says bits and no person",
    "did": "the same: our public keys",
    "verify": "anybody verifies a certificate; the address is a code that nobody guesses, and attempts are counted",
    "verify_form": "where that code is typed",
    "class_feed": "calendar programs cannot log in; the address is a secret of its own, and names no trainee",
    "set_language": "the choice of language comes before the login",
}

PRODUCTION = {
    "DJANGO_PRODUCTION": "1",
    "DJANGO_SECRET_KEY": "a-long-and-random-secret-of-this-installation-0123456789-abcdef",
    "PERSONAL_DATA_KEY": "ab" * 32,
    "PERSONAL_INDEX_KEY": "cd" * 32,
    "KUAISHOU_APP_ID": "ks123",
    "KUAISHOU_APP_SECRET": "ks-secret",
    "DOUYIN_CLIENT_KEY": "dy123",
    "DOUYIN_CLIENT_SECRET": "dy-secret",
    "DJANGO_ALLOWED_HOSTS": "example.org",
    "INCUBATOR_PUBLIC_URL": "https://example.org",
    "CREDENTIAL_BASE_URL": "https://example.org",
}


def every_view(patterns=None, names=(), path=""):
    """``(name, callback, example path)`` of every address of the project."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            inner = (*names, pattern.namespace) if pattern.namespace else names
            yield from every_view(pattern.url_patterns, inner, path + str(pattern.pattern))
        elif isinstance(pattern, URLPattern):
            yield ":".join((*names, pattern.name or "")), pattern.callback, path + str(pattern.pattern)


def example(route):
    """An address that fits a route: 1 for every part that varies."""
    route = re.sub(r"\(\?P<\w+>[^)]*\)|\(\?:[^)]*\)", "1", route)
    return "/" + re.sub(r"<[^>]*>", "1", route).replace("^", "").replace("$", "").replace("\\", "").replace("?", "")


def test_the_open_doors_are_those_named_here():
    found = {name for name, callback, _route in every_view() if not getattr(callback, "login_required", True)}

    assert found == set(OPEN)


@pytest.mark.django_db
def test_a_stranger_is_sent_to_the_login_everywhere_else():
    client, reached = Client(), []
    for name, _callback, route in every_view():
        if name in OPEN:
            continue
        answer = client.get(example(route))
        sent = answer.status_code == 302 and "login" in answer["Location"]
        if not sent and answer.status_code != 404:
            reached.append((name, answer.status_code))

    assert reached == []


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["account_signup", "account_reset_password", "account_email", "socialaccount_login"])
def test_nobody_signs_up_or_resets_by_themselves(name):
    assert name not in {found for found, _callback, _route in every_view()}


@pytest.mark.django_db
def test_headers_are_strict_outside_the_desk_and_loose_only_inside(client):
    client.force_login(superuser())
    outside, inside = client.get("/reports/"), client.get("/admin/")

    for answer in (outside, inside):
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["X-Frame-Options"] == "DENY"
        assert answer["Referrer-Policy"] == "same-origin"
    assert "unsafe" not in outside["Content-Security-Policy"]
    assert "default-src 'none'" in outside["Content-Security-Policy"]
    assert "unsafe-eval" in inside["Content-Security-Policy"]
    assert "http" not in inside["Content-Security-Policy"]


@pytest.mark.django_db
def test_the_session_cookie_is_out_of_reach_of_scripts(client, clean_cache):
    superuser(username="root")
    client.post(reverse("account_login"), {"login": "root", "password": "correct horse"})

    assert client.cookies["sessionid"]["httponly"]


@pytest.mark.django_db
def test_a_known_and_an_unknown_name_get_the_same_answer(client, clean_cache):
    superuser(username="root")
    sentences = []
    for name in ("root", "nobody"):
        answer = client.post(reverse("account_login"), {"login": name, "password": "wrong"})
        sentences.append((answer.status_code, str(answer.context["form"].errors)))

    assert sentences[0] == sentences[1]


@pytest.mark.django_db
def test_guessing_is_slowed_down(client, clean_cache):
    superuser(username="root")
    for _guess in range(6):
        client.post(reverse("account_login"), {"login": "root", "password": "wrong"})

    client.post(reverse("account_login"), {"login": "root", "password": "correct horse"})

    assert "_auth_user_id" not in client.session


@pytest.mark.django_db
def test_the_login_leads_nowhere_else(client, clean_cache):
    superuser(username="root")
    answer = client.post(
        reverse("account_login") + "?next=https://evil.example/", {"login": "root", "password": "correct horse"}
    )

    assert answer.status_code == 302 and "evil" not in answer["Location"]


@pytest.mark.django_db
@pytest.mark.parametrize("make", [lambda: trainee_with_login("T1").user, lambda: official("622927")])
def test_the_desk_is_for_staff(client, make):
    client.force_login(make())

    answer = client.get("/admin/", follow=True)

    assert answer.status_code in (403, 404)


def manage(*arguments, **changes):
    """``manage.py`` with production's environment, changed; a value of None leaves the variable out."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "DATABASE_URL", "REDIS_URL")}
    environment = {**kept, **PRODUCTION, **changes}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={name: value for name, value in environment.items() if value is not None},
        capture_output=True,
        text=True,
        check=False,
    )


def test_production_settings_pass_the_deployment_check():
    done = manage("check", "--deploy", "--fail-level", "WARNING")

    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


@pytest.mark.parametrize(
    "name",
    [
        "DJANGO_SECRET_KEY",
        "PERSONAL_DATA_KEY",
        "PERSONAL_INDEX_KEY",
        "KUAISHOU_APP_ID",
        "KUAISHOU_APP_SECRET",
        "DOUYIN_CLIENT_KEY",
        "DOUYIN_CLIENT_SECRET",
        "DJANGO_ALLOWED_HOSTS",
        "CREDENTIAL_BASE_URL",
    ],
)
def test_production_refuses_to_start_without_a_secret(name):
    done = manage("check", **{name: None})

    assert done.returncode != 0
    assert f"{name} is not set" in done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PERSONAL_DATA_KEY", "0" * 63 + "1"),
        ("KUAISHOU_APP_SECRET", "simulated-secret"),
        ("DOUYIN_CLIENT_SECRET", "simulated-secret-dy"),
        ("CREDENTIAL_BASE_URL", "http://example.org"),
        ("CREDENTIAL_BASE_URL", "https://example.org/programme"),
        ("INCUBATOR_DEMO", "1"),
        ("DJANGO_DEBUG", "1"),
    ],
)
def test_production_refuses_development_values(name, value):
    done = manage("check", **{name: value})

    assert done.returncode != 0 and name in done.stderr


def test_another_database_than_postgresql_is_refused():
    done = manage("check", DATABASE_URL="sqlite:///x.db")

    assert done.returncode != 0 and "PostgreSQL" in done.stderr
