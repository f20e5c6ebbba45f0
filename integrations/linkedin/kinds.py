"""What LinkedIn brings to the timeline."""

from django.utils.translation import gettext_lazy as _

from contacts.timeline import Kind
from integrations.models import LeadForm
from segments.fields import Objects

# `campaign_id` and `submission` in the detail are ids of AdCampaign and LeadSubmission.
SUBMITTED = Kind(
    "linkedin.submitted",
    title=_("Submitted a LinkedIn form"),
    icon="brand-linkedin",
    sentence=_("submitted {form} on LinkedIn"),
    object_kind="lead_form",
    group="web",
    fields={"form": _("form"), "campaign": _("campaign")},
    is_activity=True,
)


def _forms() -> list[tuple[int, str]]:
    return [(form.pk, str(form)) for form in LeadForm.objects.order_by("name")]


FORMS = Objects("lead_form", _("LinkedIn form"), _forms)
