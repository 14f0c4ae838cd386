"""A link to one record for somebody without an account, where `x-share` of its form allows it.

The link shows the fields that the form names, of them what its maker may still see, until it ends or is taken back.
Where the form says so it lets its reader fill some in, of those that its maker may still change.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from formloop.access import audit, gate, people
from formloop.access.actor import Actor, get_actor
from formloop.access.sessions import digest
from formloop.core import clock
from formloop.core.errors import Forbidden, Invalid, NotFound
from formloop.core.text import M
from formloop.db import connection, reading, transactional
from formloop.events import Cause
from formloop.forms import engine, reads, service
from formloop.forms.drafts import Draft, How, is_locked
from formloop.forms.kind import get_form
from formloop.forms.links import Links
from formloop.forms.spec import FormSpec, Values
from formloop.forms.tables import share

BY_LINK = Cause(("link",))
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
    """What a link leads to: the record as its maker may see it, of that the paths the form shares, and lets fill in."""

    maker: Actor
    look: reads.Look
    visible: frozenset[str]
    fillable: frozenset[str]


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
    fillable = _fillable(maker, spec, look.record)
    shared = {spec.title_field, *settings_of(spec).get("fields", ())}
    visible = frozenset(p for p in look.visible if shared & {p, p.partition(".")[0]}) | fillable
    return Opened(maker, look, visible, fillable)


def _fillable(maker: Actor, spec: FormSpec, record: Values) -> frozenset[str]:
    """What may be filled in now: while the record waits for it, or says that it was, and nothing locks it."""
    said = settings_of(spec)
    waiting = (spec.initial_state, said.get("state"))
    if not said.get("fill") or record["state"] not in waiting or is_locked(spec, record):
        return frozenset()
    return frozenset(said["fill"]) & reads.visible_in(maker, spec, record, "edit")


def with_typed(opened: Opened, raw: Mapping[str, Any]) -> Opened:
    """The same with what was typed laid over the record, to be shown again with what is wrong with it."""
    look = opened.look
    given = engine.read_given(look.spec, _allowed(look.spec, look.record, raw, opened.fillable))
    record = engine.laid_over(look.spec, look.record, given.values)
    env = Links(opened.maker, look.spec, [record]).environment(look.spec, record)
    return replace(opened, look=replace(look, record=record, env=env))


@transactional
def fill_in(secret: str, raw: Mapping[str, Any], revision: int | None) -> None:
    """Save what somebody filled in by a link; Forbidden when nothing can be filled in any more.

    It counts as its maker's change, made by link. No line comes or goes.
    """
    opened = open_link(secret)
    spec, record, maker = opened.look.spec, opened.look.record, opened.maker
    if not opened.fillable:
        raise Forbidden(M("This can no longer be filled in."))
    values = _allowed(spec, record, raw, opened.fillable)
    seen = record["revision"] if revision is None else revision
    draft = Draft(values, record["id"], seen, state=settings_of(spec).get("state"))
    (saved,) = service.save_many(maker, spec.key, [draft], BY_LINK, How(fields=opened.fillable))
    if saved.problems:
        raise Invalid(saved.problems)
    audit.note(maker, "record.filled_by_link", spec.resource, record=record["id"])


def _allowed(spec: FormSpec, record: Values, raw: Mapping[str, Any], fillable: frozenset[str]) -> Values:
    """Of what was posted what may be filled in; the lines are those that are there."""
    found: Values = {key: value for key, value in raw.items() if key in fillable}
    for subform in spec.subforms:
        columns = {each.key for each in subform.children if each.path in fillable}
        posted = {str(line.get("id")): line for line in raw.get(subform.key) or ()}
        if columns and posted:
            found[subform.key] = [
                {"id": line["id"]}
                | {k: v for k, v in posted.get(str(line["id"]), {}).items() if k in columns}
                for line in record.get(subform.key) or ()
            ]
    return found
