"""What a bridge makes of a record, pure: which events set it off, and which target values they give."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from formloop.bridges.spec import CANCELLED, FOUND, BridgeSpec, Lines
from formloop.core.errors import Problem
from formloop.core.expression import Context, EvaluationError, Expression, Linked
from formloop.core.expression.nodes import Name
from formloop.core.text import M
from formloop.db.types import DIGITS
from formloop.events import Event
from formloop.forms.spec import Field, FormSpec, Values

RUN, CLEAR = "run", "clear"


@dataclass(frozen=True, slots=True)
class Row:
    """The values of one target. `line` is the id of its source line, 0 when it comes from the whole record."""

    line: int
    index: int
    values: Values


def effect_of(bridge: BridgeSpec, event: Event) -> str | None:
    """RUN when the event sets the bridge off, CLEAR when what it made has lost its source, else None.

    What only `amended` waits for is answered by `may_amend`: it depends on what the bridge has made before.
    """
    if event.name == f"state:{CANCELLED}" and "cancelled" in bridge.on:
        return CLEAR
    if event.name in ("deleted", "purged"):
        return CLEAR if "deleted" in bridge.on else None
    if event.name in bridge.on:
        return RUN
    state = str((event.after or {}).get("state"))
    if event.name == "created" and state in bridge.states:
        return RUN
    if event.name == "restored" and "deleted" in bridge.on and (state in bridge.states or not bridge.states):
        return RUN
    if event.updates and ("updated" in bridge.on or ("amended" in bridge.on and state in bridge.states)):
        return RUN
    return None


def may_amend(bridge: BridgeSpec, source: FormSpec, event: Event) -> bool:
    """Whether the event amends a record that has gone on to a later state since the bridge ran for it."""
    state = str((event.after or {}).get("state"))
    return "amended" in bridge.on and event.updates and state not in (source.initial_state, CANCELLED)


def rows_of(
    bridge: BridgeSpec, target: FormSpec, record: Values, env: Mapping[str, Any], context: Context
) -> tuple[list[Row], list[Problem]]:
    """What the targets of a record should be, and what kept some of them from being calculated."""
    rows: list[Row] = []
    problems: list[Problem] = []
    scope = {"source": env, **env, "record": env}
    sources = [(0, 0, scope)]
    if bridge.each:
        lines = zip(record.get(bridge.each) or (), env.get(bridge.each) or (), strict=True)
        sources = [
            (int(line["id"]), index, {**scope, "line": seen}) for index, (line, seen) in enumerate(lines)
        ]
    for line, index, names in sources:
        try:
            if bridge.when is None or bridge.when.evaluate(names, context) is True:
                rows.append(Row(line, index, _values(bridge.values, target.fields, names, context)))
        except _Failed as failed:
            problems.append(problem_at(bridge, index, failed.key, failed.error.message))
        except EvaluationError as error:
            problems.append(problem_at(bridge, index, None, error.message))
    return rows, problems


def key_of(
    bridge: BridgeSpec, target: FormSpec, env: Mapping[str, Any], context: Context
) -> tuple[Values, list[Problem]]:
    """The key of the records that a source changes, and what kept it from being calculated."""
    wanted = {name: bridge.values[name] for name in bridge.by}
    try:
        return _values(wanted, target.fields, {"source": env, **env, "record": env}, context), []
    except _Failed as failed:
        return {}, [problem_at(bridge, None, failed.key, failed.error.message)]


def made_of(
    bridge: BridgeSpec, target: FormSpec, scope: Mapping[str, Any], context: Context
) -> tuple[Values, list[Problem]]:
    """The one record, with its lines, that somebody gets who asks for it, and what could not be calculated."""
    try:
        values = _values(bridge.values, target.fields, scope, context)
    except _Failed as failed:
        return {}, [problem_at(bridge, None, failed.key, failed.error.message)]
    if bridge.lines is None:
        return values, []
    columns = {each.key: each for each in target.fields[bridge.lines.into].children}
    made: list[Values] = []
    problems: list[Problem] = []
    for index, line in enumerate(_lines_behind(bridge, scope)):
        try:
            if not _is_wanted(bridge.lines, scope, line, context):
                continue
            made.append(_values(bridge.lines.values, columns, {**scope, "line": line}, context))
        except _Failed as failed:
            problems.append(problem_at(bridge, index, failed.key, failed.error.message))
        except EvaluationError as error:
            problems.append(problem_at(bridge, index, None, error.message))
    return {**values, bridge.lines.into: made}, problems


def makes_nothing(bridge: BridgeSpec, scope: Mapping[str, Any], context: Context) -> bool:
    """Whether what is asked for would have lines, and there is none for it."""
    lines = bridge.lines
    return lines is not None and not any(
        _is_wanted(lines, scope, line, context) for line in _lines_behind(bridge, scope)
    )


def _lines_behind(bridge: BridgeSpec, scope: Mapping[str, Any]) -> Sequence[Any]:
    """What the lines are made of: those of the source, or what was found."""
    return scope.get(bridge.each) or () if bridge.each else scope[FOUND]


def _is_wanted(lines: Lines, scope: Mapping[str, Any], line: Any, context: Context) -> bool:
    return lines.when is None or lines.when.evaluate({**scope, "line": line}, context) is True


class _Failed(Exception):
    def __init__(self, key: str, error: EvaluationError) -> None:
        super().__init__(key)
        self.key, self.error = key, error


def _values(
    wanted: Mapping[str, Expression], fields: Mapping[str, Field], names: Mapping[str, Any], context: Context
) -> Values:
    found: Values = {}
    for key, expression in wanted.items():
        try:
            found[key] = fitting(fields[key], expression.evaluate(names, context))
        except EvaluationError as error:
            raise _Failed(key, error) from error
    return found


def fitting(field: Field, value: Any) -> Any:
    """`value` as its field keeps it: ids plain, numbers rounded to the field's digits."""
    if isinstance(value, Linked):
        value = int(value)
    if isinstance(value, int | Decimal) and field.type.numeric:
        return _rounded(field, Decimal(value))
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    return value


def _rounded(field: Field, value: Decimal) -> Decimal:
    most = Decimal(10) ** (DIGITS - field.scale)
    if abs(value) < most:
        value = value.quantize(Decimal(1).scaleb(-field.scale), ROUND_HALF_UP)
    if abs(value) >= most:
        text = M(
            "The number {value} is too large for “{field}”; {count} digits before the point are the limit.",
            value=value,
            field=field.key,
            count=DIGITS - field.scale,
        )
        raise EvaluationError(text)
    return value


def problem_at(bridge: BridgeSpec, index: int | None, key: str | None, reason: Any) -> Problem:
    """A problem of one target, told where the source gives its value."""
    if not bridge.each or index is None:
        text = M("Bridge “{bridge}”: {reason}", bridge=bridge.title, reason=reason)
        return Problem("bridge", _place(bridge, None, key), text)
    text = M("Bridge “{bridge}”, line {line}: {reason}", bridge=bridge.title, line=index + 1, reason=reason)
    return Problem("bridge", _place(bridge, index, key), text)


def _place(bridge: BridgeSpec, index: int | None, key: str | None) -> str:
    """The field of the source that gives the target field `key` unchanged; else the lines, or the record."""
    expression: Expression | None = bridge.values.get(key) if key else None
    path = expression.tree.path if expression and isinstance(expression.tree, Name) else ()
    if index is not None and len(path) > 1 and path[0] == "line":
        return f"{bridge.each}.{index}.{path[1]}"
    if index is None and path:
        return path[0]
    return bridge.each or ""
