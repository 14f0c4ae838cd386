"""What a record would enter, before it does: nothing of it stays.

The record goes its way first, as far as it goes: what its workflow prepares is what its entries are made of.
"""

from collections.abc import Mapping
from typing import Any

from formloop.access.actor import SYSTEM, Actor
from formloop.core.definitions import Doc
from formloop.core.errors import Invalid
from formloop.db import undone
from formloop.definitions import library
from formloop.forms import reads
from formloop.forms import service as records
from formloop.forms.spec import Values
from formloop.ledgers import resting, reversing, trials
from formloop.ledgers.drafting import Seen, draft_sheets
from formloop.ledgers.engine import Sheet
from formloop.ledgers.service import book_of, group_of, postings_of
from formloop.ledgers.spec import PostingSpec


def preview(actor: Actor, form: str, record: Values, draft: Doc | None = None) -> list[Sheet]:
    """The entries that a record would make now; nothing is written. Invalid when it would be refused.

    `draft` is a posting to try before it is published.
    """

    def try_now() -> list[Sheet]:
        if draft is not None:
            entry = library.find_entry("posting", draft["x-key"])
            library.overlay().put("posting", draft["x-key"], draft, entry.version if entry else 0)
        return _try(actor, form, record)

    return undone(try_now)


def preview_given(actor: Actor, form: str, raw: Mapping[str, Any], record: int | None) -> list[Sheet]:
    """The entries that a record would make if it were saved with these values; nothing is saved or written."""

    def try_given() -> list[Sheet]:
        if record is None:
            saved = records.create(actor, form, raw)
        else:
            saved = records.change_record(actor, form, record, raw)
        return _try(actor, form, saved)

    return undone(try_given)


def _try(actor: Actor, form: str, record: Values) -> list[Sheet]:
    """What it would enter; Invalid says no more than the actor may know."""
    try:
        return _entered(actor, form, record)
    except Invalid as error:
        raise Invalid(trials.told(actor, form, record["id"], error)) from error


def _entered(actor: Actor, form: str, record: Values) -> list[Sheet]:
    """What it enters on its way, and what its other postings would enter of it as it then is."""
    with trials.watched(form, record["id"]) as trial:
        for way in trials.ways:
            way(actor, form, record)
    postings = postings_of(form)
    rest = [each for each in postings if each.key not in trial.sheets]
    if rest:
        record = reads.look(SYSTEM, form, record["id"]).record
    seen = Seen(rest, [(form, record)])
    entered = {**trial.sheets, **{each.key: _enter(actor, each, record, seen) for each in rest}}
    return [sheet for posting in postings for sheet in entered[posting.key]]


def _enter(actor: Actor, posting: PostingSpec, record: Values, seen: Seen) -> list[Sheet]:
    """What a posting would enter of a record as it is, in whatever state."""
    _take_back(actor, posting, record["id"])
    sheets = [sheet for sheet in draft_sheets(posting, actor, [record], seen) if sheet.slots]
    if not sheets:
        return []
    book = book_of(actor, posting)
    book.groups = [group_of(posting, sheet, record, len(sheets)) for sheet in sheets]
    book.groups[0].source += ":tried"
    book.post()
    resting.require_still(book)
    return [group.sheet for group in book.groups]


def _take_back(actor: Actor, posting: PostingSpec, record: int) -> None:
    """Undo what a record has entered, so that it is tried as if it came only now."""
    book = book_of(actor, posting)
    book.undone = [
        head for head in reversing.list_posted(posting, [record]).get(record, ()) if not head.undone
    ]
    if book.undone:
        book.post()
