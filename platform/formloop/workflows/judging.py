"""A record is judged by the rules of its form: when it is submitted, and again before an approval leads to anything."""

from formloop.access.actor import SYSTEM, Actor
from formloop.core.errors import Problem
from formloop.forms.choices import check_standing
from formloop.forms.engine import check
from formloop.forms.links import Links
from formloop.forms.names import context_of
from formloop.forms.spec import FormSpec, Values
from formloop.workflows import cases
from formloop.workflows.spec import Workflow
from formloop.workflows.turn import Turn


def find_problems(
    actor: Actor, spec: FormSpec, values: Values, workflow: Workflow, state: str
) -> list[Problem]:
    """What the form has against a record in a state: what drafts may lack, or what no longer holds.

    It is judged by what the workflow is about to change as nobody else can change it meanwhile, and by what there is
    now where a look-up that nobody fills in had found nothing.
    """
    coming = {**values, "state": state}
    links, context = Links(SYSTEM, spec, [coming], held=workflow.changes), context_of(actor)
    _look_up_again(spec, coming, links)
    found = check(spec, coming, links.environment(spec, coming), context)
    return found + check_standing(spec, coming, links, context)


def _look_up_again(spec: FormSpec, values: Values, links: Links) -> None:
    empty = [
        each
        for each in links.linkages.fields
        if each.subform is None and each.schema.get("readOnly") and values.get(each.key) is None
    ]
    env = links.environment(spec, values) if empty else {}
    for each in empty:
        found = links.linkages.find(each, env)
        values[each.key] = None if found is None else each.type.read(each, found)


def judge_again(turn: Turn, state: str) -> list[Problem]:
    """What stands against the record now, asked once in a turn, for time has passed since it was submitted.

    Once the case has changed records it is asked no more: the rules count what it did itself. A proposed change has
    rules of its own.
    """
    if turn.judged or turn.workflow.amends is not None:
        return []
    turn.judged = True
    if turn.workflow.changes and cases.has_worked(turn.case):
        return []
    if turn.before is None:
        turn.before = turn.situation.whole()
    return find_problems(turn.actor, turn.spec, turn.before, turn.workflow, state)
