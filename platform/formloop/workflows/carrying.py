"""A record that the ledgers try goes through its workflow first: what that prepares is what its entries are made of."""

from collections.abc import Sequence

from formloop.access.actor import Actor
from formloop.core.errors import FormloopError, Invalid, Problem
from formloop.core.text import Message
from formloop.db import Part, connection
from formloop.events import reasons
from formloop.forms import permits, rows
from formloop.forms.kind import get_form
from formloop.forms.names import context_of
from formloop.forms.spec import Values
from formloop.ledgers import trials
from formloop.workflows import cases, in_use, refusals
from formloop.workflows.kind import find_workflow
from formloop.workflows.played import Played, begin
from formloop.workflows.playing import Stage
from formloop.workflows.plays import Deed, Next, Open, Play
from formloop.workflows.simulation import agree
from formloop.workflows.timeline import NOBODY

OWN_SECONDS = 20.0  # of whoever may submit it: as long as submitting may take; others stop where plays do


def start() -> None:
    """Let records that are tried go their way; doing it twice counts once."""
    if carry not in trials.ways:
        trials.ways.append(carry)
        trials.tellers.append(tell)


def carry(actor: Actor, form: str, record: Values) -> None:
    """Submit a record that nobody has submitted yet, in the open transaction, as if whoever is asked agreed.

    Raises what would refuse it. Where an answer needs more than a yes it goes as far as it goes without people.
    """
    is_free = record["state"] in in_use.free_states(get_form(form))
    if find_workflow(form) is None or not is_free or cases.find_open(form, record["id"]) is not None:
        return
    if actor.person_id is None:
        return
    try:
        played = _play(actor, form, record["id"], agree)
        if isinstance(played, Invalid):
            played = _play(actor, form, record["id"], _nobody_answers)
    except FormloopError as error:
        problems = error.problems if isinstance(error, Invalid) else []
        raise Invalid(problems or [Problem("refused", "", error.message)]) from error
    if isinstance(played, Invalid):
        raise played
    if played.problems:
        raise Invalid([Problem("long", "", each) for each in played.problems])
    if played.status == "stuck":
        raise Invalid([Problem("stuck", "", _stopped_by(form, record["id"]))])


def _play(actor: Actor, form: str, record: int, follow: Next) -> Played | Invalid:
    """How it goes; or why an answer of somebody is refused, and then nothing of it has happened."""
    played = Played()
    wanted = Play(form, actor.person_id or 0, follow, record)
    workflow = find_workflow(form)
    seconds = OWN_SECONDS if _is_theirs(actor, form, record) else None
    try:
        with Part():
            Stage(wanted, workflow.key if workflow else "", begin(), seconds).play(played)
    except Invalid as error:
        if not played.waiting:
            raise
        return error
    return played


def _nobody_answers(waiting: Sequence[Open]) -> Deed | None:
    return None


def tell(actor: Actor, form: str, record: int, error: Invalid) -> list[Problem]:
    """Why it is refused; whoever may not bring the record there either is told only what they may see."""
    if _is_theirs(actor, form, record):
        return list(error.problems)
    return [Problem("refused", "", each) for each in refusals.said(actor, error)]


def _is_theirs(actor: Actor, form: str, record: int) -> bool:
    """Whether they may submit this record, or change it where it has no workflow."""
    spec, action = get_form(form), "edit" if find_workflow(form) is None else "submit"
    permit = permits.find_permit(actor, action, spec)
    if permit is None:
        return False
    return record in rows.load(connection(), spec, [record], permit.where(context_of(actor)))


def _stopped_by(form: str, record: int) -> Message:
    """Why its case cannot go on, as whoever waits for it is told."""
    running = cases.find_open(form, record)
    notes = cases.list_notes(running.id) if running is not None else []
    said = [each.detail.get("reason") for each in notes if each.action == "stuck"]
    return reasons.Kept(said[-1]) if said and said[-1] else NOBODY
