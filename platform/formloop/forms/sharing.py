"""A link to one record for somebody without an account, where `x-share` of its form allows it.

The link shows the fields that the form names, of them what its maker may still see, until it ends or is taken back.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from formloop.access import audit, gate, people
from formloop.access.actor import Actor, get_actor
from formloop.access.sessions import digest
from formloop.core import clock
from formloop.core.errors import Forbidden, NotFound
from formloop.core.text import M
from formloop.db import connection, reading, transactional
from formloop.forms import reads
from formloop.forms.kind import get_form
from formloop.forms.spec import FormSpec
from formloop.forms.tables import share

DAYS = 30  # a link is good for, where the form says nothing else


@dataclass(frozen=True, slots=True)
class Link:
    """A link that is good now."""

    id: int
    maker: str
    made_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Opened:
    """What a link leads to: the record as its maker may see it, of that the paths the form shares."""

    maker: Actor
    look: reads.Look
    visible: frozenset[str]


def settings_of(spec: FormSpec) -> dict[str, Any]:
    """What the form says of links; nothing where it allows none."""
    said: dict[str, Any] = spec.document.get("x-share", {})
    return said if said.get("link") is True else {}


def may_share(actor: Actor, spec: FormSpec) -> bool:
    """Whether somebody may make links: links are on, and they have one of the roles where some are named."""
    said = settings_of(spec)
    if not said or not gate.allows(actor, "view", spec.resource):
        return False
    return not said.get("roles") or actor.administrator or bool(actor.roles & set(said["roles"]))


def _require(actor: Actor, form: str, record: int) -> FormSpec:
    spec = get_form(form)
    if not may_share(actor, spec):
        raise Forbidden(M("Links to these records are not allowed to you."))
    reads.get_record(actor, form, record)
    return spec


@transactional
def add(actor: Actor, form: str, record: int) -> str:
    """The secret of a new link to a record; it is told only now."""
    spec, secret, now = _require(actor, form, record), clock.new_secret(), clock.now()
    connection().execute(
        insert(share).values(
            id=clock.new_id(),
            key_hash=digest(secret),
            form=form,
            record=record,
            person=actor.person_id,
            made_at=now,
            ends_at=clock.later(hours=24 * int(settings_of(spec).get("days", DAYS))),
        )
    )
    audit.note(actor, "record.shared", spec.resource, record=record)
    return secret


@transactional
def end_all(actor: Actor, form: str, record: int) -> None:
    """Take all links to a record back."""
    spec = _require(actor, form, record)
    mine = (share.c.form == form) & (share.c.record == record) & (share.c.ends_at > clock.now())
    connection().execute(update(share).where(mine).values(ends_at=clock.now()))
    audit.note(actor, "record.unshared", spec.resource, record=record)


def list_links(actor: Actor, form: str, record: int) -> list[Link]:
    """The links to a record that are good now, the newest first."""
    _require(actor, form, record)
    query = select(share).where(share.c.form == form, share.c.record == record, share.c.ends_at > clock.now())
    with reading() as conn:
        rows = conn.execute(query.order_by(share.c.id.desc())).all()
    names = people.names_of(row.person for row in rows)
    return [Link(row.id, names.get(row.person, ""), row.made_at, row.ends_at) for row in rows]


def open_link(secret: str) -> Opened:
    """What a link shows; NotFound when it never was, has ended, or its maker may no longer share this record."""
    with reading() as conn:
        row = conn.execute(select(share).where(share.c.key_hash == digest(secret))).one_or_none()
    if row is None or row.ends_at <= clock.now():
        raise NotFound
    maker = get_actor(row.person)
    try:
        spec = _require(maker, row.form, row.record)
        look = reads.look(maker, row.form, row.record)
    except Forbidden:
        raise NotFound from None
    shared = {spec.title_field, *settings_of(spec).get("fields", ())}
    visible = frozenset(path for path in look.visible if path.partition(".")[0] in shared)
    return Opened(maker, look, visible)
