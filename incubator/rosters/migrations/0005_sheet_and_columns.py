import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

COLUMNS = [
    ("name", "姓名"),
    ("sex", "性别"),
    ("id_number", "身份证号"),
    ("phone", "联系电话"),
    ("county", "县（市、区）"),
    ("township", "乡镇"),
    ("education", "学历"),
    ("background", "类别"),
    ("handle", "快手号"),
    ("number", "学员编号"),
    ("born_on", "出生日期"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("regions", "0001_initial"),
        ("rosters", "0004_check_again"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="rosterimport",
            name="outline",
            field=models.JSONField(default=dict, editable=False),
        ),
        migrations.AddField(
            model_name="rosterimport",
            name="sheet",
            field=models.CharField(blank=True, editable=False, max_length=100, verbose_name="sheet"),
        ),
        migrations.CreateModel(
            name="ColumnMapping",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("header", models.CharField(max_length=60, verbose_name="header")),
                ("column", models.CharField(blank=True, choices=COLUMNS, max_length=20, verbose_name="column")),
                ("at", models.DateTimeField(auto_now=True, verbose_name="at")),
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
                    "region",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="regions.region",
                        verbose_name="region",
                    ),
                ),
            ],
            options={
                "verbose_name": "meaning of a header",
                "verbose_name_plural": "meanings of headers",
                "constraints": [
                    models.UniqueConstraint(fields=("region", "header"), name="one_meaning_per_region_and_header")
                ],
            },
        ),
    ]
