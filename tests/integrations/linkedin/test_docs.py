"""What docs/linkedin.md says to programmers and admins is so."""

import re
import textwrap
from pathlib import Path
from typing import Any

from django.conf import settings

from integrations.linkedin import files, oauth
from integrations.webhooks import signing

PAGE = (Path(__file__).resolve().parents[3] / "docs/linkedin.md").read_text()


def test_the_sample_signs_a_message_as_the_inbound_address_wants_it() -> None:
    sample = re.search(r"In Python:\n\n((?:    .*\n|\n)+)", PAGE)
    assert sample is not None
    names: dict[str, Any] = {}
    exec(textwrap.dedent(sample.group(1)), names)
    secret, body = signing.new_secret(), b'{"form": "Fair"}'
    sent = names["headers"](secret, "msg_1", body)
    stamp = int(sent["webhook-timestamp"])
    assert sent["webhook-signature"] == signing.sign(secret, "msg_1", stamp, body)


def test_every_permission_setting_and_column_that_it_names_is_there() -> None:
    asked = PAGE.partition("| permission |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`(r_[a-z_]+)`", asked)) == {*oauth.SCOPES, oauth.REPORTING}
    for name in re.findall(r"`((?:LINKEDIN|SANDBOX)_[A-Z_]+)[`=]", PAGE):
        assert hasattr(settings, name), name
    known = {name for names in files.ABOUT.values() for name in names}
    told = re.search(r"Columns such as\n([^.]+) are known", PAGE)
    assert told is not None
    assert {name.lower() for name in re.findall(r"\*([^*]+)\*", told.group(1))} <= known
