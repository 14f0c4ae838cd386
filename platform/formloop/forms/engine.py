"""What a form does with values, pure: read what was given, fill in, calculate, and find every problem."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any

from formloop.core import clock
from formloop.core.errors import Problem
from formloop.core.expression import Context, EvaluationError, Expression
from formloop.core.text import M
from formloop.forms.fields.switch import NO, YES
from formloop.forms.links import Links
from formloop.forms.spec import Check, Field, FormSpec, Unreadable, Values, no_such_field

REQUIRED = M("This must be filled in.")


@dataclass(slots=True)
class Given:
    """What somebody gave for one record: the values that could be read, and the problems of the others.

    `keys` are the fields of the record that were given at all, also as empty; lines keep theirs under
    `line_keys`, one set a line. `passed` has what was given for fields whose value is the program's, by place.
    """

    values: Values
    keys: frozenset[str]
    line_keys: Mapping[str, list[frozenset[str]]]
    problems: list[Problem] = field(default_factory=list)
    passed: Mapping[str, Any] = field(default_factory=dict)


def add_line(values: Values, given: Given, key: str) -> None:
    """One more empty line in a subform of a record that is filled in; its defaults come when it is completed."""
    values[key] = [*(values.get(key) or []), {}]
    given.line_keys = {**given.line_keys, key: [*given.line_keys.get(key, []), frozenset()]}


def read_given(spec: FormSpec, raw: Mapping[str, Any], trusted: bool = False) -> Given:
    """Read raw values by their fields' types. What the program itself gives (formulas, read-only) is passed over
    unless `trusted`, as imports and bridges are."""
    problems: list[Problem] = []
    passed: Values = {}
    values, keys = _read(spec.fields, raw, "", problems, trusted, passed)
    line_keys: dict[str, list[frozenset[str]]] = {}
    for subform in spec.subforms:
        if subform.key not in values:
            continue
        columns = {c.key: c for c in subform.children}
        lines, line_keys[subform.key] = [], []
        for index, raw_line in enumerate(values[subform.key] or ()):
            line, given = _read(columns, raw_line, f"{subform.key}.{index}.", problems, trusted, passed)
            if raw_line.get("id") not in (None, ""):
                line["id"] = _line_id(raw_line["id"])
            lines.append(line)
            line_keys[subform.key].append(given)
        values[subform.key] = lines
    return Given(values, keys, line_keys, problems, passed)


def _line_id(raw: Any) -> int:
    """The id a line is named by; one that cannot be any is -1, which no record's line has."""
    found = clock.find_id(raw)
    return -1 if found is None else found


def _read(
    fields: Mapping[str, Field],
    raw: Mapping[str, Any],
    prefix: str,
    problems: list[Problem],
    trusted: bool,
    passed: Values,
) -> tuple[Values, frozenset[str]]:
    values: Values = {}
    given = set()
    for key, value in raw.items():
        each = fields.get(key)
        if each is None:
            if not prefix or key not in ("id", "position"):
                problems.append(no_such_field(prefix + key))
            continue
        if each.formula is not None or ((each.readonly or each.computed) and not trusted):
            passed[prefix + key] = value
            continue
        given.add(key)
        try:
            values[key] = None if value is None else each.type.read(each, value)
        except Unreadable as error:
            problems.append(Problem("unreadable", prefix + key, error.message))
            values[key] = None
    return values, frozenset(given)


def laid_over(spec: FormSpec, before: Values | None, given: Values) -> Values:
    """The record with what was given on top; a line that names its id keeps the values it was not given.

    A new record is in the first state of its form.
    """
    if before is None:
        return {"state": spec.initial_state, **given}
    after = {**before, **given}
    for subform in spec.subforms:
        known = {line["id"]: line for line in before.get(subform.key) or ()}
        after[subform.key] = [
            {**known.get(line.get("id"), {}), **line} for line in after.get(subform.key) or ()
        ]
    return after


