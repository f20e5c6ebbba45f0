"""What happens on marketing pages, as kinds of the timeline."""

from django.utils.translation import gettext_lazy as _

from contacts.timeline import Kind

FORM_SUBMITTED = Kind(
    "form.submitted",
    title=_("Submitted a form"),
    icon="forms",
    sentence=_("submitted {form} on {page}"),
    object_kind="form",
    group="web",
    fields={"page": _("page"), "form": _("form")},
    personal=("values",),
    is_activity=True,
)
PAGE_VISITED = Kind(
    "page.visited",
    title=_("Visited a page"),
    icon="world",
    sentence=_("visited {page}"),
    object_kind="page",
    group="web",
    fields={"page": _("page")},
    personal=("url", "referrer"),
    is_activity=True,
)
VISITOR_IDENTIFIED = Kind(
    "visitor.identified",
    title=_("Recognised a browser"),
    icon="fingerprint",
    sentence=_("was recognised by {by}; {visits} earlier visits were hers"),
    group="web",
    in_rules=False,
)
