"""States of a roster's rows, and what its columns mean."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from incubator.imports.choices import TO_CONFIRM, ImportState

# States of an import, as words: not every one of them is made yet.
CORRECTABLE = (*TO_CONFIRM, ImportState.REFUSED, ImportState.FAILED)  # a corrected workbook may take its place


FINDINGS = PROBLEM, REMEDY = "问题", "怎么改"  # the two columns of a copy with findings


class RowStatus(models.TextChoices):
    NEW = "new", _("new")
    MATCHED = "matched", _("known already")
    WRONG = "wrong", _("wrong")
    SKIPPED = "skipped", _("skipped")


class Decision(models.TextChoices):
    """What somebody said of a row that looks like a person who is known."""

    SAME = "same", _("the same person")
    OTHER = "other", _("another person")


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
    NUMBER = "number", "学员编号"
    BORN_ON = "born_on", "出生日期"


REQUIRED = (Column.NAME, Column.ID_NUMBER, Column.PHONE)

# How counties write the headers; compared without spaces, signs, brackets and what stands in them. Of two headers that
# fit one column the earlier synonym wins: a mobile goes before any telephone.
_WORDS = {
    Column.NAME: "姓名 学员姓名 名字 人员姓名 参训学员 参训人员 学员 主播姓名 报名人 申请人",
    Column.SEX: "性别 男女",
    Column.ID_NUMBER: (
        "身份证号 身份证号码 公民身份号码 公民身份证号码 居民身份证号 居民身份证号码 身份证 身份号码 身份证件号码 "
        "证件号码 证件号 有效证件号码 身份证ID 学员身份证号 身份证号18位"
    ),
    Column.PHONE: (
        "手机号 手机号码 手机 移动电话 本人手机号 联系手机 联系电话手机 联系方式手机 联系电话 联系方式 联系号码 "
        "电话号码 电话 本人电话 学员电话 本人联系方式 联络方式 联系方式电话"
    ),
    Column.COUNTY: (
        "县 县区 所在县 所属县 县市区 所在县区 区县 所在县市区 所属县市区 县市 所属县区 县名 所在区县 市县区 旗县 "
        "旗县区 县旗市区 行政区划 区县名称 来自县 户籍县 籍贯县"
    ),
    Column.TOWNSHIP: "乡镇 所在乡镇 乡 镇 乡镇街道 所属乡镇 乡镇名称 所在乡镇街道 乡镇办 镇街 苏木乡镇 街道乡镇",
    Column.EDUCATION: "学历 文化程度 最高学历 受教育程度 文化水平 教育程度",
    Column.BACKGROUND: "类别 身份类别 人员类别 学员类别 人员类型 学员类型 身份类型 学员身份 人员身份",
    Column.BORN_ON: "出生日期 出生年月日 生日 出生日",  # 出生年月 names no day, and is not asked for one
    Column.HANDLE: (
        "快手号 快手ID 快手账号 快手帐号 快手号ID 快手ID号 快手用户名 快手平台账号 账号 帐号 账号ID 平台账号 "
        "短视频账号 直播账号 主播账号"
    ),
    Column.NUMBER: "学员编号 学员号",
}
SYNONYMS: dict[str, tuple[str, ...]] = {column: tuple(words.split()) for column, words in _WORDS.items()}

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
