"""Examples as tests: what a record gives, and what the form must make of it. Run at every check, on no data.

An example says values that were entered and the day they are entered on; what is expected are calculated values,
what is shown and hidden, what is refused, and the steps of its way through the workflow.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import Any

from formloop.access.actor import SYSTEM
from formloop.core.definitions import Doc, Library
from formloop.core.errors import Problem
from formloop.core.expression import Context
from formloop.core.json_text import plain
from formloop.core.registry import Registry
from formloop.core.text import M, Message, Titled
from formloop.forms import engine, kind, screen
from formloop.forms.imagining import FindForm, Imagination, Imagined
from formloop.forms.names import context_of
from formloop.forms.spec import Field, FormSpec, Said, Unreadable, Values

EXAMPLES = "x-examples"
NOTHING = M("nothing")
FINE = M("no problem")
REFUSALS: Mapping[str, Message] = {
    "required": engine.REQUIRED,
    "invalid": M("The value is not allowed."),
    "unreadable": M("The value cannot be read."),
    "unknown_field": M("The form has no such field."),
    "formula": M("The formula gives no result."),
}


@dataclass(frozen=True, slots=True)
class Tried:
    """What a form makes of what an example gives."""

    spec: FormSpec
    given: engine.Given
    values: Values
    env: Values
    context: Context
    problems: list[Problem]
    names: Mapping[tuple[str, Any], str]


@dataclass(frozen=True, slots=True)
class Way:
    """The steps of a workflow that would ask or tell somebody, in order, and what its steps are called."""

    steps: tuple[str, ...]
    names: Mapping[str, Message]

    def told(self, steps: tuple[str, ...]) -> Message:
        """Steps in words."""
        return Row([self.names.get(each, M("{step} (gone)", step=each)) for each in steps])


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that came out otherwise than an example expects."""

    what: Message
    expected: Message
    found: Message


@dataclass(frozen=True, slots=True)
class Result:
    """How an example went. `found` has everything that came out, in the shape of what is expected."""

    example: Doc
    tried: Tried
    way: Way | None
    found: Doc
    differences: list[Difference]


FindWay = Callable[[Tried, Library], Way | None]
ways: Registry[FindWay] = Registry("way")  # the room of workflows says where a record would go


class Row(Message):
    """Several texts after each other."""

    __slots__ = ("parts",)

    def __init__(self, parts: list[Message]) -> None:
        super().__init__(" → ".join(each.msgid for each in parts))
        object.__setattr__(self, "parts", parts)

    def render(self, locale: str = "en") -> str:
        """All of them in `locale`; a word where there is none."""
        parts: list[Message] = object.__getattribute__(self, "parts")
        return " → ".join(each.render(locale) for each in parts) or NOTHING.render(locale)


class Shown(Message):
    """A value as people read it."""

    __slots__ = ("field", "value")

    def __init__(self, field: Field, value: Any) -> None:
        super().__init__(str(value))
        object.__setattr__(self, "field", field)
        object.__setattr__(self, "value", value)

    def render(self, locale: str = "en") -> str:
        """The value in `locale`; a word where there is none."""
        field: Field = object.__getattribute__(self, "field")
        value = object.__getattribute__(self, "value")
        return (field.type.show(field, value, locale) if value is not None else "") or NOTHING.render(locale)


def run_all(spec: FormSpec, lib: Library) -> list[Result]:
    """Every example of a form."""
    return [run(spec, each, lib) for each in spec.document.get(EXAMPLES, ())]


def run(spec: FormSpec, example: Doc, lib: Library, find_way: FindWay | None = None) -> Result:
    """One example, and what came out otherwise than it expects; `find_way` instead of the published one."""

    def find_form(key: str) -> FormSpec | None:
        found = spec if key == spec.key else lib.find_prepared("form", key)
        return found if isinstance(found, FormSpec) else None

    tried = attempt(spec, example, find_form)
    finders = () if tried.problems else [find_way] if find_way else ways  # what is refused goes nowhere
    way = next((there for find in finders if (there := find(tried, lib)) is not None), None)
    found = _found(tried, way)
    return Result(example, tried, way, found, list(differences(tried, way, found, example.get("expect", {}))))


def attempt(spec: FormSpec, example: Doc, find_form: FindForm) -> Tried:
    """What the form makes of what an example gives."""
    imagination = Imagination(spec, find_form)
    given = engine.read_given(spec, imagination.raw(example.get("given", {})), trusted=True)
    values = dict(given.values)
    context = replace(context_of(SYSTEM), now=_noon(str(example.get("on", ""))))
    env = engine.complete(spec, values, given, Imagined(spec, imagination.records), context, None)
    problems = engine.with_first(given.problems, engine.check(spec, values, env, context))
    return Tried(spec, given, values, env, context, problems, imagination.names())


def _noon(day: str) -> datetime:
    """A moment of the day on which an example is entered, the same day in most zones."""
    try:
        return datetime.combine(date.fromisoformat(day), time(4), UTC)
    except ValueError:
        return datetime(2026, 1, 1, 4, tzinfo=UTC)


