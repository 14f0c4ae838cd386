"""Writes random, mostly sound formulas, for the proof and for comparing Python with SQL."""

from collections.abc import Mapping, Sequence
from random import Random

from formloop.core.expression.functions import FUNCTIONS, Function
from formloop.core.expression.types import BOOL, DATE, DATETIME, NUMBER, TEXT, ListType, RecordType, Type

_TEXTS = ("", "a", "SO-2026", "螺栓 M8", " x  y ", "12.5", "B", "ab")
_WRITTEN = {
    "unit": ('"day"', '"week"', '"month"', '"year"'),
    "DATEDIF": ('"d"', '"m"', '"y"'),
    "format": ('"0.00"', '"#,##0.0"', '"0%"', '"yyyy-mm-dd"', '"yyyy/m/d hh:mm"'),
    "type": ("1", "2"),
    "digits": ("0", "2", "-1"),
    "step": ("1", "0.5", "10"),
}
_KINDS: dict[str, Type] = {"number": NUMBER, "text": TEXT, "bool": BOOL, "date": DATE}


class FormulaWriter:
    """Writes formulas of a wanted type over names; `sql_only` leaves out what has no SQL form."""

    def __init__(self, random: Random, names: Mapping[str, Type], sql_only: bool = False) -> None:
        self.random = random
        self.paths = list(_paths(names))
        self.overs = sorted({k.over for _, k in self.paths if isinstance(k, ListType) and k.over})
        self.functions = [f for f in FUNCTIONS.values() if not sql_only or f.sql or f.form]
        self.sql_only = sql_only

    def formula(self, kind: Type, depth: int, over: tuple[str, ...] | None = None) -> str:
        """A formula of `kind`; inside an aggregate over lines, names of the lines may occur."""
        if depth <= 0 or self.random.random() < 0.15:
            return self._leaf(kind, over)
        if self.random.random() < 0.5 and (written := self._operator(kind, depth - 1, over)):
            return written
        fits = [f for f in self.functions if self._returns(f, kind) and self._usable(f, over)]
        return self._call(self.random.choice(fits), kind, depth - 1, over) if fits else self._leaf(kind, over)

    def _leaf(self, kind: Type, over: tuple[str, ...] | None) -> str:
        names = [
            path
            for path, found in self.paths
            if found == kind
            or (over and isinstance(found, ListType) and found.of == kind and found.over == over)
        ]
        if names and self.random.random() < 0.7:
            return self.random.choice(names)
        return self._literal(kind)

    def _literal(self, kind: Type) -> str:
        if kind == NUMBER:
            return self.random.choice(("0", "1", "2", "10", "0.5", "1.25", "100.01", "3", "7%", "0.0001"))
        if kind == BOOL:
            return self.random.choice(("TRUE", "FALSE", "(1 < 2)"))
        if kind == DATE:
            return self.random.choice(("TODAY()", "DATE(2026, 1, 31)", "DATE(2024, 2, 29)"))
        return "NOW()" if kind == DATETIME else '"' + self.random.choice(_TEXTS) + '"'

    def _operator(self, kind: Type, depth: int, over: tuple[str, ...] | None) -> str | None:
        def part(wanted: Type) -> str:
            return self.formula(wanted, depth, over)

        choose = self.random.choice
        if kind == NUMBER:
            if self.random.random() < 0.15:
                return (
                    f"(-{part(NUMBER)})"
                    if self.random.random() < 0.5
                    else f"(DATE(2026, 5, 1) - {part(DATE)})"
                )
            return f"({part(NUMBER)} {choose('+-*/')} {part(NUMBER)})"
        if kind == DATE:
            return f"({part(DATE)} {choose('+-')} {choose(('1', '30', '365'))})"
        if kind == TEXT:
            return f"({part(TEXT)} & {part(choose((NUMBER, TEXT, DATE, BOOL)))})"
        if kind == BOOL:
            side = choose((NUMBER, NUMBER, TEXT, DATE, DATETIME))
            if self.random.random() < 0.3:
                return f"({part(BOOL)} {choose(('AND', 'OR'))} {part(BOOL)})"
            if self.random.random() < 0.2:
                return f"({part(side)} IN ({part(side)}, {part(side)}))"
            return f"({part(side)} {choose(('=', '<>', '<', '<=', '>', '>='))} {part(side)})"
        return None

    def _returns(self, function: Function, kind: Type) -> bool:
        if function.returns in ("T", "O"):
            return kind != BOOL or function.returns == "T"
        return _KINDS.get(function.returns) == kind

    def _usable(self, function: Function, over: tuple[str, ...] | None) -> bool:
        lists = any(p.mode == "list" for p in function.parameters)
        if lists and (over or not self.overs):
            return False
        return not (self.sql_only and over and any(p.mode == "either" for p in function.parameters))

    def _call(self, function: Function, kind: Type, depth: int, over: tuple[str, ...] | None) -> str:
        free = self.random.choice((NUMBER, TEXT, DATE))
        lines = self.random.choice(self.overs) if self.overs else None
        compared = self.random.choice((NUMBER, TEXT))
        written = []
        for parameter in self._places(function):
            words = (
                _WRITTEN.get(parameter.name)
                if function.name != "DATEDIF" or parameter.name != "unit"
                else None
            )
            words = _WRITTEN["DATEDIF"] if parameter.name == "unit" and function.name == "DATEDIF" else words
            if words:
                written.append(self.random.choice(words))
                continue
            wanted = {"T": kind, "O": kind, "C": compared, "any": free, "shown": free, "clock": DATETIME}.get(
                parameter.kind, _KINDS.get(parameter.kind, NUMBER)
            )
            if function.returns not in ("T", "O") and parameter.kind in ("T", "O"):
                wanted = NUMBER
            inside = lines if parameter.mode == "list" or (parameter.mode == "either" and not over) else over
            if parameter.mode == "list" and lines:
                written.append(self._over_lines(wanted, depth, lines))
            else:
                written.append(self.formula(wanted, depth, inside if parameter.mode == "one" else over))
        return f"{function.name}({', '.join(written)})"

    def _over_lines(self, kind: Type, depth: int, lines: tuple[str, ...]) -> str:
        """A part that is certainly a list: a name of the lines, or one calculated with them."""
        names = [p for p, k in self.paths if isinstance(k, ListType) and k.of == kind and k.over == lines]
        if kind == BOOL and (not names or self.random.random() < 0.7):
            numbers = [
                p for p, k in self.paths if isinstance(k, ListType) and k.of == NUMBER and k.over == lines
            ]
            return f"({self.random.choice(numbers)} > {self.formula(NUMBER, depth - 1, lines)})"
        everything = [p for p, k in self.paths if isinstance(k, ListType) and k.over == lines]
        name = self.random.choice(names or everything)
        if kind == NUMBER and self.random.random() < 0.7:
            return f"({name} {self.random.choice('+-*')} {self.formula(NUMBER, depth - 1, lines)})"
        return name

    def _places(self, function: Function) -> Sequence["_Place"]:
        places = []
        for p in function.parameters:
            if p.kind == "pair":
                places += [_Place("", "bool", "one"), _Place("", "T", "one")]
            elif p.kind == "match":
                places += [_Place("", "C", "one"), _Place("", "T", "one"), _Place("", "T", "one")]
            elif not p.optional or self.random.random() < 0.6:
                places.append(_Place(p.name, p.kind, p.mode))
        return places


class _Place:
    def __init__(self, name: str, kind: str, mode: str) -> None:
        self.name, self.kind, self.mode = name, kind, mode


def _paths(names: Mapping[str, Type]) -> Sequence[tuple[str, Type]]:
    found: list[tuple[str, Type]] = []
    for name, kind in names.items():
        inner = kind.of if isinstance(kind, ListType) else kind
        if not isinstance(inner, RecordType):
            found.append((name, kind))
            continue
        for field, field_kind in inner.fields().items():
            listed = ListType(field_kind, (name,)) if isinstance(kind, ListType) else field_kind
            if not isinstance(field_kind, (RecordType, ListType)):
                found.append((f"{name}.{field}", listed))
    return found
