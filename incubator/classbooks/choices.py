"""States of the rows of these imports, what their columns mean, and the words of attendance."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from courses.choices import AttendanceState


class RowStatus(models.TextChoices):
    """What confirming the import does with the row; of several marks in a row, the most that any of them does."""

    NEW = "new", _("new")
    CORRECTED = "corrected", _("changes what is known")
    SAME = "same", _("known already")
    WRONG = "wrong", _("wrong")


WRITTEN = (RowStatus.NEW, RowStatus.CORRECTED)  # the rows that are handed on


class Column(models.TextChoices):
    """What a column of an attendance workbook means. Sessions have columns of their own, named by their beginning; or
    each row is one mark and names its session by day and start.
    """

    NUMBER = "number", "学员编号"
    ID_NUMBER = "id_number", "身份证号"
    PHONE = "phone", "手机号"
    NAME = "name", "姓名"
    DAY = "day", "日期"
    START = "start", "开始时间"
    STATE = "state", "考勤"
    MINUTES = "minutes", "分钟"
    CAME = "came", "到达时间"
    LEFT = "left", "离开时间"


class LearningColumn(models.TextChoices):
    """What a column of a file of online learning means."""

    NUMBER = "number", "学员编号"
    ID_NUMBER = "id_number", "身份证号"
    PHONE = "phone", "手机号"
    NAME = "name", "姓名"
    COURSE = "course", "课程"
    MINUTES = "minutes", "学习分钟"
    FINISHED = "finished", "完成时间"


# How people write the headers; compared without spaces, brackets and what stands in them.
WHO_SYNONYMS: dict[str, tuple[str, ...]] = {
    "number": ("学员编号", "学员号", "学号", "人员编号"),
    "id_number": ("身份证号", "身份证号码", "身份证", "证件号码", "公民身份号码"),
    "phone": ("手机号", "手机号码", "手机", "联系电话", "电话", "联系方式"),
    "name": ("姓名", "学员姓名", "名字"),
}
SYNONYMS = {
    **WHO_SYNONYMS,
    "day": ("日期", "上课日期", "课次日期", "考勤日期"),
    "start": ("开始时间", "上课时间", "课次时间", "开始"),
    "state": ("考勤", "考勤状态", "出勤情况", "出勤状态", "状态", "签到状态"),
    "minutes": ("分钟", "出勤分钟", "分钟数", "到课分钟", "时长"),
    "came": ("到达时间", "签到时间", "到课时间"),
    "left": ("离开时间", "签退时间", "离课时间"),
}
LEARNING_SYNONYMS = {
    **WHO_SYNONYMS,
    "course": ("课程", "课程代码", "课程编码", "课程编号", "课程名称", "课程名"),
    "minutes": ("学习分钟", "学习时长", "观看时长", "时长", "分钟", "分钟数", "学习时长分钟"),
    "finished": ("完成时间", "学完时间", "完成日期", "结束时间"),
}

# How people write attendance, in capitals and without spaces. Late and early have their minutes with them.
WORDS: dict[str, str] = {
    **dict.fromkeys(
        ("出勤", "到", "到课", "已到", "正常", "出席", "全勤", "√", "✓", "✔", "☑"), AttendanceState.PRESENT.value
    ),
    **dict.fromkeys(("缺勤", "缺", "缺课", "旷课", "未到", "×", "✗", "✘", "X", "☒"), AttendanceState.ABSENT.value),
    **dict.fromkeys(("请假", "假", "病假", "事假", "公假", "△", "▲", "○"), AttendanceState.ON_LEAVE.value),
}
PRESENT_WORD = {AttendanceState.PRESENT: "出勤", AttendanceState.ABSENT: "缺勤", AttendanceState.ON_LEAVE: "请假"}
