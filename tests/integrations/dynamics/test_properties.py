"""For any interleaving of handoffs, edits on both sides, refusals, faults and syncs: what holds in the end."""

from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from contacts import consent, people, timeline
from contacts.models import Contact, Purpose
from integrations.crm.planning import SUMMARY
from integrations.models import CrmChange, FieldMapping
from leads import lifecycle
from leads.models import Lead
from tenants.scope import tenant_scope
from tests.integrations.dynamics.world import World

BATCH = {"method": "POST", "path": "*batch"}
FAULTS: list[Any] = [
    "reset", {"apply_then": "reset"}, {"html": 502}, {"apply_then": {"truncate": 200}}, {"apply_then": {"html": 504}},
    {"status": 429, "headers": {"Retry-After": "900"}, "text": "{}"},
]  # fmt: skip
WORDS = st.sampled_from(["Alpha", "Beta", "Gamma"])
WHO = st.integers(0, 2)
STEP = st.one_of(
    st.tuples(st.just("hand_off"), WHO),
    st.tuples(st.just("ours"), WHO, st.sampled_from(["job_title", "city", "first_name"]), WORDS),
    st.tuples(st.just("theirs"), WHO, st.sampled_from(["jobtitle", "address1_city", "firstname"]), WORDS),
    st.tuples(st.just("visit"), WHO),
    st.tuples(st.just("note"), WHO, WORDS),
    st.tuples(st.just("refuse_here"), WHO),
    st.tuples(st.just("refuse_there"), WHO),
    st.tuples(st.just("fault"), st.sampled_from(FAULTS), st.integers(1, 6)),
    st.tuples(st.just("sync")),
)
# Columns there by ours, and who owns them.
OWNED = {"job_title": "marketing", "city": "sales", "first_name": "newest"}
THERE = {"job_title": "jobtitle", "city": "address1_city", "first_name": "firstname"}


class Run:
    """One example: three people of its own, and what was done to them."""

    def __init__(self, world: World) -> None:
        self.world = world
        with tenant_scope(world.tenant):
            number = Contact.objects.count()
            self.people = [
                people.create_contact({"email": f"x{number}-{n}@firm.example", "last_name": f"X{number}-{n}"})
                for n in range(3)
            ]
        self.handed: list[Lead] = []
        self.last: dict[tuple[str, int, str], str] = {}
        self.refused: set[tuple[int, str]] = set()
        self.visits: dict[int, str] = {}
        self.notes: dict[str, list[str]] = {}

    def do(self, step: tuple[Any, ...]) -> None:
        getattr(self, f"_{step[0]}")(*step[1:])

    def _hand_off(self, who: int) -> None:
        with tenant_scope(self.world.tenant):
            lead = lifecycle.create_lead("Pumps", contact=self.people[who], source="form")
        self.world.hand_off(lead)
        self.handed.append(lead)

    def _ours(self, who: int, name: str, value: str) -> None:
        with tenant_scope(self.world.tenant):
            if people.update_contact(Contact.objects.get(pk=self.people[who].pk), {name: value}):
                self.last["ours", who, name] = value

    def _theirs(self, who: int, name: str, value: str) -> None:
        row = self.row(who)
        if row is not None and row[name] != value:
            self.world.act("edit", table="contact", id=row["contactid"], values={name: value})
            self.last["theirs", who, name] = value

    def _visit(self, who: int) -> None:
        """She looks at a page, in another hour than before."""
        self.visits[who] = f"Page {len(self.visits)}"
        with tenant_scope(self.world.tenant):
            CrmChange.objects.filter(fields=[SUMMARY]).exclude(state="queued").delete()
            timeline.record("page.visited", contact=self.people[who], object_id=7, detail={"page": self.visits[who]})

    def _note(self, who: int, word: str) -> None:
        """Sales writes something below our summary of each of her leads."""
        for row in self.leads(who):
            note = f"{word} {len(self.notes)}"
            self.notes.setdefault(row["leadid"], []).append(note)
            text = f"{row['description']}\n{note}"
            self.world.act("edit", table="lead", id=row["leadid"], values={"description": text})

    def _refuse_here(self, who: int) -> None:
        with tenant_scope(self.world.tenant):
            news = Purpose.objects.get_or_create(key="news", defaults={"name": "News", "is_default": True})[0]
            consent.refuse(self.people[who], news, source="link")
        self.refused.add((who, "donotbulkemail"))

    def _refuse_there(self, who: int) -> None:
        row = self.row(who)
        if row is not None:
            self.world.act("edit", table="contact", id=row["contactid"], values={"donotphone": True})
            self.refused.add((who, "donotphone"))

    def _fault(self, do: Any, times: int) -> None:
        self.world.faults({"match": BATCH, "times": times, "do": do})

    def _sync(self) -> None:
        self.world.sync()

    def leads(self, who: int) -> list[dict[str, Any]]:
        """Their leads of one of the people."""
        person = self.row(who)
        return [
            row for row in self.world.rows("lead") if person and row["_parentcontactid_value"] == person["contactid"]
        ]

    def row(self, who: int) -> dict[str, Any] | None:
        """Their record of one of the people, if we have made it."""
        found = [row for row in self.world.rows("contact") if row["lastname"] == self.people[who].last_name]
        return found[0] if found else None


@settings(
    max_examples=5, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)  # fmt: skip
@example(
    steps=[
        ("hand_off", 0),
        ("sync",),
        ("note", 0, "Alpha"),
        ("visit", 0),
        ("sync",),
        ("note", 0, "Beta"),
        ("fault", {"apply_then": "reset"}, 6),
        ("visit", 0),
    ]
)
@given(steps=st.lists(STEP, min_size=4, max_size=12))
def test_every_handoff_made_one_lead_and_every_field_has_its_owners_value(world: World, steps: list[Any]) -> None:
    with tenant_scope(world.tenant):
        for name, owner in OWNED.items():
            FieldMapping.objects.filter(field=f"contact.{name}").update(owner=owner)
    run, before = Run(world), len(world.rows("lead"))
    for step in steps:
        run.do(step)
    world.faults()
    world.sync(3)
    assert len(world.rows("lead")) - before == len(run.handed), "each handoff made one lead"
    assert not world.changes(state="queued"), "nothing waits"
    assert not world.changes(state="parked")
    for who, person in enumerate(run.people):
        row = run.row(who)
        if row is None:
            continue
        mine = world.fresh(person)
        for name, owner in OWNED.items():
            assert (getattr(mine, name) or None) == row[THERE[name]], name
            if owner == "marketing" and ("ours", who, name) in run.last:
                assert getattr(mine, name) == run.last["ours", who, name]
            if owner == "sales" and ("theirs", who, THERE[name]) in run.last:
                assert getattr(mine, name) == run.last["theirs", who, THERE[name]]
        theirs = run.leads(who)
        for lead in theirs:
            assert lead["description"].count("Source: Form") == 1, "one summary"
            assert not (visited := run.visits.get(who)) or f"Visited {visited}" in lead["description"], "up to date"
            assert [note for note in run.notes.get(lead["leadid"], []) if note not in lead["description"]] == []
        for name in (name for one, name in run.refused if one == who):
            assert all(record[name] for record in (row, *theirs)), "nobody who refused is contacted from there"
        assert mine.do_not_phone == ((who, "donotphone") in run.refused)
