"""Whether what a relation was set to may be chosen: it exists, may be seen, is not deleted, fits the condition."""

from collections.abc import Iterator, Mapping
from typing import Any

from formloop.core.errors import Problem
from formloop.core.expression import Context, EvaluationError
from formloop.core.text import M
from formloop.forms import permits
from formloop.forms.drafts import How
from formloop.forms.engine import Given
from formloop.forms.kind import get_form
from formloop.forms.links import Links
from formloop.forms.spec import Field, FormSpec, Values

UNKNOWN = M("The chosen record does not exist, or you may not see it.")
UNFIT = M("This record cannot be chosen here.")


def check_choices(
    spec: FormSpec,
    before: Values | None,
    after: Values,
    given: Given,
    links: Links,
    context: Context,
    how: How,
) -> list[Problem]:
    """The problems of relations that somebody newly set; what another record brought along is not asked."""
    problems = []
    for at, field, value in _newly_set(spec, before or {}, after, given):
        assert field.relation is not None
        record = links.records.get((field.relation.form, value))
        if record is None or (not how.free and not record["_seen"]) or record["deleted_at"] is not None:
            problems.append(Problem("unknown_record", at, UNKNOWN))
        elif field.relation.where and not how.trusted and not _fits(field, record, context):
            problems.append(Problem("unfit_record", at, UNFIT))
    return problems


def drop_unseen(spec: FormSpec, before: Values | None, values: Values, given: Given, links: Links) -> None:
    """Take out newly chosen records that the person may not see, before anything is calculated from them."""
    for at, field, value in list(_newly_set(spec, before or {}, values, given)):
        assert field.relation is not None
        record = links.records.get((field.relation.form, value))
        if record is None or not record["_seen"]:
            parts = at.split(".")
            row = values if len(parts) == 1 else values[parts[0]][int(parts[1])]
            row[field.key] = None
            given.problems.append(Problem("unknown_record", at, UNKNOWN))


def _fits(field: Field, record: Mapping[str, Any], context: Context) -> bool:
    assert field.relation is not None and field.relation.where
    try:
        wanted = permits.condition(get_form(field.relation.form), field.relation.where)
        return wanted.evaluate(record, context) is True
    except EvaluationError:
        return False


def _newly_set(
    spec: FormSpec, before: Values, after: Values, given: Given
) -> Iterator[tuple[str, Field, int]]:
    for each in spec.fields.values():
        chosen = each.relation and each.key in given.keys
        if chosen and after.get(each.key) not in (None, before.get(each.key)):
            yield each.key, each, int(after[each.key])
        pointing = [c for c in each.children if c.relation]
        if not pointing:
            continue
        was = {line["id"]: line for line in before.get(each.key) or ()}
        keys = given.line_keys.get(each.key, ())
        for index, (line, named) in enumerate(zip(after.get(each.key) or (), keys, strict=False)):
            old = was.get(line.get("id"), {})
            for column in pointing:
                if column.key in named and line.get(column.key) not in (None, old.get(column.key)):
                    yield f"{each.key}.{index}.{column.key}", column, int(line[column.key])
