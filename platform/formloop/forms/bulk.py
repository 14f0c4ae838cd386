"""Changing many records at once: the good ones are saved, the others reported with their reasons."""

from collections.abc import Callable

from formloop.access.actor import Actor
from formloop.core.errors import FormloopError, Invalid, Problem
from formloop.forms import purging, service
from formloop.forms.kind import get_form
from formloop.forms.service import Draft
from formloop.forms.spec import no_such_field

MOST = 1_000


def set_field(actor: Actor, form: str, ids: list[int], key: str, raw: str) -> tuple[int, list[Problem]]:
    """Give one field of many records the same value; returns how many were changed, and what went wrong."""
    if key not in get_form(form).fields:
        raise Invalid([no_such_field(key)])
    drafts = [Draft({key: raw}, id) for id in ids[:MOST]]
    outcomes = service.save_many(actor, form, drafts, all_or_nothing=False)
    failed = [each.problems[0] for each in outcomes if each.problems]
    return len(outcomes) - len(failed), failed


def delete_records(actor: Actor, form: str, ids: list[int]) -> tuple[int, list[Problem]]:
    """Put many records into the recycle bin."""
    return _each(ids, lambda record: service.delete_record(actor, form, record))


def restore_records(actor: Actor, form: str, ids: list[int]) -> tuple[int, list[Problem]]:
    """Take many records out of the recycle bin."""
    return _each(ids, lambda record: service.restore_record(actor, form, record))


def purge_records(actor: Actor, form: str, ids: list[int]) -> tuple[int, list[Problem]]:
    """Take many records out of the recycle bin for ever."""
    return _each(ids, lambda record: purging.purge_record(actor, form, record))


def _each(ids: list[int], work: Callable[[int], None]) -> tuple[int, list[Problem]]:
    done, failed = 0, list[Problem]()
    for record in ids[:MOST]:
        try:
            work(record)
            done += 1
        except FormloopError as error:
            failed.append(Problem(error.code, str(record), error.message))
    return done, failed
