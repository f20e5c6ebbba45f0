"""What the sample company set up: segments, a scoring model, and the journey that everything flows through."""

from typing import Any

from insights.sample.cast import Cast
from insights.sample.content import PRODUCTS, Content
from journeys import publishing
from journeys.models import Journey, JourneyVersion
from messaging.models import Link
from scoring import lifecycle as scoring_lifecycle
from scoring.models import Grade, ScoringModel, ScoringRule
from segments import lifecycle as segment_lifecycle
from segments.models import Segment

GRADES = (("A", 35), ("B", 20), ("C", 10), ("D", None))
HEADS = {"field": "contact.job_title", "op": "contains", "value": "Head"}
CLICKED = {"did": "email.clicked", "within_days": 90}
SEGMENTS: dict[str, dict[str, Any]] = {
    "Heads of department": {"all": [HEADS]},
    "Engaged in the last 30 days": {
        "any": [{"did": "email.clicked", "within_days": 30}, {"did": "page.visited", "within_days": 30}]
    },
    "Heads in Germany who clicked": {"all": [HEADS, {"field": "contact.country", "op": "is", "value": "DE"}, CLICKED]},
    "Fell silent": {"all": [{"did": "email.sent", "within_days": 90}, {"did_not": "email.opened", "within_days": 60}]},
}


def prepare(cast: Cast, content: Content) -> Journey:
    """Make everything and set it live, in the company's scope."""
    by = cast.members.get("max") or next(iter(cast.members.values()))
    for name, rule in SEGMENTS.items():
        segment = Segment.objects.create(name=name, rule=rule, created_by=by)
        segment_lifecycle.go_live(segment, by)
    _score(by)
    journey = Journey.objects.create(
        name="Nurture by interest",
        description="Who asks for the guide learns about the product that she looks at; sales calls who comes back.",
        owner=by,
    )
    JourneyVersion.objects.create(journey=journey, tiles=_tiles(content))
    publishing.go_live(journey, by=by)
    return journey


def _score(by: Any) -> None:
    model = ScoringModel.objects.create(name="Ready to buy", threshold=25, is_primary=True)
    rows: tuple[tuple[str, dict[str, Any], int, dict[str, Any]], ...] = (
        ("Head of a department", HEADS, 10, {}),
        ("Clicks in e-mails", CLICKED, 5, {"frequency": ScoringRule.Frequency.EACH, "cap": 20}),
        ("Asked for a guide", {"did": "form.submitted", "within_days": 90}, 10, {}),
        ("No activity for 30 days", {"did_not": "activity", "within_days": 30}, -10, {}),
    )
    for position, (name, rule, points, more) in enumerate(rows):
        ScoringRule.objects.create(model=model, position=position, name=name, rule=rule, points=points, **more)
    for name, bound in GRADES:
        Grade.objects.create(model=model, name=name, lower_bound=bound)
    scoring_lifecycle.go_live(model, by)


def _tiles(content: Content) -> dict[str, Any]:
    """The tree: welcome, which link?, the product's mail, who comes back becomes a lead that is called."""
    assert content.guide.form is not None
    links = {slug: Link.objects.get(email=content.welcome, url__contains=f"/{slug}/").pk for slug in content.products}
    ways = {f"link-{pk}": f"mail-{slug}" for slug, pk in links.items()}
    tiles = {
        "start": _tile("audience", {"source": "form", "forms": [content.guide.form.pk]}, next_="welcome"),
        "welcome": _tile("email", {"email": content.welcome.pk}, next_="which"),
        "which": _tile(
            "which_of",
            {"email_tile": "welcome", "links": list(links.values()), "amount": 3, "unit": "days"},
            {**ways, "none": "rest"},
        ),
        "rest": _tile("wait", {"how": "for", "amount": 4, "unit": "days"}, next_="halves"),
        "halves": _tile("split", {"shares": [50]}, {"a": "second-chance", "b": None}),
        "second-chance": _tile("email", {"email": content.follow_ups["picking-robots"].pk}),
    }
    for slug in PRODUCTS:
        tiles |= _product_way(slug, content)
    return {"root": "start", "tiles": tiles}


def _product_way(slug: str, content: Content) -> dict[str, Any]:
    name = PRODUCTS[slug][0]
    back = {"event": "email.clicked", "email_tile": f"mail-{slug}", "amount": 5, "unit": "days"}
    lead = {"topic": f"Interested in {name.lower()}", "source": "journey", "match": "match", "assign": ""}
    call = {
        "kind": "call",
        "subject": f"Call about {name.lower()}",
        "notes": "Read the second e-mail and came back.",
        "owner": "lead",
        "amount": 1,
        "unit": "days",
    }
    return {
        f"mail-{slug}": _tile("email", {"email": content.follow_ups[slug].pk}, next_=f"back-{slug}"),
        f"back-{slug}": _tile("if_then", back, {"yes": f"lead-{slug}", "no": None}, name="Came back?"),
        f"lead-{slug}": _tile("create_lead", lead, next_=f"call-{slug}"),
        f"call-{slug}": _tile("activity", call),
    }


def _tile(
    kind: str, settings: dict[str, Any], ways: dict[str, str | None] | None = None, *, next_: str = "", name: str = ""
) -> dict[str, Any]:
    return {
        "kind": kind,
        "name": name,
        "settings": settings,
        "next": ways if ways is not None else {"next": next_ or None},
    }
