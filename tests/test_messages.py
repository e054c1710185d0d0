"""The Chinese catalogue is complete, the compiled one is current, and placeholders survive translation."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import polib
import pytest

ROOT = Path(__file__).resolve().parent.parent
CATALOGUES = sorted(ROOT.glob("locale/**/zh_Hans/LC_MESSAGES/django.po"))
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")


def _id(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_there_is_a_catalogue():
    assert [_id(path) for path in CATALOGUES] == [
        "locale/vendor/zh_Hans/LC_MESSAGES/django.po",
        "locale/zh_Hans/LC_MESSAGES/django.po",
    ]


@pytest.mark.parametrize("path", CATALOGUES, ids=_id)
def test_every_message_is_translated_and_none_is_a_guess(path):
    catalogue = polib.pofile(str(path))

    assert [entry.msgid for entry in catalogue.untranslated_entries()] == []
    assert [entry.msgid for entry in catalogue.fuzzy_entries()] == []


@pytest.mark.parametrize("path", CATALOGUES, ids=_id)
def test_placeholders_survive_translation(path):
    for entry in polib.pofile(str(path)):
        for text in entry.msgstr_plural.values() if entry.msgid_plural else [entry.msgstr]:
            allowed = set(PLACEHOLDER.findall(entry.msgid + entry.msgid_plural))
            found = set(PLACEHOLDER.findall(text))
            assert found <= allowed, entry.msgid
            assert entry.msgid_plural or found == allowed, entry.msgid


@pytest.mark.parametrize("path", CATALOGUES, ids=_id)
def test_compiled_catalogue_is_current(path):
    compiled = {entry.msgid_with_context: entry.msgstr for entry in polib.mofile(str(path.with_suffix(".mo")))}
    written = {entry.msgid_with_context: entry.msgstr for entry in polib.pofile(str(path)) if not entry.obsolete}

    assert compiled == written


@pytest.mark.skipif(not shutil.which("xgettext") and not os.environ.get("CI"), reason="gettext is not installed")
def test_every_message_of_the_source_is_in_the_catalogue(tmp_path):
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "*.py", "*.html", "*.txt", "locale"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    for name in listed:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    subprocess.run(
        [sys.executable, "manage.py", "makemessages", "-l", "zh_Hans", "--ignore", "tests", "--no-location"],
        cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip

    fresh = polib.pofile(str(tmp_path / "locale/zh_Hans/LC_MESSAGES/django.po"))
    kept = polib.pofile(str(ROOT / "locale/zh_Hans/LC_MESSAGES/django.po"))
    used = {entry.msgid_with_context for entry in fresh if not entry.obsolete}
    written = {entry.msgid_with_context for entry in kept if not entry.obsolete}
    assert used - written == set(), "run make messages and translate"
    assert written - used == set(), "run make messages"
