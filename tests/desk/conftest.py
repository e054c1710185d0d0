"""What the desk's tests have at hand."""

import pytest
from django.conf import settings as django_settings


@pytest.fixture(scope="session", autouse=True)
def nothing_collected(tmp_path_factory):
    """An empty folder for whitenoise, which warns where there is none; before any server of the session starts."""
    django_settings.STATIC_ROOT = str(tmp_path_factory.mktemp("static"))


@pytest.fixture(autouse=True)
def quick_passwords(settings):
    """Nobody attacks these passwords; the real hasher takes a third of a second a user."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
