"""States of a roster's rows, and what its columns mean."""

from django.db import models
from django.utils.translation import gettext_lazy as _

# States of an import, as words: not every one of them is made yet.
READ = ("checked", "in_review")  # it is known what would be written, and nothing is
CORRECTABLE = (*READ, "refused")  # what a corrected workbook may take the place of


class RowStatus(models.TextChoices):
    NEW = "new", _("new")
    MATCHED = "matched", _("known already")
    WRONG = "wrong", _("wrong")
    SKIPPED = "skipped", _("skipped")


class Column(models.TextChoices):
    """What a column of a roster means. The label is what the blank template calls it."""

    NAME = "name", "姓名"
    SEX = "sex", "性别"
    ID_NUMBER = "id_number", "身份证号"
    PHONE = "phone", "联系电话"
    COUNTY = "county", "县（市、区）"
    TOWNSHIP = "township", "乡镇"
    EDUCATION = "education", "学历"
    BACKGROUND = "background", "类别"
    HANDLE = "handle", "快手号"


REQUIRED = (Column.NAME, Column.ID_NUMBER, Column.PHONE)

# How counties write the headers; compared without spaces, brackets and what stands in them.
SYNONYMS: dict[str, tuple[str, ...]] = {
    Column.NAME: ("姓名", "学员姓名", "名字"),
    Column.SEX: ("性别",),
    Column.ID_NUMBER: ("身份证号", "身份证号码", "公民身份号码", "身份证", "证件号码"),
    Column.PHONE: ("联系电话", "联系方式", "手机", "手机号", "手机号码", "电话"),
    Column.COUNTY: ("县", "县区", "所在县", "所属县", "县市区", "所在县区", "区县"),
    Column.TOWNSHIP: ("乡镇", "所在乡镇", "乡", "乡镇街道"),
    Column.EDUCATION: ("学历", "文化程度"),
    Column.BACKGROUND: ("类别", "身份类别", "人员类别"),
    Column.HANDLE: ("快手号", "快手ID", "快手账号", "账号"),
}

BACKGROUNDS = {
    "乡村创业者": "founder",
    "创业者": "founder",
    "返乡大学生": "graduate",
    "大学生": "graduate",
    "乡村生活记录者": "recorder",
    "记录者": "recorder",
    "村干部": "cadre",
}
SEXES = {"男": "male", "女": "female"}
