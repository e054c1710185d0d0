"""Finding a region by what people write."""

import re
from collections.abc import Iterable

from django.utils.translation import gettext as _

from incubator.common.errors import RuleBroken
from incubator.common.plain_text import narrow
from incubator.regions.models import Region, RegionAlias
from incubator.regions.names import bare_name, short_name

NO_LETTER = re.compile(r"[\W_]+")  # spaces, and what stands between the parts of a path
CODED = re.compile(r"(\d{6})(?:\d{3}|\d{6})?(\D*)")  # a township's or village's code begins with its county's


class RegionFinder:
    """Finds divisions by code, name, alias or name path, in memory: one query each, then none per row.

    ``find`` raises ``RuleBroken`` with a sentence when nothing or more than one division answers.
    """

    def __init__(self) -> None:
        regions = Region.objects.with_people().select_related("province", "prefecture", "replaced_by")
        self._by_code = {region.code: region for region in regions}
        in_use = [(region.name, code) for code, region in self._by_code.items() if region.retired_on is None]
        aliases = RegionAlias.objects.filter(region__retired_on=None).values_list("name", "region_id")
        # Full names and aliases come before what a name may be shortened to.
        self._names = [
            _codes_by_name([*in_use, *aliases]),
            _codes_by_name((short_name(name), code) for name, code in in_use),
            _codes_by_name((bare_name(name), code) for name, code in in_use),
        ]
        self._longest = max((len(name) for names in self._names for name in names), default=0)

    def find(self, text: str, *, within: Region | None = None) -> Region:
        """The one division ``text`` names. ``within`` (province, prefecture or county) settles equal names."""
        wanted = NO_LETTER.sub("", narrow(text))
        if coded := CODED.fullmatch(wanted):
            return self._coded(coded[1], coded[2], text)
        found = [self._by_code[code] for code in self._candidates(wanted)]
        if len(found) > 1 and within is not None:
            found = [r for r in found if within.code in (r.code, r.prefecture_id, r.province_id)] or found
        if not found:
            raise RuleBroken(
                _("No county is called “%(name)s”. Write its full name or six-digit code.") % {"name": text}
            )
        if len(found) > 1:
            raise RuleBroken(
                _("“%(name)s” could be %(choices)s. Write the six-digit code or the province in front of the name.")
                % {"name": text, "choices": _(" or ").join(sorted(r.path_name for r in found))}
            )
        return found[0]

    def _coded(self, code: str, name: str, text: str) -> Region:
        """The division with a code; where a name stands beside the code, it must be that one's."""
        region = self._by_code.get(code)
        if region is not None and region.retired_on and region.replaced_by_id:
            region = self._by_code.get(region.replaced_by_id)
        if region is None or region.retired_on:
            raise RuleBroken(_("There is no county with the code %(code)s in use.") % {"code": code})
        if name and region.code not in self._candidates(name):
            raise RuleBroken(
                _("In “%(text)s” code and name are of different places. Write one of the two.") % {"text": text}
            )
        return region

    def _candidates(self, wanted: str) -> set[str]:
        """Codes whose name (or alias) ``wanted`` is, or ends with, when what stands before it is its path."""
        return next((found for names in self._names if (found := self._named(wanted, names))), set())

    def _named(self, wanted: str, names: dict[str, set[str]]) -> set[str]:
        exact = names.get(wanted)
        if exact:
            return exact
        for length in range(min(self._longest, len(wanted) - 1), 1, -1):
            codes = names.get(wanted[-length:], set())
            fitting = {code for code in codes if self._path_fits(self._by_code[code], wanted[:-length])}
            if fitting:
                return fitting
        return set()

    @staticmethod
    def _path_fits(region: Region, before: str) -> bool:
        """Whether ``before`` is made of the names of the region's province and prefecture, in full or shortened."""
        rest = before
        for upper in (region.province, region.prefecture):
            if upper is None or upper.code == region.code:
                continue
            for length in range(len(upper.name), 1, -1):
                if rest.startswith(upper.name[:length]):
                    rest = rest[length:].lstrip("省市州盟")
                    break
        return not rest


def _codes_by_name(pairs: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    names: dict[str, set[str]] = {}
    for name, code in pairs:
        if name:
            names.setdefault(name, set()).add(code)
    return names