def complete(
    spec: FormSpec, values: Values, given: Given, links: Links, context: Context, before: Values | None
) -> Values:
    """Fill in and calculate: defaults of a new record, what relations bring along, then every formula in order.

    `before` is the record as it stands, None for a new one. Changes `values` and returns the environment for
    expressions.
    """
    creating = before is None
    env = links.environment(spec, values)
    if creating:
        _defaults(spec.fields.values(), values, env, env, given.keys, context, given.problems)
    brought = _fill(spec.fields, spec.relations, values, env, env, given.keys, before, context)
    if (creating or brought) and _brings_records(spec):
        links.add(spec, [values])
        env = links.environment(spec, values)
    brought = creating
    for subform in spec.subforms:
        known = given.line_keys.get(subform.key)
        if known is None:
            continue
        was = {line["id"]: line for line in (before or {}).get(subform.key) or ()}
        for index, line in enumerate(values.get(subform.key) or ()):
            line_env, keys = env[subform.key][index], known[index]
            scope, old = {**env, **line_env}, was.get(line.get("id"))
            brought |= _fill(subform.columns, subform.pointing, line, scope, line_env, keys, old, context)
            if creating or "id" not in line:
                brought, scope = True, {**env, **line_env}
                _defaults(subform.children, line, scope, line_env, keys, context, given.problems)
    if _look_up(spec, values, env, given, links, creating) or (brought and _brings_records(spec)):
        links.add(spec, [values])
        env = links.environment(spec, values)
    calculate(spec, values, env, context, given.problems)
    return env


def _defaults(
    fields: Any,
    values: Values,
    scope: Values,
    env: Values,
    given: frozenset[str],
    context: Context,
    problems: list[Problem],
) -> None:
    for each in fields:
        if each.key in given or values.get(each.key) is not None or each.formula or each.children:
            continue
        value = each.default
        if each.default_expression is not None:
            value = _evaluate(each.default_expression, scope, context, each.path, problems)
        if value is None:
            continue
        try:
            values[each.key] = env[each.key] = each.type.read(each, value)
        except Unreadable as error:
            problems.append(Problem("unreadable", each.path, error.message))


@lru_cache(maxsize=1_000)
def _brings_records(spec: FormSpec) -> bool:
    """Whether what a relation brings along may itself point to a record that expressions step into."""
    every = {f.path: f for top in spec.fields.values() for f in (top, *top.children)}
    brought = {
        f"{f.subform}.{own}" if f.subform else own
        for f in every.values()
        if f.relation
        for own in f.relation.fill
    }
    return any(
        every[p].relation and any(".".join(r).startswith(f"{p}.") for r in spec.reads)
        for p in brought & set(every)
    )


def _look_up(spec: FormSpec, values: Values, env: Values, given: Given, links: Links, creating: bool) -> bool:
    """Give fields with `x-linkage` the value another form has for them; whether one of them is a relation."""
    brought = False
    for each in links.linkages.fields:
        lines = env.get(each.subform) or () if each.subform else (env,)
        for index, scope in enumerate(lines):
            row = values[each.subform][index] if each.subform else values
            known = given.line_keys.get(each.subform, [])[index : index + 1] if each.subform else [given.keys]
            new = creating or (each.subform is not None and "id" not in row)
            if not new or row.get(each.key) is not None or any(each.key in keys for keys in known):
                continue
            found = links.linkages.find(each, {**env, **scope})
            if found is not None:
                row[each.key] = scope[each.key] = each.type.read(each, found)
                brought = brought or each.relation is not None
    return brought


def line_defaults(subform: Field, env: Values, context: Context) -> Values:
    """What a new line of `subform` begins with."""
    line: Values = {}
    _defaults(subform.children, line, dict(env), {}, frozenset(), context, [])
    return line


def _fill(
    by_key: Mapping[str, Field],
    pointing: Sequence[Field],
    values: Values,
    scope: Values,
    env: Values,
    given: frozenset[str],
    before: Values | None,
    context: Context,
) -> bool:
    """What a newly chosen record brings along, where nobody gave another value; whether there was any."""
    brought = False
    for each in pointing:
        if each.relation is None or each.key not in given:
            continue
        if before is not None and before.get(each.key) == values.get(each.key):
            continue  # what it brought along when it was chosen stays
        brought = True
        record = getattr(env.get(each.key), "record", None)
        for own, theirs in each.relation.fill.items():
            if own in by_key and own not in given:
                values[own] = env[own] = brought_along(by_key[own], record.get(theirs)) if record else None
        if before is None or record is None:
            continue  # what a new one begins with is filled in by itself
        for own, value in begun_with(by_key, each.key, scope, context):
            if own not in given:
                values[own] = env[own] = value
    return brought


