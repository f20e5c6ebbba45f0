"""Query strings as Rest.li 2.0 wants them: `( ) : ,` and `List(` literal, the texts within percent-encoded once.

Libraries encode the whole, which LinkedIn refuses ("Parameter 'owner' is invalid"); so the text made here goes out as
it is.

    query(q="owner", owner={"sponsoredAccount": "urn:li:sponsoredAccount:1"}, fields=Raw("id,form:(content)"))
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote


class Raw(str):
    """Text that is Rest.li already, e.g. a projection of fields."""


def query(**parameters: Any) -> str:
    """The query string, in the given order; parameters that are None are left out."""
    given = ((name, value) for name, value in parameters.items() if value is not None)
    return "&".join(f"{name}={encode(value)}" for name, value in given)


def encode(value: Any) -> str:
    """A text, number, yes or no, mapping or list."""
    if isinstance(value, Raw):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "(" + ",".join(f"{quote(str(name), safe='')}:{encode(inner)}" for name, inner in value.items()) + ")"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"List({','.join(map(encode, value))})"
    # An empty text within a structure could not be seen; Rest.li writes it as two quotes.
    return quote(str(value), safe="") or "''"
