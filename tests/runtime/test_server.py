"""The tests' own database: never the one of a product beside them, whatever the shell has set."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.runtime.stack import BASE, OURS, checkout

PROBE = """\
from django.conf import settings
def test_database():
    assert settings.DATABASES["default"]["OPTIONS"]["host"] != "/the/products"
"""


@pytest.mark.parametrize(("workers", "already"), [("0", {"DJANGO_SETTINGS_MODULE": "config.settings"}), ("1", {})])
def test_a_product_that_was_run_here_does_not_lend_the_tests_its_database(workers, already):
    with checkout() as folder:
        (folder / "tests").mkdir()
        for name in ("__init__.py", "server.py"):
            (folder / "tests" / name).write_text((BASE / "tests" / name).read_text())
        (folder / "tests" / "test_probe.py").write_text(PROBE)
        (folder / "var").mkdir()
        (folder / "var" / "env").write_text("DATABASE_URL=postgres://onward@/onward?host=/the/products&port=5432\n")
        environ = {name: value for name, value in os.environ.items() if name not in OURS}
        done = subprocess.run(
            [Path(sys.executable).parent / "pytest", "-n", workers, "tests/test_probe.py"],
            cwd=folder, env={**environ, **already}, capture_output=True, text=True,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
