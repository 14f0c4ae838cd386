"""Which column of a file goes into which field, and how rows become records. Written as JSON or chosen in a page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from formloop.core.errors import Problem
from formloop.core.text import LOCALES, M
from formloop.forms.sheets import LONGEST_CELL, Cells, normal
from formloop.forms.spec import Field, FormSpec, Values, no_such_field

_WORDS = {"sheet", "columns", "by", "relations", "constants", "values", "lines"}
_LINE_WORDS = {"into", "file", "parent", "of", "columns", "by"}
Columns = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LineSource:
    """Lines from a file of their own: `parent` is its column that names the record, `of` the same in the main file."""

    into: str
    file: str
    parent: str
    of: str
    columns: Columns
    by: str | None = None


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

    def document(self) -> dict[str, Any]:
        """As JSON."""
        found: dict[str, Any] = {"columns": dict(self.columns)}
        if self.by:
            found["by"] = self.by
        if self.sheet:
            found["sheet"] = self.sheet
        for word in ("relations", "constants", "values"):
            if getattr(self, word):
                found[word] = dict(getattr(self, word))
        if self.lines:
            found["lines"] = {
                k: getattr(self.lines, k)
                for k in ("into", "file", "parent", "of", "by")
                if getattr(self.lines, k)
            } | {"columns": dict(self.lines.columns)}
        return found

    @property
    def line_paths(self) -> list[str]:
        """The paths into lines that the main file fills."""
        return [path for path in self.columns.values() if "." in path]


def read_mapping(spec: FormSpec, document: Mapping[str, Any]) -> tuple[ColumnMap, list[Problem]]:
    """The mapping in a JSON document, and everything that is wrong with it."""
    problems = [_unknown(word) for word in sorted(set(document) - _WORDS)]
    columns = {str(k): str(v) for k, v in document.get("columns", {}).items() if v}
    lines, more = _read_lines(document.get("lines"))
    by = document.get("by")
    found = ColumnMap(
        columns,
        by,
        dict(document.get("relations", {})),
        dict(document.get("constants", {})),
        dict(document.get("values", {})),
        lines,
        str(document.get("sheet", "")),
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
    if found.line_paths and not by:
        text = M("Lines in the same file need a field that tells which rows belong together: say it as “by”.")
        problems.append(Problem("by", "by", text))
    return found, problems


def _unknown(word: str) -> Problem:
    return Problem("unknown_key", word, M("A mapping has no “{word}”.", word=word))


def _read_lines(said: Any) -> tuple[LineSource | None, list[Problem]]:
    if not said:
        return None, []
    problems = [_unknown(f"lines.{word}") for word in sorted(set(said) - _LINE_WORDS)]
    for word in ("parent", "columns"):
        if not said.get(word):
            problems.append(
                Problem("missing", f"lines.{word}", M("The mapping of lines needs “{word}”.", word=word))
            )
    if problems:
        return None, problems
    columns = {
        str(k): str(v).removeprefix(f"{said.get('into', 'lines')}.") for k, v in said["columns"].items() if v
    }
    source = LineSource(
        said.get("into", "lines"),
        said.get("file", ""),
        said["parent"],
        said.get("of", said["parent"]),
        columns,
        said.get("by"),
    )
    return source, []


def known_names(spec: FormSpec) -> dict[str, str]:
    """What a column may be called, normalised, and the path that is meant: keys, paths, labels in both languages."""
    found: dict[str, str] = {}
    for top in spec.fields.values():
        for each in top.children or (top,):
            if not each.type.stored or each.formula is not None:
                continue
            names = [each.path, *(each.title(locale) for locale in LOCALES)]
            if top.children:
                names += [f"{top.title(a)}{each.title(b)}" for a in LOCALES for b in LOCALES]
            for name in (*names, each.key):
                found.setdefault(normal(name), each.path)
    return found


def guess(spec: FormSpec, columns: Sequence[str], subform: str | None = None) -> dict[str, str]:
    """Columns and the fields that they seem to mean; for a file of lines, the columns of `subform`."""
    known = known_names(spec)
    if subform:
        own = {c.key: c for c in spec.fields[subform].children}
        names = {normal(n): k for k, c in own.items() for n in (k, *(c.title(loc) for loc in LOCALES))}
        return {c: names[normal(c)] for c in columns if normal(c) in names}
    found: dict[str, str] = {}
    for column in columns:
        path = known.get(normal(column))
        if path and path not in found.values():
            found[column] = path
    return found


@dataclass(frozen=True, slots=True)
class Drawn:
    """What the mapping makes of one staged record: raw values, the row and column that each path came from."""

    raw: Values
    rows: Mapping[str, int]
    problems: list[Problem]


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
        if mapping.lines:
            self.names |= {f"{mapping.lines.into}.{p}": n for n, p in mapping.lines.columns.items()}

    def draw(self, staged: Mapping[str, Any]) -> Drawn:
        """The raw values of one record."""
        number, cells = staged["own"]
        problems: list[Problem] = []
        raw = self._values(self.own, cells, "", problems)
        rows = {"": number}
        for path, value in self.mapping.constants.items():
            if "." not in path:
                raw.setdefault(path, value)
        if self.subform:
            lines = []
            for index, (line_number, line_cells) in enumerate(staged.get("lines", ())):
                rows[f"{self.subform}.{index}"] = line_number
                lines.append(self._values(self.inner, line_cells, f"{self.subform}.", problems, index))
            for path, value in self.mapping.constants.items():
                head, dot, key = path.partition(".")
                if dot and head == self.subform:
                    for line in lines:
                        line.setdefault(key, value)
            raw[self.subform] = lines
        return Drawn(raw, rows, problems)

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
                value = known.get(str(value).strip(), value)
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


def target_fields(spec: FormSpec) -> list[Field]:
    """The fields that a column may go into."""
    every = [c for top in spec.fields.values() for c in (top.children or (top,))]
    return [f for f in every if f.type.stored and f.formula is None]
