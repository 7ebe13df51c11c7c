from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('training', '0006_entities_in_texts'),
    ]

    operations = [
        migrations.AlterField(
            model_name='job',
            name='kind',
            field=models.CharField(choices=[('train', 'Fine-tune'), ('evaluate', 'Evaluation'), ('measure', 'Pre-flight'), ('folds', 'Cross-validation'), ('search', 'Search for settings'), ('compress', 'Compression'), ('export', 'Export')], max_length=8),
        ),
    ]
