"""Orders that are approved, what is made of them, and the workflow that changes of them pass."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from databases import Begun
from formloop.access import people
from formloop.access.actor import SYSTEM, Actor, get_actor
from formloop.access.role_kind import ROLE
from formloop.bridges import service as bridges
from formloop.bridges.kind import BRIDGE
from formloop.core.definitions import Doc
from formloop.db import reading
from formloop.definitions import service as definitions
from formloop.forms import rows
from formloop.forms import service as records
from formloop.forms.kind import get_form
from formloop.forms.spec import Values
from formloop.workflows import cases, service
from formloop.workflows.amendments import service as amendments
from formloop.workflows.kind import WORKFLOW
from formloop.workflows.turning import Result

KINDS = (ROLE, WORKFLOW, BRIDGE)  # they are there once their modules are imported
ORDER: Doc = {
    "x-kind": "form", "x-id": "00000e01", "x-key": "booking", "title": "Booking", "x-title": {"zh-CN": "订舱"},
    "type": "object", "required": ["guest"],
    "properties": {
        "guest": {"type": "string", "title": "Guest", "x-title": {"zh-CN": "客人"}},
        "day": {"type": "string", "format": "date", "title": "Day", "x-title": {"zh-CN": "日期"}},
        "rows": {
            "type": "array", "x-type": "subform", "title": "Rows", "x-title": {"zh-CN": "明细"},
            "items": {
                "type": "object", "required": ["what", "count"],
                "properties": {
                    "what": {"type": "string", "title": "What", "x-title": {"zh-CN": "名称"}},
                    "count": {"type": "number", "title": "Count", "x-scale": 0, "x-title": {"zh-CN": "数量"}},
                    "price": {"type": "number", "x-type": "amount", "title": "Price", "x-title": {"zh-CN": "单价"}},
                },
            },
        },
        "total": {
            "type": "number", "x-type": "amount", "title": "Total", "x-title": {"zh-CN": "合计"},
            "x-formula": "SUM(rows.count * rows.price)",
        },
        "original": {
            "type": "integer", "x-type": "relation", "title": "Adds to", "x-title": {"zh-CN": "原单"},
            "x-relation": {"form": "booking"},
        },
    },
    "x-list": {"title": "guest", "columns": ["guest", "day", "total"]},
}  # fmt: skip
NEED: Doc = {
    "x-kind": "form", "x-id": "00000e02", "x-key": "need", "title": "Need", "x-title": {"zh-CN": "需求"},
    "type": "object",
    "properties": {
        "source": {"type": "number", "title": "Source", "x-scale": 0, "readOnly": True, "x-unique": True},
        "what": {"type": "string", "title": "What"},
        "count": {"type": "number", "title": "Count", "x-scale": 0, "maximum": 100},
    },
    "x-states": {"open": {"title": "Open"}, "issued": {"title": "Issued"}, "cancelled": {"title": "Cancelled"}},
}  # fmt: skip
TRIP: Doc = {
    "x-kind": "form", "x-id": "00000e03", "x-key": "trip", "title": "Trip", "x-title": {"zh-CN": "行程"},
    "type": "object",
    "properties": {
        "booking": {"type": "integer", "x-type": "relation", "title": "Booking", "x-relation": {"form": "booking"}},
    },
    "x-states": {"open": {"title": "Open"}, "gone": {"title": "Gone"}},
}  # fmt: skip
TO_NEED: Doc = {
    "x-kind": "bridge", "x-id": "00000e04", "x-key": "booking_to_need", "title": "Bookings become needs",
    "from": {"form": "booking", "on": ["state:confirmed", "amended", "cancelled"], "each": "rows"},
    "to": {"form": "need", "by": ["source"]},
    "map": {"source": "line.id", "what": "line.what", "count": "line.count"},
    "removed": "cancel",
    "run": "together",
}  # fmt: skip


def by(step: str, *who: str, **more: Any) -> Doc:
    """An approval by named people."""
    rule = {"rule": "people", "people": list(who)}
    return {"id": step, "node": "approval", "title": step.title(), "who": [rule], **more}


APPROVAL: Doc = {
    "x-kind": "workflow", "x-id": "00000e05", "x-key": "booking_approval", "title": "Booking approval",
    "form": "booking", "steps": [by("first", "bob")],
}  # fmt: skip
CHANGE: Doc = {
    "x-kind": "workflow", "x-id": "00000e06", "x-key": "booking_change", "title": "Booking change",
    "x-title": {"zh-CN": "订舱变更"}, "form": "booking",
    "steps": [
        {
            "id": "which", "node": "condition",
            "branches": [
                {"id": "late", "when": 'amendment.stage = "issued"', "steps": [by("boss", "cho")]},
                {
                    "id": "dear", "when": "total > amendment.was.total * 2", "steps": [by("head", "bob"), by("money", "cho")],
                },
                {"id": "early", "steps": [by("usual", "bob")]},
            ],
        },
    ],
    "amends": {
        "stages": [
            {
                "id": "gone", "title": "On the way", "x-title": {"zh-CN": "已出发"},
                "when": '"gone" IN dependents.trip.state', "forbids": ["*"],
            },
            {
                "id": "issued", "title": "Issued", "x-title": {"zh-CN": "已发料"},
                "when": '"issued" IN dependents.need.state', "forbids": ["guest", "rows.what", "-rows"],
            },
            {"id": "fresh", "title": "Nothing issued", "x-title": {"zh-CN": "未发料"}},
        ],
        "dependents": ["need", "trip"],
        "cancelled": "cancelled",
        "supplement": {"form": "booking", "values": {"guest": "guest", "original": "id"}},
    },
}  # fmt: skip


def role(key: str, number: int, *grants: Doc) -> Doc:
    """A role with these grants."""
    return {
        "x-kind": "role",
        "x-id": f"00000e1{number}",
        "x-key": key,
        "title": key.title(),
        "grants": list(grants),
    }


ROLES = [
    role("seller", 1, {
        "id": "own", "form": "booking", "where": "owner = USER()",
        "may": ["view", "create", "edit", "delete", "submit", "amend"],
    }),
    role("decider", 2, {"id": "all", "form": "booking", "may": ["view"]}),
    role("guard", 3, {"id": "all", "form": "booking", "may": ["view"], "except": ["rows.price", "total"]}),
]  # fmt: skip


@dataclass
class Desk:
    """Ann sells and proposes, Bob and Cho decide, Dee sees no price, Eve sees nothing, Adm may do everything."""

    actors: dict[str, Actor] = field(default_factory=dict)

    def booking(self, *lines: tuple[str, int, str], **more: Any) -> int:
        """A booking that was approved."""
        given = [{"what": what, "count": count, "price": price} for what, count, price in lines]
        rows_given = given or [{"what": "cabin", "count": 2, "price": "100"}]
        values = {"guest": "Wu", "day": "2026-12-01", "rows": rows_given, **more}
        saved = records.create(self.actors["ann"], "booking", values)
        case = service.submit(self.actors["ann"], "booking", saved["id"]).case
        self.decide("bob", case)
        return int(saved["id"])

    def now(self, record: int, form: str = "booking") -> Values:
        """A record as it stands."""
        with reading() as conn:
            return rows.load(conn, get_form(form), [record])[record]

    def lines(self, record: int, **of_first: Any) -> list[Values]:
        """The lines of a booking as they would be sent back, the first one with other values."""
        found = [
            {key: line[key] for key in ("id", "what", "count", "price")} for line in self.now(record)["rows"]
        ]
        return [{**found[0], **of_first}, *found[1:]]

    def propose(
        self, record: int, values: Values | None, who: str = "ann", reason: str = "They asked", **more: Any
    ) -> Result:
        """Propose other values, or with None that the record is cancelled."""
        return amendments.propose(self.actors[who], "booking", record, values, reason, **more)

    def decide(self, who: str, case: int, action: str = "approve", comment: str = "", **more: Any) -> Result:
        """What somebody says who is asked."""
        found = cases.find_own_task(case, self.actors[who].person_id)
        assert found is not None, f"{who} is not asked"
        return service.decide(self.actors[who], int(found.id), action, comment, **more)

    def is_asked(self, who: str, case: int) -> bool:
        """Whether a case waits for somebody."""
        return cases.find_own_task(case, self.actors[who].person_id) is not None

    def needs(self) -> list[tuple[str, int, str]]:
        """What was made of the bookings: name, count and state, oldest first."""
        spec = get_form("need")
        with reading() as conn:
            found = conn.execute(spec.table.select().order_by(spec.table.c.id)).all()
        return [(row.what, int(row.count), row.state) for row in found]

    def issue(self) -> None:
        """Let the first need go further."""
        spec = get_form("need")
        with reading() as conn:
            first = conn.execute(spec.table.select().order_by(spec.table.c.id)).first()
        assert first is not None
        records.set_state(SYSTEM, "need", first.id, "issued")

    def leave(self, record: int) -> None:
        """Let a trip of a booking go."""
        trip = records.create(SYSTEM, "trip", {"booking": record})
        records.set_state(SYSTEM, "trip", trip["id"], "gone")


def set_desk(**change: Any) -> Desk:
    """Fill the database that is started."""
    bridges.start()
    docs = [ORDER, NEED, TRIP, TO_NEED, *ROLES]
    definitions.publish_many(SYSTEM, docs, "first")
    desk = Desk()
    roles = {"ann": "seller", "bob": "decider", "cho": "decider", "dee": "guard", "eve": None, "adm": None}
    for name, own in roles.items():
        person = people.add_person(
            SYSTEM, name, name.title(), roles=[own] if own else [], administrator=name == "adm"
        )
        desk.actors[name] = get_actor(person)
    definitions.publish_many(SYSTEM, [APPROVAL, {**CHANGE, **change}], "second")
    return desk


@pytest.fixture
def desk(begun: Begun) -> Desk:
    bridges.start()
    return begun(set_desk)


PARCEL: Doc = {
    "x-kind": "form", "x-id": "00000e07", "x-key": "parcel", "title": "Parcel", "x-title": {"zh-CN": "包裹"},
    "type": "object", "properties": {"what": {"type": "string", "title": "What"}},
    "x-states": {"packed": {"title": "Packed"}, "sent": {"title": "Sent"}},
}  # fmt: skip
TO_PARCEL: Doc = {
    "x-kind": "bridge", "x-id": "00000e08", "x-key": "need_to_parcel", "title": "Needs become parcels",
    "from": {"form": "need", "on": ["created"]},
    "to": {"form": "parcel"},
    "map": {"what": "what"},
    "run": "together",
}  # fmt: skip
