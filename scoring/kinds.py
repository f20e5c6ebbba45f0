"""What scoring writes into the timeline."""

from django.utils.translation import gettext_lazy as _

from contacts.timeline import Kind

SCORE_CHANGED = "score.changed"
# What `object_id` of the kind is the id of.
MODEL = "scoring_model"

KINDS = (
    Kind(
        SCORE_CHANGED,
        title=_("Score changed"),
        icon="gauge",
        sentence=_("now has {to} points in {model}"),
        object_kind=MODEL,
        group="score",
        fields={"to": _("Score"), "grade": _("Grade")},
    ),
)
