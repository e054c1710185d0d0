"""Certificate numbers come from a sequence; a published rule version refuses to change."""

from django.db import migrations

PUBLISHED_RULES_STAY = """
CREATE FUNCTION certification_rule_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR ROW(NEW.badge_id, NEW.version, NEW.followers, NEW.is_strict, NEW.published_at)
        IS DISTINCT FROM ROW(OLD.badge_id, OLD.version, OLD.followers, OLD.is_strict, OLD.published_at) THEN
        RAISE EXCEPTION 'a published rule version is never changed' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER certification_rule_stays BEFORE UPDATE OR DELETE ON certification_rule
    FOR EACH ROW WHEN (OLD.published_at IS NOT NULL) EXECUTE FUNCTION certification_rule_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("certification", "0001_initial")]

    operations = [
        migrations.RunSQL("CREATE SEQUENCE certification_award_number", "DROP SEQUENCE certification_award_number"),
        migrations.RunSQL(
            PUBLISHED_RULES_STAY,
            "DROP TRIGGER certification_rule_stays ON certification_rule; DROP FUNCTION certification_rule_stays();",
        ),
    ]
