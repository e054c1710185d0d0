"""Ledger entries are never changed or deleted: the database says so, not only the services."""

from django.db import migrations

LEDGER_STAYS = """
CREATE FUNCTION grants_ledger_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'ledger entries are never changed or deleted' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER grants_ledger_stays BEFORE UPDATE OR DELETE ON grants_ledgerentry
    FOR EACH ROW EXECUTE FUNCTION grants_ledger_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("grants", "0001_initial")]

    operations = [
        migrations.RunSQL(
            LEDGER_STAYS, "DROP TRIGGER grants_ledger_stays ON grants_ledgerentry; DROP FUNCTION grants_ledger_stays();"
        ),
    ]
