"""`./onward run`: the whole product as children of one process in the foreground.

Order of starting: lock, ports, PostgreSQL, Redis, `config.prepare`, then web, tracking, worker, beat, mail catcher.
A child that ends is started again after a pause that doubles. Ctrl-C or SIGTERM stops all of them, the databases last;
if this process is killed, the kernel stops its children (PR_SET_PDEATHSIG) and the next start clears what is left.
"""

import fcntl
import importlib.util
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import FrameType

from config import embedded, environment
from config.environment import HOST, Ports
from config.lifeline import SUPERVISED, dies_with_parent
from config.programs import CannotStart, data_folder

BASE = Path(__file__).resolve().parent.parent
VAR = BASE / "var"
# A worker may finish what it has begun; its tasks' budgets are below this.
PATIENCE = 15
LONGEST_PAUSE = 30
# A child that ran this long is not failing at its start.
SETTLED = 60
LARGEST_LOG = 10_000_000

_asked_to_stop = threading.Event()


@dataclass
class Child:
    """One program of the product and how often it failed in a row."""

    name: str
    command: list[str]
    environ: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0
    failures: int = 0
    again_at: float = 0

    @property
    def log(self) -> Path:
        return log_of(self.name)

    def start(self) -> None:
        """Start it, its output in its log."""
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command,
                cwd=BASE,
                env=dict(self.environ),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                process_group=0,
                preexec_fn=dies_with_parent(signal.SIGKILL),
            )
        self.started_at = time.monotonic()

    def watch(self) -> None:
        """Notice that it ended, and start it again when its pause is over."""
        now = time.monotonic()
        if self.process is None:
            if now >= self.again_at:
                self.start()
        elif self.process.poll() is not None:
            self.kill()
            self.failures = 1 if now - self.started_at > SETTLED else self.failures + 1
            pause = min(2 ** (self.failures - 1), LONGEST_PAUSE)
            say(f"{self.name} ended ({_how(self.process.returncode)}), again in {pause} s: see {self.log}")
            self.process, self.again_at = None, now + pause

    def ask_to_stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()

    def kill(self) -> None:
        """Kill what is left of its process group."""
        if self.process:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@dataclass
class Stack:
    """Everything that runs; `stop()` ends it in the right order, from any state."""

    postgres: embedded.Postgres | None = None
    redis: embedded.Redis | None = None
    children: list[Child] = field(default_factory=list)
    folder: Path = VAR
    # Nobody else may take our ports while we start.
    held: list[socket.socket] = field(default_factory=list)

    def start_servers(self, given: Mapping[str, str]) -> None:
        """PostgreSQL and Redis, unless the environment names them."""
        if not given.get("DATABASE_URL"):
            self.postgres = embedded.start_postgres(self.folder, log_of("postgres"))
        if not given.get("REDIS_URL") and given.get("ONWARD_NO_REDIS") != "1":
            self.redis = embedded.start_redis(self.folder, log_of("redis"))

    def watch(self) -> None:
        """Bring back whatever has ended."""
        if self.postgres and self.postgres.process.poll() is not None:
            say("PostgreSQL ended; starting it again.")
            self.postgres = embedded.start_postgres(self.folder, log_of("postgres"))
        if self.redis and self.redis.process.poll() is not None:
            say("Redis ended; starting it again.")
            self.redis = embedded.start_redis(self.folder, log_of("redis"))
        for child in self.children:
            child.watch()

    def stop(self) -> None:
        """Ask all to stop, give them time, kill what remains; the databases go last."""
        for child in self.children:
            child.ask_to_stop()
        deadline = time.monotonic() + PATIENCE
        for child in self.children:
            if child.process:
                with suppress(subprocess.TimeoutExpired):
                    child.process.wait(max(0, deadline - time.monotonic()))
            child.kill()
        for server in (self.redis, self.postgres):
            if server:
                server.stop()
        for holder in self.held:
            holder.close()


