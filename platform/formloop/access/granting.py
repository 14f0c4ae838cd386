"""Nobody gives what they lack: what a person may grant, whom they may make what, and who must remain."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select

from formloop.access import gate
from formloop.access.actor import Actor
from formloop.access.gate import Grant
from formloop.access.tables import grant, person
from formloop.core.errors import Forbidden, Invalid, Problem
from formloop.core.text import M
from formloop.db import connection, reading


def grant_of(role: str, written: Mapping[str, Any]) -> Grant:
    """A grant as a role's definition writes it, in the form in which the gate reads it."""
    return Grant(
        role,
        written["id"],
        gate.resource_of(written),
        frozenset(written["may"]),
        written.get("where"),
        frozenset(written.get("fields", ["*"])),
        frozenset(written.get("except", [])),
    )


def may_give(actor: Actor, wanted: Grant) -> bool:
    """Whether every action of `wanted` is inside one grant that the actor holds."""
    return actor.administrator or all(
        any(_contains(own, wanted) for own in gate.list_grants(actor, action, wanted.resource))
        for action in wanted.actions
    )


def _contains(own: Grant, wanted: Grant) -> bool:
    if own.condition is not None and own.condition != wanted.condition:
        return False
    return _excepts_no_more(own, wanted) and (
        "*" in own.fields or ("*" not in wanted.fields and all(own.covers(field) for field in wanted.fields))
    )


def _excepts_no_more(own: Grant, wanted: Grant) -> bool:
    """Whether all that `own` leaves out is outside `wanted` too, also columns of lines it names as a whole."""
    return all(
        not wanted.covers(left_out) and not any(field.startswith(f"{left_out}.") for field in wanted.fields)
        for left_out in own.except_fields
    )


def check_role(actor: Actor, old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> list[Problem]:
    """The grants that a new version of a role adds although the person who publishes it lacks them."""
    if actor.administrator:
        return []
    before = {grant_of(new["x-key"], each) for each in (old or {}).get("grants", ())}
    problems = []
    for index, each in enumerate(new.get("grants", ())):
        wanted = grant_of(new["x-key"], each)
        if wanted not in before and not may_give(actor, wanted):
            text = M("You cannot grant “{id}”: it gives more than you may do yourself.", id=wanted.id)
            problems.append(Problem("exceeds", f"grants.{index}", text))
    return problems


def require_givable(actor: Actor, roles: Iterable[str]) -> None:
    """Invalid when one of these roles holds a grant that the actor lacks."""
    if actor.administrator:
        return
    wanted = set(roles)
    problems = []
    for each in _grants_of(wanted):
        if not may_give(actor, each):
            text = M(
                "You cannot give the role {role}: its grant “{id}” is more than you may do yourself.",
                role=each.role,
                id=each.id,
            )
            problems.append(Problem("exceeds", "roles", text))
    if problems:
        raise Invalid(problems)


def require_authority(actor: Actor, administrator: bool, roles: Iterable[str]) -> None:
    """Forbidden when the person with these powers is above the actor: whoever holds their door holds their rights."""
    if actor.administrator:
        return
    if administrator:
        raise Forbidden(M("Only administrators may change an administrator."))
    if not all(may_give(actor, each) for each in _grants_of(set(roles))):
        raise Forbidden(M("This person may do more than you. Ask an administrator."))


def _grants_of(roles: set[str]) -> list[Grant]:
    query = select(grant).where(grant.c.role.in_(roles)).order_by(grant.c.role, grant.c.id)
    with reading() as conn:
        return [gate.read_grant(row) for row in conn.execute(query)]


def keep_an_administrator(person_id: int) -> None:
    """Invalid when `person_id` is the last active administrator; whoever asks at the same time waits."""
    query = select(person.c.id).where(person.c.administrator, person.c.active).with_for_update()
    if set(connection().execute(query).scalars()) == {person_id}:
        text = M("This is the last administrator. Make somebody else an administrator first.")
        raise Invalid([Problem("last_administrator", "administrator", text)])
