"""Bridges that only change: every record that has the key, as it is then; they make none."""

from formloop.access.actor import SYSTEM, Actor
from formloop.bridges import engine, provenance
from formloop.bridges.engine import Row
from formloop.bridges.spec import EARLIER, THERE, BridgeSpec
from formloop.core.errors import Invalid
from formloop.forms.kind import get_form
from formloop.forms.links import Links
from formloop.forms.names import context_of
from formloop.forms.spec import FormSpec, Values

Work = tuple[
    list[Row], list[Values | None], list[Values]
]  # what is written, into which records, who lost their source


def list_work(bridge: BridgeSpec, target: FormSpec, actor: Actor, record: Values, clear: bool) -> Work:
    """What becomes of the records that have the source's key; Invalid when that cannot be calculated."""
    source, context = get_form(bridge.source), context_of(actor)
    if not source.fields.keys() & record.keys():
        return [], [], []  # purged: nothing is known of it any more
    env = Links(SYSTEM, source, [record], bridge.reads).environment(source, record)
    key, problems = engine.key_of(bridge, target, env, context)
    if problems:
        raise Invalid(problems)
    found = provenance.hold_by_key(target, key)
    reach, written = Links(SYSTEM, target, found, bridge.reads_there), dict[int, Row]()
    seen = [reach.environment(target, each) for each in found]
    for place, each in enumerate(found if not clear else ()):
        scope = {**env, THERE: seen[place], EARLIER: seen[:place]}
        wanted, wrong = engine.rows_of(bridge, target, record, scope, context)
        problems += wrong
        if wanted:
            written[each["id"]] = wanted[0]
    if problems:
        raise Invalid(problems)
    stay = [each for each in found if each["id"] in written]
    gone = [each for each in found if each["id"] not in written and bridge.removed != "keep"]
    return [written[each["id"]] for each in stay], list(stay), gone
