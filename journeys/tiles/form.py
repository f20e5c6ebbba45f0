"""The base of the tiles' settings forms."""

from typing import Any

from tenants.forms import Form


class TileForm(Form):
    """Base of the settings forms. `tree` and `key` say where the tile stands; `cleaned_data` becomes its settings."""

    def __init__(self, *args: Any, tree: dict[str, Any], key: str, **kwargs: Any) -> None:
        self.tree, self.key = tree, key
        super().__init__(*args, **kwargs)

    @classmethod
    def initial_of(cls, settings: dict[str, Any]) -> dict[str, Any]:
        """The form's initial values from a tile's settings."""
        return settings

    def to_settings(self) -> dict[str, Any]:
        """The tile's settings (JSON) from the valid form."""
        return dict(self.cleaned_data)
