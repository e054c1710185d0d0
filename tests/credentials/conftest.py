"""The verifier of other systems, one process for all tests here."""

import os
import shutil

import pytest

from tests.credentials.node import Verifier


@pytest.fixture(scope="session")
def verifier():
    """Skipped without Node, npm or the packages, unless ``REQUIRE_NODE`` says that they must be there."""
    missing = [program for program in ("node", "npm") if shutil.which(program) is None]
    if missing and not os.environ.get("REQUIRE_NODE"):
        pytest.skip(f"{' and '.join(missing)}: not installed")
    try:
        found = Verifier()
    except RuntimeError as refusal:  # no registry answers, and no earlier run has the packages
        if os.environ.get("REQUIRE_NODE"):
            raise
        pytest.skip(str(refusal))
    yield found
    found.stop()


@pytest.fixture(autouse=True)
def a_site_of_its_own(settings, clean_cache):
    """Everything is signed for this address; nothing is ever fetched from it."""
    settings.CREDENTIAL_BASE_URL = "https://badges.example.org"
