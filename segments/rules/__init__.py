"""The rule language: validated trees parsed from JSON, said in words, with what they watch.

    rule = parse({"all": [{"field": "contact.job_title", "op": "contains", "value": "Head"},
                          {"did": "email.clicked", "at_least": 2, "within_days": 90}]}, "contact")
    in_words(rule)      # Job title contains “Head” and “Clicked a link” at least 2 times in the last 90 days
    watches(rule)       # the kinds and fields whose rows may change it, and whether time alone may

A rule in JSON is {"all" | "any": [rule …]}, {"not": rule} or one of
{"field": key, "op": operator, "value": …},
{"did" | "did_not": kind, "object"?: id(s), "link"?: id(s), "where"?: {detail: value | {"op", "value"}},
    "at_least"?: n, "at_most"?: n, "within_days"?: n | "between"?: [day, day], "by"?: "account_contacts"},
{"sequence": [{"did": …} …], "within_days": n, "in_last_days"?: n, "by"?: "account_contacts"},
{"member_of": segment}, {"consent": purpose, "state": "granted" | "refused" | "none"}.
`segments.compiler` turns rules into SQL.
"""

from segments.rules.errors import RuleError
from segments.rules.nodes import Did, FieldTest, Group, Not, Rule, Sequence, leaves, parts
from segments.rules.parsing import parse
from segments.rules.vocabulary import ANY_ACTIVITY, Vocabulary
from segments.rules.watching import Watches, watches
from segments.rules.words import in_words
from segments.rules.writing import to_json

__all__ = [
    "ANY_ACTIVITY",
    "Did",
    "FieldTest",
    "Group",
    "Not",
    "Rule",
    "RuleError",
    "Sequence",
    "Vocabulary",
    "Watches",
    "in_words",
    "leaves",
    "parse",
    "parts",
    "to_json",
    "watches",
]
