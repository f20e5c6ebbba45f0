"""One rule's statement: a FROM clause that grows by what the conditions need, and expressions over it.

Each condition about others' rows is a set, grouped by the subject and joined once: hash joins, and no subplans, so
nothing goes quadratic when a set outgrows work_mem. `NOT` of a set is `key IS NULL`: an anti-join, safe against NULLs.
"""

from dataclasses import dataclass

from psycopg import sql

from contacts import consent
from segments import subjects
from segments.compiler import comparisons, facts
from segments.compiler.facts import People
from segments.compiler.literals import array, hours, text
from segments.compiler.sharing import SharedFacts
from segments.fields import Field
from segments.rules.nodes import ConsentTest, Did, FieldTest, Leaf, MemberOf, Rule, Sequence

Sql = sql.Composable
S = sql.Identifier("s")


@dataclass(frozen=True)
class Answer:
    """What a condition says of each row of the FROM clause, as SQL expressions; None: it has no such thing.

    `value` is what "why" shows: the field's value, or how often and when last.
    """

    holds: Sql
    times: Sql | None = None
    first_at: Sql | None = None
    last_at: Sql | None = None
    next_at: Sql | None = None
    value: Sql | None = None


class Plan:
    """The FROM clause and WHERE of the subjects, and the answers of conditions over them."""

    def __init__(
        self,
        rule: Rule,
        ids: list[int] | None = None,
        at: Sql | None = None,
        *,
        is_timed: bool = False,
        shared: SharedFacts | None = None,
    ) -> None:
        """`ids` restricts the subjects and every set; `at` is now by default; `is_timed`: `next_at` is wanted;
        `shared` are facts that the statement has read already."""
        self.rule = rule
        self.subject = subjects.get(rule.subject)
        self.ids = ids
        self.at = at or sql.SQL("now()")
        self.is_timed = is_timed
        self.shared = shared
        self.joins: list[Sql] = []
        self._entities: dict[str, Sql] = {rule.subject: S}
        self._joined: dict[tuple[str, str], Sql] = {}

    def source(self) -> Sql:
        """FROM … WHERE: the subjects with everything joined so far."""
        where = sql.SQL(self.subject.where).format(t=S)  # type: ignore[arg-type]
        return sql.SQL("FROM {table} s {joins} WHERE {where}{among}").format(
            table=sql.Identifier(self.subject.table),
            joins=sql.SQL(" ").join(self.joins),
            where=where,
            among=sql.SQL("") if self.ids is None else sql.SQL(" AND s.id = ANY({})").format(array(self.ids)),
        )

    def answer(self, leaf: Leaf) -> Answer:
        """Join what the condition needs and answer it."""
        if isinstance(leaf, FieldTest):
            return self._field_test(leaf)
        if isinstance(leaf, Did):
            return self._did(leaf)
        if isinstance(leaf, Sequence):
            return self._sequence(leaf)
        if isinstance(leaf, MemberOf):
            return self._contacts_of(_members(leaf))
        return self._consent(leaf)

    # ---- fields ----

    def _field_test(self, test: FieldTest) -> Answer:
        entity = test.field.entity
        if entity != self.subject.key and entity not in self.subject.one:
            return self._field_of_any(test)
        value = self._value(test.field, self.entity(entity))
        return Answer(
            comparisons.holds(test, value, self.at, self.rule.zone),
            next_at=comparisons.next_change(test, value, self.at, self.rule.zone),
            value=sql.SQL("({})::text").format(value),
        )

    def entity(self, key: str) -> Sql:
        """The alias of the subject's only row of an entity, joined at its first use."""
        if key not in self._entities:
            alias = sql.Identifier(f"the_{key}")
            template = self.subject.one[key]
            others = {other: self.entity(other) for other in self.subject.one if "{" + other + "}" in template}
            self.joins.append(sql.SQL(template).format(t=S, j=alias, **others))  # type: ignore[arg-type]
            self._entities[key] = alias
        return self._entities[key]

    def _value(self, field: Field, t: Sql) -> Sql:
        """The field's value over the alias `t`, with what the field joins."""
        if not field.join:
            return comparisons.expression(field, t, t)
        place = (field.join, t.as_string(None))
        if place not in self._joined:
            self._joined[place] = sql.Identifier(f"j{len(self._joined)}")
            self.joins.append(sql.SQL(field.join).format(t=t, j=self._joined[place]))  # type: ignore[arg-type]
        return comparisons.expression(field, t, self._joined[place])

    def _field_of_any(self, test: FieldTest) -> Answer:
        """Any of the rows that point at the subject passes the test."""
        path = subjects.path_to_any(self.subject, test.field.entity)
        if path is None:
            raise LookupError(f"rules about {self.subject.key} do not reach {test.field.entity}")
        row, joined = sql.Identifier("r"), sql.Identifier("rj")
        value = comparisons.expression(test.field, row, joined)
        moment = comparisons.next_change(test, value, self.at, self.rule.zone) if self.is_timed else None
        select = sql.SQL(
            "SELECT r.{key} AS key, bool_or({holds}) AS holds, min({next}) AS next_at, max(({value})::text) AS value "
            "FROM {table} r {join} WHERE r.{key} IS NOT NULL AND {where}{among} GROUP BY 1"
        ).format(
            key=sql.Identifier(path.key),
            holds=comparisons.holds(test, value, self.at, self.rule.zone),
            next=moment or sql.SQL("NULL::timestamptz"),
            value=value,
            table=sql.Identifier(path.table),
            join=sql.SQL(test.field.join).format(t=row, j=joined),  # type: ignore[arg-type]
            where=sql.SQL(path.where).format(t=row),  # type: ignore[arg-type]
            among=self._among(sql.SQL("r.{}").format(sql.Identifier(path.key))),
        )
        alias = self._join(select, sql.SQL("s.id"))
        return Answer(
            sql.SQL("coalesce({}.holds, false)").format(alias),
            next_at=sql.SQL("{}.next_at").format(alias) if moment else None,
            value=sql.SQL("{}.value").format(alias),
        )

    # ---- facts ----

    def _did(self, did: Did) -> Answer:
        people, key = self._shared_people(did) or self._people(did.by)
        is_timed = self.is_timed and did.within_days is not None
        alias = self._join(facts.did_set(did, self.rule, people, self.at, is_timed=is_timed), key)
        happened = sql.SQL("{}.key IS NOT NULL").format(alias)
        if did.at_most is not None:
            happened = sql.SQL("coalesce({}.times <= {}, false)").format(alias, sql.SQL(str(did.at_most)))  # type: ignore[arg-type]
        next_at = sql.SQL("({}.leaves_at + {})").format(alias, hours(did.within_days)) if is_timed else None  # type: ignore[arg-type]
        if did.is_negated:
            return Answer(sql.SQL("NOT ({})").format(happened), next_at=next_at, value=_how_often(alias))
        return _counted(alias, happened, next_at)

    def _sequence(self, sequence: Sequence) -> Answer:
        people, key = self._people(sequence.by)
        alias = self._join(facts.sequence_set(sequence, self.rule, people, self.at), key)
        next_at = None
        if self.is_timed and sequence.in_last_days:
            next_at = sql.SQL("({}.leaves_at + {})").format(alias, hours(sequence.in_last_days))
        return _counted(alias, sql.SQL("{}.key IS NOT NULL").format(alias), next_at)

    def _shared_people(self, did: Did) -> tuple[People, Sql] | None:
        """As `_people`, where the statement has read the facts already."""
        shared = self.shared.of(did) if self.shared else None
        return (People(sql.SQL("i.subject_id"), facts=shared), sql.SQL("s.id")) if shared else None

    def _people(self, by: str) -> tuple[People, Sql]:
        """Whose facts count, and the expression that their key is joined with."""
        if by == "account_contacts":
            people = People(
                key=sql.SQL("p.account_id"),
                join=sql.SQL("JOIN contacts_contact p ON p.id = i.contact_id"),
                where=sql.SQL("p.is_active AND p.account_id IS NOT NULL{}").format(self._among_accounts()),
            )
            return people, sql.SQL("{}.id").format(self.entity("account"))
        if not self.subject.people:
            return People(sql.SQL("i.contact_id"), where=self._only("i.contact_id")), sql.SQL("s.id")
        join = sql.SQL("JOIN ({}) p ON p.contact_id = i.contact_id").format(self._own_people())
        return People(sql.SQL("p.subject_id"), join), sql.SQL("s.id")

    def _own_people(self) -> Sql:
        return sql.SQL("SELECT q.subject_id, q.contact_id FROM ({}) q WHERE {}").format(
            sql.SQL(self.subject.people),
            self._only("q.subject_id"),  # type: ignore[arg-type]
        )

    def _among_accounts(self) -> Sql:
        """Restricts facts to the accounts of the subjects that are asked about."""
        if self.ids is None:
            return sql.SQL("")
        inner = Plan(self.rule, self.ids, self.at)
        account = inner.entity("account")
        return sql.SQL(" AND p.account_id IN (SELECT {}.id {})").format(account, inner.source())

    # ---- membership and consent ----

    def _consent(self, test: ConsentTest) -> Answer:
        if test.state == "granted":
            return self._contacts_of(consent.granted(test.purpose_id))
        if test.state == "refused":
            return self._contacts_of(_refused(test.purpose_id))
        said = self._contacts_of(
            sql.SQL(
                "SELECT DISTINCT contact_id FROM contacts_consent WHERE purpose_id = {} AND channel = 'email'"
            ).format(sql.Literal(test.purpose_id))
        )
        return Answer(sql.SQL("NOT ({})").format(said.holds))

    def _contacts_of(self, select: Sql) -> Answer:
        """The subject, or any of its people, is among the contacts that `select` gives (contact_id, each once)."""
        if not self.subject.people:
            keyed = sql.SQL("SELECT c.contact_id AS key FROM ({}) c WHERE {}").format(
                select, self._only("c.contact_id")
            )
        else:
            keyed = sql.SQL(
                "SELECT p.subject_id AS key FROM ({}) c JOIN ({}) p ON p.contact_id = c.contact_id GROUP BY 1"
            ).format(select, self._own_people())
        return Answer(sql.SQL("{}.key IS NOT NULL").format(self._join(keyed, sql.SQL("s.id"))))

    # ---- joining ----

    def _join(self, select: Sql, on: Sql) -> Sql:
        alias = sql.Identifier(f"b{len(self.joins)}")
        self.joins.append(sql.SQL("LEFT JOIN ({}) {alias} ON {alias}.key = {on}").format(select, alias=alias, on=on))
        return alias

    def _among(self, column: Sql) -> Sql:
        return sql.SQL("") if self.ids is None else sql.SQL(" AND {} = ANY({})").format(column, array(self.ids))

    def _only(self, column: str) -> Sql:
        """Restricts a set to the subjects that are asked about."""
        if self.ids is None:
            return sql.SQL("true")
        return sql.SQL("{} = ANY({})").format(sql.SQL(column), array(self.ids))  # type: ignore[arg-type]


