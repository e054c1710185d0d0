"""Trainee numbers come from a sequence: unique at any concurrency, gaps allowed."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("trainees", "0001_initial")]

    operations = [
        migrations.RunSQL("CREATE SEQUENCE trainees_trainee_number", "DROP SEQUENCE trainees_trainee_number"),
    ]
