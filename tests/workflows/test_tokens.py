"""Whatever people do to whatever workflow: tokens are conserved, refusals change nothing, and it can always end."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from formloop.core.definitions import check_schema_of
from formloop.core.errors import FormloopError
from formloop.workflows.engine import advance, list_targets
from formloop.workflows.kind import WORKFLOW
from formloop.workflows.nodes import plan
from formloop.workflows.state import ENDED, Event, Token
from workflows.generated import ASKING, Desk, answer, check, failure, numbered, often_asking, waits
from workflows.specimens import PEOPLE, Paper, Play, prepared, workflow_doc

DEEDS = ("approve", "approve", "take_back", "take_back", "reject", "return", "transfer", "add_signer", "withdraw", "urge", "comment", "copy",
         "submit", "resume", "skip", "reassign", "end", "void", "reactivate", "assign", "due", "done", "failed", "take_back", "restart")  # fmt: skip
FINAL = ("withdraw", "end", "void")


@pytest.fixture(scope="module", autouse=True)
def no_plans() -> Iterator[None]:
    """What a plan gives back is read from what is published; here that is nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "published", SimpleNamespace(find_published=lambda kind, key: None))
        yield


def happen(play: Play, desk: Desk, event: Event) -> bool:
    """Let an event happen, with its task taken as the service does; False when it is refused."""
    try:
        state, effects = advance(play.workflow, play.state, event, play.world)
    except FormloopError:
        return False  # tests/workflows/test_machine.py looks at what is left then
    taken = play.state.seat_of(event.by, event.round)
    if taken and event.action in ("approve", "reject", "return", "transfer", "add_signer"):
        desk.open.discard((taken[0].at, taken[1].round, taken[1].person))
    if event.action == "submit":
        desk.open = {task for task in desk.open if task[0]}
    play.state, play.effects = state, effects
    desk.take(play)
    check(play, desk)
    return True


def deed(draw: Any, play: Play) -> Event:
    """Something somebody might try, in place or not."""
    action = draw(some.sampled_from(DEEDS))
    people = some.sampled_from(list(PEOPLE.values()))
    leaves = play.state.leaves
    if action in ("due", "done", "failed"):
        waiting = [t for t in leaves if waits(t, play)]
        if action == "failed":
            asking = [t for t in waiting if play.workflow.steps[t.at].node.name in ASKING]
            return failure(draw(some.sampled_from(asking or [Token(99, "")])))
        if action == "done" and waiting:
            return answer(draw(some.sampled_from(waiting)), play)
        round = draw(some.sampled_from([t.round for t in leaves] or [99]))
        return Event("due", None, round=round, values={"what": "0"})
    asked = [s.person for s in play.state.seats if s.state == "open"]
    by = draw(some.sampled_from(asked)) if asked and draw(some.integers(0, 3)) else draw(people)
    if action == "take_back" and play.state.passed:
        by = draw(some.sampled_from([*play.state.hands[play.state.passed[-1]], by]))
    if action in ("submit", "withdraw", "urge"):
        by = play.state.initiator
    to: Any = None
    if action == "return":
        found = play.state.seat_of(by)
        to = draw(
            some.sampled_from([*list_targets(play.workflow, play.state, found and found[0]), "nowhere"])
        )
    elif action in ("transfer", "add_signer", "reassign", "assign"):
        to = draw(people)
    elif action == "copy":
        to = [draw(people)]
    elif action in ("resume", "reactivate"):
        to = draw(some.sampled_from([None, *play.workflow.steps]))
    how = draw(some.sampled_from(["before", "after", "beside"])) if action == "add_signer" else ""
    if action == "return":
        how = draw(some.sampled_from(["", "again", "back"]))
    return Event(action, by, "because", to, how, values={"person": draw(people)})


def finish(play: Play, desk: Desk) -> None:
    """Everybody agrees, every time comes, whatever is stuck is passed over: the case must end."""
    for _ in range(2_000):
        state = play.state
        if state.status in ENDED:
            return
        if state.status == "returned":
            happen(play, desk, Event("submit", state.initiator))
            continue
        asked = [s for t in state.leaves for s in t.seats if s.state == "open"]
        waiting = [t for t in state.leaves if waits(t, play)]
        if asked:
            assert happen(play, desk, Event("approve", asked[0].person, round=asked[0].round))
        elif waiting:
            assert happen(play, desk, answer(waiting[0], play))
        else:
            assert happen(play, desk, Event("skip", PEOPLE["eve"], "stuck for good"))
    raise AssertionError(f"it never ends: {play.state}")


@settings(max_examples=150, deadline=None)
@given(often_asking(), some.integers(0, 10), some.data())
def test_tokens_are_conserved_and_every_case_can_end(found: Any, amount: int, data: Any) -> None:
    documents = numbered(found, (f"s{n}" for n in range(10_000)))
    assert check_schema_of(workflow_doc(*documents), WORKFLOW) == []
    workflow = prepared(*documents)
    play, desk = Play(workflow, Paper({"amount": amount, "items": ["a", "b"]})), Desk()
    assert happen(play, desk, Event("submit", PEOPLE["ann"]))
    for _ in range(data.draw(some.integers(0, 15))):
        event = deed(data.draw, play)
        if event.action not in FINAL or data.draw(some.integers(0, 5)) == 0:
            happen(play, desk, event)
    ended = play.state.status
    finish(play, desk)
    assert play.state.status == (ended if ended in ENDED else "approved")
