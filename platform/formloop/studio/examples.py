"""Examples of a form in its designer: run on the draft, made of records or of what is typed, taken over, deleted."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any

from formloop.access.actor import Actor
from formloop.core.definitions import Doc
from formloop.core.errors import Invalid, NotFound, Problem
from formloop.core.expression import Path
from formloop.core.json_text import plain
from formloop.core.keys import suggest_key
from formloop.definitions import library
from formloop.definitions import service as definitions
from formloop.forms import engine, examples, reads
from formloop.forms.examples import EXAMPLES, Result
from formloop.forms.imagining import Imagination
from formloop.forms.kind import get_form
from formloop.forms.snapshots import given_of
from formloop.forms.spec import FormSpec, Unreadable, Values
from formloop.studio import drafting, preview
from formloop.studio.shapes import listing, mapping
from formloop.workflows.kind import find_workflow

# what an example may leave out of what it expects, besides values
PARTS: Mapping[str, tuple[str, ...]] = {
    "rules": ("shown", "hidden"),
    "problems": ("problems",),
    "way": ("way",),
}


@contextmanager
def opened(desk: drafting.Desk) -> Iterator[FormSpec]:
    """The draft of a form and that of its workflow, as if they were published; Invalid where it cannot run."""
    with preview.running(desk) as (spec, problems):
        if spec is None:
            raise Invalid([each for each in problems if each.severity == "error"])
        coming = library.overlay()
        coming.put("form", spec.key, desk.doc, 0)
        drafts = definitions.list_drafts("workflow")
        for key in library.list_keys("workflow"):
            doc = drafts.get(key) or library.find_document("workflow", key)
            if doc is not None and doc.get("form") == spec.key:
                coming.put("workflow", key, doc, 0)
        yield spec


def run_all(desk: drafting.Desk) -> list[Result]:
    """Every example of the draft."""
    with opened(desk) as spec:
        return examples.run_all(spec, library.VIEW)


def run_one(desk: drafting.Desk, example: Doc) -> Result:
    """One example, also one that is not kept yet."""
    with opened(desk) as spec:
        return examples.run(spec, example, library.VIEW)


def get_example(desk: drafting.Desk, example_id: str) -> Doc:
    """An example of the draft, or NotFound."""
    for each in listing(desk.doc.get(EXAMPLES)):
        if mapping(each).get("id") == example_id:
            return dict(each)
    raise NotFound


def started(title: str, on: date, given: Doc) -> Doc:
    """An example that expects nothing yet."""
    key = suggest_key(title, (), "example")
    return {"id": key, "title": title, "on": on.isoformat(), "given": given}


def made_of_record(actor: Actor, form: str, record: int, title: str) -> Doc:
    """An example that gives what a record has, with what is read of the records it points to."""
    spec = get_form(form)
    values = reads.get_record(actor, spec.key, record)
    name = values.get(spec.title_field)
    day = values["created_at"].date()
    return started(title or f"{name or record}", day, given_of(actor, spec, values, _read_by_workflow(spec)))


def made_of_raw(actor: Actor, spec: FormSpec, raw: Mapping[str, Any], before: Doc) -> Doc:
    """What an example gives, from what was typed; related records that were imagined stay as they were."""
    imagination = Imagination(spec, _find_form)
    imagination.raw(before)
    given = engine.read_given(spec, raw, trusted=True)
    if given.problems:
        raise Invalid(given.problems)
    values: Values = dict(given.values)
    return given_of(actor, spec, values, _read_by_workflow(spec), imagination.said)


def _find_form(key: str) -> FormSpec | None:
    found = library.find_published("form", key)
    return found if isinstance(found, FormSpec) else None


def _read_by_workflow(spec: FormSpec) -> frozenset[Path]:
    found = find_workflow(spec.key)
    return found.record_reads if found else frozenset()


def taken_over(desk: drafting.Desk, example: Doc) -> Doc:
    """The example expecting what comes of it now; what it leaves unchecked stays so."""
    found, told = run_one(desk, example).found, example.get("expect")
    if told is None:
        return {**example, "expect": found}
    wanted = {"values", *(word for part in checked_parts(told) for word in PARTS[part])}
    return {**example, "expect": {word: each for word, each in found.items() if word in wanted}}


def checked_parts(expected: Mapping[str, Any]) -> set[str]:
    """The parts that an example looks at."""
    return {part for part, words in PARTS.items() if any(word in expected for word in words)}


def expecting(desk: drafting.Desk, example: Doc, typed: Mapping[str, str], checked: set[str]) -> Doc:
    """The example with expected values as typed, of the other parts those `checked`; Invalid with what is unreadable.

    An empty text means that the value is not looked at. A part checked anew expects what comes of it now.
    """
    result = run_one(desk, example)
    known = {place: field for place, field, *_ in examples.places(result.tried)}
    values, problems = dict[str, Any](), list[Problem]()
    for place, text in typed.items():
        field = known.get(place)
        if field is None or not text.strip():
            continue
        try:
            values[place] = plain(field.type.read(field, text))
        except Unreadable as error:
            problems.append(Problem("unreadable", f"e.{place}", error.message))
    if problems:
        raise Invalid(problems)
    before = example.get("expect", {})
    expect: Doc = {"values": values}
    for part, words in PARTS.items():
        source = before if any(word in before for word in words) else result.found
        expect |= {word: source[word] for word in words if part in checked and word in source}
    return {**example, "expect": expect}


def keep(actor: Actor, definition_id: str, revision: int | None, example: Doc) -> drafting.Desk:
    """The draft with the example: in the place of the one with its id, else at the end."""

    def change(doc: Doc) -> Doc:
        there = [mapping(each) for each in listing(doc.get(EXAMPLES))]
        if any(each.get("id") == example["id"] for each in there):
            return {**doc, EXAMPLES: [example if each.get("id") == example["id"] else each for each in there]}
        return {**doc, EXAMPLES: [*there, example]}

    return drafting.edit(actor, definition_id, revision, change)


def free_id(desk: drafting.Desk, example: Doc) -> Doc:
    """A new example under an id that no other one has."""
    taken = {str(mapping(each).get("id")) for each in listing(desk.doc.get(EXAMPLES))}
    return {**example, "id": suggest_key(example["title"], taken, "example")}


def remove(actor: Actor, definition_id: str, revision: int | None, example_id: str) -> drafting.Desk:
    """The draft without the example."""

    def change(doc: Doc) -> Doc:
        left = [each for each in listing(doc.get(EXAMPLES)) if mapping(each).get("id") != example_id]
        rest = {key: value for key, value in doc.items() if key != EXAMPLES}
        return {**rest, EXAMPLES: left} if left else rest

    return drafting.edit(actor, definition_id, revision, change)


def take_all_over(actor: Actor, desk: drafting.Desk, revision: int | None) -> drafting.Desk:
    """The draft with every example expecting what comes of it now."""
    made = [taken_over(desk, result.example) for result in run_all(desk)]
    return drafting.edit(actor, desk.definition.id, revision, lambda doc: {**doc, EXAMPLES: made})
