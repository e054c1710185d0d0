"""Which key people's blind indexes were made with: for those who are there, the present one, if it finds the first."""

from django.db import connection, migrations, models

from incubator.common.encryption import blind_index, decrypt, index_fingerprint


def remember(apps, schema_editor):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, id_number, id_number_index FROM trainees_trainee WHERE id_number_index IS NOT NULL "
            "AND id_number IS NOT NULL ORDER BY id LIMIT 1"
        )
        person = cursor.fetchone()
    if person is None:
        return
    key, stored, index = person
    number = decrypt(stored, context="trainees_trainee.id_number", row=key)
    if blind_index(number, context="trainee.id_number") != bytes(index):
        raise ValueError("PERSONAL_INDEX_KEY is not the key these people were entered with.")
    apps.get_model("trainees", "IndexKey").objects.get_or_create(pk=1, defaults={"fingerprint": index_fingerprint()})


class Migration(migrations.Migration):
    dependencies = [("trainees", "0004_bind_personal_data")]

    operations = [
        migrations.CreateModel(
            name="IndexKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("fingerprint", models.CharField(max_length=64)),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=models.Q(pk=1), name="people_are_found_by_one_key")],
            },
        ),
        migrations.RunPython(remember, migrations.RunPython.noop),
    ]
