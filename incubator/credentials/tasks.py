"""Celery tasks of this room."""

from celery import shared_task


@shared_task(name="credentials.issue_missing")
def issue_missing() -> None:
    """Every award in force has a credential that is believed, whoever gave it and whatever became of its key."""
    from incubator.credentials.queries import without_credential
    from incubator.credentials.services import issue_credentials

    issue_credentials(without_credential().only("pk").iterator())
