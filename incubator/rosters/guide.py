"""What the template says to the clerk who fills it in, in Chinese: by column, step by step, and about people's data."""

from collections.abc import Mapping
from dataclasses import dataclass

from incubator.rosters.choices import Column


@dataclass(frozen=True, slots=True)
class Guide:
    """One column: its width, the prompt beside a chosen cell (at most 255 characters), and its instructions.

    ``length`` is how many characters a text has at least and at most, ``complaint`` what is said about any other.
    """

    width: int
    prompt: str
    how: str
    mistakes: str
    length: tuple[int, int] | None = None
    complaint: str = ""


# A row with the example's name and ID number is passed over. Overwritten in part it is refused and never passed over,
# or a person would be lost without a word: the name says that it is one, the ID number has a wrong check digit.
EXAMPLE: Mapping[str, str] = {
    Column.NAME: "示例（王小花）",
    Column.SEX: "女",
    Column.ID_NUMBER: "110101199003079990",
    Column.PHONE: "13800000000",
    Column.COUNTY: "积石山保安族东乡族撒拉族自治县",
    Column.TOWNSHIP: "某某镇",
    Column.EDUCATION: "大专",
    Column.BACKGROUND: "返乡大学生",
    Column.HANDLE: "wangxiaohua2026",
}

GUIDES: Mapping[str, Guide] = {
    Column.NAME: Guide(
        width=18,
        prompt="必填。身份证上的姓名，中间不加空格。",
        how="身份证上的姓名。少数民族姓名中间的点写“·”。",
        mistakes="写网名、小名；一格里写两个人。",
    ),
    Column.SEX: Guide(
        width=8,
        prompt="点右边的箭头选“男”或“女”。可以不填，系统按身份证号判断。",
        how="选“男”或“女”。可以不填，系统按身份证号判断。",
        mistakes="和身份证号对不上。",
    ),
    Column.ID_NUMBER: Guide(
        width=24,
        prompt="必填。18 位，照身份证输入，最后一位是 X 的写大写 X。",
        how="照身份证输入 18 位号码，最后一位是 X 的写 X。",
        mistakes="从别的表粘贴成数字格式，后几位变成 000；少一位、多一位；填了 15 位旧号码；填了别人的号码。",
        length=(18, 18),
        complaint="身份证号应为 18 位。请照身份证核对，不要有空格。",
    ),
    Column.PHONE: Guide(
        width=17,
        prompt="必填。本人的 11 位手机号，不要填座机。",
        how="本人正在使用的 11 位手机号，只填一个。",
        mistakes="填座机；一格里填两个号码；几个人填同一个号码。",
        length=(11, 17),
        complaint="请填 11 位手机号，只填一个，不要填座机。",
    ),
    Column.COUNTY: Guide(
        width=32,
        prompt="从列表里选。本表只用于一个县时可以不填。",
        how="从列表里选择，也可以写 6 位行政区划代码。本表只用于一个县时可以不填。",
        mistakes="写简称或旧名；填了别的县。",
    ),
    Column.TOWNSHIP: Guide(
        width=16,
        prompt="乡镇或街道的全称，例如“某某镇”。列表里没有时直接输入。",
        how="乡镇或街道的全称。",
        mistakes="写村名；漏写“镇”“乡”。",
    ),
    Column.EDUCATION: Guide(
        width=13,
        prompt="从列表里选最高学历。",
        how="从列表里选最高学历。",
        mistakes="写学校名称。",
    ),
    Column.BACKGROUND: Guide(
        width=17,
        prompt="从列表里选最符合的一类。",
        how="从列表里选最符合的一类，只选一个；都不符合的选“其他”。",
        mistakes="一格里写两类。",
    ),
    Column.HANDLE: Guide(
        width=20,
        prompt="快手“我”页面头像下面的快手号，不是昵称。没有账号的不填。",
        how="打开快手，点“我”，头像下面的“快手号”。没有账号的不填。",
        mistakes="写成昵称；写成主页链接；几个人填同一个账号。",
    ),
}


def is_left_from_example(name: str) -> bool:
    """Whether a name (without spaces) is, or begins like, the example's."""
    return name.startswith("示例")


def steps(made_for: str) -> list[str]:
    """How the sheet is filled in and handed over; ``made_for`` is the region and cohort, if it is made for one."""
    lines = [
        "在“报名表”里从示例行的下一行开始填，一人一行。示例行可以保留，导入时会自动跳过。",
        "表头带 * 的列必须填。格子右边有箭头的，请从列表里选。",
        "身份证号、电话、快手号的格子已经设成文本，请直接输入。从别的表复制时，请用“选择性粘贴”只粘贴文字（数值），"
        "不要把格式一起粘过来。",
        "不要改表头和工作表名称，不要合并单元格。要加备注，请写在最右边的空列里，导入时不读。",
        "填好后保存为 .xlsx 文件，交给本县（市、区）负责导入的工作人员。系统会逐行检查，说明哪一行、哪一列要怎么改；"
        "确认之前不会写入任何人。",
    ]
    if made_for:
        lines.append(f"本表只用于：{made_for}。别的地区、别的期次请另外下载模板，否则系统不接收。")
    return [f"{n}. {line}" for n, line in enumerate(lines, 1)]


PRIVACY = [
    "本表含有身份证号、手机号等个人信息，只用于本项目的报名和管理。填写前请告知本人并征得同意。",
    "请只保存在单位电脑上，不要发到微信群、QQ 群，不要放在公开的网盘。导入完成、不再需要时请删除。",
]
