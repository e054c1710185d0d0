"""People whose surname is read in a way of its own get the initials they are looked for by."""

from django.db import migrations

from trainees.names import SURNAMES, initials

BATCH = 5_000


def read_anew(apps, schema_editor):
    """Each surname is a question to the index of names; in batches of people."""
    Trainee = apps.get_model("trainees", "Trainee")
    for surname in SURNAMES:
        after = 0
        while people := list(
            Trainee.objects.filter(name__startswith=surname, pk__gt=after).only("pk", "name").order_by("pk")[:BATCH]
        ):
            for person in people:
                person.initials = initials(person.name)
            Trainee.objects.bulk_update(people, ["initials"])
            after = people[-1].pk


class Migration(migrations.Migration):
    dependencies = [("trainees", "0007_history")]

    operations = [migrations.RunPython(read_anew, migrations.RunPython.noop)]
