"""Which records a run is about: those that are there already, and those that nobody needs any more."""

from collections.abc import Collection, Iterable, Sequence

from formloop.access.actor import SYSTEM, Actor
from formloop.bridges import engine, provenance
from formloop.bridges.engine import Row
from formloop.bridges.spec import CANCELLED, BridgeSpec
from formloop.core.errors import Problem
from formloop.db import connection
from formloop.definitions import library
from formloop.forms import rows
from formloop.forms.kind import get_form
from formloop.forms.links import Links
from formloop.forms.names import context_of
from formloop.forms.spec import FormSpec, Values
from formloop.forms.uses import note_following


def rows_of(bridge: BridgeSpec, actor: Actor, record: Values) -> tuple[list[Row], list[Problem]]:
    """What the targets of a source record should be, and what kept some of them from being calculated."""
    source = get_form(bridge.source)
    env = Links(SYSTEM, source, [record], bridge.reads).environment(source, record)
    return engine.rows_of(bridge, get_form(bridge.target), record, env, context_of(actor))


def list_known(
    bridge: BridgeSpec, target: FormSpec, wanted: Sequence[Row], links: Sequence[provenance.Link]
) -> list[Values | None]:
    """For each row the target that is there already, if any: by its key, else by the link to its source."""
    if bridge.by:
        keys = [tuple(row.values[name] for name in bridge.by) for row in wanted]
        found = provenance.find_by_key(target, bridge.by, set(keys)) if keys else {}
        return [found.get(key) for key in keys]
    live = provenance.find_live(target, [made for _, made in links])
    by_line = {line: live[made] for line, made in links if made in live}
    return [by_line.get(row.line) for row in wanted]


def list_given_up(
    bridge: BridgeSpec, target: FormSpec, actor: Actor, records: Collection[int], ids: Iterable[int]
) -> list[Values]:
    """Those of the targets these sources do without that may go: made by this bridge, and fed by no other source."""
    found = provenance.find_live(target, ids)
    own = provenance.list_made(bridge, found)
    others = provenance.list_feeders(bridge, records, own)
    fed: set[int] = set()
    for via, form, source in sorted(others):
        if made := others[via, form, source] - fed:
            fed |= _still_fed(via, form, source, actor, made)
    return [each for key, each in found.items() if key in own and key not in fed]


@note_following
def list_following(source: FormSpec, records: Collection[int]) -> dict[str, set[int]]:
    """What bridges have made of these records and take back in the same step when they are deleted, by its form."""
    found: dict[str, set[int]] = {}
    for bridge in library.of_form("bridge", source.key):
        if not (bridge.together and "deleted" in bridge.on and bridge.removed != "keep"):
            continue
        target, made = get_form(bridge.target), provenance.list_targets(bridge, records)
        gone = list_given_up(bridge, target, SYSTEM, records, made) if made else []
        found.setdefault(target.key, set()).update(each["id"] for each in gone)
    return found


def _still_fed(via: str, form: str, source: int, actor: Actor, made: set[int]) -> set[int]:
    """Those of the records that the source feeds today; all of them when that cannot be told."""
    feeder = library.find_published("bridge", via)
    spec = library.find_published("form", form)
    if not isinstance(spec, FormSpec):
        return set()
    record = rows.load(connection(), spec, [source]).get(source)
    if record is None or record["deleted_at"] is not None or record["state"] == CANCELLED:
        return set()
    if not isinstance(feeder, BridgeSpec) or feeder.source != form:
        return made
    wanted, problems = rows_of(feeder, actor, record)
    if problems:
        return made
    known = list_known(feeder, get_form(feeder.target), wanted, provenance.list_links(feeder, source))
    return made & {each["id"] for each in known if each is not None}
