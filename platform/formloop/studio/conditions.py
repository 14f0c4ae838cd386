"""Conditions as sentences: comparisons of a field with a value, joined by all or any; written, read back and said."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import zip_longest

from werkzeug.datastructures import MultiDict

from formloop.core.errors import Invalid, Problem
from formloop.core.expression import (
    ANY,
    BOOL,
    DATE,
    DATETIME,
    NUMBER,
    TEXT,
    ListType,
    RecordType,
    Type,
    check,
)
from formloop.core.expression.nodes import Binary, Call, Literal, Member, Name, Typed, Unary
from formloop.core.expression.syntax import SyntaxProblem, read
from formloop.core.expression.types import element
from formloop.core.text import M, Message

MOST = 20  # comparisons in one sentence
JOINS = {
    "all": ("AND", M("all of these hold"), M(" and ")),
    "any": ("OR", M("one of these holds"), M(" or ")),
}
OPERATORS: Mapping[str, tuple[Message, str]] = {
    "is": (M("is"), "{field} = {value}"),
    "is_not": (M("is not"), "{field} <> {value}"),
    "more": (M("is more than"), "{field} > {value}"),
    "least": (M("is at least"), "{field} >= {value}"),
    "less": (M("is less than"), "{field} < {value}"),
    "most": (M("is at most"), "{field} <= {value}"),
    "has": (M("contains"), "{value} IN {field}"),
    "has_not": (M("does not contain"), "{value} NOT IN {field}"),
    "empty": (M("is empty"), "ISBLANK({field})"),
    "filled": (M("is filled in"), "NOT(ISBLANK({field}))"),
}
WITHOUT_VALUE = ("empty", "filled")
AMONG_NONE = {"empty": "COUNT({field}) = 0", "filled": "COUNT({field}) > 0"}  # where there may be several
AGGREGATES: Mapping[str, Message] = {
    "COUNT": M("number of {field}"),
    "SUM": M("sum of {field}"),
    "MAX": M("largest {field}"),
    "MIN": M("smallest {field}"),
}
MEASURED = (NUMBER, DATE, DATETIME)  # types whose values have an order
TODAY = "TODAY()"  # stands where another field could
GIVEN = "?"  # before a field with which is compared only where it is filled in
FILES = "@file"
_SIGNS = {
    pattern.split()[1]: name for name, (_, pattern) in OPERATORS.items() if pattern.startswith("{field} ")
}
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Rule:
    """One comparison; its value as people type it, or the `other` field that it is compared with."""

    field: str
    operator: str
    value: str = ""
    other: str = ""


@dataclass(frozen=True, slots=True)
class Sentence:
    """Comparisons of which all, or any one, must hold."""

    rules: tuple[Rule, ...] = ()
    join: str = "all"

    def written(self, names: Mapping[str, Type]) -> str:
        """The expression; what is not chosen yet is left out."""
        parts = [_written(each, names) for each in self.rules if each.field and each.operator in OPERATORS]
        return f" {JOINS[self.join][0]} ".join(parts)

    def problems(self, names: Mapping[str, Type]) -> list[Problem]:
        """What cannot be compared with what was typed or not chosen."""
        return [
            Problem("value", each.field, said)
            for each in self.rules
            if each.field and not each.other and each.operator not in WITHOUT_VALUE
            if (said := _refused(type_of(each.field, names), _plain(each))) is not None
        ]


def pointing(
    names: Mapping[str, Type], points: Mapping[str, str], behind: Callable[[str], Mapping[str, str]]
) -> dict[str, Type]:
    """The names, with people, departments and files told from the numbers and texts that expressions know of them.

    `points` says by path what may be chosen there, `behind` the same of a form that a record belongs to.
    """
    return {key: _pointing(key, kind, points, behind) for key, kind in names.items()}


def _pointing(
    key: str, kind: Type, points: Mapping[str, str], behind: Callable[[str], Mapping[str, str]]
) -> Type:
    inside = {
        path.removeprefix(f"{key}."): each for path, each in points.items() if path.startswith(f"{key}.")
    }
    match kind:
        case ListType(of=RecordType() as line):
            inner: Type = RecordType(line.name, lambda: pointing(line.fields(), inside, behind))
            return ListType(inner, kind.over)
        case ListType():
            return ListType(_pointing(key, kind.of, points, behind), kind.over)
        case RecordType():
            return RecordType(kind.name, lambda: pointing(kind.fields(), inside or behind(kind.name), behind))
    return RecordType(points[key], dict) if key in points else kind


def operators_for(field: str, names: Mapping[str, Type]) -> tuple[str, ...]:
    """How something can be compared; not at all when it is lines."""
    kind = type_of(field, names)
    if kind in MEASURED:
        never_empty = aggregate_of(field) is not None
        ordered = [name for name in OPERATORS if name not in ("has", "has_not")]
        return tuple(name for name in ordered if not (never_empty and name in WITHOUT_VALUE))
    if isinstance(kind, ListType | RecordType) and points_to(kind) == FILES:
        return WITHOUT_VALUE
    if isinstance(kind, ListType):
        return ("has", "has_not", *WITHOUT_VALUE)
    if isinstance(kind, RecordType):
        return ("is", "is_not", *WITHOUT_VALUE)
    return {BOOL: ("is",), TEXT: ("is", "is_not", *WITHOUT_VALUE)}.get(kind, ()) if kind else ()


def points_to(kind: Type | None) -> str:
    """Where what can be chosen comes from: a form, people, departments, files; nothing for plain values."""
    each = element(kind) if kind is not None else None
    return each.name if isinstance(each, RecordType) else ""


def aggregate_of(field: str) -> tuple[str, str] | None:
    """The function and the lines or column of `SUM(lines.amount)`; None for a path."""
    name, _, path = field.removesuffix(")").partition("(")
    return (name, path) if name in AGGREGATES and field.endswith(")") else None


def type_of(field: str, names: Mapping[str, Type]) -> Type | None:
    """The type of what is compared: a list for a field of several choices, None where there is nothing, or lines."""
    name, path = aggregate_of(field) or ("", field)
    kind, in_lines = _named(path, names)
    if not name:
        return None if in_lines else kind
    if kind is None or not in_lines or (name != "COUNT" and kind not in MEASURED):
        return None
    found, problems = check(field, names)
    return found.type if found is not None and not problems else None


def holds_lines(path: str, names: Mapping[str, Type]) -> bool:
    """Whether a path names lines, or a column of them."""
    return _named(path, names)[1]


def _named(path: str, names: Mapping[str, Type]) -> tuple[Type | None, bool]:
    """What a path leads to, and whether through lines: then it is what each of them has."""
    found: Type | None = None
    in_lines = False
    for name in path.split("."):
        found = names.get(name)
        if isinstance(found, ListType) and isinstance(found.of, RecordType) and found.of.name[:1] != "@":
            found, in_lines = found.of, True
        names = found.fields() if isinstance(found, RecordType) else {}
    return found, in_lines


def read_sentence(source: str) -> Sentence | None:
    """The sentence that an expression is, None where it is more than one."""
    if not source.strip():
        return Sentence()
    try:
        tree = read(source)
    except SyntaxProblem:
        return None
    join = next(
        (key for key, (word, *_) in JOINS.items() if isinstance(tree, Call) and tree.name == word), ""
    )
    parts = tree.parts if join else (tree,)
    rules = [_read(each) for each in parts]
    found = tuple(each for each in rules if each is not None)
    return Sentence(found, join or "all") if len(found) == len(parts) <= MOST else None


def fits(sentence: Sentence, names: Mapping[str, Type]) -> bool:
    """Whether every comparison is one that its field can have here."""
    return all(
        each.operator in operators_for(each.field, names)
        and (not each.other or is_comparable(each.field, each.other, names))
        for each in sentence.rules
    )


def is_comparable(field: str, other: str, names: Mapping[str, Type]) -> bool:
    """Whether what two fields hold is of one kind."""
    mine = element(type_of(field, names) or ANY)
    kind = DATE if other == TODAY else type_of(other.removeprefix(GIVEN), names)
    return kind is not None and (kind == mine or {kind, mine} == {DATE, DATETIME})


def normal(sentence: Sentence, names: Mapping[str, Type]) -> Sentence:
    """The sentence with “none of several is chosen” said as “is empty”."""
    said = {("is", "0"): "empty", ("more", "0"): "filled"}
    rules = []
    for each in sentence.rules:
        name, path = aggregate_of(each.field) or ("", "")
        several = name == "COUNT" and isinstance(type_of(path, names), ListType)
        operator = said.get((each.operator, each.value)) if several else None
        rules.append(Rule(path, operator) if operator else each)
    return Sentence(tuple(rules), sentence.join)


def read_posted(form: "MultiDict[str, str]") -> Sentence:
    """The sentence as the dialog sent it; Invalid when it is too long for one."""
    if len(form.getlist("field")) > MOST:
        text = M("A sentence has at most {most} comparisons. Write it as a formula.", most=MOST)
        raise Invalid([Problem("many", "", text)])
    rows = zip_longest(
        *(form.getlist(name)[:MOST] for name in ("field", "operator", "value", "other")), fillvalue=""
    )
    rules = tuple(
        Rule(field[:200], operator, value[:1000], other[:200]) for field, operator, value, other in rows
    )
    return Sentence(rules, "any" if form.get("join") == "any" else "all")


def _written(rule: Rule, names: Mapping[str, Type]) -> str:
    kind, pattern = type_of(rule.field, names), OPERATORS[rule.operator][1]
    if isinstance(kind, ListType):
        pattern = AMONG_NONE.get(rule.operator, pattern)
    other = rule.other.removeprefix(GIVEN)
    said = pattern.format(field=rule.field, value=other or _literal(kind, _plain(rule)))
    return said if other == rule.other else f"(ISBLANK({other}) OR {said})"


def _plain(rule: Rule) -> str:
    return rule.value.strip()


def _literal(kind: Type | None, value: str) -> str:
    if kind == NUMBER:
        return _without_commas(value) or "0"
    if points_to(kind):
        return value or "0"
    if kind == BOOL:
        return "false" if value.lower() in ("0", "false", "no", "否") else "true"
    return "'" + value.replace("'", "''") + "'"


def _without_commas(value: str) -> str:
    return value.replace(",", "").replace("，", "")


def _refused(kind: Type | None, value: str) -> Message | None:
    """Why something cannot be compared with a value."""
    if points_to(kind):
        return None if value.isascii() and value.isdecimal() else M("Choose what it is compared with.")
    if kind == NUMBER and not value:
        return M("Type the number it is compared with.")
    if kind == NUMBER and not _NUMBER.fullmatch(_without_commas(value)):
        return M("“{value}” is no number.", value=value[:40])
    return None


def _read(part: Typed) -> Rule | None:
    """A comparison; a field alone is one of yes or no, NOT turns it around."""
    match part:
        case Name():
            return Rule(".".join(part.path), "is", "true")
        case Call(name="ISBLANK", arguments=(Name() as field,)):
            return Rule(".".join(field.path), "empty")
        case Call(name="NOT", arguments=(Name() as field,)):
            return Rule(".".join(field.path), "is", "false")
        case Call(name="NOT", arguments=(Call(name="ISBLANK", arguments=(Name() as field,)),)):
            return Rule(".".join(field.path), "filled")
        case Call(name="NOT", arguments=(Member() as inside,)):
            found = _read(inside)
            return None if found is None else replace(found, operator="has_not")
        case Call(name="OR", arguments=(Call(name="ISBLANK", arguments=(Name() as other,)), Typed() as rest)):
            found = _read(rest)
            path = ".".join(other.path)
            return replace(found, other=GIVEN + path) if found is not None and found.other == path else None
        case Member(value=value, choices=(Name() as field,)):
            return _against(".".join(field.path), "has", value)
        case Binary(left=left, right=right) if part.op in _SIGNS and (thing := _compared(left)):
            return _against(thing, _SIGNS[part.op], right)
    return None


def _against(field: str, operator: str, part: Typed) -> Rule | None:
    """A comparison with a value that is written down, or with another field."""
    if isinstance(part, Name):
        return Rule(field, operator, other=".".join(part.path))
    if isinstance(part, Call) and part.name == "TODAY":
        return Rule(field, operator, other=TODAY)
    value = _value(part)
    return None if value is None else Rule(field, operator, value)


def _compared(part: Typed) -> str:
    """A path, or what lines come to; nothing for all else."""
    match part:
        case Name():
            return ".".join(part.path)
        case Call(arguments=(Name() as lines,)) if part.name in AGGREGATES:
            return f"{part.name}({'.'.join(lines.path)})"
    return ""


def _value(part: Typed) -> str | None:
    if isinstance(part, Unary) and part.op == "-" and (inner := _value(part.operand)) is not None:
        return f"-{inner}"
    if not isinstance(part, Literal):
        return None
    return str(part.value).lower() if isinstance(part.value, bool) else str(part.value)
