from django.db import migrations

# People are looked up in these by every request, and a look-up of a company that the statistics do not know may read all
# of its rows. By itself autovacuum waits until a tenth of all companies' rows has changed.
TABLES = ("contacts_contact", "contacts_account", "contacts_consent", "contacts_searchterm")


class Migration(migrations.Migration):
    dependencies = [("contacts", "0004_lookups")]

    operations = [
        migrations.RunSQL(
            f"ALTER TABLE {table} SET (autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 20000)",
            f"ALTER TABLE {table} RESET (autovacuum_analyze_scale_factor, autovacuum_analyze_threshold)",
        )
        for table in TABLES
    ]
