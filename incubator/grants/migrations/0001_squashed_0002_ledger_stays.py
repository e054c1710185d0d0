"""The tables as 0001 to 0002 left them, made at once: a new database is ready in less than half the time."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

LEDGER_STAYS = """
CREATE FUNCTION grants_ledger_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'ledger entries are never changed or deleted' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER grants_ledger_stays BEFORE UPDATE OR DELETE ON grants_ledgerentry
    FOR EACH ROW EXECUTE FUNCTION grants_ledger_stays();
"""


class Migration(migrations.Migration):
    replaces = [
        ("grants", "0001_initial"),
        ("grants", "0002_ledger_stays"),
    ]

    initial = True

    dependencies = [
        ("accounts", "__first__"),
        ("programmes", "0001_squashed_0005_support_as_given"),
    ]

    operations = [
        migrations.CreateModel(
            name="Grant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("impressions", models.PositiveBigIntegerField(verbose_name="impressions")),
                (
                    "level",
                    models.CharField(
                        choices=[("first", "level one"), ("second", "level two"), ("third", "level three")],
                        default="first",
                        max_length=10,
                        verbose_name="level",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "proposed"),
                            ("approved", "approved"),
                            ("refused", "refused"),
                            ("cancelled", "cancelled"),
                        ],
                        db_index=True,
                        default="proposed",
                        editable=False,
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("proposed_on", models.DateField(editable=False, verbose_name="proposed on")),
                ("approved_on", models.DateField(editable=False, null=True, verbose_name="approved on")),
                (
                    "participation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="grants",
                        to="programmes.participation",
                        verbose_name="participation",
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="proposed by",
                    ),
                ),
            ],
            options={
                "verbose_name": "grant",
                "verbose_name_plural": "grants",
                "ordering": ["-pk"],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("impressions__gt", 0)), name="grant_gives_something")
                ],
            },
        ),
        migrations.CreateModel(
            name="GrantMove",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "before",
                    models.CharField(
                        choices=[
                            ("proposed", "proposed"),
                            ("approved", "approved"),
                            ("refused", "refused"),
                            ("cancelled", "cancelled"),
                        ],
                        max_length=10,
                        verbose_name="before",
                    ),
                ),
                (
                    "after",
                    models.CharField(
                        choices=[
                            ("proposed", "proposed"),
                            ("approved", "approved"),
                            ("refused", "refused"),
                            ("cancelled", "cancelled"),
                        ],
                        max_length=10,
                        verbose_name="after",
                    ),
                ),
                ("at", models.DateTimeField(auto_now_add=True, verbose_name="at")),
                ("reason", models.CharField(blank=True, max_length=200, verbose_name="reason")),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
                (
                    "grant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="moves", to="grants.grant"
                    ),
                ),
            ],
            options={
                "verbose_name": "change of state",
                "verbose_name_plural": "changes of state",
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="TrafficPool",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100, unique=True, verbose_name="name")),
                ("impressions", models.PositiveBigIntegerField(verbose_name="impressions")),
                (
                    "promised",
                    models.PositiveBigIntegerField(default=0, editable=False, verbose_name="impressions promised"),
                ),
                (
                    "cohort",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="pools",
                        to="programmes.cohort",
                        verbose_name="cohort",
                    ),
                ),
            ],
            options={
                "verbose_name": "traffic pool",
                "verbose_name_plural": "traffic pools",
                "ordering": ["name"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("promised__lte", models.F("impressions"))),
                        name="pool_never_promises_more_than_it_has",
                        violation_error_message="The pool has promised more impressions than that already.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="LedgerEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("promise", "promised"), ("return", "given back")], max_length=10, verbose_name="kind"
                    ),
                ),
                (
                    "impressions",
                    models.BigIntegerField(
                        help_text="Positive when promised, negative when given back.", verbose_name="impressions"
                    ),
                ),
                ("at", models.DateTimeField(auto_now_add=True, verbose_name="at")),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
                (
                    "grant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entries",
                        to="grants.grant",
                        verbose_name="grant",
                    ),
                ),
                (
                    "pool",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entries",
                        to="grants.trafficpool",
                        verbose_name="pool",
                    ),
                ),
            ],
            options={
                "verbose_name": "ledger entry",
                "verbose_name_plural": "ledger entries",
                "ordering": ["-pk"],
                "constraints": [
                    models.UniqueConstraint(fields=("grant", "kind"), name="one_entry_per_grant_and_kind"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("impressions__gt", 0), ("kind", "promise")),
                            models.Q(("impressions__lt", 0), ("kind", "return")),
                            _connector="OR",
                        ),
                        name="promises_are_positive_and_returns_negative",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="grant",
            name="pool",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="grants",
                to="grants.trafficpool",
                verbose_name="pool",
            ),
        ),
        migrations.RunSQL(
            LEDGER_STAYS, "DROP TRIGGER grants_ledger_stays ON grants_ledgerentry; DROP FUNCTION grants_ledger_stays();"
        ),
    ]
