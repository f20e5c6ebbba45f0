"""A rule back to its JSON, in its shortest form."""

from datetime import date
from typing import Any

from segments.rules.nodes import ConsentTest, Did, FieldTest, Group, MemberOf, Node, Not, Rule, Sequence


def to_json(rule: Rule) -> dict[str, Any]:
    """The JSON that parses to this rule; {} for the rule without conditions."""
    return {} if rule.is_empty else _node(rule.root)


def _node(node: Node) -> dict[str, Any]:
    if isinstance(node, Group):
        return {node.mode: [_node(child) for child in node.children]}
    if isinstance(node, Not):
        return {"not": _node(node.child)}
    if isinstance(node, FieldTest):
        value = {} if node.value is None else {"value": _value(node.value)}
        return {"field": node.field.key, "op": node.op, **value}
    if isinstance(node, Did):
        return _did(node)
    if isinstance(node, Sequence):
        return _sequence(node)
    if isinstance(node, MemberOf):
        return {"member_of": node.segment_id}
    assert isinstance(node, ConsentTest)
    return {"consent": node.purpose_id, "state": node.state}


def _did(did: Did) -> dict[str, Any]:
    said: dict[str, Any] = {"did_not" if did.is_negated else "did": did.kind}
    for name, ids in (("object", did.objects), ("link", did.links)):
        if ids:
            said[name] = ids[0] if len(ids) == 1 else list(ids)
    if did.where:
        said["where"] = {detail.key: {"op": detail.op, "value": detail.value} for detail in did.where}
    if did.at_least != 1 or did.at_most is not None:
        said["at_least"] = did.at_least
    for name, value in (("at_most", did.at_most), ("within_days", did.within_days), ("between", did.between)):
        if value is not None:
            said[name] = _value(value)
    return said | ({"by": did.by} if did.by != "self" else {})


def _sequence(sequence: Sequence) -> dict[str, Any]:
    said = {"sequence": [_did(step) for step in sequence.steps], "within_days": sequence.within_days}
    if sequence.in_last_days is not None:
        said["in_last_days"] = sequence.in_last_days
    return said | ({"by": sequence.by} if sequence.by != "self" else {})


def _value(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_value(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value
