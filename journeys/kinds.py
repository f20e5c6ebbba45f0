"""What journeys record in the timeline."""

from django.utils.translation import gettext_lazy as _

from contacts.timeline import Kind

KINDS = (
    Kind(
        "journey.entered",
        title=_("Entered a journey"),
        icon="door-enter",
        sentence=_("entered the journey {journey}"),
        object_kind="journey",
        group="journey",
    ),
    Kind(
        "journey.branched",
        title=_("Took a branch"),
        icon="sitemap",
        sentence=_("went “{branch}” at {tile} in {journey}: {because}"),
        object_kind="journey",
        group="journey",
        fields={"branch": _("Branch")},
        personal=("because",),
    ),
    Kind(
        "journey.left",
        title=_("Left a journey"),
        icon="door-exit",
        sentence=_("left the journey {journey}: {reason}"),
        object_kind="journey",
        group="journey",
        fields={"outcome": _("Outcome")},
    ),
)
