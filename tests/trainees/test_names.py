import pytest

from trainees.names import initials


@pytest.mark.parametrize(
    ("name", "letters"),
    [("王小明", "wxm"), ("迪丽热巴·迪力木拉提", "dlrbdlmlt"), ("Anna 李", "annal"), ("䶮", "y"), ("", "")],
)
def test_initials_are_the_first_letters_of_the_pinyin(name, letters):
    assert initials(name) == letters
