"""Files that background work made lie sealed, as uploads do; those that are there are sealed, one at a time."""

from django.db import migrations

from incubator.common.resealing import SealedFiles, reseal_files


def seal_results(apps, schema_editor):
    """Until now they lay in clear. Run again, it passes over those that are sealed."""
    for _file in reseal_files(SealedFiles("jobs_job", "result_file", bound=True), reopen=lambda plain, **_place: plain):
        pass


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("jobs", "0002_not_before")]

    operations = [migrations.RunPython(seal_results, migrations.RunPython.noop)]
