"""Nobody publishes a plan that reads what they may not see, or writes what they may not write.

A plan reads the whole of its datasets and writes its forms whatever the person may who runs it.
"""

from collections.abc import Iterator

from formloop.access import gate
from formloop.access.actor import Actor
from formloop.core.errors import Problem
from formloop.core.text import M
from formloop.datasets.kind import get_dataset
from formloop.datasets.publisher_rights import hidden, with_inner
from formloop.definitions import service as definitions
from formloop.forms import permits
from formloop.forms.kind import get_form
from formloop.forms.publisher_rights import in_words
from formloop.planning.spec import PlanSpec


def enroll() -> None:
    """Take part in publishing."""
    if "plan" not in definitions.judges:
        definitions.judges.add("plan", check_rights)


def check_rights(actor: Actor, plan: PlanSpec) -> list[Problem]:
    """What the plan reads or writes that the actor may not; nothing for administrators."""
    return [] if actor.administrator else [*_reads_hidden(actor, plan), *_writes_forbidden(actor, plan)]


def _reads_hidden(actor: Actor, plan: PlanSpec) -> Iterator[Problem]:
    for port, key in plan.ports.items():
        for each in with_inner(key):
            yield from hidden(actor, get_dataset(each).reads, f"ports.{port}")


def _writes_forbidden(actor: Actor, plan: PlanSpec) -> Iterator[Problem]:
    for output in plan.outputs:
        spec = get_form(output.form)
        for action in ("create", "edit"):
            permit = permits.find_permit(actor, action, spec)
            for key in output.values:
                if permit is None or key not in permit.everywhere:
                    text = M(
                        "This plan writes {field} of {form}, which you may not do yourself.",
                        **in_words(spec.key, key),
                    )
                    yield Problem("writes_forbidden", f"outputs.{output.name}.map.{key}", text)
        if not gate.allows(actor, "delete", spec.resource):
            text = M("This plan deletes records of {form}, which you may not do yourself.", form=spec.called)
            yield Problem("writes_forbidden", f"outputs.{output.name}", text)
