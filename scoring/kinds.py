"""What scoring writes into the timeline."""

from django.utils.translation import gettext_lazy as _

from contacts.timeline import Kind

SCORE_CHANGED = "score.changed"

KINDS = (
    Kind(
        SCORE_CHANGED,
        title=_("Score changed"),
        icon="gauge",
        sentence=_("now has {to} points in {model}"),
        object_kind="scoring_model",
        group="scoring",
        fields={"to": _("Score"), "grade": _("Grade")},
    ),
)
