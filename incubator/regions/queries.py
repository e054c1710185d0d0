"""Finding a region by what people write."""

from django.utils.translation import gettext as _

from incubator.common.errors import RuleBroken
from incubator.regions.models import Region, RegionAlias


class RegionFinder:
    """Finds divisions by code, name, alias or name path, in memory: one query each, then none per row.

    ``find`` raises ``RuleBroken`` with a sentence when nothing or more than one division answers.
    """

    def __init__(self) -> None:
        regions = Region.objects.with_people().select_related("province", "prefecture", "replaced_by")
        self._by_code = {region.code: region for region in regions}
        self._by_name: dict[str, set[str]] = {}
        for region in self._by_code.values():
            if region.retired_on is None:
                self._by_name.setdefault(region.name, set()).add(region.code)
        for name, code in RegionAlias.objects.filter(region__retired_on=None).values_list("name", "region_id"):
            self._by_name.setdefault(name, set()).add(code)
        self._longest = max(map(len, self._by_name), default=0)

    def find(self, text: str, *, within: Region | None = None) -> Region:
        """The one division ``text`` names. ``within`` (province, prefecture or county) settles equal names."""
        wanted = "".join(text.split())
        if wanted.isdigit():
            return self._current(wanted)
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

    def _current(self, code: str) -> Region:
        region = self._by_code.get(code)
        if region is not None and region.retired_on and region.replaced_by_id:
            region = self._by_code.get(region.replaced_by_id)
        if region is None or region.retired_on:
            raise RuleBroken(_("There is no county with the code %(code)s in use.") % {"code": code})
        return region

    def _candidates(self, wanted: str) -> set[str]:
        """Codes whose name (or alias) ``wanted`` is, or ends with, when what stands before it is its path."""
        exact = self._by_name.get(wanted)
        if exact:
            return exact
        for length in range(min(self._longest, len(wanted) - 1), 1, -1):
            codes = self._by_name.get(wanted[-length:], set())
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
