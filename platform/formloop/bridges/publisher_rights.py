"""Nobody publishes a bridge that tells them, or does for them, what they may not see or do themselves.

A bridge reads its source and writes its target whatever the person may who sets it off. So a builder may only let
it read fields they see, and write fields they may fill in themselves.
"""

from collections.abc import Iterator

from formloop.access import gate
from formloop.access.actor import Actor
from formloop.bridges.spec import BridgeSpec
from formloop.core.errors import Problem
from formloop.core.text import M
from formloop.datasets.kind import get_dataset
from formloop.datasets.publisher_rights import hidden, with_inner
from formloop.definitions import service as definitions
from formloop.forms import permits
from formloop.forms.kind import get_form
from formloop.forms.publisher_rights import in_words, read_elsewhere, sees
from formloop.forms.spec import FormSpec


def enroll() -> None:
    """Take part in publishing."""
    if "bridge" not in definitions.judges:
        definitions.judges.add("bridge", check_rights)


def check_rights(actor: Actor, bridge: BridgeSpec) -> list[Problem]:
    """What the bridge reads or writes that the actor may not; nothing for administrators."""
    return [] if actor.administrator else [*_reads_hidden(actor, bridge), *_writes_forbidden(actor, bridge)]


def _reads_hidden(actor: Actor, bridge: BridgeSpec) -> Iterator[Problem]:
    source = get_form(bridge.source)
    own = {(source.key, path) for read in bridge.reads if (path := _own_path(source, read))}
    elsewhere = {(form, key) for _, form, key in read_elsewhere(source, bridge.reads)}
    if bridge.find is not None and bridge.find.dataset is not None:
        for key in with_inner(bridge.find.dataset):
            yield from hidden(actor, get_dataset(key).reads, "find.dataset")
    if bridge.find is not None and bridge.find.form is not None:
        there = get_form(bridge.find.form)
        own |= {(there.key, path) for read in bridge.reads_found if (path := _own_path(there, read))}
        elsewhere |= {(form, key) for _, form, key in read_elsewhere(there, bridge.reads_found)}
    target = get_form(bridge.target)
    own |= {(target.key, path) for read in bridge.reads_there if (path := _own_path(target, read))}
    elsewhere |= {(form, key) for _, form, key in read_elsewhere(target, bridge.reads_there)}
    for form, path in sorted(own | elsewhere):
        if not sees(actor, form, path):
            text = M(
                "This bridge reads {field} of {form}, which you may not see yourself.", **in_words(form, path)
            )
            yield Problem("reads_hidden", "map", text)


def _written(bridge: BridgeSpec) -> list[str]:
    """Every field that a bridge fills in, by path."""
    lines = [f"{bridge.lines.into}.{key}" for key in bridge.lines.values] if bridge.lines else []
    return [*bridge.values, *lines]


def _own_path(source: FormSpec, read: tuple[str, ...]) -> str | None:
    """The field of the source itself that a path begins with."""
    return next((p for p in (".".join(read[:2]), read[0]) if source.find(p)), None)


def _writes_forbidden(actor: Actor, bridge: BridgeSpec) -> Iterator[Problem]:
    target = get_form(bridge.target)
    for action in ("edit",) if bridge.every else ("create", "edit"):
        permit = permits.find_permit(actor, action, target)
        for key in _written(bridge):
            if permit is None or key not in permit.everywhere:
                text = M(
                    "This bridge writes {field} of {form}, which you may not do yourself.",
                    **in_words(target.key, key),
                )
                yield Problem("writes_forbidden", "lines.map" if "." in key else f"map.{key}", text)
    if bridge.removed == "delete" and not gate.allows(actor, "delete", target.resource):
        text = M("This bridge deletes records of {form}, which you may not do yourself.", form=target.called)
        yield Problem("writes_forbidden", "removed", text)