def places(tried: Tried) -> Iterator[tuple[str, Field, Values, Values, bool]]:
    """Every field of the record and of its lines: its place, its row, what it sees, and whether it was given."""
    for field in tried.spec.fields.values():
        yield field.key, field, tried.values, tried.env, field.key in tried.given.keys
    for subform in tried.spec.subforms:
        keys, envs = tried.given.line_keys.get(subform.key, []), tried.env.get(subform.key) or []
        for number, line in enumerate(tried.values.get(subform.key) or ()):
            scope = {**tried.env, **envs[number]}
            for column in subform.children:
                yield f"{subform.key}.{number}.{column.key}", column, line, scope, column.key in keys[number]


def _found(tried: Tried, way: Way | None) -> Doc:
    values: Doc = {}
    rules: dict[str, list[str]] = {"shown": [], "hidden": []}
    for place, field, row, scope, given in places(tried):
        value = row.get(field.key)
        made = field.formula is not None or (value is not None and field.type.stored and not given)
        if made and not field.children and field.type.name != "serial" and not field.type.source(field):
            values[place] = plain(value)
        if field.visible is not None:
            rules["shown" if screen.holds(field.visible, scope, tried.context) else "hidden"].append(place)
    found: Doc = {"values": values, **{word: said for word, said in rules.items() if said}}
    found["problems"] = {each.at: each.code for each in reversed(tried.problems)}
    return found if way is None else {**found, "way": list(way.steps)}


def differences(tried: Tried, way: Way | None, found: Doc, expected: Doc) -> Iterator[Difference]:
    """What came out otherwise, in words."""
    by_place = {place: (field, row) for place, field, row, _, _ in places(tried)}
    for place, wanted in expected.get("values", {}).items():
        field, row = by_place.get(place, (None, Values()))
        if field is None:
            yield Difference(name_of(tried.spec, place), Titled({}, str(wanted)), M("no such field"))
        elif not _same(field, wanted, row.get(field.key)):
            yield Difference(
                name_of(tried.spec, place),
                Shown(field, _read(field, wanted)),
                Shown(field, row.get(field.key)),
            )
    for word, other in (("shown", "hidden"), ("hidden", "shown")):
        for place in expected.get(word, ()):
            if place in found.get(other, ()):
                yield Difference(name_of(tried.spec, place), _SHOWN[word], _SHOWN[other])
    if "problems" in expected:
        yield from _refusals(tried, found["problems"], expected["problems"])
    if "way" in expected and way is not None and list(way.steps) != expected["way"]:
        yield Difference(M("Way of the approval"), way.told(tuple(expected["way"])), way.told(way.steps))


_SHOWN = {"shown": M("is shown"), "hidden": M("is hidden")}


def _refusals(tried: Tried, found: Mapping[str, str], expected: Mapping[str, str]) -> Iterator[Difference]:
    said = {each.at: each.message for each in reversed(tried.problems)}
    for place in dict.fromkeys([*expected, *found]):
        if expected.get(place) != found.get(place):
            wanted = refusal(tried.spec, expected[place]) if place in expected else FINE
            yield Difference(name_of(tried.spec, place), wanted, said.get(place, FINE))


def refusal(spec: FormSpec, code: str) -> Message:
    """What is said when a record is refused for this."""
    rule = next((each for each in spec.checks if f"check:{each.id}" == code), None)
    return Said(rule.document, "says") if rule else REFUSALS.get(code, M("Refused: {code}", code=code))


def name_of(spec: FormSpec, place: str) -> Message:
    """What a place of a record is called: “Total”, or “Lines 2 · Amount”."""
    head, *rest = place.split(".")
    field = spec.fields.get(head)
    if field is None:
        return Titled({}, place)
    title = Titled(field.schema, head)
    column = next((each for each in field.children if rest and each.key == rest[-1]), None)
    if column is None:
        return title if not rest or rest[-1].isdigit() else Titled({}, place)
    words = {"lines": title, "column": Titled(column.schema, column.key)}
    if len(rest) == 2 and rest[0].isdigit():
        return M("{lines} {number} · {column}", **words, number=int(rest[0]) + 1)
    return M("{lines} · {column}", **words)


def _read(field: Field, raw: Any) -> Any:
    try:
        return None if raw is None else field.type.read(field, raw)
    except Unreadable:
        return None


def _same(field: Field, wanted: Any, value: Any) -> bool:
    return plain(_read(field, wanted)) == plain(value) or (wanted is None and value in (None, [], ""))


def check(spec: FormSpec, lib: Library) -> list[Problem]:
    """A warning for each thing that an example expects and that no longer comes."""
    return [
        warning(each.example, number, difference)
        for number, each in enumerate(run_all(spec, lib))
        for difference in each.differences
    ]


def warning(example: Doc, number: int, difference: Difference) -> Problem:
    """What to say before publishing of an example that no longer holds."""
    text = M(
        "The example “{name}” no longer holds. {what}: expected {expected}, found {found}.",
        name=Titled(example, str(example.get("id", ""))),
        what=difference.what,
        expected=difference.expected,
        found=difference.found,
    )
    return Problem("example", f"{EXAMPLES}.{number}", text, severity="warning")


kind.further_checks.append(check)
