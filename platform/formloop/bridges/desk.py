"""The repair desk: what failed or waits, told in words, with every decision noted in the audit trail."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from formloop.access import audit
from formloop.access.actor import SYSTEM, Actor
from formloop.bridges import provenance
from formloop.bridges.service import TOPIC
from formloop.bridges.spec import BridgeSpec
from formloop.core.errors import Conflict, Invalid, NotFound, Problem
from formloop.core.text import M, Message
from formloop.db import reading, transactional
from formloop.definitions import library
from formloop.events import outbox, reasons, repair
from formloop.events.repair import Waiting
from formloop.forms.listing import titles_of
from formloop.forms.spec import FormSpec

RESOURCE = "site"
ACTION = "repair"
_UNDER_WAY = M("This message is under way or done already.")


@dataclass(frozen=True, slots=True)
class Place:
    """A record that a message is about; without `record`, the whole form."""

    form: str
    record: int | None
    title: Message | str


@dataclass(frozen=True, slots=True)
class Item:
    """One message as people see it."""

    id: int
    title: Message | str
    source: Place | None
    target: Place | None
    reason: str
    state: str
    attempts: int
    made_at: datetime
    next_at: datetime | None
    group: str  # for "try all of these again": the bridge's key, or empty
    topic: str


def list_items(
    stuck: bool, locale: str, topic: str | None, group: str, before: int | None, limit: int
) -> list[Item]:
    """A page of messages, newest first."""
    choose = repair.list_stuck if stuck else repair.list_waiting
    return describe(choose(topic, group, before, limit), locale)


def describe(found: Sequence[Waiting], locale: str) -> list[Item]:
    """Messages in words: what runs, from which record, into which form."""
    names = _names(found)
    return [_item(each, names, locale) for each in found]


def _item(each: Waiting, names: dict[tuple[str, int], str], locale: str) -> Item:
    said = each.payload if isinstance(each.payload, dict) else {}
    bridge = _find_bridge(said) if each.topic == TOPIC else None
    topic = outbox.topics.find(each.topic)
    title: Message | str = (
        (topic.title if topic and topic.title else each.topic) if bridge is None else bridge.title
    )
    return Item(
        id=each.id,
        title=title,
        source=_place(said.get("form"), said.get("record"), names, locale),
        target=_place(said.get("to"), None, names, locale),
        reason=reasons.read(each.last_error, locale),
        state=each.state,
        attempts=each.attempts,
        made_at=each.made_at,
        next_at=each.not_before if each.state == "ready" and each.attempts else None,
        group=str(said.get("bridge", "")) if each.topic == TOPIC else "",
        topic=each.topic,
    )


def _find_bridge(said: dict[str, Any]) -> BridgeSpec | None:
    found = library.find_published("bridge", str(said.get("bridge")))
    return found if isinstance(found, BridgeSpec) else None


def _find_form(key: Any) -> FormSpec | None:
    found = library.find_published("form", key) if isinstance(key, str) else None
    return found if isinstance(found, FormSpec) else None


def _names(found: Sequence[Waiting]) -> dict[tuple[str, int], str]:
    wanted: dict[str, set[int]] = {}
    for each in found:
        if isinstance(each.payload, dict) and isinstance(each.payload.get("record"), int):
            wanted.setdefault(str(each.payload.get("form")), set()).add(each.payload["record"])
    names: dict[tuple[str, int], str] = {}
    with reading() as conn:
        for form, ids in wanted.items():
            if spec := _find_form(form):
                names |= {(form, key): name for key, name in titles_of(conn, spec, ids, SYSTEM).items()}
    return names


def _place(form: Any, record: Any, names: dict[tuple[str, int], str], locale: str) -> Place | None:
    spec = _find_form(form)
    if spec is None:
        return None
    if not isinstance(record, int):
        return Place(spec.key, None, spec.title(locale))
    return Place(spec.key, record, f"{spec.title(locale)} {names.get((spec.key, record), f'#{record}')}")


@transactional
def retry(actor: Actor, message: int) -> None:
    """Let one message be tried again at once, by the bridge as it is today."""
    _renew([_require(message)])
    if not repair.retry(message):
        raise Conflict(_UNDER_WAY)
    audit.note(actor, "message.retried", f"message:{message}")


@transactional
def retry_all(actor: Actor, topic: str, group: str = "") -> int:
    """Let every failed message of a topic, or of one bridge, be tried again as it is today; returns how many."""
    _renew(repair.list_stuck(topic, group, limit=10_000))
    count = repair.retry_all(topic, group)
    audit.note(actor, "message.retried_all", f"topic:{topic}", group=group, count=count)
    return count


@transactional
def cancel(actor: Actor, message: int, reason: str) -> None:
    """Give one message up; the reason is kept."""
    if not reason.strip():
        raise Invalid([Problem("required", "reason", M("Say why this is given up."))])
    _require(message)
    if not repair.cancel(message, reason.strip()[:500]):
        raise Conflict(_UNDER_WAY)
    audit.note(actor, "message.cancelled", f"message:{message}", reason=reason.strip()[:500])


def _renew(messages: Sequence[Waiting]) -> None:
    """Let messages of bridges be carried out by today's version: the one a person has mended meanwhile."""
    for each in messages:
        entry = library.find_entry("bridge", str(each.payload.get("bridge"))) if each.topic == TOPIC else None
        if entry and entry.version != each.payload.get("version"):
            repair.change_payload(each.id, {**each.payload, "version": entry.version})


def _require(message: int) -> Waiting:
    found = repair.find_message(message)
    if found is None:
        raise NotFound
    return found


@dataclass(frozen=True, slots=True)
class BridgeState:
    """How one bridge stands with one record: done, waiting, trying (failed before) or failed."""

    title: Message
    state: str
    made: int
    reason: str


def states_of(spec: FormSpec, record: int, locale: str) -> list[BridgeState]:
    """How the bridges that start at this form stand with the record; those that never ran are left out."""
    bridges = [b for b in library.all_published("bridge") if b.source == spec.key]
    if not bridges:
        return []
    keys = {f"{TOPIC}:{b.key}:{record}": b.key for b in bridges}
    open_ = {keys[each.key]: each for each in reversed(repair.list_of_keys(list(keys)))}
    made = provenance.count_made(spec.key, record)
    found = []
    for bridge in bridges:
        first = open_.get(bridge.key)
        if first is None and bridge.key not in made:
            continue
        reason = reasons.read(first.last_error, locale) if first else ""
        found.append(BridgeState(bridge.title, _state(first), made.get(bridge.key, 0), reason))
    return found


def _state(first: Waiting | None) -> str:
    if first is None:
        return "done"
    if first.state in ("dead", "unknown"):
        return "failed"
    return "trying" if first.last_error else "waiting"
