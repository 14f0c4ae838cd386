"""Nobody publishes a form that tells them, or others, what they may not see themselves.

A formula, a rule or a filled-in field that reads through a relation shows what stands there to whoever fills in
the form. So a builder may only let it read what some grant of theirs shows in every row they see. The same holds for
the conditions of what is offered, looked up and listed: which records answer says what stands in them.
"""

from collections.abc import Iterable, Iterator

from formloop.access.actor import Actor
from formloop.core.errors import Problem
from formloop.core.expression import Path
from formloop.core.text import M, Message, Titled
from formloop.definitions import library
from formloop.definitions import service as definitions
from formloop.forms import elsewhere, permits
from formloop.forms.kind import get_form
from formloop.forms.reading import OWN
from formloop.forms.spec import Field, FormSpec


def enroll() -> None:
    """Take part in publishing."""
    if "form" not in definitions.judges:
        definitions.judges.add("form", _problems)


def _problems(actor: Actor, spec: FormSpec) -> list[Problem]:
    return [
        Problem(
            "reads_hidden",
            f"properties.{path.replace('.', '.items.properties.')}",
            M(
                "“{path}” reads {field} of {form}, which you may not see yourself.",
                path=Titled(field.schema, path) if (field := spec.find(path)) else path,
                **in_words(form, key),
            ),
        )
        for path, form, key in dict.fromkeys(
            (*read_elsewhere(spec, spec.reads), *_filled(spec), *_asked(spec))
        )
        if not may_read(actor, form, key)
    ]


def in_words(form: str, path: str) -> dict[str, Message]:
    """What a field and its form are called, for the places of a sentence."""
    spec = get_form(form)
    field = spec.find(path)
    return {"field": Titled(field.schema if field else {}, path), "form": spec.called}


def read_elsewhere(spec: FormSpec, reads: Iterable[Path]) -> Iterator[tuple[str, str, str]]:
    """Path, form and field of everything that is read through the relations of a form, however far."""
    for read in sorted(reads):
        yield from _hops(spec, read)


def _hops(spec: FormSpec, read: Path) -> Iterator[tuple[str, str, str]]:
    for length in (1, 2):
        field = spec.find(".".join(read[:length]))
        if field is None or field.relation is None or len(read) <= length:
            continue
        target, rest = get_form(field.relation.form), read[length:]
        within = target.fields.get(rest[0])
        yield field.path, target.key, ".".join(rest[:2]) if within and within.children else rest[0]
        yield from ((field.path, form, key) for _, form, key in _hops(target, rest))
        return


def _filled(spec: FormSpec) -> Iterator[tuple[str, str, str]]:
    for top in spec.fields.values():
        for each in (top, *top.children):
            for key in each.relation.fill.values() if each.relation else ():
                yield each.path, each.relation.form if each.relation else "", key


def _asked(spec: FormSpec) -> Iterator[tuple[str, str, str]]:
    """What the conditions of choices, look-ups and lists read in the other form and beyond it."""
    for top in spec.fields.values():
        for field in (top, *top.children):
            for word in sorted(elsewhere.CONDITIONED & field.schema.keys()):
                for form, key in _asks(spec, field, word):
                    yield field.path, form, key


def _asks(spec: FormSpec, field: Field, word: str) -> Iterator[tuple[str, str]]:
    condition = elsewhere.condition_of(spec, field, word)
    reads = [path for path in condition.reads if path[0] != OWN] if condition else []
    target = get_form(field.schema[word]["form"])
    for read in sorted(reads):
        yield target.key, next((p for p in (".".join(read[:2]), read[0]) if target.find(p)), read[0])
        yield from ((form, key) for _, form, key in _hops(target, read))


def may_read(actor: Actor, form: str, path: str) -> bool:
    """Whether a person may let a form read a field of another one."""
    return actor.administrator or sees(actor, form, path)


def sees(actor: Actor, form: str, path: str) -> bool:
    """Whether some grant shows a field to a person in every row they see; a form that was never published shows
    nothing yet, and is theirs who will publish it."""
    if library.is_new("form", form):
        return True
    spec = get_form(form)
    permit = permits.find_permit(actor, "view", spec)
    return permit is not None and (spec.find(path) is None or path in permit.everywhere)
