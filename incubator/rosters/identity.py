"""What a template says of itself: the cohort and region it was made for, signed, in a hidden sheet.

A county's own workbook has no such sheet and is welcome. One that has it is taken only for what it was made for: a
wrong county's template with the right people in it would otherwise be noticed when they are written already.
"""

from dataclasses import asdict, dataclass

import xlsxwriter
from django.core import signing
from django.utils.translation import gettext as _

from incubator.common.errors import RuleBroken
from incubator.programmes.models import Cohort
from incubator.regions.models import Region

SHEET = "incubator"  # its name; the text stands in its first cell
VERSION = 2  # of the template; raise it when an older one would be read wrongly. 1 had no identity
SALT = "incubator.rosters.template"


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose template it is, which version of it, and the name of the sheet that people are written into."""

    cohort: int
    region: str
    sheet: str
    version: int = VERSION

    def sign(self) -> str:
        """As a text that nobody else can write."""
        return signing.dumps(asdict(self), salt=SALT)


def read_identity(text: str) -> Identity:
    """The identity that was signed; raises ``RuleBroken`` for a text that this installation did not write."""
    try:
        return Identity(**signing.loads("".join(text.split()), salt=SALT))
    except (signing.BadSignature, TypeError, ValueError):
        raise RuleBroken(
            _(
                "The hidden mark of this template was changed, so nobody can tell which county and cohort it is for. "
                "Download the template again and copy the rows into it."
            )
        ) from None


def write_identity(book: xlsxwriter.Workbook, cohort: Cohort, region: Region, *, sheet: str) -> None:
    """Say in a sheet that no menu shows what the workbook is for, and that people stand in ``sheet``."""
    hidden = book.add_worksheet(SHEET)
    hidden.write_string(0, 0, Identity(cohort.pk, region.code, sheet).sign())
    hidden.very_hidden()


def check_identity(text: str, *, cohort: Cohort, region: Region) -> Identity | None:
    """What a workbook says of itself, None where it says nothing; raises ``RuleBroken`` where it is for something else.

    A prefecture hands its template on to its counties: what was made for a larger region is welcome in an import for a
    part of it, where each row is still asked for its county. What was made for a part is not taken for the whole: a row
    without a county would have none.
    """
    if not text:
        return None
    identity = read_identity(text)
    _check_region(identity, region)
    if identity.cohort != cohort.pk:
        names = {"theirs": _cohort_name(identity), "ours": cohort}
        raise RuleBroken(
            _(
                "This is the template of the cohort “%(theirs)s”, and this import is for “%(ours)s”. "
                "Upload it for that cohort, or copy the rows into the template of this one."
            )
            % names
        )
    if identity.version != VERSION:
        names = {"region": region, "cohort": cohort, "version": identity.version, "present": VERSION}
        raise RuleBroken(
            _(
                "This is an old template for %(region)s and “%(cohort)s” (version %(version)s; the present one is "
                "%(present)s). Download the present one and copy the rows into it."
            )
            % names
        )
    return identity


def _check_region(identity: Identity, region: Region) -> None:
    theirs = Region.objects.select_related("replaced_by").filter(pk=identity.region).first()
    if theirs is not None and theirs.replaced_by is not None:
        theirs = theirs.replaced_by
    code = theirs.code if theirs else identity.region
    if code in (region.code, region.prefecture_id, region.province_id):
        return
    names = {"theirs": theirs or identity.region, "ours": region}
    raise RuleBroken(
        _(
            "This is the template of %(theirs)s, and this import is for %(ours)s. "
            "Upload it for %(theirs)s, or copy the rows into the template of %(ours)s."
        )
        % names
    )


def _cohort_name(identity: Identity) -> str:
    cohort = Cohort.objects.select_related("programme").filter(pk=identity.cohort).first()
    return str(cohort or identity.cohort)
