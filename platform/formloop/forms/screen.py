"""What a page of a record shows: cells in their layout with text, input value, problem and rules, in one language."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as made_by
from functools import lru_cache
from typing import Any

from formloop.access import people
from formloop.access.actor import Actor
from formloop.core.errors import Problem
from formloop.core.expression import Context, EvaluationError, Expression
from formloop.core.text import M, localized
from formloop.db import reading
from formloop.forms import engine, files
from formloop.forms.kind import get_form
from formloop.forms.layout import Tab, arrange
from formloop.forms.listing import titles_of
from formloop.forms.reads import list_titles
from formloop.forms.spec import Field, FormSpec, Values

Names = dict[tuple[str, Any], str]
LATER = M("Must be filled in before it is submitted.")


@dataclass(slots=True)
class Cell:
    """One field of one record or line on a page."""

    field: Field
    name: str
    value: Any
    text: str
    input: str
    label: str
    hint: str
    shown: bool = True
    required: bool = False
    readonly: bool = False
    problem: str = ""
    choices: list[tuple[str, str]] = made_by(default_factory=list)
    lines: "list[Line]" = made_by(default_factory=list)
    columns: "list[Cell]" = made_by(default_factory=list)
    blank: "Line | None" = None
    later: bool = False  # empty, and must be filled in before the record is submitted
    note: str = ""  # below the value
    items: list[tuple[Any, str]] = made_by(default_factory=list)  # what it points to, with names
    width: int = 12
    own: dict[str, str] = made_by(default_factory=dict)  # what the condition of its choice reads of the page
    makes: bool = False  # whether a record that is not there yet can be made from here
    search: str = ""  # where its choices are asked for, where that is not its form


@dataclass(slots=True)
class Line:
    """One line of a subform on a page."""

    id: int | None
    index: str
    cells: list[Cell]


@dataclass(slots=True)
class Screen:
    """A record as a page: rows of cells, how they stand in tabs and sections, and the problems of no field in sight."""

    rows: list[list[Cell]]
    problems: list[Problem]
    tabs: list[Tab]

    def cells(self) -> list[Cell]:
        """All cells of the record itself."""
        return [cell for row in self.rows for cell in row]

    def all_cells(self) -> list[Cell]:
        """Those of lines too, also of the line that a page adds."""
        lines = (line for top in self.cells() for line in (*top.lines, top.blank) if line)
        return [*self.cells(), *(cell for line in lines for cell in line.cells)]


def names_for(
    actor: Actor, spec: FormSpec, records: Sequence[Mapping[str, Any]], asked: bool = False
) -> Names:
    """What everything that these records point to is called, one query for each form.

    `asked`: the actor named these ids, no record that they see points there; then what they may not see has no
    name.
    """
    wanted: dict[str, set[Any]] = {}
    for key, column, source in _pointing(spec):
        values = (
            line.get(column or key)
            for record in records
            for line in (record.get(key) or () if column else (record,))
        )
        wanted.setdefault(source, set()).update(each for value in values for each in _several(value))
    return names_of(actor, wanted, asked)


def names_in(actor: Actor, fields: Iterable[Field], rows: Sequence[Mapping[str, Any]]) -> Names:
    """What everything that these columns point to is called, for rows that are no records."""
    wanted: dict[str, set[Any]] = {}
    for field in fields:
        if (source := _source(field)) is not None:
            found = (each for row in rows for each in _several(row.get(field.key)))
            wanted.setdefault(source, set()).update(found)
    return names_of(actor, wanted)


def names_of(actor: Actor, wanted: Mapping[str, set[Any]], asked: bool = False) -> Names:
    """The names of ids by where they come from, one query for each; see `names_for`."""
    names: Names = {}
    found: Mapping[Any, str]
    with reading() as conn:
        for source, ids in wanted.items():
            if not ids:
                continue
            if source == "@person":
                found = people.names_of(ids)
            elif source == "@department":
                found = people.department_names(ids)
            elif source == "@file":
                found = files.names_of(ids)
            elif asked:
                target = get_form(source)
                found = list_titles(actor, target, target.table.c.id.in_(ids), len(ids))
            else:
                found = titles_of(conn, get_form(source), ids, actor)
            names |= {(source, key): name for key, name in found.items()}
    return names


def _source(each: Field) -> str | None:
    return each.type.source(each)


@lru_cache(maxsize=1_000)
def _pointing(spec: FormSpec) -> tuple[tuple[str, str | None, str], ...]:
    """What points elsewhere: key, column within lines, and where to."""
    found: list[tuple[str, str | None, str]] = [
        ("owner", None, "@person"),
        ("department", None, "@department"),
    ]
    for top in spec.fields.values():
        if (source := _source(top)) is not None:
            found.append((top.key, None, source))
        found += [(top.key, c.key, source) for c in top.children if (source := _source(c)) is not None]
    return tuple(found)


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def shown_text(each: Field, value: Any, locale: str, names: Names) -> str:
    """A value as people read it."""
    source = _source(each)
    known = {v: names.get((source, v), f"#{v}") for v in _several(value)} if source else None
    return each.type.show(each, value, locale, known)


def build(
    spec: FormSpec,
    values: Values,
    env: Values,
    context: Context,
    locale: str,
    visible: frozenset[str],
    editable: frozenset[str],
    problems: list[Problem],
    names: Names,
) -> Screen:
    """The page of a record: only `visible` paths, inputs only for `editable` ones."""
    by_place = {p.at: p.message.render(locale) for p in reversed(problems)}
    made: dict[str, Cell] = {}
    for each in spec.fields.values():
        if each.path not in visible and not any(c.path in visible for c in each.children):
            continue
        cell = _cell(each, each.key, values.get(each.key), env, context, locale, editable, by_place, names)
        made[each.key] = cell
        if each.children:
            _lines(cell, values, env, context, locale, visible, editable, by_place, names)
    _note_own(made.values(), {})
    for cell in made.values():
        for line in (*cell.lines, *([cell.blank] if cell.blank else [])):
            _note_own(line.cells, made)
    tabs = arrange(spec.layout, made, locale)
    rows = [each for tab in tabs for part in tab.sections for each in part.blocks if isinstance(each, list)]
    for row in rows:
        for cell in row:
            cell.width = int(cell.field.schema.get("x-width", 12 // len(row)))
    shown = Screen(rows, [], tabs)
    placed = {cell.name for cell in shown.all_cells() if cell.shown} | _tell_of_lines(shown, by_place)
    shown.problems = [p for p in problems if p.at not in placed]
    return shown


def _tell_of_lines(shown: Screen, by_place: Mapping[str, str]) -> set[str]:
    """Tell the problem of a line as a whole, such as `lines.2`, at its first cell; returns those that are told."""
    told = set()
    for top in shown.cells():
        for line in top.lines:
            place = f"{top.name}.{line.index}"
            cell = next((each for each in line.cells if each.shown and not each.problem), None)
            if place in by_place and cell is not None:
                cell.problem = by_place[place]
                told.add(place)
    return told


def _note_own(cells: Iterable[Cell], around: Mapping[str, Cell]) -> None:
    hanging = [
        (each, each.field.relation.reads)
        for each in cells
        if each.field.relation and each.field.relation.reads
    ]
    near = {**around, **{each.field.key: each for each in cells}} if hanging else {}
    for cell, reads in hanging:
        cell.own = {key: near[key].input for key in reads if key in near}


def _lines(
    cell: Cell,
    values: Values,
    env: Values,
    context: Context,
    locale: str,
    visible: frozenset[str],
    editable: frozenset[str],
    by_place: Mapping[str, str],
    names: Names,
) -> None:
    columns = [c for c in cell.field.children if c.path in visible]

    def line_of(index: str, line: Values, line_env: Values) -> Line:
        scope = {**env, **line_env}
        prefix = f"{cell.field.key}.{index}."
        cells = [
            _cell(c, prefix + c.key, line.get(c.key), scope, context, locale, editable, by_place, names)
            for c in columns
        ]
        return Line(line.get("id"), index, cells)

    cell.columns = [_cell(c, c.key, None, env, context, locale, editable, {}, names) for c in columns]
    lines = values.get(cell.field.key) or []
    environments = env.get(cell.field.key) or lines
    cell.lines = [line_of(str(i), line, environments[i]) for i, line in enumerate(lines)]
    if not cell.readonly:
        fresh = engine.line_defaults(cell.field, env, context)
        cell.blank = line_of("__i__", fresh, fresh)
    _mark_columns(cell)


def _mark_columns(cell: Cell) -> None:
    """A column that no line shows is not shown; where nothing can be typed it is left out."""
    rows = cell.lines or ([cell.blank] if cell.blank else [])
    for place, column in enumerate(cell.columns):
        column.shown = not rows or any(row.cells[place].shown for row in rows)
    if cell.readonly:
        for line in cell.lines:
            line.cells = [each for each, column in zip(line.cells, cell.columns, strict=True) if column.shown]
        cell.columns = [each for each in cell.columns if each.shown]


def _cell(
    each: Field,
    name: str,
    value: Any,
    env: Values,
    context: Context,
    locale: str,
    editable: frozenset[str],
    by_place: Mapping[str, str],
    names: Names,
) -> Cell:
    readonly = each.readonly or each.computed or holds(each.readonly_when, env, context)
    required = each.required or holds(each.required_when, env, context)
    later = not required and _is_required_later(each, env, context)
    said = localized(each.schema, "description", locale), LATER.render(locale) if later else ""
    inside = any(c.path in editable for c in each.children)
    return Cell(
        field=each,
        name=name,
        value=value,
        text=shown_text(each, value, locale, names),
        input=each.type.input_text(each, value),
        label=each.title(locale),
        hint=" ".join(filter(None, said)),
        shown=each.visible is None or holds(each.visible, env, context),
        required=required,
        later=later and not readonly and value is None,
        readonly=readonly or (each.path not in editable and not inside),
        problem=by_place.get(name, ""),
        note=each.type.note(each, value, env, locale),
        items=[(v, names.get((source, v), f"#{v}")) for v in _several(value)] if (source := _source(each)) else [],
        choices=choices_of(each, locale),
    )  # fmt: skip


def _is_required_later(each: Field, env: Values, context: Context) -> bool:
    """Whether a field that may still be empty must be filled in once the record is no longer in the state it is in."""
    rule = each.required_when
    return rule is not None and ("state",) in rule.reads and holds(rule, {**env, "state": ""}, context)


def choices_of(each: Field, locale: str) -> list[tuple[str, str]]:
    """The options of a field with their words."""
    several = each.type.multiple
    return [(c, each.type.show(each, [c] if several else c, locale)) for c in each.choices]


def holds(rule: Expression | None, env: Values, context: Context) -> bool:
    """Whether a rule is there and true."""
    if rule is None:
        return False
    try:
        return rule.evaluate(env, context) is True
    except EvaluationError:
        return False
