"""What the values of dimensions are called."""

from collections.abc import Iterable
from typing import Any

from formloop.access.actor import SYSTEM, Actor
from formloop.core.text import M, Message, Titled
from formloop.db import reading
from formloop.forms.kind import get_form
from formloop.forms.listing import titles_of
from formloop.ledgers.engine import Slot
from formloop.ledgers.spec import Dims, LedgerSpec, PostingSpec

Titles = dict[tuple[str, Any], str]


def titles(ledger: LedgerSpec, all_dims: Iterable[Dims], actor: Actor = SYSTEM) -> Titles:
    """The titles of the records that these dimensions name, by dimension and value; one query for each form."""
    wanted: dict[str, set[int]] = {}
    found: Titles = {}
    for dims in all_dims:
        for key, value in dims.items():
            if value and ledger.dimensions[key].forms:
                wanted.setdefault(key, set()).add(int(value))
            else:
                found[key, value] = str(value or "")
    with reading() as conn:
        for key, ids in wanted.items():
            named = dict.fromkeys(ids, "")
            for form in ledger.dimensions[key].forms:
                named |= titles_of(conn, get_form(form), ids, actor)
            found |= {(key, each): title or f"#{each}" for each, title in named.items()}
    return found


def called(ledger: LedgerSpec, dims: Dims) -> str:
    """The names of dimensions that are not empty, separated by strokes."""
    found = titles(ledger, [dims])
    return " / ".join(found[key, value] for key, value in dims.items() if value)


def is_empty(posting: PostingSpec, slot: Slot, key: str) -> Message:
    """That a dimension is empty, and which of the settings could have said it."""
    dimension, expression = slot.ledger.dimensions[key], slot.rule.dims.get(key)
    form = get_form(posting.settings) if posting.settings else None
    read = sorted(path[1] for path in expression.reads if path[0] == "settings") if expression else []
    field = (
        next((form.fields[name] for name in read if not form.fields[name].children), None) if form else None
    )
    if form is None or field is None:
        return M("“{dimension}” is empty.", dimension=dimension.title)
    return M(
        "“{dimension}” is empty. Say it in the document, or fill in “{field}” under “{settings}”.",
        dimension=dimension.title,
        field=Titled(field.schema, field.key),
        settings=Titled(form.document, form.key),
    )
