"""What cases hear from outside: a time has come, a record has changed, another case has ended, an address answered."""

from collections.abc import Mapping
from typing import Any

from formloop.access.actor import SYSTEM
from formloop.bridges import outbound
from formloop.core.text import M
from formloop.db import transactional
from formloop.events import outbox
from formloop.events.outbox import Delivery, DeliveryError, Topic
from formloop.workflows import cases, watching
from formloop.workflows.nodes.http import IDEMPOTENT
from formloop.workflows.state import Event
from formloop.workflows.turn import turn_on
from formloop.workflows.turning import carry_out
from formloop.workflows.working import HTTP_TOPIC

TRIES = 5  # of an address that does not answer; then the step hears that it failed


def start() -> None:
    """Deliver what cases are to hear; doing it twice counts once."""
    if watching.TOPIC not in outbox.topics:
        outbox.topics.add(watching.TOPIC, Topic(_deliver, atomic=True, title=M("Approvals")))
        outbox.topics.add(HTTP_TOPIC, Topic(_call, ordered=False, title=M("Calls of approvals")))
    watching.start()


@transactional
def hear(case: int, round: int, action: str, values: Mapping[str, Any], version: int | None = None) -> None:
    """Let a step hear of something; one that waits no longer hears nothing.

    `version` is that of the workflow which a time was set by: one the case has moved away from counts no more.
    """
    found = cases.lock_case(case)
    if found is None or version not in (None, found.version):
        return
    turn = turn_on(SYSTEM, found)
    if turn.state.find_token(round) is None:
        watching.forget(case, round)
        return
    carry_out(turn, Event(action, None, round=round, values=values), found.revision)


def _deliver(delivery: Delivery) -> None:
    hear_of(delivery.payload)


def hear_of(told: Mapping[str, Any]) -> None:
    """Let a step hear of what a message of the outbox tells."""
    hear(told["case"], told["round"], told["action"], told["values"], told.get("version"))


def _call(delivery: Delivery) -> None:
    """Call an address outside of any transaction, then let the step hear the answer.

    Where a second call could do harm, one that may have arrived is never tried again: a person sees to it.
    """
    asked = delivery.payload
    once = not asked.get("idempotent", asked["method"] in IDEMPOTENT)
    try:
        if once and delivery.lost:
            raise DeliveryError(M("Its worker ended unexpectedly."), unknown=True)
        key = asked.get("key", delivery.msg_id)
        answer = outbound.call(asked["method"], asked["url"], asked["body"], key, once)
    except DeliveryError as error:
        if not (error.permanent or error.unknown) and delivery.attempts < TRIES:
            raise
        reason = M("{reason} It may have arrived; look there before you try again.", reason=error.text)
        hear(asked["case"], asked["round"], "failed", {"reason": reason if error.unknown else error.text})
        return
    hear(asked["case"], asked["round"], "done", {"status": answer.status, "body": answer.body})
