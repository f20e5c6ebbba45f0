"""Content settings: who e-mails come from. One of them is the default."""

from messaging.models import ContentSettings
from tenants import audit
from tenants.models import Member


def save(settings: ContentSettings, *, by: Member) -> ContentSettings:
    """Save content settings; the first ones are the default, and a new default takes the place of the old."""
    others = ContentSettings.objects.exclude(pk=settings.pk)
    if settings.is_default:
        others.filter(is_default=True).update(is_default=False)
    elif not others.filter(is_default=True).exists():
        settings.is_default = True
    settings.save()
    audit.write("content_settings.saved", settings, by=by)
    return settings
