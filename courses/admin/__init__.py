"""The staff desk's pages of this room."""

from courses.admin import (  # noqa: F401 - each registers its pages
    assessment,
    attendance,
    catalogue,
    check_in,
    classes,
    graduation,
    people,
    satisfaction,
    sheets,
)
