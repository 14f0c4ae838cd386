"""Changing many records at once: the good ones are saved, the others left alone and reported with their reasons."""

from collections.abc import Callable, Mapping
from typing import Any

from formloop.access.actor import Actor
from formloop.core.errors import FormloopError, Invalid, Problem
from formloop.core.text import M
from formloop.forms import purging, service

MOST = 1_000
Chosen = Mapping[int, int | None]  # records, each with the revision in which it was seen
Done = tuple[int, list[Problem]]  # how many were changed, and why each other one was not; `at` is its id


def change_records(actor: Actor, form: str, chosen: Chosen, raw: Mapping[str, Any]) -> Done:
    """Give fields of many records the same values; those that somebody changed since they were seen stay."""
    return _each(chosen, lambda record, revision: service.change_record(actor, form, record, raw, revision))


def delete_records(actor: Actor, form: str, chosen: Chosen) -> Done:
    """Put many records into the recycle bin; those that somebody changed since they were seen stay."""
    return _each(chosen, lambda record, revision: service.delete_record(actor, form, record, revision))


def restore_records(actor: Actor, form: str, chosen: Chosen) -> Done:
    """Take many records out of the recycle bin."""
    return _each(chosen, lambda record, _: service.restore_record(actor, form, record))


def purge_records(actor: Actor, form: str, chosen: Chosen) -> Done:
    """Take many records out of the recycle bin for ever."""
    return _each(chosen, lambda record, _: purging.purge_record(actor, form, record))


def _each(chosen: Chosen, work: Callable[[int, int | None], object]) -> Done:
    """One transaction a record, so that a refusal of one undoes nothing of the others; Invalid for too many."""
    if len(chosen) > MOST:
        raise Invalid([Problem("many", "id", M("At most {count} records at once.", count=MOST))])
    done, failed = 0, list[Problem]()
    for record, revision in chosen.items():
        try:
            work(record, revision)
            done += 1
        except FormloopError as error:
            failed.append(Problem(error.code, str(record), error.message))
    return done, failed
