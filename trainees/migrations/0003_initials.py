"""Initials for searching, with those of the people who are there already."""

from itertools import batched

from django.db import migrations, models

from trainees.names import initials

BATCH = 5_000


def fill(apps, schema_editor):
    """In batches, so that a large table is not one long transaction's memory."""
    Trainee = apps.get_model("trainees", "Trainee")
    people = Trainee.objects.filter(initials="").only("pk", "name").order_by("pk")
    for some in batched(people.iterator(chunk_size=BATCH), BATCH):
        for person in some:
            person.initials = initials(person.name)
        Trainee.objects.bulk_update(some, ["initials"])


class Migration(migrations.Migration):
    dependencies = [
        ("trainees", "0002_number_sequence"),
    ]

    operations = [
        migrations.AddField(
            model_name="trainee",
            name="initials",
            field=models.CharField(blank=True, editable=False, max_length=20, verbose_name="initials"),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name="trainee",
            index=models.Index(fields=["initials"], name="trainee_initials", opclasses=["varchar_pattern_ops"]),
        ),
    ]
