"""When a step is due, and what happens then."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from formloop.core.definitions import Doc, name_pattern
from formloop.core.errors import Problem
from formloop.core.text import M
from formloop.forms.spec import FormSpec
from formloop.workflows.spec import Visit, World
from formloop.workflows.state import Alarm

DURATION = {
    "type": "string",
    "x-pick": "duration",
    "pattern": "^P([0-9]{1,4}D)?(T([0-9]{1,5}H)?([0-9]{1,6}M)?)?$",
    "description": "For example 2 d, 4 h or 30 min.",
    "x-description": {"zh-CN": "例如 2天、4小时、30分钟。"},
}
name_pattern(
    str(DURATION["pattern"]),
    M(
        "“{value}” is no length of time. Write P2D for two days, PT4H for four hours, P1DT12H for a day and a half."
    ),
)

CALENDAR: Mapping[str, Any] = {
    "enum": ["working", "all"],
    "x-titles": {
        "working": {"title": "Working days", "x-title": {"zh-CN": "工作日"}},
        "all": {"title": "All days", "x-title": {"zh-CN": "自然日"}},
    },
    "default": "all",
    "title": "Days",
    "x-title": {"zh-CN": "日历"},
}
DUE: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "after": {**DURATION, "title": "After", "x-title": {"zh-CN": "时限"}},
        "field": {
            "type": "string",
            "x-pick": "date_field",
            "title": "Date field",
            "x-title": {"zh-CN": "日期字段"},
        },
        "calendar": CALENDAR,
        "then": {
            "type": "array",
            "maxItems": 10,
            "title": "Then",
            "x-title": {"zh-CN": "超时后"},
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["do"],
                "properties": {
                    "do": {
                        "enum": ["remind", "escalate", "approve", "return"],
                        "x-titles": {
                            "remind": {"title": "Remind", "x-title": {"zh-CN": "提醒"}},
                            "escalate": {"title": "Ask the head instead", "x-title": {"zh-CN": "转上级"}},
                            "approve": {"title": "Approve by itself", "x-title": {"zh-CN": "自动通过"}},
                            "return": {"title": "Return by itself", "x-title": {"zh-CN": "自动退回"}},
                        },
                        "title": "Do",
                        "x-title": {"zh-CN": "动作"},
                    },
                    "every": {**DURATION, "title": "Again every", "x-title": {"zh-CN": "重复间隔"}},
                    "after": {**DURATION, "title": "So much later", "x-title": {"zh-CN": "再过"}},
                },
            },
        },
    },
    "title": "Due",
    "x-title": {"zh-CN": "时限"},
}


def check_due(doc: Doc, at: str, form: FormSpec) -> list[Problem]:
    """A due time begins when the step does or with a date of the record; reminders need a distance."""
    due = doc.get("due")
    if due is None:
        return []
    problems = []
    if not ("after" in due or "field" in due):
        problems.append(Problem("due", f"{at}.due", M("Say after how long, or by which date field.")))
    if "field" in due:
        problems += check_date(due["field"], f"{at}.due.field", form)
    for index, then in enumerate(due.get("then", ())):
        if then["do"] == "approve" and (doc.get("needs") or "require" in doc.get("fields", {}).values()):
            text = M(
                "Approved by itself, it goes on without the comment, signature or fields the step asks for."
            )
            problems.append(Problem("due", f"{at}.due.then.{index}.do", text, severity="warning"))
        if "every" in then and not any(map(int, re.findall("[0-9]+", then["every"]))):
            text = M("This distance has no length.")
            problems.append(Problem("due", f"{at}.due.then.{index}.every", text))
    return problems


def check_date(path: str, at: str, form: FormSpec) -> list[Problem]:
    """A field of the record itself that holds a date or a moment."""
    field = form.fields.get(path)
    if field is not None and field.type.name in ("date", "datetime"):
        return []
    return [Problem("no_field", at, M("“{key}” is no date field of the form.", key=path))]


def alarms(visit: Visit, world: World, since: datetime | None = None) -> tuple[Alarm, ...]:
    """The times at which something is to happen at a step; none when its date field is empty.

    They count from now, or from when it began to wait, `since`.
    """
    due = visit.step.document.get("due")
    if due is None:
        return ()
    begins = world.moment_in(due["field"]) if "field" in due else since or world.now()
    if begins is None:
        return ()
    working = due.get("calendar") == "working"
    moment = world.later(begins, due.get("after", "P0D"), working)
    return tuple(
        Alarm(visit.token.round, world.later(moment, then.get("after", "P0D"), working), str(index))
        for index, then in enumerate(due.get("then", ()))
    )


def next_alarm(visit: Visit, world: World, what: str) -> tuple[Alarm, ...]:
    """The next time of a repeated reminder; those missed meanwhile are not made up for."""
    due = visit.step.document["due"]
    every = due["then"][int(what)].get("every")
    if every is None:
        return ()
    at = world.later(world.now(), every, due.get("calendar") == "working")
    return (Alarm(visit.token.round, at, what),)
