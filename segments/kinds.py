"""What segments record in the timeline."""

from django.utils.translation import gettext_lazy as _

from contacts.timeline import Kind

KINDS = (
    Kind(
        "segment.entered",
        title=_("Entered a segment"),
        icon="filter",
        sentence=_("entered the segment {segment}"),
        object_kind="segment",
        group="segment",
    ),
    Kind(
        "segment.left",
        title=_("Left a segment"),
        icon="filter",
        sentence=_("left the segment {segment}"),
        object_kind="segment",
        group="segment",
    ),
)
