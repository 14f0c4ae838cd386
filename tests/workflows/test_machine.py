"""Whatever people do to a case of whatever workflow, through the service: what is refused leaves no trace in the database."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlalchemy import Table, func, select

from formloop.access.actor import SYSTEM
from formloop.core import clock
from formloop.core.errors import FormloopError
from formloop.db import reading
from formloop.definitions import service as definitions
from formloop.forms.kind import get_form
from formloop.workflows import administration, cases, hearing, service
from formloop.workflows.state import State
from formloop.workflows.tables import case, case_log, task
from workflows.generated import numbered, often_asking
from workflows.specimens import REQUEST, workflow_doc
from workflows.stage import Stage

DAY = {"type": "string", "format": "date", "title": "Day"}
OTHER = {
    "x-kind": "form",
    "x-id": "000000fa",
    "x-key": "other",
    "title": "Other",
    "type": "object",
    "properties": {"name": {"type": "string", "title": "Name"}},
}


def without_plans(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The steps without those that run a plan: none is published here."""
    for each in steps:
        for part in (each, *each.get("branches", ())):
            if "steps" in part:
                part["steps"] = without_plans(part["steps"])
    return [each for each in steps if each["node"] != "plan"]


@dataclass
class Machine:
    """One case, and everybody who might do something to it."""

    stage: Stage
    case: int
    record: int

    def rows(self) -> Mapping[str, Any]:
        """What there is: this case, its tasks, history and record, and how many of everything."""
        record = get_form("request").table
        parts: list[tuple[Table, Any]] = [
            (case, case.c.id == self.case),
            (task, task.c.case == self.case),
            (case_log, case_log.c.case == self.case),
            (record, record.c.id == self.record),
        ]
        with reading() as conn:
            found: dict[str, Any] = {
                table.name: [
                    dict(row)
                    for row in conn.execute(select(table).where(mine).order_by(table.c.id)).mappings()
                ]
                for table, mine in parts
            }
            counts = [
                conn.execute(select(func.count()).select_from(table)).scalar_one() for table, _ in parts
            ]
        return found | {"counts": counts}

    def deeds(self, draw: Callable[[Any], Any]) -> Callable[[], object]:
        """Something that somebody might try, in place or not."""
        who = self.stage.actors[draw(some.sampled_from(["ann", "bob", "cho", "dee", "adm"]))]
        person = self.stage.actors[draw(some.sampled_from(["bob", "cho", "dee", "eve"]))].person_id or 0
        tasks = [row["id"] for row in self.rows()["fl_task"]]
        one = draw(some.sampled_from(tasks or [0]))
        owner = next((row["person"] for row in self.rows()["fl_task"] if row["id"] == one), 0)
        mine = next((a for a in self.stage.actors.values() if a.person_id == owner), who)
        asked = mine if draw(some.integers(0, 4)) else who
        why, adm = draw(some.sampled_from(["because", "because", ""])), self.stage.actors["adm"]
        round = draw(some.sampled_from([token.round for token in self.state().leaves] or [99]))
        heard = draw(
            some.sampled_from(
                [("due", {"what": "0"}), ("due", {"what": "time"}), ("failed", {"reason": "x"})]
            )
        )
        back = draw(some.sampled_from(["initiator", "previous", "nowhere"]))
        chosen: Callable[[], object] = draw(
            some.sampled_from(
                [
                    *[lambda: service.decide(asked, one, "approve", why)] * 3,
                    lambda: service.decide(asked, one, "reject", why),
                    lambda: service.decide(asked, one, "return", why, to=back),
                    lambda: service.decide(asked, one, "transfer", why, to=person),
                    lambda: service.decide(asked, one, "add_signer", why, to=person, how="before"),
                    lambda: service.submit(who, "request", self.record, why),
                    lambda: service.withdraw(who, self.case, why),
                    lambda: service.take_back(who, self.case, why),
                    lambda: service.urge(who, self.case, why),
                    lambda: service.add_comment(who, self.case, why),
                    lambda: service.copy_to(who, self.case, [person], why),
                    lambda: administration.resume(adm, self.case, None, why),
                    lambda: administration.skip(adm, self.case, why),
                    lambda: administration.reassign(adm, one, person, why),
                    lambda: administration.assign(adm, self.case, person, why),
                    lambda: administration.reactivate(adm, self.case, None, why),
                    lambda: administration.void(who, self.case, why),
                    lambda: hearing.hear(self.case, round, *heard),
                ]
            )
        )
        return chosen

    def state(self) -> State:
        found = cases.get_case(self.case)
        assert found is not None
        return State.from_json(found.state)

    def check(self) -> None:
        """The open tasks are those of the state, and the row of the case says what the state says."""
        found, state = self.rows(), self.state()
        (row,) = found["fl_case"]
        open_tasks = {
            (t["step"], t["round"], t["person"])
            for t in found["fl_task"]
            if t["kind"] == "todo" and t["state"] == "open"
        }
        seats = {(t.at, s.round, s.person) for t in state.tokens for s in t.seats if s.state == "open"}
        assert open_tasks == seats
        assert (row["status"], row["step"]) == (state.status, state.at or "")
        assert (row["ended_at"] is not None) == (not state.tokens)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(found=often_asking(), amount=some.integers(0, 10), data=some.data())
def test_a_refused_action_leaves_everything_as_it_was(
    stage: Stage, found: Any, amount: int, data: Any
) -> None:
    hearing.start()
    form = {**REQUEST, "properties": {**REQUEST["properties"], "day": DAY}}
    steps = numbered(without_plans(found), (f"s{n}" for n in range(10_000)))
    definitions.publish_many(SYSTEM, [form, OTHER, workflow_doc(*steps)], "again")
    record = stage.record(amount=str(amount), day="2026-11-20")
    machine = Machine(stage, service.submit(stage.actors["ann"], "request", record).case, record)
    machine.check()
    for hour in range(data.draw(some.integers(4, 15))):
        with clock.stopped_at(clock.now() + timedelta(hours=2 * hour)):
            do, before = machine.deeds(data.draw), machine.rows()
            try:
                do()
            except FormloopError:
                assert machine.rows() == before
            else:
                machine.check()
