"""States of the rows of a figures import, and what its columns mean."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class RowStatus(models.TextChoices):
    """What confirming the import does with the row."""

    NEW = "new", _("new")
    CORRECTED = "corrected", _("corrects an earlier file")
    DOUBTFUL = "doubtful", _("will be held back")
    HELD = "held", _("held back already")
    SAME = "same", _("known already")
    KEPT = "kept", _("kept, not overwritten")
    WRONG = "wrong", _("wrong")


WRITTEN = (RowStatus.NEW, RowStatus.CORRECTED, RowStatus.DOUBTFUL)  # the rows that are handed on


class Column(models.TextChoices):
    """What a column means. The label is what the blank workbook calls it."""

    PLATFORM = "platform", "平台"
    HANDLE = "handle", "快手号"
    NAME = "name", "姓名"
    FOLLOWERS = "followers", "粉丝数"
    DAY = "day", "日期"


REQUIRED = (Column.HANDLE, Column.FOLLOWERS)

# How people write the headers; compared without spaces, brackets and what stands in them.
SYNONYMS: dict[str, tuple[str, ...]] = {
    Column.PLATFORM: ("平台", "平台名称", "所属平台"),
    Column.HANDLE: ("快手号", "快手ID", "快手账号", "账号", "平台账号", "账号ID", "抖音号", "抖音账号"),
    Column.NAME: ("姓名", "学员姓名", "名字"),
    Column.FOLLOWERS: ("粉丝数", "粉丝", "粉丝量", "粉丝人数", "粉丝总数", "当前粉丝数"),
    Column.DAY: ("日期", "统计日期", "数据日期", "截至日期", "截止日期", "读数日期"),
}

# How people write the platforms; a header such as 抖音号 says it too.
PLATFORMS = {"快手": "kuaishou", "KUAISHOU": "kuaishou", "抖音": "douyin", "DOUYIN": "douyin"}
