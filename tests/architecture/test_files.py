"""Rules about the files themselves."""

import re
import subprocess
from pathlib import Path

BASE = Path(__file__).resolve().parents[2]
LONGEST = 500
SOURCE = {".py", ".html", ".js", ".css", ".sh", ".toml", ".yml", ".md", ".txt", ".svg"}
# Other people's files, kept as they came.
FOREIGN = ("static/vendor/", "tests/browser/vendor/", "LICENSE", "requirements")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK|WIP)\b")
# A folder of one person's machine, or a package index other than the default.
MACHINE = re.compile(
    r"/(?:home|Users)/\w+|/root\b|/(?:work|farm)/|\bindex-url\b|\bpypi\.org\b|\bregistry\.npmjs\.org\b"
)
BARE_EXCEPTION = re.compile(r"^\s*except(?: Exception| BaseException)?:\s*\n\s*pass\b", re.MULTILINE)


def sources() -> list[Path]:
    """Every text file of ours that is, or is about to be, in the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=BASE, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    ours = (name for name in listed if not name.startswith(FOREIGN) and "/migrations/" not in name)
    return [BASE / name for name in ours if (BASE / name).suffix in SOURCE and (BASE / name).is_file()]


def offenders(pattern: re.Pattern[str]) -> list[str]:
    """Where the pattern occurs, this file aside."""
    return [
        f"{path.relative_to(BASE)}: {found.group(0).strip()}"
        for path in sources()
        if path != Path(__file__).resolve()
        for found in [pattern.search(path.read_text())]
        if found
    ]


def test_the_repository_has_sources():
    assert len(sources()) > 30


def test_no_file_is_longer_than_one_can_read_in_one_go():
    long = {str(path.relative_to(BASE)): len(path.read_text().splitlines()) for path in sources()}
    assert {name: lines for name, lines in long.items() if lines > LONGEST} == {}


def test_nothing_is_left_unfinished():
    assert offenders(UNFINISHED) == []


def test_no_file_names_one_machine_s_folders_or_hosts():
    assert offenders(MACHINE) == []


def test_no_error_is_swallowed_whole():
    assert offenders(BARE_EXCEPTION) == []
