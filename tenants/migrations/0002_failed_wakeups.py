from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('tenants', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='wakeup',
            name='failed_since',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddIndex(
            model_name='wakeup',
            index=models.Index(condition=models.Q(('failed_since__isnull', False)), fields=['failed_since'], name='wakeup_failed'),
        ),
    ]
