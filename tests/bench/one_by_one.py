"""The obvious way, as a baseline: one Celery task an account. ``celery -A tests.bench.one_by_one worker``."""

import asyncio

from django.utils import timezone

from incubator.celery import app

__all__ = ["app", "read_one"]


@app.task(name="bench.read_one")
def read_one(account_id: int) -> None:
    """Open a client, fetch, write."""
    from incubator.metrics.batches import _tokens
    from incubator.metrics.models import Authorisation, Reading

    authorisation = Authorisation.objects.select_related("account").get(pk=account_id)
    [told] = asyncio.run(_fetch(_tokens(authorisation)))
    Reading.objects.update_or_create(
        day=told.day,
        account_id=account_id,
        defaults={"followers": told.followers, "following": told.following, "fetched_at": timezone.now()},
    )


async def _fetch(tokens):
    from incubator.metrics.platforms import client_for

    async with client_for("kuaishou") as client:
        return await client.fetch(tokens)
