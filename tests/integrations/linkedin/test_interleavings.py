"""However pulls, pushes, repetitions, withdrawals and faults follow each other: in the end all is there, once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from integrations import client
from integrations.models import AdAccount, LeadSubmission
from leads.models import Lead
from tenants.scope import tenant_scope
from tests.integrations.linkedin.world import LinkedInWorld

RESPONSES = "/rest/leadFormResponses"
FAULTS: list[Any] = [
    {"status": 429, "headers": {"Retry-After": "9999"}, "json": {}}, {"html": 503}, "reset", "truncate", "cut",
    {"status": 500, "json": {}}, {"status": 401, "json": {}},
]  # fmt: skip

steps = st.lists(
    st.one_of(
        st.tuples(st.just("submit"), st.integers(0, 3 * 60), st.booleans()),
        st.tuples(st.just("push"), st.integers(0, 9), st.integers(1, 3)),
        st.tuples(st.just("withdraw"), st.integers(0, 9), st.booleans()),
        st.tuples(st.just("pull"), st.just(0), st.just(0)),
        st.tuples(st.just("work"), st.just(0), st.just(0)),
        st.tuples(st.just("fault"), st.sampled_from(range(len(FAULTS))), st.integers(1, 30)),
        st.tuples(st.just("shift"), st.integers(0, 60), st.just(0)),
    ),
    min_size=3,
    max_size=10,
)


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "FIRST", 0.001)


class Story:
    """What happens, told step by step; `ids` are all that were ever submitted, `gone` those that were withdrawn."""

    def __init__(self, linkedin: LinkedInWorld) -> None:
        self.linkedin, self.ids, self.gone = linkedin, [], set()

    def submit(self, minutes_ago: int, is_broken: bool) -> None:
        at = (datetime.now(UTC) - timedelta(minutes=minutes_ago)).isoformat()
        number = len(self.ids)
        said = {"EMAIL": f"p{number % 3}@firma.example", "LAST_NAME": f"P{number % 3}"}
        self.ids += self.linkedin.leads(said, at=at, broken=is_broken)

    def push(self, which: int, times: int) -> None:
        for _time in range(times if self.ids else 0):
            self.linkedin.push(self.ids[which % len(self.ids)], at=which)

    def withdraw(self, which: int, is_told: bool) -> None:
        if self.ids:
            id_ = self.ids[which % len(self.ids)]
            self.gone.add(id_)
            self.linkedin.push(id_, "DELETED", at=which)
            if is_told:
                self.linkedin.seed(withdraw=[id_])

    def pull(self, *_: int) -> None:
        self.linkedin.sync()

    def work(self, *_: int) -> None:
        self.linkedin.work()

    def fault(self, which: int, nth: int) -> None:
        self.linkedin.fault({"match": {"path": f"{RESPONSES}*"}, "nth": nth, "times": 9, "do": FAULTS[which]})

    def shift(self, minutes_ago: int, _: int) -> None:
        at = (datetime.now(UTC) - timedelta(minutes=minutes_ago)).isoformat()
        id_ = f"shifted-{len(self.ids)}"
        arriving = {"form": 9, "id": id_, "answers": {"EMAIL": f"{id_}@firma.example"}, "at": at}
        self.linkedin.seed(quirks={"arrive_between_pages": [arriving], "repeat_every": 2})

    def ends(self) -> None:
        """LinkedIn recovers, a few runs go well, and all that was announced twice is announced once more."""
        self.linkedin.fault()
        self.linkedin.seed(mend=True, quirks={"repeat_every": 0})
        with tenant_scope(self.linkedin.tenant):
            AdAccount.objects.update(reread_at=None)
        self.linkedin.resume()
        self.linkedin.sync()
        self.linkedin.sync()
        self.linkedin.work()


@settings(
    max_examples=8,
    # A story takes a second: one that fails is told as it was found.
    phases=[Phase.generate],
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=steps)
def test_the_final_set_is_the_seeded_one(linkedin: LinkedInWorld, steps: list[tuple[str, int, Any]]) -> None:
    linkedin.start_over()
    story = Story(linkedin)
    for name, *arguments in steps:
        getattr(story, name)(*arguments)
    story.ends()
    there = set(linkedin.here.store.responses.by_id) - story.gone
    rows = linkedin.stored()
    assert {id_ for id_, row in rows.items() if row.state != "withdrawn"} == there
    assert {id_ for id_, row in rows.items() if row.state == "withdrawn"} == story.gone
    assert {row.state for id_, row in rows.items() if id_ in there} <= {"lead_created"}
    with tenant_scope(linkedin.tenant):
        leads = LeadSubmission.objects.exclude(lead=None).values_list("lead", flat=True)
        assert len(set(leads)) == len(leads) == Lead.objects.count(), "one lead each"
        assert not LeadSubmission.objects.filter(state="withdrawn").exclude(answers=[]).exists()
