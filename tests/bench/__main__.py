"""``python -m tests.bench [--only NAME] [--scale full|small]``, on servers of its own under var/bench."""

import argparse
import os
import sys

from incubator.embedded import socket_dir, var_dir
from incubator.embedded.folders import private_dir
from incubator.embedded.postgres import EmbeddedPostgres
from incubator.embedded.valkey import EmbeddedValkey

# As docs/running.md recommends for a database of this size.
TUNED = {"shared_buffers": "2GB", "max_wal_size": "8GB", "checkpoint_timeout": "30min", "work_mem": "64MB",
         "maintenance_work_mem": "512MB", "temp_buffers": "128MB", "wal_buffers": "64MB"}  # fmt: skip
ACCOUNTS = {"full": 1_000_000, "small": 20_000}
LONG = {"trainee_desk"}  # takes minutes at any scale: a quick pass measures it only when it is named


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", default="", help="a name, or the beginning of one")
    parser.add_argument("--scale", choices=ACCOUNTS, default="full")
    options = parser.parse_args()
    folder = var_dir() / "bench" / options.scale
    private_dir(folder)
    postgres = EmbeddedPostgres(folder / "postgres", socket_dir(folder), options=TUNED)
    valkey = EmbeddedValkey(folder / "valkey", socket_dir(folder), durable=False)
    os.environ |= {"DATABASE_URL": postgres.url(), "REDIS_URL": valkey.url(), "INCUBATOR_VAR": str(folder)}
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "incubator.settings")
    try:
        postgres.start()
        valkey.start()
        return run(options.only, ACCOUNTS[options.scale])
    finally:
        valkey.stop()
        postgres.stop()


def run(only: str, accounts: int) -> int:
    import django

    django.setup()
    from django.core.management import call_command

    from tests.bench import ceremony, certifying, deciding, desk, exporting, fetching, importing, readings  # noqa: F401 - they register
    from tests.bench.measure import BENCHMARKS, keep, show

    call_command("migrate", verbosity=0)
    is_quick = not only and accounts < ACCOUNTS["full"]
    names = [name for name in BENCHMARKS if name.startswith(only) and not (is_quick and name in LONG)]
    wanted = {BENCHMARKS[name] for name in names}
    if not wanted:
        sys.stderr.write(f"No benchmark is called {only}. There are: {', '.join(BENCHMARKS)}\n")
        return 2
    results = [result for function in dict.fromkeys(BENCHMARKS.values()) if function in wanted
               for result in function(accounts)]  # fmt: skip
    show(results)
    keep(results, var_dir().parent / "results.json")
    return 0


if __name__ == "__main__":
    sys.exit(main())
