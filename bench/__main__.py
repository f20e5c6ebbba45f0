"""`./onward bench`: the bars of docs/performance.md, each as a ratio to a hand-written floor in the same run.

Usage: python -m bench [--rows SHARE] [--only P3 P6] [--out FILE]
`--rows 1` is the full data set (1,000,000 contacts, 10,000,000 interactions); `--rows 0.01` checks that it works.
"""

import argparse
import base64
import json
import os
import sys
from importlib import import_module
from pathlib import Path

from config import embedded

BASE = Path(__file__).resolve().parent
# The module of each bar, in the order of measuring.
BARS = {"P2": "reaction", "P3": "rescoring", "P4": "tiles", "P5": "importing", "P6": "mail", "P13": "leads"}


def main() -> int:
    parser = argparse.ArgumentParser(prog="./onward bench", description="Measure the product against floors.")
    parser.add_argument("--rows", type=float, default=0.1, help="share of the full data set (default 0.1)")
    parser.add_argument("--only", nargs="*", default=None, help="bars to measure, e.g. P3 P6")
    parser.add_argument("--out", type=Path, default=BASE / "results.json")
    arguments = parser.parse_args()
    with embedded.throwaway_folder() as folder:
        settings = {"shared_buffers": "1GB", "work_mem": "64MB", "max_wal_size": "4GB", "track_commit_timestamp": "on"}
        server = embedded.start_postgres(folder, folder / "postgres.log", settings=settings)
        try:
            os.environ |= {"DATABASE_URL": server.url(), "REDIS_URL": "", "BROKER_URL": "", "LOG_LEVEL": "WARNING"}
            os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
            os.environ["SECRETS_KEYS"] = base64.urlsafe_b64encode(os.urandom(32)).decode()
            os.environ["SECRET_KEY"] = "only for measuring, long enough to please every check of it"
            return _measure(arguments, folder)
        finally:
            server.stop()


def _measure(arguments: argparse.Namespace, folder: Path) -> int:
    import django

    django.setup()
    from django.core.management import call_command

    from bench import data, harness

    call_command("migrate", verbosity=0)
    wanted = [bar for bar in BARS if not arguments.only or bar in arguments.only]
    print(f"Loading {arguments.rows:g} of the data set ...", flush=True)
    company = data.load(arguments.rows)
    results = [result for bar in wanted for result in import_module(f"bench.{BARS[bar]}").measure(company, folder)]
    arguments.out.write_text(json.dumps([result.row() for result in results], indent=1) + "\n")
    print(harness.table(results))
    return 0


sys.exit(main())
