"""Puts a business trip with its approval on a site that runs: `python -m browser.trip`, in the site's surroundings.

Two heads decide beside one another, then accounting is told. The demo's people play it.
"""

import os

from formloop.access import people
from formloop.access.actor import SYSTEM
from formloop.app import create_app
from formloop.core.definitions import Doc
from formloop.definitions import service as definitions
from formloop.settings import read_settings

FORM: Doc = {
    "x-kind": "form",
    "x-id": "0000d0f1",
    "x-key": "trip",
    "title": "Business trip",
    "x-title": {"zh-CN": "出差申请"},
    "type": "object",
    "required": ["goal"],
    "properties": {
        "goal": {"type": "string", "title": "Goal", "x-title": {"zh-CN": "事由"}},
        "city": {"type": "string", "title": "City", "x-title": {"zh-CN": "城市"}},
        "cost": {"type": "number", "x-type": "amount", "title": "Cost", "x-title": {"zh-CN": "费用"}},
    },
    "x-list": {"title": "goal", "columns": ["goal", "city", "cost"]},
}
ROLE: Doc = {
    "x-kind": "role",
    "x-id": "0000d0b1",
    "x-key": "traveller",
    "title": "Traveller",
    "x-title": {"zh-CN": "出差人"},
    "grants": [{"id": "all", "form": "trip", "may": ["view", "create", "edit", "submit", "delete"]}],
}
ALL = ["approve", "reject", "return", "transfer", "add_signer"]


def head(key: str, title: str, chinese: str, account: str) -> Doc:
    """A step at which one person decides."""
    who = [{"rule": "people", "people": [account]}]
    named = {"title": title, "x-title": {"zh-CN": chinese}}
    return {"id": key, "node": "approval", **named, "who": who, "actions": ALL}


WORKFLOW: Doc = {
    "x-kind": "workflow",
    "x-id": "0000d01f",
    "x-key": "trip_approval",
    "title": "Business trip approval",
    "x-title": {"zh-CN": "出差审批"},
    "form": "trip",
    "summary": ["city", "cost"],
    "steps": [
        {
            "id": "heads",
            "node": "parallel",
            "title": "Both heads",
            "x-title": {"zh-CN": "两位主管"},
            "branches": [
                {"id": "a", "title": "Sales", "x-title": {"zh-CN": "销售"}, "steps": [head("sales", "Head of sales", "销售主管", "approver")]},
                {"id": "b", "title": "Planning", "x-title": {"zh-CN": "计划"}, "steps": [head("plan", "Head of planning", "计划主管", "planner")]},
            ],
        },
        {"id": "tell", "node": "copy", "title": "Tell", "x-title": {"zh-CN": "抄送"}, "who": [{"rule": "people", "people": ["builder"]}]},
        {"id": "done", "node": "end", "state": "confirmed"},
    ],
}  # fmt: skip


def publish() -> None:
    """Publish it, and let the demo's people take part."""
    with create_app(read_settings(os.environ)).app_context():
        definitions.publish_many(SYSTEM, [FORM, ROLE], "browser test")
        definitions.publish_many(SYSTEM, [WORKFLOW], "browser test")
        for account in ("seller", "approver", "planner", "builder"):
            people.add_role(SYSTEM, people.find_person(account).id, "traveller")


if __name__ == "__main__":
    publish()
