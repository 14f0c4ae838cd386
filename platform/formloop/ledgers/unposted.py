"""What is not entered yet of the days that somebody is about to close: documents in a state before the one that posts."""

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import takewhile
from typing import Any

from formloop.access.actor import Actor
from formloop.core.expression.nodes import Name
from formloop.definitions import library
from formloop.forms import listing, permits
from formloop.forms.filters import Filter
from formloop.forms.kind import get_form
from formloop.forms.list_query import address_args
from formloop.forms.listing import Query
from formloop.forms.spec import FormSpec
from formloop.ledgers import periods
from formloop.ledgers.kind import get_ledger
from formloop.ledgers.spec import PostingSpec


@dataclass(frozen=True, slots=True)
class Waiting:
    """The documents of one form that wait: how many (10,001 means more), and the address arguments of their list."""

    form: FormSpec
    count: int
    args: dict[str, Any]


def list_waiting(actor: Actor, calendar: str, through: date) -> list[Waiting]:
    """By form, what of the days up to `through` that are open this person sees waiting; forms where nothing does left out."""
    closed = periods.closed_through(calendar)
    seen = [
        (get_form(posting.form), _query(posting, field, closed, through))
        for posting, field in _dated(calendar).values()
        if _sees(actor, get_form(posting.form), field)
    ]
    counts = listing.count_each(actor, seen)
    found = [
        Waiting(form, count, address_args(query))
        for (form, query), count in zip(seen, counts, strict=True)
        if count
    ]
    return sorted(found, key=lambda each: each.form.key)


def _sees(actor: Actor, form: FormSpec, field: str) -> bool:
    """Whether the person may see which days the documents are of."""
    permit = permits.find_permit(actor, "view", form)
    return permit is not None and field in permit.anywhere


def _dated(calendar: str) -> dict[str, tuple[PostingSpec, str]]:
    """By form, its first posting of the calendar whose day is a field of the record, and that field."""
    found = dict[str, tuple[PostingSpec, str]]()
    for posting in library.all_published("posting"):
        tree = posting.date.tree if posting.date else None
        mine = calendar in {get_ledger(key).calendar for key in posting.ledgers}
        if mine and isinstance(tree, Name) and len(tree.path) == 1:
            found.setdefault(posting.form, (posting, tree.path[0]))
    return found


def _query(posting: PostingSpec, field: str, closed: date | None, through: date) -> Query:
    """The list of what waits: its states are those that stand before the one that posts."""
    before = list(takewhile(lambda state: state != posting.state, get_form(posting.form).states))
    since = (closed + timedelta(days=1)).isoformat() if closed else ""
    days = Filter(field, "between", since, through.isoformat()) if since else None
    return Query(
        filters=(Filter("state", "any_of", before), days or Filter(field, "at_most", through.isoformat()))
    )
