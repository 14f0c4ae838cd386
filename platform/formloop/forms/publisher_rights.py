"""Nobody publishes a form that tells them, or others, what they may not see themselves.

A formula, a rule or a filled-in field that reads through a relation shows what stands there to whoever fills in
the form. So a builder may only let it read what some grant of theirs shows in every row they see.
"""

from collections.abc import Iterable, Iterator

from formloop.access.actor import Actor
from formloop.core.errors import Problem
from formloop.core.expression import Path
from formloop.core.text import M
from formloop.definitions import service as definitions
from formloop.forms import permits
from formloop.forms.kind import get_form
from formloop.forms.spec import FormSpec


def enroll() -> None:
    """Take part in publishing."""
    if "publisher_rights" not in definitions.listeners:
        definitions.listeners.add("publisher_rights", _check)


def _check(actor: Actor, published: definitions.Published) -> None:
    if published.kind == "form" and not actor.administrator:
        definitions.refuse_new(published, lambda spec: _problems(actor, spec))


def _problems(actor: Actor, spec: FormSpec) -> list[Problem]:
    return [
        Problem(
            "reads_hidden",
            f"properties.{path.replace('.', '.items.properties.')}",
            M(
                "“{path}” reads {field} of {form}, which you may not see yourself.",
                path=path,
                field=key,
                form=form,
            ),
        )
        for path, form, key in (*read_elsewhere(spec, spec.reads), *_filled(spec))
        if not sees(actor, form, key)
    ]


def read_elsewhere(spec: FormSpec, reads: Iterable[Path]) -> Iterator[tuple[str, str, str]]:
    """Path, form and field of everything that is read through the relations of a form."""
    for read in sorted(reads):
        for length in (1, 2):
            field = spec.find(".".join(read[:length]))
            if field is not None and field.relation is not None and len(read) > length:
                yield field.path, field.relation.form, read[length]
                break


def _filled(spec: FormSpec) -> Iterator[tuple[str, str, str]]:
    for top in spec.fields.values():
        for each in (top, *top.children):
            for key in each.relation.fill.values() if each.relation else ():
                yield each.path, each.relation.form if each.relation else "", key


def sees(actor: Actor, form: str, path: str) -> bool:
    """Whether some grant shows a field to a person in every row they see."""
    spec = get_form(form)
    permit = permits.find_permit(actor, "view", spec)
    return permit is not None and (spec.find(path) is None or path in permit.everywhere)
