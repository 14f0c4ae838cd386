"""Conditions as sentences: comparisons of a field with a value, joined by all or any; written, read back and said."""

from collections.abc import Mapping
from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from formloop.core.errors import Invalid, Problem
from formloop.core.expression import BOOL, DATE, DATETIME, NUMBER, TEXT, ListType, RecordType, Type, check
from formloop.core.expression.nodes import Binary, Call, Literal, Name, Typed, Unary
from formloop.core.expression.syntax import SyntaxProblem, read
from formloop.core.text import M, Message
from formloop.forms.reading import OWN

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
    "empty": (M("is empty"), "ISBLANK({field})"),
    "filled": (M("is filled in"), "NOT(ISBLANK({field}))"),
}
WITHOUT_VALUE = ("empty", "filled")
AGGREGATES: Mapping[str, Message] = {
    "COUNT": M("number of {field}"),
    "SUM": M("sum of {field}"),
    "MAX": M("largest {field}"),
    "MIN": M("smallest {field}"),
}
MEASURED = (NUMBER, DATE, DATETIME)  # types whose values have an order
_SIGNS = {pattern.split()[1]: name for name, (_, pattern) in OPERATORS.items() if name not in WITHOUT_VALUE}


@dataclass(frozen=True, slots=True)
class Rule:
    """One comparison; its value as people type it, or `own`: the field of this record that it is compared with."""

    field: str
    operator: str
    value: str = ""
    own: str = ""


@dataclass(frozen=True, slots=True)
class Sentence:
    """Comparisons of which all, or any one, must hold."""

    rules: tuple[Rule, ...] = ()
    join: str = "all"

    def written(self, names: Mapping[str, Type]) -> str:
        """The expression; what is not chosen yet is left out."""
        parts = [_written(each, names) for each in self.rules if _is_said(each, names)]
        return f" {JOINS[self.join][0]} ".join(parts)


def operators_for(field: str, names: Mapping[str, Type]) -> tuple[str, ...]:
    """How something can be compared; not at all when it is none of one value."""
    kind = type_of(field, names)
    if kind in MEASURED:
        never_empty = aggregate_of(field) is not None
        return tuple(name for name in OPERATORS if not (never_empty and name in WITHOUT_VALUE))
    if isinstance(kind, RecordType):
        return ("is", "is_not", *WITHOUT_VALUE) if own_like(field, names) else WITHOUT_VALUE
    return {BOOL: ("is",), TEXT: ("is", "is_not", *WITHOUT_VALUE)}.get(kind, ()) if kind else ()


def own_like(field: str, names: Mapping[str, Type]) -> list[str]:
    """The fields of this record that something of another form's record can be compared with."""
    own, kind = names.get(OWN), type_of(field, names)
    if not isinstance(own, RecordType) or kind is None:
        return []
    return [key for key, each in own.fields().items() if each == kind]


def aggregate_of(field: str) -> tuple[str, str] | None:
    """The function and the lines or column of `SUM(lines.amount)`; None for a path."""
    name, _, path = field.removesuffix(")").partition("(")
    return (name, path) if name in AGGREGATES and field.endswith(")") else None


def type_of(field: str, names: Mapping[str, Type]) -> Type | None:
    """The type of what is compared, None where there is nothing or several values."""
    name, path = aggregate_of(field) or ("", field)
    kind = _named(path, names)
    if not name:
        return None if isinstance(kind, ListType) else kind
    if not isinstance(kind, ListType) or (name != "COUNT" and kind.of not in MEASURED):
        return None
    found, problems = check(field, names)
    return found.type if found is not None and not problems else None


def holds_lines(path: str, names: Mapping[str, Type]) -> bool:
    """Whether a path names lines, or a column of them."""
    return isinstance(_named(path, names), ListType)


def _named(path: str, names: Mapping[str, Type]) -> Type | None:
    found: Type | None = None
    several = False
    for name in path.split("."):
        found = names.get(name)
        several = several or isinstance(found, ListType)
        inner = found.of if isinstance(found, ListType) else found
        names = inner.fields() if isinstance(inner, RecordType) else {}
    return ListType(found) if several and found is not None else found


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
    return all(each.operator in operators_for(each.field, names) for each in sentence.rules)


def read_posted(form: "MultiDict[str, str]") -> Sentence:
    """The sentence as the dialog sent it; Invalid when it is too long for one."""
    if len(form.getlist("field")) > MOST:
        text = M("A sentence has at most {most} comparisons. Write it as a formula.", most=MOST)
        raise Invalid([Problem("many", "", text)])
    rows = zip(*(form.getlist(name) for name in ("field", "operator", "value")), strict=False)
    own = form.getlist("own")
    rules = tuple(
        Rule(field[:200], operator, value[:1000], own[place][:200] if place < len(own) else "")
        for place, (field, operator, value) in enumerate(rows)
    )
    return Sentence(rules, "any" if form.get("join") == "any" else "all")


def _is_said(rule: Rule, names: Mapping[str, Type]) -> bool:
    """Whether a comparison is chosen: a record has no value to type, only one to be compared with."""
    if not rule.field or rule.operator not in OPERATORS:
        return False
    bare = rule.operator in WITHOUT_VALUE or bool(rule.own)
    return bare or not isinstance(type_of(rule.field, names), RecordType)


def _written(rule: Rule, names: Mapping[str, Type]) -> str:
    pattern = OPERATORS[rule.operator][1]
    value = f"{OWN}.{rule.own}" if rule.own else _literal(type_of(rule.field, names), rule.value.strip())
    return pattern.format(field=rule.field, value=value)


def _literal(kind: Type | None, value: str) -> str:
    if kind == NUMBER:
        return value.replace(",", "").replace("，", "") or "0"
    if kind == BOOL:
        return "false" if value.lower() in ("0", "false", "no", "否") else "true"
    return "'" + value.replace("'", "''") + "'"


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
        case Binary(left=left, right=Name(path=(own, key))) if part.op in _SIGNS and own == OWN:
            return Rule(thing, _SIGNS[part.op], own=key) if (thing := _compared(left)) else None
        case Binary(left=left) if part.op in _SIGNS and (value := _value(part.right)) is not None:
            return Rule(thing, _SIGNS[part.op], value) if (thing := _compared(left)) else None
    return None


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
