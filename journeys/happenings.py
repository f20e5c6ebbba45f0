"""What people do that journeys can begin with or wait for; apps above journeys add theirs in `AppConfig.ready()`.

openings.add(Opening("linkedin", _("Whoever submits a LinkedIn form"), "linkedin.submitted", "lead_forms", …))
conditions.add(Condition("linkedin.submitted", _("Submitted a LinkedIn form"), "ad_campaign", …))
"""

from dataclasses import dataclass

from django.db.models import Model

from contacts.registry import Ordered
from tenants.registry import Text


@dataclass(frozen=True)
class Opening:
    """A kind of fact by which people enter, one that is about one of the chosen objects.

    `setting` is the key under which the root tile's settings keep the objects' ids. Facts may be told long after they
    happened (`is_told_late`): then only those count that happened since the journey first went live.
    """

    key: str
    label: Text
    kind: str
    setting: str
    objects_label: Text
    model: type[Model]
    is_told_late: bool = False
    order: int = 100

    @property
    def field(self) -> str:
        """The name of the form's field; `forms` is one that Django's forms have no room for."""
        return f"{self.setting}_"


@dataclass(frozen=True)
class Condition:
    """A kind of fact that an if/then waits for, about one object or any.

    `detail_key` is the key of the fact's detail that has the object's id; without it the fact's object counts.
    """

    key: str
    label: Text
    setting: str
    object_label: Text
    any_label: Text
    model: type[Model]
    detail_key: str = ""
    order: int = 100


openings: Ordered[Opening] = Ordered()
conditions: Ordered[Condition] = Ordered()
