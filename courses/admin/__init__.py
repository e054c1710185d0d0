"""The staff desk's pages of this room."""

from courses.admin import attendance, catalogue, check_in, classes, graduation, people  # noqa: F401 - each registers its pages
