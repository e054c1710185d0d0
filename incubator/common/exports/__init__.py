"""Lists as files: which columns, which values, and how they are written so that nothing is altered or computed."""

from incubator.common.exports.columns import Exported, ListResource, resource_for
from incubator.common.exports.formats import CsvFormat, ListFormat, XlsxFormat

__all__ = ["CsvFormat", "Exported", "ListFormat", "ListResource", "XlsxFormat", "resource_for"]
