"""Signing keys, credentials and status lists; what was signed stays as it was, and so does what a key is."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import incubator.common.encryption

# Of a credential nothing changes but that another stands in its place, once.
CREDENTIALS_STAY = """
CREATE FUNCTION credentials_credential_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.replaced_at IS NOT NULL
        OR ROW(NEW.id, NEW.award_id, NEW.key_id, NEW.status_list_id, NEW.status_index, NEW.subject, NEW.text,
               NEW.issued_at, NEW.replaces_id)
        IS DISTINCT FROM ROW(OLD.id, OLD.award_id, OLD.key_id, OLD.status_list_id, OLD.status_index, OLD.subject,
               OLD.text, OLD.issued_at, OLD.replaces_id) THEN
        RAISE EXCEPTION 'what was signed is never changed' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER credentials_credential_stays BEFORE UPDATE OR DELETE ON credentials_credential
    FOR EACH ROW EXECUTE FUNCTION credentials_credential_stays();
"""
# A key is retired and distrusted, never brought back, and its public half is what others hold.
KEYS_STAY = """
CREATE FUNCTION credentials_key_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR NEW.id <> OLD.id OR NEW.public_key <> OLD.public_key
        OR (OLD.state <> 'active' AND NEW.state = 'active')
        OR (OLD.state = 'compromised' AND NEW.state <> 'compromised') THEN
        RAISE EXCEPTION 'a signing key is never deleted or brought back' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER credentials_key_stays BEFORE UPDATE OR DELETE ON credentials_signingkey
    FOR EACH ROW EXECUTE FUNCTION credentials_key_stays();
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("certification", "0003_codes_and_numbers_by_county"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="StatusList",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("opened_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="SigningKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_key", models.CharField(editable=False, max_length=60, unique=True, verbose_name="public key")),
                ("secret", incubator.common.encryption.EncryptedTextField(bound=True, null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("active", "signs"),
                            ("retired", "retired, still trusted"),
                            ("compromised", "not trusted any more"),
                        ],
                        db_index=True,
                        default="active",
                        editable=False,
                        max_length=12,
                        verbose_name="state",
                    ),
                ),
                ("active_from", models.DateTimeField(editable=False, verbose_name="signs from")),
                ("retired_at", models.DateTimeField(editable=False, null=True, verbose_name="retired at")),
                ("distrusted_at", models.DateTimeField(editable=False, null=True, verbose_name="not trusted since")),
                ("reason", models.CharField(blank=True, editable=False, max_length=200, verbose_name="reason")),
                (
                    "ended_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="ended by",
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="made by",
                    ),
                ),
            ],
            options={
                "verbose_name": "signing key",
                "verbose_name_plural": "signing keys",
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="Credential",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("status_index", models.PositiveIntegerField(editable=False, verbose_name="place in the status list")),
                ("subject", models.UUIDField(editable=False, verbose_name="number that stands for the holder")),
                ("text", models.TextField(editable=False, verbose_name="credential")),
                ("issued_at", models.DateTimeField(editable=False, verbose_name="issued at")),
                ("replaced_at", models.DateTimeField(editable=False, null=True, verbose_name="superseded at")),
                (
                    "award",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="credentials",
                        to="certification.award",
                        verbose_name="award",
                    ),
                ),
                (
                    "replaces",
                    models.OneToOneField(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="replaced_by",
                        to="credentials.credential",
                        verbose_name="in place of",
                    ),
                ),
                (
                    "key",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="credentials",
                        to="credentials.signingkey",
                        verbose_name="signing key",
                    ),
                ),
                (
                    "status_list",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="credentials",
                        to="credentials.statuslist",
                        verbose_name="status list",
                    ),
                ),
            ],
            options={
                "verbose_name": "credential",
                "verbose_name_plural": "credentials",
                "ordering": ["-issued_at", "-pk"],
            },
        ),
        migrations.AddConstraint(
            model_name="signingkey",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "active")), fields=("state",), name="one_key_signs"
            ),
        ),
        migrations.AddConstraint(
            model_name="signingkey",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("secret__isnull", False), ("state", "active")),
                    models.Q(models.Q(("state", "active"), _negated=True), ("secret__isnull", True)),
                    _connector="OR",
                ),
                name="only_the_key_that_signs_has_its_secret",
            ),
        ),
        migrations.AddConstraint(
            model_name="signingkey",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state", "active"),
                    models.Q(("retired_at__isnull", False), models.Q(("reason", ""), _negated=True)),
                    _connector="OR",
                ),
                name="ended_keys_say_when_and_why",
            ),
        ),
        migrations.AddConstraint(
            model_name="signingkey",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("distrusted_at__isnull", False), ("state", "compromised")),
                    models.Q(models.Q(("state", "compromised"), _negated=True), ("distrusted_at", None)),
                    _connector="OR",
                ),
                name="distrusted_keys_say_since_when",
            ),
        ),
        migrations.AddConstraint(
            model_name="credential",
            constraint=models.UniqueConstraint(
                condition=models.Q(("replaced_at", None)), fields=("award",), name="one_current_credential_per_award"
            ),
        ),
        migrations.AddConstraint(
            model_name="credential",
            constraint=models.UniqueConstraint(
                fields=("status_list", "status_index"), name="one_credential_per_place_in_a_status_list"
            ),
        ),
        migrations.AddConstraint(
            model_name="credential",
            constraint=models.CheckConstraint(
                condition=models.Q(("status_index__lt", 131072)), name="credential_has_a_place_within_its_status_list"
            ),
        ),
        migrations.AddConstraint(
            model_name="credential",
            constraint=models.CheckConstraint(
                condition=models.Q(("replaces", models.F("id")), _negated=True),
                name="no_credential_stands_in_its_own_place",
            ),
        ),
        migrations.RunSQL(
            CREDENTIALS_STAY,
            "DROP TRIGGER credentials_credential_stays ON credentials_credential; "
            "DROP FUNCTION credentials_credential_stays();",
        ),
        migrations.RunSQL(
            KEYS_STAY,
            "DROP TRIGGER credentials_key_stays ON credentials_signingkey; DROP FUNCTION credentials_key_stays();",
        ),
    ]
