"""Real installations for the tests: a copy of the checkout in a temporary folder, run as a person would run it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg

from config import embedded, environment
from config.environment import Ports
from tests.server import SHARED_FOLDER

BASE = Path(__file__).resolve().parents[2]
# What `tests.server` sets for this process must not reach an installation.
OURS = {
    "DATABASE_URL", "BACKUP_DATABASE_URL", "REDIS_URL", "BROKER_URL", "EMAIL_URL", "CATCHER_URL", "PUBLIC_URL",
    "TRACKING_URL", "SANDBOX_URL", "SANDBOX_ORIGINS", "SECRET_KEY", "SECRETS_KEYS", "DEBUG", "DJANGO_SETTINGS_MODULE",
    "PORT", "TEST_STARTS_POSTGRES",
}  # fmt: skip


# The static files that the run's first installation has collected; copies of the checkout need no others.
COLLECTED = Path(os.environ[SHARED_FOLDER]) / "staticroot"


@contextmanager
def checkout() -> Iterator[Path]:
    """A copy of every file of the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=BASE, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    with embedded.throwaway_folder() as folder:
        for name in listed:
            if (BASE / name).is_file() and not name.startswith("tests/"):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(BASE / name, folder / name)
        if COLLECTED.exists():
            shutil.copytree(COLLECTED, folder / "staticroot")
        yield folder


def free_port() -> int:
    """A port for the web server whose neighbours are free too; another one in each test process."""
    first = 20_000 + os.getpid() % 200 * 100
    return next(port for port in range(first, 60_000, 50) if Ports(port).taken() is None)


def until(done: Callable[[], Any], patience: float = 300) -> Any:
    """Poll until `done()` is true; returns what it says, and fails after `patience` seconds."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if result := done():
            return result
        time.sleep(0.1)
    raise AssertionError(f"{done} did not come true in {patience} seconds")


@dataclass
class Installation:
    """A checkout that is run; what it says goes to a file."""

    folder: Path
    port: int
    extra: dict[str, str]
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Installation":
        """Start it in a session of its own, as in a terminal."""
        environ = {name: value for name, value in os.environ.items() if name not in OURS}
        with (self.folder / "said").open("ab") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "config.run", "run"],
                cwd=self.folder,
                env={**environ, "PORT": str(self.port), "ONWARD_SAMPLE": "0", **self.extra},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
        return self

    def wait_until_up(self) -> "Installation":
        until(lambda: "Onward is at" in self.said() or self.has_ended(), 600)
        assert not self.has_ended(), self.said()
        if not COLLECTED.exists():
            whole = Path(tempfile.mkdtemp(dir=COLLECTED.parent)) / "staticroot"
            shutil.copytree(self.folder / "staticroot", whole)
            with suppress(OSError):  # another process was faster
                whole.rename(COLLECTED)
        return self

    def has_ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def said(self) -> str:
        return (self.folder / "said").read_text()

    def forget_words(self) -> None:
        (self.folder / "said").write_text("")

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of a page."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def health(self) -> dict[str, Any]:
        """The checks of `/healthz/all`."""
        status, body = self.get("/healthz/all")
        return json.loads(body)["checks"] if status in {200, 503} else {}

    def is_well(self) -> bool:
        findings = self.health()
        return bool(findings) and all(finding["ok"] for finding in findings.values())

    def database(self) -> psycopg.Connection[Any]:
        """A connection as the application's role, by the address in `var/env`."""
        return psycopg.connect(environment.read(self.folder / "var" / "env")["DATABASE_URL"], autocommit=True)

    def family(self) -> list[psutil.Process]:
        """The supervisor and everything below it."""
        assert self.process is not None
        top = psutil.Process(self.process.pid)
        return [top, *top.children(recursive=True)]

    def child(self, *words: str) -> psutil.Process | None:
        """The supervisor's own child whose command line contains all the words."""
        assert self.process is not None
        for process in psutil.Process(self.process.pid).children():
            with suppress(psutil.Error):
                if all(word in " ".join(process.cmdline()) for word in words):
                    return process
        return None

    def interrupt(self, signum: signal.Signals = signal.SIGINT) -> int:
        """Ask it to stop, as Ctrl-C does; returns the exit status."""
        assert self.process is not None
        self.process.send_signal(signum)
        return self.process.wait(300)

    def close(self) -> None:
        """End whatever still runs of it, without the time for stopping in good order: its folder goes as well."""
        if self.process and self.process.poll() is None:
            family = self.family()
            self.process.kill()
            self.process.wait()
            until(lambda: not alive(family))


@contextmanager
def installation(**extra: str) -> Iterator[Installation]:
    """An installation that has not been started; it is stopped and gone afterwards."""
    with checkout() as folder:
        made = Installation(folder, free_port(), extra)
        try:
            yield made
        finally:
            made.close()


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that still run (a zombie does not)."""
    return [one for one in processes if _runs(one)]


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
