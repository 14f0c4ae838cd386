"""What a dataset keeps back from a person: the columns that would say nothing to them, and whether anything is missing.

A hidden cell counts as empty. Where that is so in every row, whatever is made of it would be wrong without a sign: a
sum of 0, a section chosen because nothing is known. Such columns are left out.
"""

from formloop.core.errors import Forbidden
from formloop.core.expression import Path
from formloop.datasets.spec import DatasetSpec, Origin, Part, Read, View
from formloop.forms.kind import get_form
from formloop.ledgers.kind import get_ledger
from formloop.ledgers.permits import find_permit


def partly_hidden(view: View, dataset: DatasetSpec) -> bool:
    """Whether rows or cells of some source are kept back from the person, so that totals may be incomplete."""
    joined = (join.origin for part in dataset.parts for join in part.joins)
    origins = (*(part.origin for part in dataset.parts), *joined)
    if any(_is_forbidden(view, each) or not each.whole(view) for each in origins):
        return True
    return not all(sees_all_of(view, read) for read in dataset.reads)


def _is_forbidden(view: View, origin: Origin) -> bool:
    try:
        origin.require(view)
    except Forbidden:
        return True
    return False


def sees_all_of(view: View, read: Read) -> bool:
    """Whether one of the person's grants shows a field, dimension or measure in every row there is."""
    name, path = read
    kind, _, key = name.rpartition(":")
    if kind == "ledger":
        ledger = get_ledger(key)
        of_ledger = [find_permit(view.actor, ledger, action) for action in view.actions]
        known = path in ledger.dimensions or path in ledger.measures
        return all(
            permit is not None
            and any(
                condition is None and (not known or grant.covers(path))
                for grant, condition in zip(permit.grants, permit.conditions, strict=True)
            )
            for permit in of_ledger
        )
    spec = get_form(name)
    permits = view.permits(spec)
    known = spec.find(path) is not None
    return permits is not None and all(
        any(
            condition is None and (not known or path in reach)
            for reach, condition in zip(permit.reach, permit.conditions, strict=True)
        )
        for permit in permits
    )


def closed(view: View, dataset: DatasetSpec) -> frozenset[str]:
    """The columns made of what the person may see in no row at all, with what is made of these."""
    hidden = {key for key in dataset.inner if _is_closed(view, dataset, key)}
    if dataset.group is not None:
        reading = {key for key, each in dataset.measures.items() if hidden & {path[0] for path in each.reads}}
        hidden = hidden.intersection(dataset.group) | reading
    return frozenset(hidden | {key for key, each in dataset.running.items() if each.of in hidden})


def _is_closed(view: View, dataset: DatasetSpec, key: str) -> bool:
    """Whether some part would say something there, and none of them does; a part that only names a value says nothing."""
    told = [_tells(view, part, key) for part in dataset.parts]
    return False in told and True not in told


def _tells(view: View, part: Part, key: str) -> bool | None:
    """Whether the person is told what a column of a part is made of; None where it reads nothing."""
    said = part.columns.get(key)
    if said is None:
        return None
    joined = {join.name: join.origin for join in part.joins}
    asked = [
        _hides(view, joined[path[0]], path[1:]) if path[0] in joined else _hides(view, part.origin, path)
        for path in said.reads
        if path[0] in joined or path[0] in part.origin.names
    ]
    return not any(asked) if asked else None


def _hides(view: View, origin: Origin, path: Path) -> bool:
    """Whether what stands at a path of a source is hidden from the person in every row."""
    return bool(path) and (_is_forbidden(view, origin) or origin.closed(view, path))


def shows_nowhere(view: View, read: Read) -> bool:
    """Whether a field of a form is shown to the person in no row."""
    name, path = read
    spec = get_form(name)
    permits = view.permits(spec)
    if permits is None:
        return True
    return spec.find(path) is not None and any(path not in permit.anywhere for permit in permits)
