"""What lists of the staff desk share that are about people."""

from django.db.models import QuerySet
from django.http import HttpRequest

from trainees.queries import person_q


class SearchedByPerson:
    """A list whose rows are found by their person: by name, initials, number, account, phone or ID number.

    ``person_path`` leads from a row to the trainee; empty where the row is one.
    """

    person_path = "participation__trainee"

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        prefix = f"{self.person_path}__" if self.person_path else ""
        return (queryset.filter(person_q(search_term, prefix)) if search_term.strip() else queryset), False
