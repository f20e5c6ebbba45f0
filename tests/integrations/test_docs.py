"""The samples of docs/webhooks.md do what they say, and its list of events is not made up."""

import json
import re
import shutil
import subprocess
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

from contacts import timeline
from integrations.webhooks import bodies, signing

PAGE = (Path(__file__).resolve().parents[2] / "docs/webhooks.md").read_text()
BODY = b'{"type": "a.b"}'


def sample(language: str) -> str:
    """The indented block that follows the language's name."""
    found = re.search(rf"^{language}:\n\n((?:    .*\n|\n)+)", PAGE, re.MULTILINE)
    assert found is not None
    return textwrap.dedent(found.group(1))


def signed(age: int = 0) -> tuple[str, dict[str, str]]:
    secret = signing.new_secret()
    stamp = int(time.time()) - age
    return secret, signing.headers("msg_1", stamp, BODY, [signing.new_secret(), secret])


def test_the_python_sample_tells_ours_from_others() -> None:
    world: dict[str, Any] = {}
    exec(sample("Python"), world)
    is_ours = world["is_ours"]
    secret, headers = signed()
    assert is_ours(secret, headers, BODY)
    assert not is_ours(secret, headers, BODY + b" ")
    assert not is_ours(signing.new_secret(), headers, BODY)
    secret, old = signed(age=301)
    assert not is_ours(secret, old, BODY)


@pytest.mark.skipif(shutil.which("node") is None, reason="no Node on this machine")
def test_the_node_sample_tells_ours_from_others() -> None:
    secret, headers = signed()
    cases = [(secret, BODY.decode()), (secret, "{}"), (signing.new_secret(), BODY.decode())]
    asked = "\n".join(
        f"console.log(isOurs({json.dumps(key)}, {json.dumps(headers)}, Buffer.from({json.dumps(body)})));"
        for key, body in cases
    )
    answer = subprocess.run(["node", "-e", sample("Node") + asked], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["true", "false", "false"]


def test_every_event_that_the_page_names_can_happen() -> None:
    table = PAGE.partition("## Events")[2].partition("## ")[0]
    named = set(re.findall(r"`([a-z]+\.[a-z_]+)`", table))
    known = {kind.key for kind in timeline.kinds()} | {bodies.TEST, bodies.FROM_JOURNEY}
    assert len(named) > 20
    assert named - known == set()
