import django.db.models.deletion
import tenants.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('messaging', '0003_version_links'),
        ('tenants', '0001_initial'),
    ]

    operations = [
        migrations.DeleteModel(name='LinkClick'),
        migrations.CreateModel(
            name='LinkClick',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('message_id', models.BigIntegerField()),
                ('at', models.DateTimeField()),
                ('link', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='clicks', to='messaging.link')),
                ('tenant', tenants.fields.TenantKey(db_default=tenants.fields.CurrentTenant(), db_index=False, editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.tenant')),
            ],
            options={
                'indexes': [models.Index(fields=['tenant', 'message_id'], name='clicks_of_message')],
                'constraints': [models.UniqueConstraint(fields=('tenant', 'link', 'message_id'), name='one_click_per_link')],
            },
        ),
        migrations.RunSQL('DROP INDEX IF EXISTS messaging_message_tenant_id_id', migrations.RunSQL.noop),
        migrations.RemoveIndex(model_name='message', name='message_of_tile'),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(condition=models.Q(('journey_id__isnull', False)), fields=['tenant', 'journey_id', 'tile', 'address'], name='message_of_tile'),
        ),
        migrations.RemoveIndex(model_name='message', name='message_of_state'),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(condition=models.Q(('state', 'sending'), _negated=True), fields=['tenant', 'state', '-id'], name='message_of_state'),
        ),
    ]
