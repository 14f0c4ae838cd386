"""Which column of a file goes into which field, and how rows become records. Written as JSON or chosen in a page."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from formloop.core.errors import Invalid, Problem
from formloop.core.text import M
from formloop.forms.sheets import LONGEST_CELL, Cells, cell_text
from formloop.forms.spec import FormSpec, Said, Values, no_such_field

_WORDS = {
    "owner", "sheet", "columns", "by", "relations", "constants", "values", "skip", "lines", "each_row", "submit",
}  # fmt: skip
_YES_OR_NO = ("each_row", "submit")
OF_RECORD = "^"  # in the place of a problem: what the row of a line says of the record itself
_OBJECTS = ("columns", "relations", "constants", "values", "skip", "lines")
_TEXTS = ("by", "sheet", "owner", "lines.into", "lines.file", "lines.parent", "lines.of", "lines.by")
_LINE_WORDS = {"into", "file", "parent", "of", "columns", "by", "skip"}
Columns = Mapping[str, str]
Skip = Mapping[str, frozenset[str]]  # columns and what they say in rows that are left out


@dataclass(frozen=True, slots=True)
class LineSource:
    """Lines from a file of their own: `parent` is its column that names the record, `of` the same in the main file."""

    into: str
    file: str
    parent: str
    of: str
    columns: Columns
    by: str | None = None
    skip: Skip = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """A mapping that was read: what `docs/reference/import.md` describes."""

    columns: Columns
    by: str | None = None
    relations: Columns = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    lines: LineSource | None = None
    sheet: str = ""
    owner: str = ""  # the account of who owns new records, of whoever imports unless said
    skip: Skip = field(default_factory=dict)
    each_row: bool = (
        False  # a record of its own, with one line, also where rows say the same of their records
    )
    submit: bool = False  # send each new record into its workflow

    def document(self) -> dict[str, Any]:
        """As JSON."""
        found: dict[str, Any] = {"columns": dict(self.columns)}
        if self.by:
            found["by"] = self.by
        for word in ("sheet", "owner"):
            if getattr(self, word):
                found[word] = getattr(self, word)
        for word in ("relations", "constants", "values"):
            if getattr(self, word):
                found[word] = dict(getattr(self, word))
        for word in _YES_OR_NO:
            if getattr(self, word):
                found[word] = True
        if self.lines:
            found["lines"] = {
                k: getattr(self.lines, k)
                for k in ("into", "file", "parent", "of", "by")
                if getattr(self.lines, k)
            } | {"columns": dict(self.lines.columns)}
            _note_skip(found["lines"], self.lines.skip)
        _note_skip(found, self.skip)
        return found

    @property
    def line_paths(self) -> list[str]:
        """The paths into lines that the main file fills."""
        return [path for path in self.columns.values() if "." in path]


def _note_skip(document: dict[str, Any], skip: Skip) -> None:
    if skip:
        document["skip"] = {column: sorted(said) for column, said in skip.items()}


def read_document(content: bytes, name: str) -> dict[str, Any]:
    """The JSON document of a mapping file; Invalid when it is none."""
    try:
        found = json.loads(content.decode("utf-8-sig"))
    except ValueError as error:
        text = M("This mapping is not JSON: {reason}", reason=str(error))
        raise Invalid([Problem("mapping", name, text)]) from error
    if not isinstance(found, dict):
        raise Invalid([Problem("mapping", name, M("A mapping is an object."))])
    return found


def read_mapping(spec: FormSpec, document: Mapping[str, Any]) -> tuple[ColumnMap, list[Problem]]:
    """The mapping in a JSON document, and everything that is wrong with it."""
    problems = [_unknown(word) for word in sorted(set(document) - _WORDS)]
    shapes = _check_shapes(document)
    if shapes:
        return ColumnMap({}), [*problems, *shapes]
    columns = {str(k): str(v) for k, v in (document.get("columns") or {}).items() if v}
    lines, more = _read_lines(document.get("lines"))
    skip, wrong = _read_skip(document.get("skip"), "skip")
    problems += wrong
    by = document.get("by")
    found = ColumnMap(
        columns,
        by,
        dict(document.get("relations") or {}),
        dict(document.get("constants") or {}),
        dict(document.get("values") or {}),
        lines,
        document.get("sheet") or "",
        document.get("owner") or "",
        skip,
        document.get("each_row") is True,
        document.get("submit") is True,
    )
    paths = [*columns.values(), *found.relations, *found.constants, *found.values, *((by,) if by else ())]
    if lines:
        paths += [
            lines.into,
            *(f"{lines.into}.{p}" for p in (*lines.columns.values(), *filter(None, [lines.by]))),
        ]
    problems += more + [no_such_field(p) for p in dict.fromkeys(paths) if spec.find(p) is None]
    if len({p.partition(".")[0] for p in found.line_paths}) > 1:
        problems.append(Problem("lines", "columns", M("One file can fill the lines of one subform only.")))
    return found, problems


def require_shape(document: Mapping[str, Any]) -> None:
    """Invalid when a mapping says what cannot be read at all."""
    if problems := _check_shapes(document):
        raise Invalid(problems)


def _check_shapes(document: Mapping[str, Any]) -> list[Problem]:
    """What is no object, no text, or neither true nor false, where it must be."""
    problems = [_no_object(word) for word in _OBJECTS if not isinstance(document.get(word) or {}, Mapping)]
    if problems:
        return problems
    values, lines = document.get("values") or {}, document.get("lines") or {}
    problems += [
        _no_object(f"values.{path}") for path, said in values.items() if not isinstance(said, Mapping)
    ]
    if not isinstance(lines.get("columns") or {}, Mapping):
        problems.append(_no_object("lines.columns"))
    texts = {**document, **{f"lines.{word}": said for word, said in lines.items()}}
    texts = {word: texts.get(word) for word in _TEXTS}
    texts |= {f"relations.{path}": said for path, said in (document.get("relations") or {}).items()}
    for word, said in texts.items():
        if not isinstance(said, str | None):
            problems.append(Problem("type", word, M("“{word}” of a mapping is a text.", word=word)))
    for word in _YES_OR_NO:
        if not isinstance(
            document.get(word), bool | None
        ):  # 1 is equal to true, but who writes 1 does not say it
            problems.append(Problem("type", word, M("“{word}” of a mapping is true or false.", word=word)))
    return problems


def _unknown(word: str) -> Problem:
    return Problem("unknown_key", word, M("A mapping has no “{word}”.", word=word))


def _no_object(word: str) -> Problem:
    return Problem("type", word, M("“{word}” of a mapping is an object: {{…}}.", word=word))


def _read_lines(said: Any) -> tuple[LineSource | None, list[Problem]]:
    if not said:
        return None, []
    skip, problems = _read_skip(said.get("skip"), "lines.skip")
    problems += [_unknown(f"lines.{word}") for word in sorted(set(said) - _LINE_WORDS)]
    for word in ("parent", "columns"):
        if not said.get(word):
            problems.append(
                Problem("missing", f"lines.{word}", M("The mapping of lines needs “{word}”.", word=word))
            )
    if problems:
        return None, problems
    columns = {
        str(k): str(v).removeprefix(f"{said.get('into') or 'lines'}.")
        for k, v in said["columns"].items()
        if v
    }
    source = LineSource(
        said.get("into") or "lines",
        said.get("file") or "",
        said["parent"],
        said.get("of") or said["parent"],
        columns,
        said.get("by"),
        skip,
    )
    return source, []


def _read_skip(said: Any, at: str) -> tuple[Skip, list[Problem]]:
    """The cells that rows are left out for, a list for each column."""
    if not isinstance(said or {}, Mapping) or not all(isinstance(v, list) for v in (said or {}).values()):
        text = M('“{word}” of a mapping is an object of lists: {{"column": ["cell", …]}}.', word=at)
        return {}, [Problem("type", at, text)]
    return {str(column): frozenset(cell_text(cell) for cell in v) for column, v in (said or {}).items()}, []


def _calling(spec: FormSpec, subform: str | None, keys: Sequence[str]) -> str:
    """The column that says what a line is about: the first that points to a record, else the first text."""
    columns = [each for each in spec.fields[subform].children if each.key in keys] if subform else []
    pointing = [each.key for each in columns if each.relation is not None]
    return next(iter([*pointing, *(each.key for each in columns if each.type.name == "text")]), "")


@dataclass(frozen=True, slots=True)
class Drawn:
    """What the mapping makes of one staged record: raw values, the row each came from, and what lines are called there."""

    raw: Values
    rows: Mapping[str, int]
    problems: list[Problem]
    called: Mapping[str, str]


class Drawing:
    """Turns staged rows into raw values, the columns looked up once."""

    def __init__(
        self, spec: FormSpec, mapping: ColumnMap, columns: Sequence[str], line_columns: Sequence[str]
    ) -> None:
        self.spec, self.mapping = spec, mapping
        at = {name: place for place, name in enumerate(columns)}
        pairs = [(at[name], path) for name, path in mapping.columns.items() if name in at]
        self.own = [(place, path) for place, path in pairs if "." not in path]
        self.inner = [(place, path.partition(".")[2]) for place, path in pairs if "." in path]
        self.subform = next((path.partition(".")[0] for _, path in pairs if "." in path), None)
        if mapping.lines:
            there = {name: place for place, name in enumerate(line_columns)}
            self.subform = mapping.lines.into
            self.inner = [(there[n], p) for n, p in mapping.lines.columns.items() if n in there]
        self.names = {path: name for name, path in mapping.columns.items()}
        self.names |= {f"{self.subform}.{OF_RECORD}.{path}": columns[place] for place, path in self.own}
        if mapping.lines:
            self.names |= {f"{mapping.lines.into}.{p}": n for n, p in mapping.lines.columns.items()}
        self.calling = _calling(spec, self.subform, [key for _, key in self.inner])

    def draw(self, staged: Mapping[str, Any]) -> Drawn:
        """The raw values of one record."""
        number, cells = staged["own"]
        problems: list[Problem] = []
        raw = self._values(self.own, cells, "", problems)
        rows, called = {"": number}, dict[str, str]()
        for path, value in self.mapping.constants.items():
            if "." not in path:
                raw.setdefault(path, value)
        if self.subform:
            lines = []
            for index, (line_number, line_cells) in enumerate(staged.get("lines", ())):
                rows[f"{self.subform}.{index}"] = line_number
                lines.append(self._values(self.inner, line_cells, f"{self.subform}.", problems, index))
                called[f"{self.subform}.{index}"] = cell_text(lines[-1].get(self.calling))[:80]
                if not self.mapping.lines:
                    problems += self._differing(number, cells, index, line_cells)
            for path, value in self.mapping.constants.items():
                head, dot, key = path.partition(".")
                if dot and head == self.subform:
                    for line in lines:
                        line.setdefault(key, value)
            raw[self.subform] = lines
        return Drawn(raw, rows, problems, called)

    def _differing(self, number: int, cells: Cells, index: int, later: Cells) -> Iterator[Problem]:
        """What a later row says of the record and the row that the record is read from does not."""
        found = self.spec.find(self.mapping.by or "")
        by = Said(found.schema) if found else ""
        for place, path in self.own:
            here, there = cell_text(later[place]), cell_text(cells[place])
            if here not in ("", there):
                text = M(
                    "This row says “{here}”, row {row} of the same record “{there}”. Say the same, "
                    "leave it empty, or give the row its own “{field}”.",
                    field=by,
                    **{"here": here[:80], "there": there[:80], "row": number},
                )
                yield Problem("differs", f"{self.subform}.{index}.{OF_RECORD}.{path}", text)

    def _values(
        self,
        pairs: Sequence[tuple[int, str]],
        cells: Cells,
        prefix: str,
        problems: list[Problem],
        index: int | None = None,
    ) -> Values:
        found: Values = {}
        for place, key in pairs:
            value = cells[place]
            if isinstance(value, str) and len(value) > LONGEST_CELL:
                at = key if index is None else f"{prefix}{index}.{key}"
                text = M("This cell holds more than {count} characters.", count=LONGEST_CELL)
                problems.append(Problem("too_long", at, text))
                continue
            known = self.mapping.values.get(prefix + key)
            if known is not None:
                value = known.get(cell_text(value), value)
            if value in ("", None):
                found.setdefault(key, None)
            elif found.get(key) in ("", None):
                found[key] = value
            else:
                found[key] = f"{found[key]} {value}"  # several columns for one field are joined
        return {key: value for key, value in found.items() if value is not None}

    def column_of(self, at: str) -> str:
        """The column that a problem's place came from, "" when none did."""
        parts = [part for part in at.split(".") if not part.isdecimal()]
        return self.names.get(".".join(parts), "")
