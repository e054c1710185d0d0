"""What every test has at hand."""

import os

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django.db import transaction
from django.test import override_settings
from django.utils import translation

# Workbooks that the tests make come out alike whether lxml happens to be installed or not.
os.environ["OPENPYXL_LXML"] = "False"


def pytest_collection_modifyitems(items):
    """Which tests one process runs together: those of a file, and all of the fault tests, which need the machine."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group("faults" if "faults" in item.path.parts else str(item.path)))


@pytest.fixture(scope="session", autouse=True)
def nothing_collected(tmp_path_factory):
    """An empty folder for whitenoise, which warns where there is none; before any server of the session starts."""
    django_settings.STATIC_ROOT = str(tmp_path_factory.mktemp("static"))


QUICK_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def quick_passwords(settings):
    """Nobody attacks these passwords; the real hasher takes a third of a second a user."""
    settings.PASSWORD_HASHERS = QUICK_HASHERS


@pytest.fixture(scope="module")
def kept_rows(django_db_setup, django_db_blocker, tmp_path_factory):
    """``kept_rows(make)``: what ``make`` returns, with its rows in a transaction around all tests of the module.

    For worlds that take longer to make than a test that looks at them. Each test's own transaction lies inside, so
    that whatever rows it changes are as before for the next one; objects in memory are not. Not for modules whose
    tests commit.
    """
    around = transaction.atomic()
    with django_db_blocker.unblock():
        around.__enter__()

    def keep(make):
        with (
            django_db_blocker.unblock(),
            override_settings(PASSWORD_HASHERS=QUICK_HASHERS, MEDIA_ROOT=tmp_path_factory.mktemp("files")),
        ):
            return make()

    yield keep
    with django_db_blocker.unblock():
        transaction.set_rollback(True)
        around.__exit__(None, None, None)


@pytest.fixture(autouse=True)
def language_of_nobody():
    """The language that a request of one test asked for is not that of the next."""
    translation.deactivate()


@pytest.fixture(autouse=True)
def media_in_a_folder_of_its_own(settings, tmp_path):
    """Uploads and result files of a test go where it goes."""
    settings.MEDIA_ROOT = tmp_path / "files"


@pytest.fixture(autouse=True)
def coverage_counted_anew(settings):
    """What one test counted does not reach the next."""
    settings.COVERAGE_KEPT_SECONDS = 0


@pytest.fixture
def clean_cache():
    """Rate limits of one test do not reach the next."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def platform(tmp_path, settings):
    """The platform simulator, and settings that point at it."""
    from tests.platform import SimulatedPlatform

    simulated = SimulatedPlatform(tmp_path / "platform")
    settings.KUAISHOU_BASE_URL = simulated.url
    settings.DOUYIN_BASE_URL = simulated.url
    settings.KUAISHOU_RATE_PER_SECOND = settings.DOUYIN_RATE_PER_SECOND = 0
    yield simulated
    simulated.stop()


@pytest.fixture(scope="session")
def django_db_modify_db_settings_parallel_suffix():
    """Each process of a run has servers of its own, so that databases need no name of their own."""
