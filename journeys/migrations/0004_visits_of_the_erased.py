from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('journeys', '0003_look_without_arrival'),
    ]

    operations = [
        migrations.AlterField(
            model_name='visit',
            name='contact_id',
            field=models.BigIntegerField(null=True),
        ),
    ]
