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
    Login("reviewer", "赵复核", "staff", "all", group="certifier"),
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

INSTITUTION = "陇原乡村创作者学院"  # holds the classes of all three counties
# Each county's own two, so that nobody teaches in two places at once; the first of them is the head teacher.
LECTURERS = {
    "622927": [("陈立新", "甘肃农业职业学院", "短视频创作"), ("马晓燕", "临夏州电商协会", "直播与供应链")],
    "622926": [("杨文博", "甘肃农业职业学院", "短视频创作"), ("唐桂芳", "东乡县融媒体中心", "账号运营")],
    "520526": [("吴启明", "毕节职业技术学院", "短视频创作"), ("龙秀梅", "威宁县电商协会", "直播与供应链")],
}
ROOMS = ["301 教室", "电商实训室"]  # in the morning, in the afternoon

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

WORK = "结业作品：一条家乡短视频"
ANSWERS = [  # of the first class: scores for teaching, content, organisation, usefulness, and a remark
    (5, 5, 4, 5, "老师讲得明白，都是能用上的。"),
    (5, 4, 4, 5, ""),
    (4, 4, 3, 4, "实操的时间再多一些就好了。"),
    (5, 5, 5, 5, ""),
    (4, 3, 4, 4, "下午的课有点赶。"),
    (5, 4, 5, 5, "希望办进阶班。"),
]

# Followers on the first day and where they tend to; whoever is named here is so by their place in the roster.
CROSSERS = [(41_000, 128_000), (62_000, 141_000), (28_000, 117_000), (55_000, 108_500), (70_000, 186_000)]
NEAR_MISSES = [(61_000, 99_200), (52_000, 97_400), (48_000, 96_100), (35_000, 93_800)]
BOUGHT = (38_000, 131_000)  # leaps within two days: the candidate that is refused
BELIEVED = "已核对账号：涨粉来自当日发布的作品，评论和互动正常。"
REFUSAL = "粉丝在两天内增长约九万，同期没有新作品，疑似异常增长；请提供说明材料后由县里重新申报。"
