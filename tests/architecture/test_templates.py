"""Templates keep to what the Content-Security-Policy and htmx allow; vendored files are the locked ones."""

import hashlib
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
FORBIDDEN = {
    "a script without src": re.compile(r"<script(?![^>]*\ssrc=)[^>]*>", re.IGNORECASE),
    "a style element": re.compile(r"<style\b", re.IGNORECASE),
    "an inline handler": re.compile(r"<[^>]*\son[a-z]+\s*=", re.IGNORECASE),
    "hx-on": re.compile(r"\bhx-on\b"),
    "js: in an attribute": re.compile(r"=\s*[\"']js(on)?:", re.IGNORECASE),
    "javascript: in an address": re.compile(r"javascript:", re.IGNORECASE),
    "a filter in hx-trigger": re.compile(r"hx-trigger\s*=\s*\"[^\"]*\["),
    "hx-boost": re.compile(r"\bhx-boost\b"),
    "a file of another host": re.compile(
        r"<(script|link|img|iframe)[^>]*(src|href)\s*=\s*[\"'](https?:)?//", re.IGNORECASE
    ),
}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_a_template_has_nothing_that_the_policy_forbids(path: Path) -> None:
    text = path.read_text()
    found = [what for what, pattern in FORBIDDEN.items() if pattern.search(text)]
    assert not found, f"{path.relative_to(ROOT)}: {', '.join(found)}"


@pytest.mark.parametrize(
    "markup",
    [
        "<script>alert(1)</script>",
        "<style>p{}</style>",
        '<a class="x" onclick="go()">',
        '<div hx-on:click="x">',
        "<div hx-vals='js:{a: 1}'>",
        '<a href="javascript:go()">',
        '<div hx-trigger="every 5s [visible]">',
        '<script src="https://cdn.example/x.js"></script>',
    ],
)
def test_the_lint_finds_what_it_is_for(markup: str) -> None:
    assert any(pattern.search(markup) for pattern in FORBIDDEN.values())


def test_every_icon_that_a_page_names_is_in_the_sprite() -> None:
    sprite = set(re.findall(r'<symbol id="([^"]+)"', (ROOT / "static/vendor/icons.svg").read_text()))
    names = re.compile(
        r'\{%\s*(?:icon|empty)\s+"([^"]+)"|\{%\s*card\b[^%]*\bicon="([^"]+)"|\{%\s*trail_item\s+"([^"]+)"'
    )
    used = {(path, name) for path in TEMPLATES for found in names.findall(path.read_text()) for name in found if name}
    assert used, "the pattern finds no icons"
    assert not {f"{path.relative_to(ROOT)}: {name}" for path, name in used if name not in sprite}


def test_icons_that_python_registers_are_in_the_sprite() -> None:
    from tenants.registry import menu, search_sources

    sprite = set(re.findall(r'<symbol id="([^"]+)"', (ROOT / "static/vendor/icons.svg").read_text()))
    assert not {item.icon for item in [*menu, *search_sources]} - sprite


def test_the_vendored_files_are_the_locked_ones() -> None:
    lock = json.loads((ROOT / "static/vendor.lock.json").read_text())
    locked = {path: checksum for package in lock.values() for path, checksum in package["files"].items()}
    assert locked
    for path, checksum in locked.items():
        assert hashlib.sha256((ROOT / path).read_bytes()).hexdigest() == checksum, path
    on_disk = {str(path.relative_to(ROOT)) for path in (ROOT / "static/vendor").rglob("*") if path.is_file()}
    assert on_disk - set(locked) == {"static/vendor/LICENSES.md"}


def test_every_static_file_that_a_page_names_is_there() -> None:
    names = re.compile(r"{%\s*static\s+[\"']([^\"']+)")
    used = {(path, name) for path in TEMPLATES for name in names.findall(path.read_text())}
    assert used
    assert not {f"{path.relative_to(ROOT)}: {name}" for path, name in used if not (ROOT / "static" / name).is_file()}
