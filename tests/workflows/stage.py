"""People, roles and a published workflow, for tests that need a database."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from databases import Begun
from formloop.access import people
from formloop.access.actor import SYSTEM, Actor, get_actor
from formloop.access.role_kind import ROLE
from formloop.core.definitions import Doc
from formloop.db import reading
from formloop.definitions import service as definitions
from formloop.forms import rows
from formloop.forms import service as records
from formloop.forms.kind import get_form
from formloop.workflows import cases, service
from formloop.workflows.kind import WORKFLOW
from workflows.specimens import REQUEST, approval, workflow_doc

KINDS = (ROLE, WORKFLOW)  # they are there once their modules are imported
STAFF: Doc = {
    "x-kind": "role",
    "x-id": "000000b1",
    "x-key": "request_staff",
    "title": "Staff",
    "x-title": {"zh-CN": "员工"},
    "grants": [
        {
            "id": "own",
            "form": "request",
            "may": ["view", "create", "edit", "delete", "submit"],
            "where": "owner = USER()",
        }
    ],
}
APPROVERS: Doc = {
    "x-kind": "role",
    "x-id": "000000b2",
    "x-key": "request_approvers",
    "title": "Approvers",
    "x-title": {"zh-CN": "审批人"},
    "grants": [{"id": "all", "form": "request", "may": ["view"], "except": ["secret"]}],
}
END = {"id": "done", "node": "end", "state": "confirmed"}


@dataclass
class Stage:
    """Ann submits, Bob, Cho and Dee approve, Eve is a stranger, Adm an administrator."""

    actors: dict[str, Actor] = field(default_factory=dict)

    def publish(self, *steps: Doc, **more: Any) -> None:
        definitions.publish_many(SYSTEM, [workflow_doc(*steps, **more)], "first")

    def record(self, **values: Any) -> int:
        saved = records.create(
            self.actors["ann"], "request", {"subject": "A desk", "amount": "100", **values}
        )
        return int(saved["id"])

    def submit(self, **values: Any) -> service.Result:
        return self.submit_record(self.record(**values))

    def submit_record(self, record: int) -> service.Result:
        return service.submit(self.actors["ann"], "request", record)

    def task_of(self, who: str, case: int) -> int:
        found = cases.find_own_task(case, self.actors[who].person_id)
        assert found is not None, f"{who} is not asked"
        return int(found.id)

    def is_asked(self, who: str, case: int) -> bool:
        return cases.find_own_task(case, self.actors[who].person_id) is not None

    def do(self, who: str, action: str, case: int, comment: str = "", **more: Any) -> service.Result:
        return service.decide(self.actors[who], self.task_of(who, case), action, comment, **more)

    def record_of(self, case: int) -> int:
        found = cases.get_case(case)
        assert found is not None
        return int(found.record)

    def state_of(self, case: int) -> str:
        record = self.record_of(case)
        with reading() as conn:
            return str(rows.load(conn, get_form("request"), [record])[record]["state"])


def set_stage() -> Stage:
    """Fill the database that is started."""
    definitions.publish_many(SYSTEM, [REQUEST, STAFF, APPROVERS], "first")
    office = people.add_department(SYSTEM, "request_office", "Office", name_zh="办公室")
    stage = Stage()
    for name, role in (
        ("ann", "request_staff"),
        ("bob", "request_approvers"),
        ("cho", "request_approvers"),
        ("dee", "request_approvers"),
    ):
        person = people.add_person(SYSTEM, name, name.title(), department_id=office, roles=[role])
        stage.actors[name] = get_actor(person)
    stage.actors["eve"] = get_actor(people.add_person(SYSTEM, "eve", "Eve"))
    stage.actors["adm"] = get_actor(people.add_person(SYSTEM, "adm", "Adm", administrator=True))
    people.change_department(SYSTEM, office, head=stage.actors["dee"].person_id)
    return stage


@pytest.fixture
def stage(begun: Begun) -> Stage:
    return begun(set_stage)


__all__ = ["END", "Stage", "approval", "set_stage", "stage"]
