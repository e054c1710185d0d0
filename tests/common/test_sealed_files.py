"""Files that lie encrypted: opened part by part, and not at all when altered, cut, or of another row."""

import io

import pytest

from incubator.common import sealed_files
from incubator.common.encryption import Undecipherable
from incubator.common.sealed_files import LENGTH, seal_file, unseal_file

SIZES = [0, 1, 9, 10, 11, 20, 25, 1_000]


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(sealed_files, "PART", 10)


def sealed(content, row=1):
    return seal_file(io.BytesIO(content), context="t.c", row=row).read()


def opened(stored, context="t.c", row=1):
    return b"".join(unseal_file(io.BytesIO(stored), context=context, row=row))


def parts_of(stored):
    parts = []
    while stored:
        end = LENGTH + int.from_bytes(stored[:LENGTH])
        parts.append(stored[:end])
        stored = stored[end:]
    return parts


@pytest.mark.parametrize("size", SIZES)
def test_bytes_come_back_and_do_not_lie_there(size):
    content = bytes(n % 251 for n in range(size))
    stored = sealed(content)

    assert opened(stored) == content
    assert size < 9 or content not in stored
    assert len(parts_of(stored)) == max(1, -(-size // 10))


def test_a_buffered_file_is_opened_too(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(sealed(b"x" * 35))
    assert b"".join(unseal_file(path.open("rb"), context="t.c", row=1)) == b"x" * 35


@pytest.mark.parametrize(
    "alter",
    [
        lambda parts: parts[:-1],
        lambda parts: parts[1:],
        lambda parts: [parts[1], parts[0], *parts[2:]],
        lambda parts: [*parts, parts[-1]],
        lambda parts: [parts[0], *parts],
        lambda parts: [*parts[:-1], parts[-1][:-1]],
        lambda parts: [*parts[:-1], parts[-1][:-1] + bytes([parts[-1][-1] ^ 1])],
        lambda parts: [],
        lambda parts: [b"\0\0\0\0", *parts],
    ],
)
def test_an_altered_file_is_refused(alter):
    parts = parts_of(sealed(b"0123456789" * 3))

    with pytest.raises(Undecipherable):
        opened(b"".join(alter(parts)))


def test_another_row_or_place_cannot_open_it():
    with pytest.raises(Undecipherable):
        opened(sealed(b"x"), row=2)
    with pytest.raises(Undecipherable):
        opened(sealed(b"x"), context="t.d")


def test_a_wrong_key_is_told_before_anything_is_sent(settings):
    stored = sealed(b"x")
    settings.PERSONAL_DATA_KEY = "9" * 64
    with pytest.raises(Undecipherable):
        unseal_file(io.BytesIO(stored), context="t.c", row=1)
