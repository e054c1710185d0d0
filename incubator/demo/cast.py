"""Who does what in the demo county: logins, courses, classes, and how followers develop. All invented."""

from dataclasses import dataclass

PASSWORD = "demo-county-2026"  # noqa: S105 - printed on every demo start; the demo never runs in production


@dataclass(frozen=True, slots=True)
class Login:
    """A demo login: its role, group (for staff) and posting (a region code, ``"all"`` or none)."""

    username: str
    display_name: str
    role: str
    posting: str
    group: str = ""
    is_superuser: bool = False


LOGINS = [
    Login("admin", "系统管理员", "staff", "all", is_superuser=True),
    Login("manager", "李项目", "staff", "all", group="programme manager"),
    Login("certifier", "王认证", "staff", "all", group="certifier"),
    Login("clerk", "马县办", "staff", "622927", group="county clerk"),
    Login("jishishan", "积石山县农业农村局", "official", "622927"),
    Login("linxia", "临夏州农业农村局", "official", "622900"),
    Login("gansu", "甘肃省农业农村厅", "official", "620000"),
    Login("guizhou", "贵州省农业农村厅", "official", "520000"),
    Login("ministry", "部级查看", "official", "all"),
]

# The counties whose roster workbooks lie beside this file.
COUNTIES = ["622927", "622926", "520526"]

EVERY_NTH_ON_DOUYIN = 6  # of a county's trainees, who have a second account there
COUNTS_BY_HAND = "622927"  # whose creators do not consent on Douyin: the clerk mails a workbook of figures

COURSES = [
    ("TS01", "乡村振兴政策与电商法规", "general", 4),
    ("TS02", "账号安全与网络文明", "general", 2),
    ("TS03", "平台规则与内容红线", "general", 4),
    ("ZY01", "短视频选题与脚本", "professional", 6),
    ("ZY02", "手机拍摄与剪辑", "professional", 8),
    ("ZY03", "直播间搭建与话术", "professional", 6),
    ("ZY04", "农产品选品与供应链", "professional", 4),
    ("ZY05", "数据复盘与粉丝运营", "professional", 4),
]

# One class: day (from 0), start hour, course code, class hours. Four days, 10 general and 18 professional hours.
TIMETABLE = [
    (0, 8, "TS01", 4),
    (0, 14, "ZY01", 4),
    (1, 8, "ZY02", 4),
    (1, 14, "TS03", 4),
    (2, 8, "ZY03", 4),
    (2, 14, "ZY05", 2),
    (3, 8, "ZY04", 4),
    (3, 14, "TS02", 2),
]

# Followers on the first day and where they tend to; whoever is named here is so by their place in the roster.
CROSSERS = [(41_000, 128_000), (62_000, 141_000), (28_000, 117_000), (55_000, 108_500), (70_000, 186_000)]
NEAR_MISSES = [(61_000, 99_200), (52_000, 97_400), (48_000, 96_100), (35_000, 93_800)]
BOUGHT = (38_000, 131_000)  # leaps within two days: the candidate that is refused
BELIEVED = "已核对账号：涨粉来自当日发布的作品，评论和互动正常。"
REFUSAL = "粉丝在两天内增长约九万，同期没有新作品，疑似异常增长；请提供说明材料后由县里重新申报。"
