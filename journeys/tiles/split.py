"""Split: shares of the people take different ways, the same person always the same."""

from hashlib import blake2b
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from journeys.tiles.form import TileForm
from journeys.tiles.registry import Branch, Due, Names, Text, Tile, TileKind, register

LETTERS = "abcd"
# Shares are drawn in hundredths of a percent.
WHOLE = 10_000


class SplitForm(TileForm):
    """Percentages of the first branches; the last one takes what remains."""

    widths = {"a": 4, "b": 4, "c": 4}
    a = forms.IntegerField(label=gettext_lazy("A, percent"), min_value=1, max_value=99, initial=50)
    b = forms.IntegerField(
        label=gettext_lazy("B, percent"), min_value=1, max_value=98, required=False,
        help_text=gettext_lazy("Empty: B takes the rest."),
    )  # fmt: skip
    c = forms.IntegerField(
        label=gettext_lazy("C, percent"), min_value=1, max_value=97, required=False,
        help_text=gettext_lazy("Empty: the branch after the last number takes the rest."),
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """The shares leave something for the last branch."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("c") and not cleaned.get("b"):
            self.add_error("b", _("Fill in B before C."))
        if sum(cleaned.get(letter) or 0 for letter in "abc") >= 100:
            self.add_error(None, _("The shares must leave something for the last branch."))
        return cleaned

    @classmethod
    def initial_of(cls, settings: dict[str, Any]) -> dict[str, Any]:
        """The stored list of shares by letter."""
        return dict(zip(LETTERS, settings.get("shares", []), strict=False)) or {"a": 50}

    def to_settings(self) -> dict[str, Any]:
        """The shares as a list, without the last one."""
        return {"shares": [self.cleaned_data[letter] for letter in "abc" if self.cleaned_data[letter]]}


@register
class Split(TileKind):
    key = "split"
    label = gettext_lazy("Split")
    description = gettext_lazy("Send shares of the people different ways.")
    icon = "arrows-split-2"
    tone = "purple"
    form = SplitForm

    def branches(self, tile: Tile, names: Names | None = None) -> list[Branch]:
        """A, B … with their shares."""
        shares = self._shares(tile)
        return [Branch(letter, f"{letter.upper()} · {share} %") for letter, share in zip(LETTERS, shares, strict=False)]

    def summary(self, tile: Tile, names: Names) -> Text:
        return " / ".join(f"{share} %" for share in self._shares(tile)) if tile["settings"] else ""

    def run(self, due: Due) -> None:
        """By a hash of tile and contact: who comes a second time goes the same way, and two tiles draw apart."""
        shares = self._shares(due.tile)
        for traveller in due.travellers:
            due.go_one(traveller, _letter(draw(due.key, traveller.contact_id), shares))

    def _shares(self, tile: Tile) -> list[int]:
        given = tile["settings"].get("shares", [50])
        return [*given, 100 - sum(given)]


def draw(key: str, contact_id: int) -> int:
    """A number from 0 to 9,999 that belongs to the pair for ever, evenly spread over contacts."""
    return int.from_bytes(blake2b(f"{key}:{contact_id}".encode(), digest_size=8).digest()) % WHOLE


def _letter(drawn: int, shares: list[int]) -> str:
    bound = 0
    for letter, share in zip(LETTERS, shares, strict=False):
        bound += share * WHOLE // 100
        if drawn < bound:
            return letter
    return LETTERS[len(shares) - 1]
