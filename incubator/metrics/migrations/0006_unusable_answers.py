"""Answers without a usable figure are held back beside the odd figures: no followers, what was told, and why."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("metrics", "0005_consent_reminders"),
    ]

    operations = [
        migrations.AddField(
            model_name="quarantinedreading",
            name="told",
            field=models.CharField(blank=True, max_length=30, verbose_name="what the platform told"),
        ),
        migrations.AlterField(
            model_name="quarantinedreading",
            name="followers",
            field=models.PositiveIntegerField(null=True, verbose_name="followers"),
        ),
        migrations.AlterField(
            model_name="quarantinedreading",
            name="last_day",
            field=models.DateField(null=True, verbose_name="last read on"),
        ),
        migrations.AlterField(
            model_name="quarantinedreading",
            name="last_followers",
            field=models.PositiveIntegerField(null=True, verbose_name="followers then"),
        ),
        migrations.AlterField(
            model_name="quarantinedreading",
            name="why",
            field=models.CharField(
                choices=[
                    ("drop", "fell by half or more"),
                    ("rise", "rose tenfold or more"),
                    ("missing", "no figure in the answer"),
                    ("no_number", "not a whole number"),
                    ("negative", "below zero"),
                    ("absurd", "larger than can be"),
                ],
                max_length=10,
                verbose_name="why",
            ),
        ),
        migrations.AddConstraint(
            model_name="quarantinedreading",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("followers", None), ("why__in", ("missing", "no_number", "negative", "absurd"))),
                    models.Q(
                        ("followers__isnull", False),
                        ("last_day__isnull", False),
                        ("last_followers__isnull", False),
                        models.Q(("why__in", ("missing", "no_number", "negative", "absurd")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="odd_figures_are_figures_and_unusable_answers_none",
            ),
        ),
        migrations.AddConstraint(
            model_name="quarantinedreading",
            constraint=models.CheckConstraint(
                condition=models.Q(("followers", None), ("state", "accepted"), _negated=True),
                name="only_figures_are_accepted",
            ),
        ),
    ]
