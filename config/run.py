"""`./onward COMMAND`, once the environment stands: run, test, bench, lint."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from config import embedded, supervisor

BASE = Path(__file__).resolve().parent.parent
TOOLS = Path(sys.executable).parent
APPS = [
    *("config", "tenants", "contacts", "segments", "messaging", "pages", "leads", "scoring", "journeys"),
    *("integrations", "insights"),
]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
NO_BROWSER = """\
!!!
!!! No Chromium on this machine: the tests in a browser {}. On Debian or Ubuntu: apt-get install chromium
!!!"""
# What `check --deploy` asks of a real deployment.
PRODUCTION = {
    "DEBUG": "False",
    "PUBLIC_URL": "https://onward.example",
    "TRACKING_URL": "https://onward.example",
    "SECRET_KEY": "only-for-this-check-and-long-enough-0123456789-abcdefghijklmnopqrstuvwxyz",
    "SECRETS_KEYS": "7vRMyN5tq4JqyyTn3fTE1DmZSMkv6ZBhQjFLRd2xv1Y=",
    "REDIS_URL": "",
    "BROKER_URL": "",
}


def run(arguments: list[str]) -> int:
    """The product in the foreground."""
    return supervisor.run()


def test(arguments: list[str]) -> int:
    """All tests on two processes, or those that pytest's arguments choose; pytest's summary is the last line.

    Without a browser its tests are left out, loudly; not in continuous integration (CI=true), where they fail.
    """
    options = [] if any(argument.startswith("-n") for argument in arguments) else ["-n", "2"]
    if browser() is None:
        is_ci = os.environ.get("CI", "").lower() in ("1", "true", "yes")
        print(NO_BROWSER.format("fail" if is_ci else "ARE LEFT OUT"), file=sys.stderr, flush=True)
        options += [] if is_ci else ["-m", "not browser"]
    return subprocess.run([sys.executable, "-m", "pytest", *options, *arguments], cwd=BASE).returncode


def browser() -> str | None:
    """The machine's Chromium, for the tests in a browser."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def bench(arguments: list[str]) -> int:
    """The measurements of docs/performance.md."""
    return subprocess.run([sys.executable, "-m", "bench", *arguments], cwd=BASE).returncode


def lint(arguments: list[str]) -> int:
    """Every check that does not run the product; goes through all of them and names those that failed."""
    templates = sorted(str(path) for path in (BASE / "templates").rglob("*.html"))
    manage = [sys.executable, "manage.py"]
    checks: dict[str, list[str]] = {
        "style": [str(TOOLS / "ruff"), "check", "."],
        "format": [str(TOOLS / "ruff"), "format", "--check", "."],
        "layers": [str(TOOLS / "lint-imports")],
        "types": [sys.executable, "-m", "mypy", *APPS],
        "templates": [str(TOOLS / "djade"), "--check", "--target-version", "5.2", *templates],
        "migrations": [*manage, "makemigrations", "--check", "--dry-run"],
        "deployment": [*manage, "check", "--deploy", "--fail-level", "WARNING"],
    }
    with embedded.throwaway_postgres() as postgres:
        environ = {**os.environ, **PRODUCTION, "DATABASE_URL": postgres.url()}
        failed = [name for name, command in checks.items() if not _passes(name, command, environ)]
    print(f"lint: {', '.join(failed)} failed" if failed else f"lint: {len(checks)} checks passed")
    return 1 if failed else 0


def _passes(name: str, command: list[str], environ: dict[str, str]) -> bool:
    print(f"== {name}", flush=True)
    return subprocess.run(command, cwd=BASE, env=environ).returncode == 0


COMMANDS: dict[str, Callable[[list[str]], int]] = {"run": run, "test": test, "bench": bench, "lint": lint}


def main(arguments: list[str]) -> int:
    """Hand over to the command."""
    if not arguments or arguments[0] not in COMMANDS:
        print(f"Usage: ./onward {' | '.join(COMMANDS)}", file=sys.stderr)
        return 2
    return COMMANDS[arguments[0]](arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
