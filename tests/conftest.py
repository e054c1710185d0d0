"""What every test has at hand."""

import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def media_in_a_folder_of_its_own(settings, tmp_path):
    """Uploads and result files of a test go where it goes."""
    settings.MEDIA_ROOT = tmp_path / "files"


@pytest.fixture
def clean_cache():
    """Rate limits of one test do not reach the next."""
    cache.clear()
    yield
    cache.clear()
