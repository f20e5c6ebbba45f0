"""Which way a lead may go. Stages have a fixed meaning; a tenant may only rename them."""

from leads.models import Stage

# From the least to the most telling stage of a contact's leads: an open lead says more than a closed one.
RANK = (
    Stage.DISQUALIFIED,
    Stage.LOST,
    Stage.WON,
    Stage.RECYCLED,
    Stage.INQUIRY,
    Stage.ENGAGED,
    Stage.MQL,
    Stage.HANDED_OFF,
    Stage.SAL,
    Stage.SQL,
)
# The way of a lead that goes well, as the page of the lead draws it.
PATH = (Stage.INQUIRY, Stage.ENGAGED, Stage.MQL, Stage.HANDED_OFF, Stage.SAL, Stage.SQL, Stage.WON)
# Marketing still has it: a score may make it marketing-qualified.
NURTURED = (Stage.INQUIRY, Stage.ENGAGED, Stage.RECYCLED)
# Sales has not said yes yet: a score that falls may take it back.
OFFERED = (Stage.MQL, Stage.HANDED_OFF)
# Sales works on it.
WORKED = (Stage.SAL, Stage.SQL)
OPEN = tuple(stage for stage in RANK if stage not in (Stage.WON, Stage.LOST, Stage.DISQUALIFIED))
# What asks for a reason before it happens.
NEEDS_REASON = (Stage.RECYCLED, Stage.DISQUALIFIED, Stage.LOST)

_ENDS = frozenset({Stage.DISQUALIFIED, Stage.RECYCLED})
NEXT: dict[str, frozenset[Stage]] = {
    Stage.INQUIRY: frozenset({Stage.ENGAGED, Stage.MQL, Stage.HANDED_OFF, Stage.SAL}) | _ENDS,
    Stage.ENGAGED: frozenset({Stage.MQL, Stage.HANDED_OFF, Stage.SAL}) | _ENDS,
    Stage.MQL: frozenset({Stage.ENGAGED, Stage.HANDED_OFF, Stage.SAL}) | _ENDS,
    Stage.HANDED_OFF: frozenset({Stage.ENGAGED, Stage.SAL}) | _ENDS,
    Stage.SAL: frozenset({Stage.SQL}) | _ENDS,
    Stage.SQL: frozenset({Stage.WON, Stage.LOST}) | _ENDS,
    Stage.RECYCLED: frozenset({Stage.ENGAGED, Stage.MQL, Stage.HANDED_OFF, Stage.SAL, Stage.DISQUALIFIED}),
    Stage.DISQUALIFIED: frozenset({Stage.ENGAGED}),
    Stage.LOST: frozenset({Stage.RECYCLED}),
    Stage.WON: frozenset(),
}


def may_go(from_stage: str, to: str) -> bool:
    """Whether a lead may go from one stage straight to another."""
    return to in NEXT[from_stage]
