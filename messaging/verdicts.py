"""Who was it? A person, a machine (scanner, mail proxy), or nobody can tell.

Rules are few and their reasons are kept with each hit. What is a person's or unknown counts as hers; what a machine
did drives nothing.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from messaging.models import Hit

Kind, Verdict = Hit.Kind, Hit.Verdict

# Nobody reads and clicks so soon after delivery.
AT_ONCE = timedelta(seconds=2)
# So many different links of one mail in so short a time are followed by scanners only.
LINKS_AT_ONCE, BURST = 3, timedelta(seconds=5)
MACHINES = re.compile(
    r"bot\b|crawl|spider|scan|preview|proofpoint|barracuda|mimecast|fireeye|symantec|headless|python-|curl/|wget|"
    r"go-http-client|java/|okhttp|libwww|edge/12\.246",
    re.I,
)
# Apple's Mail Privacy Protection fetches every image at delivery and says no more than this.
APPLE_PROXY = "Mozilla/5.0"
# These fetch an image when somebody looks at the mail, and sometimes before.
IMAGE_PROXIES = re.compile(r"GoogleImageProxy|YahooMailProxy|yahoo mail proxy", re.I)
BROWSER = re.compile(r"^Mozilla/5\.0 \(")


@dataclass(frozen=True, slots=True)
class Seen:
    """A hit as the rules see it."""

    kind: str
    link_id: int | None
    at: datetime
    user_agent: str = ""
    reasons: Sequence[str] = ()


def judge(hit: Seen, delivered_at: datetime | None, others: Iterable[Seen]) -> tuple[str, list[str]]:
    """(verdict, reasons) of a hit; `others` are all hits of the same message."""
    if hit.kind == Kind.UNSUBSCRIBE:
        return Verdict.HUMAN, ["one_click"]
    signs = [*hit.reasons, *_signs(hit, delivered_at, others)]
    if signs:
        return Verdict.MACHINE, signs
    if IMAGE_PROXIES.search(hit.user_agent):
        return Verdict.UNKNOWN, ["image_proxy"]
    return (Verdict.HUMAN, ["browser"]) if BROWSER.match(hit.user_agent) else (Verdict.UNKNOWN, ["no_browser"])


def _signs(hit: Seen, delivered_at: datetime | None, others: Iterable[Seen]) -> Iterable[str]:
    """What only machines do."""
    if not hit.user_agent or MACHINES.search(hit.user_agent):
        yield "agent"
    if hit.kind == Kind.OPEN and hit.user_agent == APPLE_PROXY:
        yield "apple_proxy"
    if delivered_at is not None and hit.at - delivered_at <= AT_ONCE:
        yield "at_delivery"
    if hit.kind == Kind.CLICK:
        near = {other.link_id for other in others if other.kind == Kind.CLICK and abs(other.at - hit.at) <= BURST}
        if len(near | {hit.link_id}) >= LINKS_AT_ONCE:
            yield "many_links"
