"""The doctor finds what is wrong, also when next to nothing works."""

import subprocess
import sys

import pytest

from incubator.common import diagnosis
from incubator.embedded import PROJECT_DIR
from tests.embedded.conftest import environment, free_port


def doctor(var, **more):
    command = [sys.executable, "manage.py", "doctor"]
    return subprocess.run(
        command, cwd=PROJECT_DIR, env=environment(var, **more), capture_output=True, text=True, timeout=60
    )


def test_doctor_without_any_server_names_the_problems_and_ends_with_1(var):
    done = doctor(var, NO_COLOR="1")
    lines = done.stdout.splitlines()
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert len([line for line in lines if line.startswith("PROBLEM")]) == 2, done.stdout
    assert len([line for line in lines if line.startswith("?")]) == 4


def test_doctor_with_a_wrong_database_url_says_so(var):
    done = doctor(var, DATABASE_URL=f"postgres://user:hushhush@127.0.0.1:{free_port()}/name")
    assert done.returncode == 1
    assert "DATABASE_URL" in done.stdout and "hushhush" not in done.stdout


@pytest.mark.parametrize(
    "check", [diagnosis.python_version, diagnosis.packages, diagnosis.storage, diagnosis.time_zone]
)
def test_a_sound_machine_has_no_findings(check):
    assert check().level in ("ok", "warning")


@pytest.mark.django_db
def test_a_sound_database_has_no_findings():
    assert diagnosis.database().level == "ok"
    assert diagnosis.migrations().level == "ok"


@pytest.mark.django_db
def test_missing_divisions_are_a_problem():
    from django.apps import apps

    apps.get_model("regions", "Region").objects.all().delete()
    assert diagnosis.divisions().level == "problem"


def test_a_broker_without_a_worker_is_found_out():
    assert diagnosis.broker().level == "ok"
    assert diagnosis.worker().level == "problem"


def test_packages_that_differ_from_the_lock_file_are_named(settings, tmp_path):
    (tmp_path / "requirements.lock").write_text(
        "django==1.0 \\\n    --hash=sha256:00\nabsent==1 ; python_version < '3'\n"
    )
    settings.BASE_DIR = tmp_path
    finding = diagnosis.packages()
    assert finding.level == "problem" and "django" in finding.text and "absent" not in finding.text


def test_a_platform_that_does_not_answer_is_a_warning(settings):
    settings.KUAISHOU_BASE_URL = f"http://127.0.0.1:{free_port()}"
    assert diagnosis.platform().level == "warning"
