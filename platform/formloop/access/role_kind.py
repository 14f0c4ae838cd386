"""The kind of definition "role": a title and grants. Publishing one writes the rows that the gate reads."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, insert

from formloop.access import gate
from formloop.access.gate import LEDGER_ACTIONS, RECORD_ACTIONS, SITE_ACTIONS
from formloop.access.tables import grant, role
from formloop.core.definitions import Doc, Kind, Library, kinds
from formloop.core.definitions.envelope import complete
from formloop.core.errors import Problem
from formloop.core.registry import Registry
from formloop.core.text import M, localized
from formloop.db import raise_counter

SITE_RESOURCES = ("definition", "people", "site", "pack", "audit")

conditions: Registry[Callable[[str, Any], list[Problem]]] = Registry(
    "condition of a grant"
)  # word of a grant → what is wrong with a condition over what it names


def check(doc: Doc, library: Library) -> list[Problem]:
    """Grants with the same id, unknown actions, and grants that name neither a form nor a resource."""
    problems, seen = [], set()
    for index, each in enumerate(doc.get("grants", ())):
        at = f"grants.{index}"
        if each["id"] in seen:
            problems.append(
                Problem("duplicate", f"{at}.id", M("The id “{id}” is used twice.", id=each["id"]))
            )
        seen.add(each["id"])
        if sum(word in each for word in ("form", "ledger", "on")) != 1:
            text = M("A grant names a form, a ledger or a part of the site, and only one of these.")
            problems.append(Problem("resource", at, text))
        allowed = RECORD_ACTIONS if "form" in each else LEDGER_ACTIONS if "ledger" in each else SITE_ACTIONS
        for action in each["may"]:
            if action not in allowed:
                text = M("“{action}” is not one of: {actions}.", action=action, actions=", ".join(allowed))
                problems.append(Problem("action", f"{at}.may", text))
        problems += [replace(p, at=f"{at}.where") for p in _check_condition(each, library)]
    return problems


def _check_condition(written: Doc, library: Library) -> list[Problem]:
    for word in ("form", "ledger"):
        over = library.find_prepared(word, written[word]) if word in written and "where" in written else None
        if over is not None:
            return conditions.get(word)(written["where"], over)
    return []


def references(doc: Doc) -> set[tuple[str, str]]:
    """The forms and ledgers that the grants are about."""
    return {(kind, g[kind]) for g in doc.get("grants", ()) for kind in ("form", "ledger") if kind in g}


def apply(conn: Connection, old: Doc | None, new: Doc) -> None:
    """Replace what the gate reads of this role."""
    key = new["x-key"]
    conn.execute(delete(grant).where(grant.c.role == key))
    conn.execute(delete(role).where(role.c.key == key))
    conn.execute(
        insert(role).values(
            key=key,
            definition=new["x-id"],
            version=0,
            title=localized(new, "title", "en"),
            title_zh=localized(new, "title", "zh-CN"),
        )
    )
    rows = [
        {
            "role": key,
            "id": g["id"],
            "resource": gate.resource_of(g),
            "actions": sorted(g["may"]),
            "condition": g.get("where"),
            "fields": g.get("fields", ["*"]),
            "except_fields": g.get("except", []),
        }
        for g in new.get("grants", ())
    ]
    if rows:
        conn.execute(insert(grant), rows)
    raise_counter("access")
    gate.forget()


_schema = json.loads(Path(__file__).with_name("schema.json").read_text("utf-8"))

ROLE = kinds.add(
    "role",
    Kind(
        name="role",
        title=M("Role"),
        schema=complete("role", _schema),
        check=check,
        references=references,
        apply=apply,
        identities={"grants": "id", "may": "", "fields": "", "except": ""},
    ),
)
