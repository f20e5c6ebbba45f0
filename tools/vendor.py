"""Fetch the pinned third-party files of the pages into `static/vendor/`.

    python tools/vendor.py            fetch everything again; refuses a tarball that differs from the lock
    python tools/vendor.py --icons    only cut the icon sprite again (after adding a name to static/icons.txt)

Needs npm, and only here: the files and `static/vendor.lock.json` are committed, a test re-hashes them, and nobody needs
Node to run the product. To raise a version, change it in WANT together with its integrity in the lock.
"""

import base64
import hashlib
import io
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "static/vendor.lock.json"
ICON_NAMES = ROOT / "static/icons.txt"
SPRITE = "static/vendor/icons.svg"
ICONS = "@tabler/icons@3.51.0"

# package@version -> {file in its tarball: where it goes in this repository}
WANT = {
    "@tabler/core@1.6.1": {
        "dist/css/tabler.min.css": "static/vendor/tabler/tabler.min.css",
        "dist/js/tabler.min.js": "static/vendor/tabler/tabler.min.js",
    },
    "htmx.org@2.0.11": {"dist/htmx.min.js": "static/vendor/htmx/htmx.min.js"},
    "idiomorph@0.8.0": {"dist/idiomorph-ext.min.js": "static/vendor/htmx/idiomorph-ext.min.js"},
    "sortablejs@1.15.7": {"Sortable.min.js": "static/vendor/sortable/Sortable.min.js"},
    "@fontsource-variable/inter@5.3.0": {
        "files/inter-latin-wght-normal.woff2": "static/vendor/inter/inter-latin.woff2",
        "files/inter-latin-ext-wght-normal.woff2": "static/vendor/inter/inter-latin-ext.woff2",
    },
    ICONS: {},
    "axe-core@4.14.1": {"axe.min.js": "tests/browser/vendor/axe.min.js"},
}

# Django's manifest storage stops on a map file that is not there.
SOURCE_MAP = re.compile(rb"(/\*|//)[#@] sourceMappingURL=.*?(\*/|$)", re.MULTILINE)
SHAPES = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)


def fetch(spec: str) -> bytes:
    """The package's tarball, by npm's own client and configuration."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", spec, "--json", "--ignore-scripts", "--pack-destination", folder]
        answer = subprocess.run(command, check=True, capture_output=True).stdout
        return (Path(folder) / json.loads(answer)[0]["filename"]).read_bytes()


def integrity(tarball: bytes) -> str:
    """The tarball's checksum in the notation of package locks."""
    return "sha512-" + base64.b64encode(hashlib.sha512(tarball).digest()).decode()


def member(archive: tarfile.TarFile, name: str) -> bytes:
    """One file of a package."""
    extracted = archive.extractfile(f"package/{name}")
    assert extracted is not None
    return extracted.read()


def cut_sprite(archive: tarfile.TarFile) -> bytes:
    """One SVG with a <symbol> for each name in static/icons.txt; stroke and colour come from the page's CSS."""
    names, known = set(ICON_NAMES.read_text().split()), set(archive.getnames())
    if unknown := sorted(name for name in names if f"package/icons/outline/{name}.svg" not in known):
        sys.exit(f"not in {ICONS}: {' '.join(unknown)}")
    symbols = []
    for name in sorted(names):
        found = SHAPES.search(member(archive, f"icons/outline/{name}.svg").decode())
        assert found is not None
        shapes = re.sub(r"\s+", " ", found[1]).strip().replace("> <", "><")
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{shapes}</symbol>')
    return ('<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n").encode()


def write(path: str, content: bytes) -> str:
    """Write one file of the repository; returns its sha256."""
    target = ROOT / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def vendor(spec: str, files: dict[str, str], lock: dict[str, dict]) -> dict:
    """Fetch one package, compare it with the lock, write its files; returns its new entry of the lock."""
    tarball = fetch(spec)
    checksum = integrity(tarball)
    if spec in lock and lock[spec]["integrity"] != checksum:
        sys.exit(f"{spec}: the tarball is not the one in {LOCK.name}")
    with tarfile.open(fileobj=io.BytesIO(tarball)) as archive:
        about = json.loads(member(archive, "package.json"))
        written = {path: write(path, SOURCE_MAP.sub(b"", member(archive, name))) for name, path in files.items()}
        if spec == ICONS:
            written[SPRITE] = write(SPRITE, cut_sprite(archive))
    return {"integrity": checksum, "licence": about["license"], "homepage": about.get("homepage", ""), "files": written}


def write_licences(lock: dict[str, dict]) -> None:
    """`static/vendor/LICENSES.md`: which file is whose, and under which licence."""
    lines = ["# Third-party files", "", "Written by `tools/vendor.py`.", "", "| package | licence | home | files |"]
    lines.append("|---|---|---|---|")
    for spec, entry in lock.items():
        files = ", ".join(f"`{path}`" for path in entry["files"])
        lines.append(f"| {spec} | {entry['licence']} | {entry['homepage']} | {files} |")
    write("static/vendor/LICENSES.md", ("\n".join(lines) + "\n").encode())


def main() -> None:
    """Bring the files named on the command line (all, or only the icons) up to the lock."""
    lock = json.loads(LOCK.read_text()) if LOCK.exists() else {}
    wanted = {ICONS: WANT[ICONS]} if "--icons" in sys.argv else WANT
    fetched = {spec: vendor(spec, files, lock) for spec, files in wanted.items()}
    merged = {spec: fetched.get(spec) or lock[spec] for spec in WANT}
    LOCK.write_text(json.dumps(merged, indent=1) + "\n")
    write_licences(merged)


if __name__ == "__main__":
    main()
