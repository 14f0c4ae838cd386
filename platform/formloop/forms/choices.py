"""Whether what a relation was set to may be chosen: it exists, may be seen, is not deleted, fits the condition."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from formloop.access.actor import Actor
from formloop.core.errors import Invalid, Problem
from formloop.core.expression import Context
from formloop.core.text import M
from formloop.forms.drafts import How
from formloop.forms.elsewhere import fits
from formloop.forms.engine import Given, laid_over, read_given
from formloop.forms.links import Links
from formloop.forms.spec import Field, FormSpec, Values
from formloop.forms.writing import Work

Choice = tuple[str, Field, int, bool]  # place, field, id; chosen anew, or only what it hangs on changed
UNKNOWN = M("The chosen record does not exist, or you may not see it.")
UNFIT = M("This record cannot be chosen here.")


def check_fitting(spec: FormSpec, work: Sequence[Work], links: Links, context: Context, how: How) -> None:
    """The problems of relations that somebody set, or set what they hang on, and whose condition does not hold.

    What another record brought along is not asked.
    """
    if how.free or how.restores:
        return
    asked = [list(_asked(spec, each.before or {}, each.after, each.given)) for each in work]
    _fetch(links, chain.from_iterable(asked))
    for each, places in zip(work, asked, strict=True):
        for at, field, value, _ in places:
            assert field.relation is not None
            record = links.records.get((field.relation.form, value))
            if record and not fits(links.actor, spec, field, record, _row_of(each.after, at), context):
                each.problems.append(Problem("unfit_record", at, UNFIT))


def _fetch(links: Links, asked: Iterable[Choice]) -> None:
    """Fetch the chosen records that nothing but their choice reads: one query a form."""
    missing: dict[str, set[int]] = {}
    for _, field, value, _ in asked:
        assert field.relation is not None
        if (field.relation.form, value) not in links.records:
            missing.setdefault(field.relation.form, set()).add(value)
    for form, ids in missing.items():
        links.fetch(form, ids)


def check_standing(spec: FormSpec, values: Values, links: Links, context: Context) -> list[Problem]:
    """The relations of a record whose condition does not hold, or no longer."""
    problems = []
    for at, field in _conditional(spec, values):
        row = _row_of(values, at)
        record = links.records.get((field.relation.form, int(row[field.key]))) if field.relation else None
        if record is None or not fits(links.actor, spec, field, record, row, context):
            problems.append(Problem("unfit_record", at, UNFIT))
    return problems


def _conditional(spec: FormSpec, values: Values) -> Iterator[tuple[str, Field]]:
    for each in spec.relations:
        if each.relation and each.relation.where and values.get(each.key) is not None:
            yield each.key, each
    for each in spec.subforms:
        for column in each.pointing:
            if column.relation and column.relation.where:
                for index, line in enumerate(values.get(each.key) or ()):
                    if line.get(column.key) is not None:
                        yield f"{each.key}.{index}.{column.key}", column


def drop_unseen(
    spec: FormSpec, work: Sequence[tuple[Values | None, Values, Given]], links: Links, free: bool = False
) -> None:
    """Take out newly chosen records that are not there, or that the person may not see, before anything is calculated
    from them: a formula or a check would tell of them. It is a problem of what was given.

    `work` has of each record what stood there, what stands there now and what was given.
    """
    asked = [list(_asked(spec, before or {}, values, given)) for before, values, given in work]
    _fetch(links, chain.from_iterable(asked))
    for (_, values, given), places in zip(work, asked, strict=True):
        for at, field, value, anew in places:
            assert field.relation is not None
            record = links.records.get((field.relation.form, value))
            there = record is not None and (free or record["_seen"]) and record["deleted_at"] is None
            if anew and not there:
                parts = at.split(".")
                row = values if len(parts) == 1 else values[parts[0]][int(parts[1])]
                row[field.key] = None
                given.problems.append(Problem("unknown_record", at, UNKNOWN))


def require_seen(actor: Actor, spec: FormSpec, raw: Mapping[str, Any]) -> None:
    """Invalid where what somebody typed for a record that is not saved names records that are hidden from them."""
    given = read_given(spec, raw)
    values = laid_over(spec, None, given.values)
    drop_unseen(spec, [(None, values, given)], Links(actor, spec, [values]))
    if hidden := [each for each in given.problems if each.code == "unknown_record"]:
        raise Invalid(hidden)


def _row_of(values: Values, at: str) -> Values:
    """What `this` means at a place: the record, in lines with the line before it."""
    subform, _, rest = at.partition(".")
    return {**values, **values[subform][int(rest.partition(".")[0])]} if rest else values


def _asked(spec: FormSpec, before: Values, after: Values, given: Given) -> Iterator[Choice]:
    """The choices to look at."""
    for each in spec.relations:
        if why := _why(each, before, after, given.keys):
            yield each.key, each, int(after[each.key]), why == "anew"
    for each in spec.subforms:
        pointing = each.pointing
        was = {line["id"]: line for line in before.get(each.key) or ()} if pointing else {}
        keys = given.line_keys.get(each.key, ())
        for index, line in enumerate(after.get(each.key) or () if pointing else ()):
            named = keys[index] if index < len(keys) else frozenset()
            old = was.get(line.get("id"))
            older = {**before, **old} if old else {}
            for column in pointing:
                if why := _why(column, older, {**after, **line}, named):
                    yield f"{each.key}.{index}.{column.key}", column, int(line[column.key]), why == "anew"


def _why(field: Field, before: Values, after: Values, given: frozenset[str]) -> str | None:
    assert field.relation is not None
    if after.get(field.key) is None:
        return None
    if field.key in given and after[field.key] != before.get(field.key):
        return "anew"
    hangs = bool(before) and any(after.get(r) != before.get(r) for r in field.relation.reads)
    return "hangs" if hangs else None
