"""What personal data looks like on screens."""

import pytest

from incubator.common.masking import mask_id_number, mask_name, mask_phone


@pytest.mark.parametrize(
    ("mask", "value", "shown"),
    [
        (mask_phone, "+8615412345678", "154****5678"),
        (mask_phone, "15412345678", "154****5678"),
        (mask_phone, "", ""),
        (mask_phone, None, ""),
        (mask_id_number, "62000019980203121X", "620000********121X"),
        (mask_id_number, None, ""),
        (mask_name, "王明", "王*"),
        (mask_name, "王小明", "王*明"),
        (mask_name, "阿卜杜拉·买买提", "阿******提"),
    ],
)
def test_mask_leaves_enough_to_recognise(mask, value, shown):
    assert mask(value) == shown
