"""``manage.py rotate_keys``: everything that is sealed, sealed anew under the present key; docs/personal-data.md."""

from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

from incubator.common import commands
from incubator.common.encryption import Undecipherable, index_fingerprint
from incubator.common.resealing import BATCH, Batch, SealedColumn, SealedFiles, reindex, reseal, reseal_files
from incubator.common.sealed import (
    KeysOf,
    indexed_tables,
    keys_of_column,
    keys_of_files,
    sealed_columns,
    sealed_files,
)

Place = SealedColumn | SealedFiles
SAY_EVERY = 50  # batches


class Command(BaseCommand):
    help = (
        "Seals anew what is sealed with an old key (PERSONAL_DATA_OLD_KEYS), a batch at a time, while the application "
        "runs; interrupted, it goes on where it was. With --index the blind indexes are made anew instead, while "
        "nobody writes. Exit code 0: everything is of the present key; 1: something is not, or the work stopped at a "
        "value that no key opens, which is named; 2: a wrong key or argument."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--index", action="store_true", help="make the blind indexes anew under PERSONAL_INDEX_KEY")
        parser.add_argument("--dry-run", action="store_true", help="only say how much there is to do")
        parser.add_argument("--batch", type=int, default=BATCH, help=f"rows written at once ({BATCH})")

    def handle(self, *args: Any, index: bool, dry_run: bool, batch: int, **options: Any) -> None:
        if batch < 1:
            raise CommandError("--batch is 1 or more.", returncode=2)
        try:
            with commands.told():
                (self._index if index else self._rotate)(dry_run, batch)
        except ImproperlyConfigured as error:
            raise CommandError(str(error), returncode=2) from None
        except Undecipherable as error:
            raise CommandError(
                f"Stopped at {error}. Nothing of that batch was written. Is its key among PERSONAL_DATA_OLD_KEYS?"
            ) from None

    # The key that seals

    def _rotate(self, dry_run: bool, batch: int) -> None:
        every: list[Place] = [*sealed_columns(), *sealed_files()]
        places = {place: _keys_of(place) for place in every}
        todo = [place for place, keys in places.items() if keys.old or keys.unknown]
        for place, keys in places.items():
            self.stdout.write(f"{place}: {_counted(keys)}")
        if dry_run and todo:
            raise CommandError("Nothing was written: this was a dry run. Run it without --dry-run.")
        for place in todo:
            self._reseal(place, batch)
        self._say_end(todo)

    def _reseal(self, place: Place, size: int) -> None:
        found = reseal(place, size=size) if isinstance(place, SealedColumn) else reseal_files(place)
        self._say_done(place, found)

    def _say_done(self, place: Place, batches: Iterable[Batch]) -> None:
        done = 0
        for number, batch in enumerate(batches, 1):
            done += batch.resealed
            if number % SAY_EVERY == 0:
                self.stdout.write(f"{place}: {done} …")
                self.stdout.flush()
        self.stdout.write(f"{place}: {done} sealed anew.")

    def _say_end(self, todo: list[Place]) -> None:
        """Counted again, since a process that was not started anew may have gone on with the old key."""
        left = {place: keys for place in todo if (keys := _keys_of(place)).old or keys.unknown}
        if left:
            said = "; ".join(f"{place}: {_counted(keys)}" for place, keys in left.items())
            raise CommandError(
                f"Not all is of the present key: {said}. Start every process of the application anew, so that it "
                "knows the present key, then run this again."
            )
        self.stdout.write(
            "Everything is sealed with the present key. PERSONAL_DATA_OLD_KEYS can be emptied once no backup needs it."
        )

    # The key that finds

    def _index(self, dry_run: bool, batch: int) -> None:
        wrong = [one for one in indexed_tables() if one.made_with() not in (None, index_fingerprint())]
        if not wrong:
            self.stdout.write("The blind indexes are of the present key. Nothing is to be done.")
            return
        for one in wrong:
            self.stdout.write(f"{one.table}: {_rows(one.table)} rows, indexes made with another key.")
        if dry_run:
            raise CommandError("Nothing was written: this was a dry run. Run it without --dry-run.")
        with transaction.atomic():
            for one in wrong:
                done = 0
                for number, count in enumerate(reindex(one.table, one.indexes, size=batch), 1):
                    done += count
                    if number % SAY_EVERY == 0:
                        self.stdout.write(f"{one.table}: {done} …")
                        self.stdout.flush()
                one.remember()
                self.stdout.write(f"{one.table}: indexes of {done} rows made anew.")
        self.stdout.write("People are found by the present key. Start every process of the application anew.")


def _keys_of(place: Place) -> KeysOf:
    return keys_of_column(place) if isinstance(place, SealedColumn) else keys_of_files(place)


def _counted(keys: KeysOf) -> str:
    return f"{keys.present} of the present key, {keys.old} of old ones, {keys.unknown} of unknown ones"


def _rows(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")  # noqa: S608 - our own table
        return cursor.fetchone()[0]
