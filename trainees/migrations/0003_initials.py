"""Initials for searching, with those of the people who are there already."""

from itertools import batched

from django.db import migrations, models

from trainees.names import initials

BATCH = 5_000
WRITE = """
UPDATE trainees_trainee SET initials = filled.initials
FROM unnest(%s::bigint[], %s::text[]) AS filled (id, initials) WHERE trainees_trainee.id = filled.id
"""


def fill(apps, schema_editor):
    """A statement for a batch of people, not one for each."""
    people = apps.get_model("trainees", "Trainee").objects.filter(initials="").values_list("pk", "name")
    with schema_editor.connection.cursor() as cursor:
        for some in batched(people.order_by("pk").iterator(chunk_size=BATCH), BATCH):
            cursor.execute(WRITE, [[pk for pk, _name in some], [initials(name) for _pk, name in some]])


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
