"""What journeys use, told before a segment is archived or a field retired: drafts count as well as what is live."""

from collections.abc import Callable

from django.urls import reverse
from django.utils.translation import gettext as _

from contacts.models import Field
from journeys.models import Journey, JourneyVersion
from journeys.tiles import registry
from segments.models import Segment
from segments.usage import Mentions, Use


def of_segment(segment: Segment) -> list[Use]:
    """Journeys whose audience, exclusion or conditions name the segment."""
    excluding = Journey.objects.filter(exclusion_segment=segment).exclude(state__in=_OVER)
    found = {*_naming(lambda named: segment.pk in named.segments), *excluding}
    return [
        Use(_("Journey: %(name)s") % {"name": journey}, reverse("journeys:detail", args=[journey.pk]))
        for journey in sorted(found, key=lambda journey: journey.name)
    ]


def of_field(field: Field) -> list[str]:
    """Journeys that ask about a tenant's own field or set it, in words."""
    key = f"{field.entity}.custom.{field.key}"
    found = _naming(lambda named: key in named.fields)
    return [_("Journey: %(name)s") % {"name": name} for name in sorted(journey.name for journey in found)]


_OVER = (Journey.State.ENDED, Journey.State.ARCHIVED)


def _naming(is_named: Callable[[Mentions], bool]) -> set[Journey]:
    """Journeys with a tile, in the draft or the live version, whose mentions pass. One query."""
    current = JourneyVersion.objects.exclude(state=JourneyVersion.State.RETIRED).exclude(journey__state__in=_OVER)
    return {
        version.journey
        for version in current.select_related("journey")
        if any(is_named(registry.of(tile).mentions(tile)) for tile in version.tiles["tiles"].values())
    }