def _counted(alias: Sql, happened: Sql, next_at: Sql | None) -> Answer:
    """The answer of a set of facts that is joined as `alias`."""
    times, first_at, last_at = (
        sql.SQL("{}.{}").format(alias, sql.Identifier(name)) for name in ("times", "first_at", "last_at")
    )
    return Answer(happened, times, first_at, last_at, next_at, _how_often(alias))


def _how_often(alias: Sql) -> Sql:
    """How often and when last, as JSON text."""
    return sql.SQL("CASE WHEN {a}.key IS NOT NULL THEN json_build_array({a}.times, {a}.last_at)::text END").format(
        a=alias
    )


def _members(leaf: MemberOf) -> Sql:
    return sql.SQL("SELECT contact_id FROM segments_segmentmember WHERE segment_id = {}").format(
        sql.Literal(leaf.segment_id)
    )


def _refused(purpose_id: int) -> Sql:
    """The contacts whose latest word on the purpose by e-mail is a refusal."""
    return sql.SQL(
        """SELECT contact_id FROM (
             SELECT DISTINCT ON (contact_id) contact_id, state FROM contacts_consent
             WHERE purpose_id = {} AND channel = 'email' ORDER BY contact_id, id DESC) latest
           WHERE state = {}"""
    ).format(sql.Literal(purpose_id), text("refused"))
