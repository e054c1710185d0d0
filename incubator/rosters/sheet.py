"""What a roster looks like: its columns as counties write their headers."""

from django.utils.translation import gettext_lazy as _

from incubator.common.workbooks import Layout
from incubator.rosters.choices import FINDINGS, REQUIRED, SYNONYMS, Column
from incubator.rosters.guide import EXAMPLE

ROSTER = Layout(
    columns=Column,
    synonyms=SYNONYMS,
    required=REQUIRED,
    no_header=_("No row with headers such as 姓名, 身份证号 and 联系电话 was found. Start from the template."),
    nothing_below=_("There is a header in row %(row)s but nobody below it."),
    example=(EXAMPLE[Column.NAME], EXAMPLE[Column.ID_NUMBER]),
    serials=(*Layout.serials, *FINDINGS),  # nobody is asked what these are
    unused=(
        "抖音号",
        "抖音账号",
        "抖音ID",
        "微信号",
        "微信账号",
        "视频号账号",
        "小红书账号",
        "紧急联系人电话",
        "紧急联系电话",
    ),
    fill_down=(Column.COUNTY, Column.TOWNSHIP),
    ditto=(Column.COUNTY, Column.TOWNSHIP, Column.EDUCATION, Column.BACKGROUND, Column.SEX),
    somebody=(Column.NAME, Column.ID_NUMBER, Column.PHONE, Column.HANDLE),
)
