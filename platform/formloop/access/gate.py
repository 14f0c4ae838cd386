"""The one gate. A grant = role × resource × actions × row condition × fields; what no grant allows is denied.

Resources are `form:<key>`, `ledger:<key>`, `definition`, `people`, `site`, `pack`, `audit`. Administrators hold every grant.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.engine import Row

from formloop.access.actor import Actor
from formloop.access.tables import grant, membership, person
from formloop.core.errors import Forbidden
from formloop.core.text import M, Message
from formloop.db import after_commit, counter, engine, glance, kept, read_counter, reading

RECORD_ACTIONS = (
    "view", "create", "edit", "delete", "purge", "submit", "amend", "import", "export", "print", "comment",
)  # fmt: skip
LEDGER_ACTIONS = ("view", "export", "close")
SITE_ACTIONS = ("design", "manage", "install", "repair")


@dataclass(frozen=True, slots=True)
class Grant:
    """One rule: members of `role` may do `actions` to the rows where `condition` holds, in these fields."""

    role: str
    id: str
    resource: str
    actions: frozenset[str]
    condition: str | None
    fields: frozenset[str]
    except_fields: frozenset[str]

    def covers(self, field: str) -> bool:
        """Whether this grant reaches `field` (`lines.price` is reached through itself or through `lines`)."""
        names = {field, field.split(".")[0]}
        if names & self.except_fields:
            return False
        return "*" in self.fields or bool(names & self.fields)

    @property
    def whole(self) -> bool:
        """Whether it gives every row and every field."""
        return self.condition is None and "*" in self.fields and not self.except_fields


@dataclass(frozen=True, slots=True)
class Decision:
    """An answer of the gate with its reason for an administrator."""

    allowed: bool
    reason: Message
    grants: tuple[Grant, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class _Shelf:
    """All grants of one database as of one epoch; exchanged as a whole, so that readers never see half of it."""

    engine: Engine
    epoch: int
    grants: Mapping[str, tuple[Grant, ...]]


_shelf: _Shelf | None = None
_exchange = threading.Lock()


def refresh(access_epoch: int) -> None:
    """Look again when the access rules have changed since."""
    if _shelf is None or _shelf.epoch < access_epoch or _shelf.engine is not engine():
        _load()


glance("access", counter("access"), refresh)


def forget() -> None:
    """Grants were changed in the open transaction: it sees them so at once, everybody else when it is committed."""
    _changed_here()["shelf"] = None
    after_commit(_drop)


def _drop() -> None:
    global _shelf
    _shelf = None


def _load() -> _Shelf:
    shelf = _read()
    _remember(shelf)
    return shelf


def _read() -> _Shelf:
    found: dict[str, list[Grant]] = {}
    with reading() as conn:
        epoch = read_counter("access")  # as this very view of the database has it
        for row in conn.execute(select(grant).order_by(grant.c.role, grant.c.id)):
            found.setdefault(row.resource, []).append(read_grant(row))
    return _Shelf(engine(), epoch, {resource: tuple(each) for resource, each in found.items()})


def _remember(shelf: _Shelf) -> None:
    global _shelf
    with _exchange:
        known = _shelf
        # whoever still looks at an older view of the database must not bring back what was taken away since
        if known is None or known.engine is not shelf.engine or known.epoch <= shelf.epoch:
            _shelf = shelf


def _grants_of(resource: str) -> tuple[Grant, ...]:
    return _current().grants.get(resource, ())


def _changed_here() -> dict[str, _Shelf | None]:
    return kept("gate.changed_here", dict)


def _current() -> _Shelf:
    here = _changed_here()
    if "shelf" in here:  # may yet be rolled back, so it is for this transaction alone
        own = here["shelf"] = here["shelf"] or _read()
        return own
    shelf = _shelf
    return _load() if shelf is None or shelf.engine is not engine() else shelf


def read_grant(row: Row[Any]) -> Grant:
    """The grant in a row of its table."""
    return Grant(
        row.role,
        row.id,
        row.resource,
        frozenset(row.actions),
        row.condition,
        frozenset(row.fields),
        frozenset(row.except_fields),
    )


def resource_of(written: Mapping[str, Any]) -> str:
    """What a grant of a role's definition is about."""
    for kind in ("form", "ledger"):
        if kind in written:
            return f"{kind}:{written[kind]}"
    return str(written["on"])


def list_grants(actor: Actor, action: str, resource: str) -> tuple[Grant, ...]:
    """The grants that let `actor` do `action` with some rows of `resource`."""
    if actor.administrator:
        return (_everything(action, resource),)
    return _given(_current(), actor.roles, action, resource)


@lru_cache(maxsize=5_000)
def _given(shelf: _Shelf, roles: frozenset[str], action: str, resource: str) -> tuple[Grant, ...]:
    found = shelf.grants.get(resource, ())
    return tuple(g for g in found if g.role in roles and action in g.actions)


def decide(actor: Actor, action: str, resource: str) -> Decision:
    """Whether `actor` may do `action` with at least some rows of `resource`, and why."""
    if actor.administrator:
        return Decision(True, M("Administrators may do everything."), list_grants(actor, action, resource))
    grants = list_grants(actor, action, resource)
    if grants:
        names = ", ".join(f"{g.role}/{g.id}" for g in grants)
        return Decision(True, M("Allowed by the grants {names}.", names=names), grants)
    holders = list_roles(action, resource)
    if not holders:
        return Decision(
            False, M("No role has the right “{action}” on {resource}.", action=action, resource=resource)
        )
    return Decision(
        False,
        M(
            "The right “{action}” on {resource} belongs to {roles}; {name} has none of these roles.",
            action=action,
            resource=resource,
            roles=", ".join(holders),
            name=actor.name,
        ),
    )


def allows(actor: Actor, action: str, resource: str) -> bool:
    """Whether `actor` may do `action` with at least some rows of `resource`."""
    return actor.administrator or bool(list_grants(actor, action, resource))


def list_roles(action: str, resource: str) -> list[str]:
    """The keys of the roles that may do `action` with at least some rows of `resource`."""
    return sorted({g.role for g in _grants_of(resource) if action in g.actions})


def list_holders(action: str, resource: str) -> list[int]:
    """The active people who may do `action` with at least some rows of `resource`, administrators included."""
    roles = list_roles(action, resource)
    members = select(membership.c.person).where(membership.c.role.in_(roles))
    may = person.c.administrator | person.c.id.in_(members)
    with reading() as conn:
        return list(
            conn.execute(select(person.c.id).where(person.c.active, may).order_by(person.c.id)).scalars()
        )


def require(actor: Actor, action: str, resource: str) -> tuple[Grant, ...]:
    """The grants for `action`, or Forbidden with the reason."""
    decision = decide(actor, action, resource)
    if not decision.allowed:
        raise Forbidden(reason=decision.reason)
    return decision.grants


@lru_cache(maxsize=2_000)
def _everything(action: str, resource: str) -> Grant:
    return Grant("administrator", "*", resource, frozenset({action}), None, frozenset({"*"}), frozenset())