def run() -> int:
    """Run the product until somebody stops it; returns the exit status."""
    given = dict(os.environ)
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, _interrupt)
    stack = Stack()
    with ExitStack() as cleanup:
        try:
            cleanup.enter_context(_only_one(VAR / "lock"))
            cleanup.callback(_stop_undisturbed, stack)
            _start(stack, given)
            while not _asked_to_stop.is_set():
                stack.watch()
                time.sleep(0.2)
        except CannotStart as reason:
            if text := str(reason):
                print(text, file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            pass
        say("Stopping ...")
    return 0


def _start(stack: Stack, given: Mapping[str, str]) -> None:
    """Bring everything up and say where it is."""
    ports = Ports.wanted(given)
    ports.check()
    stack.held = ports.hold()
    stack.folder = data_folder(VAR)
    if stack.folder != VAR:
        say(f"The databases' user cannot enter {BASE}: the data is in {stack.folder}.")
    (VAR / "log").mkdir(exist_ok=True)
    stack.start_servers(given)
    chosen = environment.decide(given, environment.read(VAR / "env"), ports, stack.postgres, stack.redis)
    environment.write(VAR / "env", chosen)
    environ = {**given, **chosen, "PYTHONUNBUFFERED": "1", SUPERVISED: "1"}
    _prepare(environ)
    stack.children = list(_programs(ports, environ))
    for child in stack.children:
        child.start()
    _wait_for(ports.web, stack)
    _welcome(chosen)


def _prepare(environ: Mapping[str, str]) -> None:
    """Take the steps of `config.prepare` in processes whose memory is given back; static files beside the database.

    ONWARD_SAMPLE=0 leaves an empty installation empty.
    """
    database = ["database"] + (["sample"] if environ.get("ONWARD_SAMPLE") != "0" else [])
    with _steps(database, environ) as tables, _steps(["static"], environ) as static:
        if tables.wait() or static.wait():
            raise CannotStart  # the step that failed has said why


@contextmanager
def _steps(steps: list[str], environ: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process that takes steps of `config.prepare`; it does not outlive the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "config.prepare", *steps],
        cwd=BASE,
        env=dict(environ),
        process_group=0,
        preexec_fn=dies_with_parent(signal.SIGKILL),
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _programs(ports: Ports, environ: Mapping[str, str]) -> Iterator[Child]:
    """The children, which all find their services in the environment."""
    python = [sys.executable, "-m"]
    granian = [*python, "granian", "--host", HOST, "--no-ws", "--log-level", "warning"]
    # A worker that is asked to stop before it has started would be waited for in vain.
    granian += ["--respawn-failed-workers", "--workers-kill-timeout", "5"]
    web = ["--interface", "wsgi", "--port", str(ports.web), "--workers", "2", "--blocking-threads", "4"]
    yield Child("web", [*granian, *web, "config.wsgi:application"], environ)
    if importlib.util.find_spec("messaging.tracking"):
        tracking = ["--interface", "asgi", "--port", str(ports.tracking), "--workers", "1"]
        yield Child("tracking", [*granian, *tracking, "config.asgi:application"], environ)
    if environ["BROKER_URL"]:
        celery = [*python, "celery", "-A", "config"]
        yield Child("worker", [*celery, "worker", "--concurrency", "2", "--loglevel", "WARNING"], environ)
        calls = ["worker", "-Q", "calls", "-n", "caller@%h", "--pool", "threads", "--concurrency", "4"]
        yield Child("caller", [*celery, *calls, "--loglevel", "WARNING"], environ)
        beat = ["beat", "--schedule", str(VAR / "beat"), "--pidfile", ""]
        yield Child("beat", [*celery, *beat], environ)
    else:
        say("No Redis on this machine: one process does the worker's and the beat's work (manage.py tick --loop).")
        yield Child("tick", [sys.executable, "manage.py", "tick", "--loop"], environ)
    yield Child("catcher", [sys.executable, "manage.py", "catch_mail"], environ)


def _wait_for(port: int, stack: Stack, patience: float = 120) -> None:
    """Wait until a worker of the web server answers; restarts go on meanwhile."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        web = HTTPConnection(HOST, port, timeout=1)
        with suppress(OSError, HTTPException), closing(web):
            web.request("GET", "/healthz")
            web.getresponse()
            return
        stack.watch()
        time.sleep(0.05)
    raise CannotStart(f"The web server does not answer: see {log_of('web')}")


def _welcome(chosen: Mapping[str, str]) -> None:
    sign_ins = VAR / "sign-ins"
    if sign_ins.exists():
        say(sign_ins.read_text().rstrip())
    say(f"Onward is at {chosen['PUBLIC_URL']}  (Ctrl-C stops it; logs are in {VAR / 'log'})")


@contextmanager
def _only_one(path: Path) -> Iterator[None]:
    """Hold the checkout's lock; refuse if another start holds it. The kernel frees it when we die."""
    try:
        path.parent.mkdir(exist_ok=True)
        # The servers' user passes through to its own folders inside; all else in here has modes of its own.
        path.parent.chmod(0o711)
        file = path.open("a+")
    except OSError as error:
        raise CannotStart(f"Cannot write to {path.parent}: {error.strerror}.") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            running = environment.read(path.parent / "env").get("PUBLIC_URL", "an address of its own")
            raise CannotStart(f"Onward is already being served from here, at {running}.") from error
        yield


def _stop_undisturbed(stack: Stack) -> None:
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    stack.stop()


def _interrupt(signum: int, frame: FrameType | None) -> None:
    # The exception ends what is being waited for; where Python drops it (in a finalizer), the event remains.
    if not _asked_to_stop.is_set():
        _asked_to_stop.set()
        raise KeyboardInterrupt


def log_of(name: str) -> Path:
    """The log of a child; a large one is put aside at the start."""
    log = VAR / "log" / f"{name}.log"
    if log.exists() and log.stat().st_size > LARGEST_LOG:
        log.replace(log.with_suffix(".log.1"))
    return log


def say(line: str) -> None:
    print(line, flush=True)


def _how(returncode: int) -> str:
    return f"exit status {returncode}" if returncode >= 0 else signal.Signals(-returncode).name
