"""What a roster looks like: its columns as counties write their headers."""

from django.utils.translation import gettext_lazy as _

from incubator.common.workbooks import Layout
from incubator.rosters.choices import REQUIRED, SYNONYMS, Column
from incubator.rosters.guide import EXAMPLE

ROSTER = Layout(
    columns=Column,
    synonyms=SYNONYMS,
    required=REQUIRED,
    no_header=_("No row with headers such as 姓名, 身份证号 and 联系电话 was found. Start from the template."),
    nothing_below=_("There is a header in row %(row)s but nobody below it."),
    example=(EXAMPLE[Column.NAME], EXAMPLE[Column.ID_NUMBER]),
)
