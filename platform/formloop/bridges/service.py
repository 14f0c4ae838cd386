"""Running bridges: when something happens to a record, and when a promised message is delivered."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from formloop.access.actor import SYSTEM, Actor, get_actor
from formloop.bridges import changing, engine, provenance, targets
from formloop.bridges.engine import CLEAR, RUN, Row
from formloop.bridges.kind import check_version
from formloop.bridges.spec import CANCELLED, BridgeSpec
from formloop.core.errors import FormloopError, Invalid, NotFound, Problem
from formloop.core.text import M, Message, Titled
from formloop.db import connection, kept, transactional
from formloop.definitions import library
from formloop.events import Cause, Event, outbox, subscribe
from formloop.events.outbox import Delivery, DeliveryError, Topic
from formloop.forms import rows, service
from formloop.forms.kind import get_form
from formloop.forms.service import Draft, How, Outcome
from formloop.forms.spec import FormSpec, Values

TOPIC = "bridge"
ORDER = 200  # after what belongs to the record itself: workflow, ledgers


def start() -> None:
    """Listen to changes of records and deliver what was promised; doing it twice counts once."""
    if TOPIC not in outbox.topics:
        outbox.topics.add(TOPIC, Topic(deliver, _gather, atomic=True, title=M("Bridge")))
    subscribe(on_event, ORDER)


def on_event(event: Event) -> None:
    """Run the bridges that the event sets off, or promise to."""
    _gathered().pop((event.form, event.record), None)
    for bridge in library.of_form("bridge", event.form):
        effect = engine.effect_of(bridge, event)
        if effect is None and engine.may_amend(bridge, get_form(event.form), event):
            effect = RUN if provenance.list_links(bridge, event.record) else None
        if effect is None:
            continue
        _require_no_loop(bridge, event.cause)
        if bridge.together:
            run(bridge, event.actor, dict(event.after or {}), effect == CLEAR, event.cause)
        else:
            person = getattr(event.actor, "person_id", None)
            promise(bridge, [event.record], person, effect == CLEAR, event.cause.chain)


def _require_no_loop(bridge: BridgeSpec, cause: Cause) -> None:
    if bridge.step not in cause.chain:
        return
    circle = " → ".join(each.removeprefix("bridge:") for each in (*cause.chain, bridge.step) if ":" in each)
    text = M(
        "Bridge “{bridge}” would set itself off again: {circle}. Nothing was saved.",
        bridge=bridge.title,
        circle=circle,
    )
    raise Invalid([Problem("loop", "", text)])


def promise(
    bridge: BridgeSpec, records: Sequence[int], person: int | None, clear: bool, chain: Sequence[str]
) -> None:
    """Put a run for each of these records into the outbox."""
    payload = {
        "bridge": bridge.key,
        "version": bridge.version,
        "form": bridge.source,
        "to": bridge.target,
        "clear": clear,
        "person": person,
        "chain": list(chain),
    }
    outbox.put_many(TOPIC, [(f"{bridge.key}:{each}", {**payload, "record": each}) for each in records])


def deliver(delivery: Delivery) -> None:
    """Carry out one promised run with the record as it is now, by the version of the bridge that promised it."""
    bridge = _promised(delivery.payload["bridge"], delivery.payload["version"])
    try:
        _deliver(bridge, delivery)
    except (Invalid, NotFound) as error:
        raise DeliveryError(_told(error), permanent=True) from error


def _promised(key: str, version: int) -> BridgeSpec:
    try:
        bridge = library.at_version("bridge", key, version)
    except NotFound as error:
        raise DeliveryError(M("There is no bridge “{key}” any more.", key=key), permanent=True) from error
    if not isinstance(bridge, BridgeSpec):
        raise TypeError(key)
    problems = check_version(bridge)
    if problems:
        text = M(
            "Version {version} of this bridge no longer fits its forms. Retry with the version of today. {reason}",
            version=version,
            reason=problems[0].message,
        )
        raise DeliveryError(text, permanent=True)
    return bridge


@transactional
def _deliver(bridge: BridgeSpec, delivery: Delivery) -> None:
    payload = delivery.payload
    record = _source(bridge.source, payload["record"])
    clear = payload["clear"] or record is None or record["deleted_at"] is not None
    cause = Cause(tuple(payload["chain"]), message=delivery.msg_id)
    run(bridge, _actor(payload), record or {"id": payload["record"]}, clear, cause)


def _gathered() -> dict[tuple[str, int], Values]:
    """Source records read for the messages that share this transaction and not changed in it since."""
    return kept("bridges.gathered", dict)


def _gather(deliveries: Sequence[Delivery]) -> None:
    """Read the source records of several messages at once."""
    wanted: dict[str, set[int]] = {}
    for each in deliveries:
        wanted.setdefault(each.payload["form"], set()).add(each.payload["record"])
    for form, ids in wanted.items():
        spec = library.find_published("form", form)
        found = rows.load(connection(), spec, ids) if isinstance(spec, FormSpec) else {}
        _gathered().update({(form, id): record for id, record in found.items()})


def _source(form: str, id: int) -> Values | None:
    gathered = _gathered().pop((form, id), None)
    return gathered or rows.load(connection(), get_form(form), [id]).get(id)


def _actor(payload: Mapping[str, Any]) -> Actor:
    try:
        return get_actor(payload["person"]) if payload.get("person") else SYSTEM
    except NotFound:  # gone since; what was promised is done all the same
        return SYSTEM


def _told(error: FormloopError) -> Any:
    problems = error.problems if isinstance(error, Invalid) else []
    if len(problems) > 1:
        return M("{first} (and {count} more)", first=problems[0].message, count=len(problems) - 1)
    return problems[0].message if problems else error.message


@transactional
def run(bridge: BridgeSpec, actor: Actor, record: Values, clear: bool, cause: Cause) -> None:
    """Make the targets of `record` what they should be now; Invalid, naming bridge and line, when that is refused."""
    target = get_form(bridge.target)
    links = provenance.list_links(bridge, record["id"])
    if bridge.every:
        wanted, known, gone = changing.list_work(bridge, target, actor, record, clear)
    else:
        wanted = [] if clear else _wanted(bridge, actor, record)
        known = targets.list_known(bridge, target, wanted, links)
        stays = {each["id"] for each in known if each is not None}
        left = {made for _, made in links} - stays if bridge.removed != "keep" else set()
        gone = targets.list_given_up(bridge, target, actor, {record["id"]}, left) if left else []
    drafts = [_draft(bridge, target, row, there) for row, there in zip(wanted, known, strict=True)]
    cancelled = [each for each in gone if bridge.removed == "cancel" and each["state"] != CANCELLED]
    drafts += [Draft({}, each["id"], state=CANCELLED) for each in cancelled]
    step = cause.then(bridge.step, bridge.source, record["id"])
    how = How(trusted=True, unlocked=True, unique=frozenset(bridge.by if len(bridge.by) == 1 else ()))
    saved = service.save_many(actor, target.key, drafts, step, how) if drafts else []
    problems = [
        engine.problem_at(
            bridge, wanted[place].index if place < len(wanted) else 0, p.at, of_target(target, outcome, p)
        )
        for place, outcome in enumerate(saved)
        for p in outcome.problems
    ]
    if problems:
        raise Invalid(problems)
    made = [(row.line, int(out.id or 0)) for row, out in zip(wanted, saved, strict=False)]
    provenance.add_links(bridge, record["id"], [link for link in made if link not in set(links)])
    if bridge.removed == "delete":
        _bin(actor, target, [each["id"] for each in gone], step)


def of_target(target: FormSpec, outcome: Outcome, problem: Problem) -> Message:
    """What a target refuses, with its form, the field, and the record where there is one already."""
    form, name = Titled(target.document), outcome.values.get(target.title_field)
    where = M("{form} “{record}”", form=form, record=name) if outcome.id and name else form
    field = target.find(".".join(part for part in problem.at.split(".") if not part.isdecimal()))
    if field is None:
        return M("{where}: {reason}", where=where, reason=problem.message)
    return M("{where}, “{field}”: {reason}", where=where, field=Titled(field.schema), reason=problem.message)


def _wanted(bridge: BridgeSpec, actor: Actor, record: Values) -> list[Row]:
    wanted, problems = targets.rows_of(bridge, actor, record)
    seen: dict[tuple[Any, ...], int] = {}
    for row in wanted if bridge.by else ():
        key = tuple(row.values[name] for name in bridge.by)
        if any(value is None for value in key):
            problems.append(
                engine.problem_at(
                    bridge, row.index, bridge.by[0], M("The key “{key}” is empty.", key=", ".join(bridge.by))
                )
            )
        elif key in seen:
            text = M(
                "It gives the same record as line {line}: “{key}”.",
                line=seen[key] + 1,
                key=", ".join(map(str, key)),
            )
            problems.append(engine.problem_at(bridge, row.index, bridge.by[0], text))
        seen.setdefault(key, row.index)
    if problems:
        raise Invalid(problems)
    return wanted


def _draft(bridge: BridgeSpec, target: FormSpec, row: Row, there: Values | None) -> Draft:
    if there is None:
        return Draft(row.values)
    revived = bridge.removed == "cancel" and there["state"] == CANCELLED
    return Draft(row.values, there["id"], state=target.initial_state if revived else None)


def _bin(actor: Actor, target: FormSpec, ids: list[int], cause: Cause) -> None:
    trusted = replace(actor, administrator=True)  # the definition decided it, not the person
    for record in ids:
        service.delete_record(trusted, target.key, record, cause=cause, even_if_used=True)
