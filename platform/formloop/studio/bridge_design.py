"""The board of a bridge: what its source has, what its target wants, which pairs there are and which suggest themselves."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from formloop.bridges.clocked import AT
from formloop.bridges.kind import names_for
from formloop.bridges.spec import CANCELLED, CLOCK
from formloop.core.definitions import kinds
from formloop.core.errors import Problem
from formloop.core.expression import BOOL, Type
from formloop.core.expression import check as check_expression
from formloop.core.text import LOCALES, M, Message, localized
from formloop.datasets.spec import DatasetSpec
from formloop.definitions import library
from formloop.forms import states
from formloop.forms.spec import Field, FormSpec
from formloop.studio.reached import reached
from formloop.studio.shapes import mapping, texts

LINE, RECORD = M("This line"), M("This record")


@dataclass(frozen=True, slots=True)
class Source:
    """Something the source gives, by the path that expressions call it. `form`: it is a record of that form."""

    path: str
    title: str
    icon: str
    titles: frozenset[str]
    form: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    """A field of the target with the expression that fills it; `wires` are the sources it reads.

    `suggested` is a source that fits it by name and type while it has no expression; what is `numbered` numbers itself.
    """

    key: str
    title: str
    icon: str
    required: bool
    numbered: bool
    expression: str
    said: str
    wires: list[str]
    suggested: Source | None


@dataclass(frozen=True, slots=True)
class Closed:
    """A field of the target that a bridge cannot fill, and why."""

    title: str
    icon: str
    why: Message


@dataclass(frozen=True, slots=True)
class Board:
    """Both sides of a bridge; a form that is not published has nothing to show."""

    source: FormSpec | None
    target: FormSpec | None
    groups: list[tuple[str, list[Source]]]
    pairs: list[Pair]
    closed: list[Closed]

    @property
    def suggestions(self) -> dict[str, str]:
        """The expression that suggests itself, by target field."""
        return {each.key: each.suggested.path for each in self.pairs if each.suggested is not None}


def form_at(doc: Mapping[str, Any], side: str) -> FormSpec | None:
    """The published form on one side (`from` or `to`) of a bridge."""
    key = mapping(doc.get(side)).get("form")
    found = library.find_published("form", key) if isinstance(key, str) else None
    return found if isinstance(found, FormSpec) else None


def lines_of(doc: Mapping[str, Any], source: FormSpec) -> Field | None:
    """The subform whose lines give one target each."""
    each = source.fields.get(str(mapping(doc.get("from")).get("each", "")))
    return each if each is not None and each.children else None


def names_in(doc: Mapping[str, Any], source: FormSpec) -> dict[str, Type]:
    """What the expressions of a bridge can name."""
    lines = lines_of(doc, source)
    there = form_at(doc, "to") if mapping(doc.get("to")).get("every") else None
    return names_for(source, lines.key if lines else None, form_at(doc, "find") or _dataset_in(doc), there)


def _dataset_in(doc: Mapping[str, Any]) -> DatasetSpec | None:
    """The published dataset that a bridge looks rows up in."""
    key = mapping(doc.get("find")).get("dataset")
    found = library.find_published("dataset", key) if isinstance(key, str) else None
    return found if isinstance(found, DatasetSpec) else None


def read_board(doc: Mapping[str, Any], locale: str) -> Board:
    """The board of a draft."""
    source, target = form_at(doc, "from"), form_at(doc, "to")
    groups = list(_groups(doc, source, locale)) if source else []
    known = {each.path: each for _, group in groups for each in group}
    names = names_in(doc, source) if source else {}
    said, filled = mapping(doc.get("map")), mapping(doc.get("lines")).get("into")
    pairs = [
        _pair(each, said.get(each.key), known, names, locale)
        for each in (target.fields.values() if target else ())
        if why_closed(each) is None or each.key in said
    ]
    closed = [
        Closed(each.title(locale), each.type.icon, why)
        for each in (target.fields.values() if target else ())
        if (why := why_closed(each)) is not None and each.key not in said and each.key != filled
    ]
    return Board(source, target, groups, pairs, closed)


def why_closed(each: Field) -> Message | None:
    """Why a bridge can give a field of its target no value; None where it can."""
    if each.children:
        return M("Lines are made by a bridge that somebody asks for, or by a step of a workflow.")
    if each.formula is not None:
        return M("The form calculates it.")
    if each.type.name == "query" or not each.type.stored:
        return M("It shows what is found elsewhere.")
    return None


def list_warnings(doc: Mapping[str, Any], locale: str) -> list[Problem]:
    """What a bridge waits for though nothing brings its source there, what of it a clock takes along that nobody has
    agreed to, and what it leaves empty that must be filled in."""
    return [*_unreached(doc, locale), *_unasked(doc, locale), *_unfilled(doc, locale)]


def clock_words(doc: Mapping[str, Any], locale: str) -> str:
    """How often and when a bridge runs at set times: “Every day, 06:00”."""
    said = mapping(mapping(doc.get("from")).get("clock"))
    schema = kinds.get("bridge").schema["properties"]["from"]["properties"]["clock"]["properties"]["every"]
    every, at = str(said.get("every", schema["default"])), str(said.get("at", AT))
    often = localized(mapping(schema["x-titles"].get(every)), "title", locale)
    return M("{often}, {time}", often=often, time=at[2:] if every == "hour" else at).render(locale)


def _unreached(doc: Mapping[str, Any], locale: str) -> list[Problem]:
    source = form_at(doc, "from")
    if source is None:
        return []
    found, there = [], reached(source)
    for index, on in enumerate(texts(mapping(doc.get("from")).get("on"))):
        state = CANCELLED if on == "cancelled" else on.removeprefix("state:")
        if (on == "cancelled" or on.startswith("state:")) and state in source.states.keys() - there:
            said = M(
                "No workflow brings “{form}” to “{state}” so far, so this never happens.",
                form=source.title(locale),
                state=localized(source.states[state].document, "title", locale) or state,
            )
            found.append(Problem("unreached", f"from.on.{index}", said, severity="warning"))
    return found


def _unasked(doc: Mapping[str, Any], locale: str) -> Iterator[Problem]:
    """A clock asks for no state: what is a draft or under approval comes along unless the condition says otherwise."""
    source, when = form_at(doc, "from"), doc.get("when")
    if source is None or CLOCK not in texts(mapping(doc.get("from")).get("on")):
        return
    condition = check_expression(when, names_in(doc, source), BOOL)[0] if isinstance(when, str) else None
    if states.are_moved(source.key) and not (condition and ("state",) in condition.reads):
        said = M(
            "At set times every record of “{form}” comes along, whatever its state, drafts too. Say in “Only if” which states do.",
            form=source.title(locale),
        )
        yield Problem("any_state", "when", said, severity="warning")


def _unfilled(doc: Mapping[str, Any], locale: str) -> Iterator[Problem]:
    """What must be filled in and is not, where nobody looks it over: what somebody asks for is a draft.

    One that changes the records it finds by key may leave them as they are.
    """
    target = form_at(doc, "to")
    if (
        target is None
        or mapping(doc.get("to")).get("by")
        or set(texts(mapping(doc.get("from")).get("on"))) <= {"asked"}
    ):
        return
    filled = {*mapping(doc.get("map")), mapping(doc.get("lines")).get("into")}
    for each in target.fields.values():
        filled |= set(each.relation.fill) if each.relation and each.key in filled else set()
    for each in target.fields.values():
        begins = each.default is not None or each.default_expression is not None or each.formula is not None
        must = each.required or (each.children and int(each.schema.get("minItems", 0)) > 0)
        if must and not begins and each.key not in filled and each.type.name != "serial":
            said = M(
                "Nothing fills “{field}” of “{form}”, which must be filled in: what this makes would wait in the repair desk.",
                field=each.title(locale),
                form=target.title(locale),
            )
            yield Problem("unfilled", "map", said, severity="warning")


@dataclass(frozen=True, slots=True)
class Filled:
    """The lines of what somebody asks for: what they are called, what each comes of and when, and what its columns are."""

    title: str
    found: str
    when: str
    columns: list[tuple[str, str]]


def read_filled(doc: Mapping[str, Any], target: FormSpec | None, locale: str) -> Filled | None:
    """The lines that a bridge gives its target, if any."""
    said = mapping(doc.get("lines"))
    into = target.fields.get(str(said.get("into", ""))) if target else None
    if into is None or not into.children:
        return None
    there = form_at(doc, "find") or _dataset_in(doc)
    called = {each.key: each.title(locale) for each in into.children}
    columns = [(called.get(key, key), str(value)) for key, value in mapping(said.get("map")).items()]
    when = said.get("when") if isinstance(said.get("when"), str) else ""
    return Filled(into.title(locale), there.title(locale) if there else "", str(when), columns)


def list_found(doc: Mapping[str, Any], locale: str) -> list[tuple[str, str]]:
    """What formulas of lines call the record, or row, that was found and makes each of them."""
    there = form_at(doc, "find") or _dataset_in(doc)
    if there is None:
        return []
    fields = [each for each in there.fields.values() if not each.children]
    title = there.title(locale)
    own = [("line", title)] if isinstance(there, FormSpec) else []
    return [*own, *((f"line.{each.key}", f"{title} · {each.title(locale)}") for each in fields)]


def _groups(doc: Mapping[str, Any], source: FormSpec, locale: str) -> Iterator[tuple[str, list[Source]]]:
    lines = lines_of(doc, source)
    if lines is not None:
        columns = [_source(f"line.{each.key}", each, locale) for each in lines.children]
        own = Source("line.id", LINE.render(locale), "hash", frozenset())
        yield lines.title(locale), [own, *columns]
    fields = [_source(each.key, each, locale) for each in source.fields.values() if not each.children]
    own = Source("id", RECORD.render(locale), "hash", frozenset(), source.key)
    yield source.title(locale), [own, *fields]


def _source(path: str, each: Field, locale: str) -> Source:
    form = each.relation.form if each.relation else ""
    return Source(path, each.title(locale), each.type.icon, _titles(each), form)


def _titles(each: Field) -> frozenset[str]:
    """What a field is called, in all languages."""
    found = (localized(each.schema, "title", locale).strip().lower() for locale in LOCALES)
    return frozenset(title for title in found if title)


def _pair(
    each: Field,
    written: Any,
    known: Mapping[str, Source],
    names: Mapping[str, Type],
    locale: str,
) -> Pair:
    expression = written if isinstance(written, str) else ""
    wanting = not expression and each.type.name != "serial"
    suggested = _suggest(each, known, names) if wanting else None
    plain = known.get(expression)
    return Pair(
        key=each.key,
        title=each.title(locale),
        icon=each.type.icon,
        required=each.required,
        numbered=each.type.name == "serial",
        expression=expression,
        said=plain.title if plain else "",
        wires=_wires(expression, known, names),
        suggested=suggested,
    )


def _wires(expression: str, known: Mapping[str, Source], names: Mapping[str, Type]) -> list[str]:
    parsed, _ = check_expression(expression, names, None) if expression else (None, [])
    found = {
        next((path for path in (".".join(read[:2]), read[0]) if path in known), "")
        for read in (parsed.reads if parsed else ())
    }
    return sorted(found - {""})


def _suggest(each: Field, known: Mapping[str, Source], names: Mapping[str, Type]) -> Source | None:
    """What fits by key, else by title, else as the only record of the wanted form; lines come first."""
    fitting = [one for one in known.values() if _fits(each, one, names)]
    found = next(
        (one for one in fitting if one.path.rpartition(".")[2] == each.key and each.key != "id"), None
    )
    found = found or next((one for one in fitting if one.titles & _titles(each)), None)
    if found is None and each.relation is not None and len(fitting) == 1:
        return fitting[0]
    if found is None and each.unique and each.type.numeric:
        return known.get("line.id") or known.get("id")
    return found


def _fits(each: Field, one: Source, names: Mapping[str, Type]) -> bool:
    if (each.relation.form if each.relation else "") != one.form:
        return False
    wanted = each.type.expression_type(each)
    return not check_expression(one.path, names, wanted)[1]
