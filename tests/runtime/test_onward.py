"""The shell script `onward`: what it says on a machine where something is missing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from config import programs
from tests import server
from tests.runtime.stack import BASE, checkout

NEEDED = ["dirname", "mkdir", "cmp", "cp", "sh"]
# Stands for an interpreter: answers the script's three questions as told.
FAKE_PYTHON = """\
#!/bin/sh
case "$2" in
    *"< (3, 11)"*) exit {too_old} ;;
    *ensurepip*) exit {no_venv} ;;
    *) echo 3.11 ;;
esac
"""


@pytest.fixture(scope="module")
def folder():
    with checkout() as made:
        yield made


def onward(folder: Path, *arguments: str, path: Path | str = os.defpath, **identity) -> subprocess.CompletedProcess:
    return subprocess.run(
        [folder / "onward", *arguments],
        cwd="/", env={"PATH": str(path)}, capture_output=True, text=True, timeout=300, **identity,
    )  # fmt: skip


def machine(tmp_path: Path, python: str | None) -> Path:
    """A PATH with only what the script needs, and perhaps a python3."""
    for name in NEEDED:
        (tmp_path / name).symlink_to(shutil.which(name))
    if python:
        (tmp_path / "python3").write_text(python)
        (tmp_path / "python3").chmod(0o755)
    return tmp_path


@pytest.mark.parametrize("python", [None, FAKE_PYTHON.format(too_old=1, no_venv=1)])
def test_without_a_recent_python_it_names_the_package(folder, tmp_path, python):
    done = onward(folder, "run", path=machine(tmp_path, python))
    assert done.returncode == 1
    assert done.stderr == (
        "Onward needs Python 3.11 or newer. On Debian or Ubuntu: apt-get install python3 python3-venv\n"
    )


def test_without_venv_it_names_the_package_of_that_python(folder, tmp_path):
    done = onward(folder, "run", path=machine(tmp_path, FAKE_PYTHON.format(too_old=0, no_venv=1)))
    assert done.returncode == 1
    assert done.stderr == "Python 3.11 lacks venv. On Debian or Ubuntu: apt-get install python3.11-venv\n"


@pytest.mark.parametrize("arguments", [[], ["serve"]])
def test_an_unknown_command_is_answered_with_the_known_ones(folder, arguments):
    done = onward(folder, *arguments)
    assert done.returncode == 1
    assert done.stderr.startswith("Usage: ./onward run | test")


def test_a_folder_that_it_may_not_write_to_is_named_in_one_line(folder):
    identity = programs.identity()
    if not identity:
        folder.chmod(0o500)
    else:
        os.chown(folder, 0, 0)
        folder.chmod(0o755)
    done = onward(folder, "run", **identity)
    folder.chmod(0o700)
    assert done.returncode == 1
    assert done.stderr.startswith(f"Cannot write to {folder}")
    assert len(done.stderr.splitlines()) == 1


def collected_browser_tests(tmp_path: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """What `./onward test` makes of them on a machine without one; with this run's PostgreSQL."""
    ours = {name: value for name, value in os.environ.items() if name != server.STARTS_POSTGRES}
    return subprocess.run(
        [sys.executable, "-m", "config.run", "test", "-n0", "--collect-only", "tests/browser/test_kit.py"],
        cwd=BASE, env={**ours, "PATH": str(tmp_path), "CI": "", **environ}, capture_output=True, text=True,
    )  # fmt: skip


def test_without_a_browser_its_tests_are_left_out_loudly(tmp_path):
    done = collected_browser_tests(tmp_path)
    assert "the tests in a browser ARE LEFT OUT" in done.stderr
    assert done.stdout.splitlines()[-1].startswith("no tests collected (1 deselected)")


def test_without_a_browser_continuous_integration_does_not_leave_its_tests_out(tmp_path):
    done = collected_browser_tests(tmp_path, CI="true")
    assert "the tests in a browser fail" in done.stderr
    assert done.stdout.splitlines()[-1].startswith("1 test collected")