def begun_with(
    by_key: Mapping[str, Field], chosen: str, scope: Values, context: Context
) -> Iterator[tuple[str, Any]]:
    """The fields whose default reads what was chosen in `chosen`, with what they begin with now."""
    for key, each in by_key.items():
        expression = each.default_expression
        if expression is None or not any(read[0] == chosen and len(read) > 1 for read in expression.reads):
            continue
        yield key, brought_along(each, _evaluate(expression, scope, context, each.path, []))


def brought_along(field: Field, value: Any) -> Any:
    """A value of a chosen record as a field holds it; nothing where it cannot hold it."""
    try:
        return None if value is None else field.type.read(field, value)
    except Unreadable:
        return None


def calculate(spec: FormSpec, values: Values, env: Values, context: Context, problems: list[Problem]) -> None:
    """Every formula, in the order of their dependence, into `values` and `env`."""
    for each in spec.formulas:
        if each.formula is None:
            continue
        if each.subform is None:
            values[each.key] = env[each.key] = _result(each, env, context, each.path, problems)
            continue
        for index, line in enumerate(values.get(each.subform) or ()):
            line_env = env[each.subform][index]
            at = f"{each.subform}.{index}.{each.key}"
            line[each.key] = line_env[each.key] = _result(each, {**env, **line_env}, context, at, problems)


def _result(each: Field, env: Values, context: Context, at: str, problems: list[Problem]) -> Any:
    value = _evaluate(each.formula, env, context, at, problems) if each.formula else None
    if isinstance(value, Decimal) and each.type.numeric:
        return value.quantize(Decimal(1).scaleb(-each.scale), ROUND_HALF_UP)
    if isinstance(value, Decimal) and each.type.json_type == "integer":
        return int(value)  # who or which record it is, as expressions count
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _evaluate(expression: Expression, env: Values, context: Context, at: str, problems: list[Problem]) -> Any:
    try:
        return expression.evaluate(env, context)
    except EvaluationError as error:
        problems.append(Problem("formula", at, error.message))
        return None


def with_first(earlier: list[Problem], later: list[Problem]) -> list[Problem]:
    """Both lists, without what is said of a place where something is wrong already."""
    places = {problem.at for problem in earlier}
    return [*earlier, *(problem for problem in later if problem.at not in places)]


def check(spec: FormSpec, values: Values, env: Values, context: Context) -> list[Problem]:
    """Everything that is wrong with a record as it would be saved."""
    problems: list[Problem] = []
    _check_fields(spec.fields.values(), values, env, "", context, problems)
    for subform in spec.subforms:
        for index, line in enumerate(values.get(subform.key) or ()):
            scope = {**env, **env[subform.key][index]}
            _check_fields(subform.children, line, scope, f"{subform.key}.{index}.", context, problems)
    if not problems:
        for rule in spec.checks:
            broken = _check_rule(rule, env, context)
            problems += [replace(each, tells=(spec.resource,)) for each in broken]
    return problems


def _check_rule(rule: Check, env: Values, context: Context) -> list[Problem]:
    """What a rule has against the record, or against its lines."""
    problems: list[Problem] = []
    lines = (
        [(index, {**env, **line}) for index, line in enumerate(env.get(rule.each) or ())] if rule.each else []
    )
    for index, scope in lines if rule.each else [(None, env)]:
        if _evaluate(rule.holds, scope, context, rule.at, problems) is False:
            told = {name: _evaluate(each, scope, context, rule.at, []) for name, each in rule.tells.items()}
            problems.append(rule.problem(index, {name: _told(value) for name, value in told.items()}))
    return problems


def _told(value: Any) -> Any:
    """A value as it stands in a sentence; a number without the zeros of its scale."""
    if isinstance(value, bool):
        return YES if value else NO
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return "–" if value is None else value


def _check_fields(
    fields: Any, values: Values, env: Values, prefix: str, context: Context, problems: list[Problem]
) -> None:
    for each in fields:
        at, value = prefix + each.key, values.get(each.key)
        if value is None or value == []:
            if _is_required(each, env, context, at, problems):
                problems.append(Problem("required", at, REQUIRED))
            continue
        message = each.type.check(each, value)
        if message is not None:
            problems.append(Problem("invalid", at, message))


def _is_required(each: Field, env: Values, context: Context, at: str, problems: list[Problem]) -> bool:
    wanted = each.required or (
        each.required_when is not None and _evaluate(each.required_when, env, context, at, problems) is True
    )
    if not wanted or each.computed:
        return False
    return each.visible is None or _evaluate(each.visible, env, context, at, problems) is True
