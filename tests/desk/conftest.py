"""What the desk's tests have at hand."""

import pytest


@pytest.fixture(autouse=True)
def quick_and_quiet(settings, tmp_path):
    """Passwords that nobody attacks need no slow hash; nothing is collected here for whitenoise to serve."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STATIC_ROOT = str(tmp_path)
