import pytest
from django.db import IntegrityError, connection, transaction

from incubator.accounts.access import record_access
from incubator.accounts.choices import AccessKind
from incubator.accounts.models import AccessRecord
from tests.factories import TraineeFactory, UserFactory
from trainees.models import Trainee


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement", ["UPDATE accounts_accessrecord SET reason = 'x'", "DELETE FROM accounts_accessrecord"]
)
def test_an_access_record_is_never_changed_or_deleted(statement):
    trainee = TraineeFactory()
    record = record_access(
        Trainee, kind=AccessKind.REVEAL, by=UserFactory(), fields=["phone"], row=trainee.pk, reason="called back"
    )
    assert (record.what, record.row, record.fields) == ("trainees.trainee", str(trainee.pk), ["phone"])

    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert AccessRecord.objects.get().reason == "called back"
