import django.db.models.deletion
import tenants.fields
import tenants.secrets
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('messaging', '0004_lighter_outbox'),
        ('tenants', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='AddressKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', tenants.secrets.EncryptedText(editable=False)),
                ('tenant', tenants.fields.TenantKey(db_default=tenants.fields.CurrentTenant(), db_index=False, editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant')),
            ],
        ),
        migrations.AddField(
            model_name='suppression',
            name='fingerprint',
            field=models.CharField(editable=False, max_length=64, null=True),
        ),
        migrations.AlterField(
            model_name='suppression',
            name='address',
            field=models.CharField(max_length=254, null=True),
        ),
        migrations.AlterField(
            model_name='suppression',
            name='reason',
            field=models.CharField(choices=[('hard_bounce', 'Hard bounce'), ('soft_bounces', 'Soft bounces in a row'), ('complaint', 'Complaint'), ('manual', 'By hand'), ('refused', 'Refused before being erased')], max_length=15),
        ),
        migrations.AddConstraint(
            model_name='suppression',
            constraint=models.UniqueConstraint(fields=('tenant', 'fingerprint'), name='one_suppression_per_fingerprint'),
        ),
        migrations.AddConstraint(
            model_name='suppression',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('address__isnull', True), ('fingerprint__isnull', False)), models.Q(('address__isnull', False), ('fingerprint__isnull', True)), _connector='OR'), name='suppression_of_address_or_fingerprint'),
        ),
        migrations.AddConstraint(
            model_name='addresskey',
            constraint=models.UniqueConstraint(fields=('tenant',), name='one_address_key'),
        ),
    ]
