"""``python -m tests.embedded.creators``: connected accounts in the database of a runner, from consents on stdin."""

import json
import sys
from datetime import timedelta

import django


def main() -> None:
    django.setup()
    from django.utils import timezone

    from incubator.metrics.clients.base import Tokens
    from incubator.metrics.services.consent import grant_consent
    from tests.factories import CreatorAccountFactory, TraineeFactory, region

    now, later = timezone.now(), timezone.now() + timedelta(days=2)
    county = region("622927")
    for handle, open_id, access, refresh in json.load(sys.stdin):
        account = CreatorAccountFactory(handle=handle, trainee=TraineeFactory(county=county))
        grant_consent(account, Tokens(open_id, access, refresh, later, later), at=now)


if __name__ == "__main__":
    main()
