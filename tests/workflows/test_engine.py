"""The engine on paper: who is asked, where the case goes, and what is refused."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from formloop.core.errors import Conflict, Forbidden, Invalid
from formloop.events import reasons
from formloop.workflows import walk
from formloop.workflows.engine import find_refusal, list_targets
from formloop.workflows.reading import build
from formloop.workflows.spec import Visit
from formloop.workflows.state import Ask, CancelOpen, Event, Note, SetState, State, Tell, Work
from workflows.specimens import PEOPLE, Paper, Play, approval, prepared, request_form, workflow_doc

END = {"id": "done", "node": "end", "state": "confirmed"}
BOB, CHO, DEE = PEOPLE["bob"], PEOPLE["cho"], PEOPLE["dee"]


def test_submitting_moves_the_record_into_review_and_asks_the_first_people() -> None:
    play = Play(prepared(approval("one", "bob", "cho"), END)).do("submit")
    assert SetState("review") in play.effects
    assert play.asked() == [BOB, CHO]
    assert (play.state.status, play.state.at) == ("open", "one")


def test_any_one_of_several_may_decide_and_the_others_are_no_longer_asked() -> None:
    play = Play(prepared(approval("one", "bob", "cho"), END)).do("submit").do("approve", "cho")
    assert CancelOpen() in play.effects
    assert SetState("confirmed") in play.effects
    assert play.state.status == "approved"


def test_all_must_decide_before_the_case_goes_on() -> None:
    play = Play(prepared(approval("one", "bob", "cho", mode="all"), END)).do("submit").do("approve", "bob")
    assert play.asked() == [CHO]
    assert play.do("approve", "cho").state.status == "approved"


def test_in_turn_the_next_is_asked_when_the_one_before_has_agreed() -> None:
    play = Play(prepared(approval("one", "bob", "cho", "dee", mode="in_turn"), END)).do("submit")
    assert play.asked() == [BOB]
    play.do("approve", "bob")
    assert [e.person for e in play.effects if isinstance(e, Ask)] == [CHO]
    assert play.do("approve", "cho").do("approve", "dee").state.status == "approved"


def test_somebody_chosen_by_two_rules_is_asked_once_for_the_first_reason() -> None:
    who = [{"rule": "people", "people": ["bob"]}, {"rule": "people", "people": ["bob", "cho"]}]
    play = Play(prepared(approval("one", "bob", who=who), END)).do("submit")
    assert play.asked() == [BOB, CHO]
    assert play.state.seats[0].why == who[0]


def fork(*branches: dict[str, Any]) -> dict[str, Any]:
    return {"id": "size", "node": "condition", "branches": list(branches)}


LARGE = {"id": "large", "when": "amount >= 50000", "steps": [approval("boss", "dee")]}


@pytest.mark.parametrize(
    ("amount", "branches", "lands"),
    [
        (60_000, [LARGE], "boss"),
        (10, [LARGE], "after"),
        (10, [LARGE, {"id": "small", "steps": [approval("clerk", "cho")]}], "clerk"),
        (60_000, [LARGE, {"id": "small", "steps": [approval("clerk", "cho")]}], "boss"),
        (None, [LARGE, {"id": "small", "steps": []}], "after"),
    ],
)
def test_a_condition_takes_the_first_branch_that_holds(amount: Any, branches: Any, lands: str) -> None:
    workflow = prepared(fork(*branches), approval("after", "bob"), END)
    assert Play(workflow, Paper({"amount": amount})).do("submit").state.at == lands


def test_a_branch_goes_on_behind_its_condition() -> None:
    workflow = prepared(fork(LARGE), approval("after", "bob"), END)
    assert Play(workflow, Paper({"amount": 60_000})).do("submit").do("approve", "dee").state.at == "after"


def test_a_condition_that_cannot_be_calculated_stops_the_case_with_its_reason() -> None:
    bad = {"id": "bad", "when": "1 / amount > 2", "steps": []}
    play = Play(prepared(fork(bad), END), Paper({"amount": 0})).do("submit")
    assert play.state.status == "stuck"
    assert any(isinstance(e, Note) and "zero" in e.detail.get("reason", "") for e in play.effects)


def test_a_copy_tells_people_without_waiting() -> None:
    tell = {"id": "tell", "node": "copy", "who": [{"rule": "people", "people": ["cho"]}]}
    play = Play(prepared(tell, END)).do("submit")
    assert [e.person for e in play.effects if isinstance(e, Tell)] == [CHO]
    assert play.state.status == "approved"


def test_without_an_end_the_record_gets_the_state_for_approved() -> None:
    play = Play(prepared(approval("one", "bob"))).do("submit").do("approve", "bob")
    assert SetState("confirmed") in play.effects


@pytest.mark.parametrize(
    ("nobody", "status", "at"),
    [("pass", "open", "two"), ("stop", "stuck", "one"), ({"person": "dee"}, "open", "one")],
)
def test_when_nobody_is_found(nobody: Any, status: str, at: str) -> None:
    play = Play(prepared(approval("one", "nobody", nobody=nobody), approval("two", "bob"))).do("submit")
    assert (play.state.status, play.state.at) == (status, at)


def test_a_stuck_case_goes_on_once_somebody_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    play = Play(prepared(approval("one", "new"))).do("submit")
    monkeypatch.setitem(PEOPLE, "new", 9)
    assert play.do("resume").asked() == [9]


def test_rejecting_needs_a_reason_and_ends_the_case() -> None:
    play = Play(prepared(approval("one", "bob", "cho"))).do("submit")
    with pytest.raises(Invalid):
        play.do("reject", "bob", "  ")
    play.do("reject", "bob", "too dear")
    assert play.state.status == "rejected"
    assert {SetState("rejected"), CancelOpen()} <= set(play.effects)


def test_returning_to_the_initiator_gives_the_record_back() -> None:
    play = Play(prepared(approval("one", "bob"))).do("submit").do("return", "bob", "fix it", "initiator")
    assert play.state.status == "returned"
    assert SetState("draft") in play.effects
    assert [e.person for e in play.effects if isinstance(e, Ask)] == [PEOPLE["ann"]]
    assert play.do("submit").asked() == [BOB]


def test_returning_goes_to_the_previous_or_to_any_step_that_was_passed() -> None:
    workflow = prepared(approval("one", "bob"), approval("two", "cho"), approval("three", "dee"))
    play = Play(workflow).do("submit").do("approve", "bob").do("approve", "cho")
    assert list_targets(workflow, play.state, play.state.leaves[0]) == ["initiator", "previous", "one", "two"]
    assert play.do("return", "dee", "fix it", to="previous").state.at == "two"
    assert play.do("return", "cho", "fix it", to="one").state.at == "one"
    assert list_targets(workflow, play.state, play.state.leaves[0]) == ["initiator"]


def test_withdrawing_is_possible_until_somebody_has_decided() -> None:
    workflow = prepared(approval("one", "bob"), approval("two", "cho"))
    assert Play(workflow).do("submit").do("withdraw").state.status == "withdrawn"
    with pytest.raises(Conflict):
        Play(workflow).do("submit").do("approve", "bob").do("withdraw")
    with pytest.raises(Forbidden):
        Play(workflow).do("submit").do("withdraw", "bob")


def test_a_transfer_gives_the_seat_to_somebody_else() -> None:
    play = (
        Play(prepared(approval("one", "bob", "cho", mode="all"))).do("submit").do("transfer", "bob", to=DEE)
    )
    assert play.asked() == [DEE, CHO]
    with pytest.raises(Invalid):
        play.do("transfer", "cho", to=DEE)


@pytest.mark.parametrize("action", ["approve", "reject", "return", "transfer"])
def test_whoever_is_not_asked_decides_nothing(action: str) -> None:
    play = Play(prepared(approval("one", "bob"))).do("submit")
    assert isinstance(find_refusal(play.workflow, play.state, Event(action, DEE, "x", "initiator")), Conflict)


def test_a_step_offers_only_its_actions() -> None:
    play = Play(prepared(approval("one", "bob", actions=["approve", "reject"]))).do("submit")
    with pytest.raises(Forbidden):
        play.do("return", "bob", "fix it", to="initiator")


def test_nothing_can_be_decided_after_the_end() -> None:
    play = Play(prepared(approval("one", "bob"))).do("submit").do("approve", "bob")
    for action in ("approve", "reject", "withdraw", "submit", "transfer"):
        with pytest.raises(Conflict):
            play.do(action, "ann" if action in ("withdraw", "submit") else "bob")
    assert play.do("comment", "cho", "well done").state.status == "approved"


def test_a_state_survives_its_json() -> None:
    play = Play(prepared(approval("one", "bob", "cho", mode="in_turn"))).do("submit")
    assert State.from_json(json.loads(json.dumps(play.state.as_json()))) == play.state


@pytest.mark.parametrize("node", ["condition", "inclusive", "loop"])
def test_a_condition_that_no_longer_fits_says_so_in_words(node: str) -> None:
    """The field it reads was parked by a later version of the form."""
    inner = [approval("one", "bob")]
    ways = {"branches": [{"id": "if", "when": "lost > 1", "steps": inner}]}
    doc = {"id": "which", "node": node, "title": "Which way", **ways}
    if node == "loop":
        doc = {
            "id": "which",
            "node": node,
            "title": "Which way",
            "while": "lost > 1",
            "most": 2,
            "steps": inner,
        }
    workflow, problems = build(workflow_doc(doc), 1, request_form())
    assert problems
    play = Play(workflow).do("submit")
    (reason,) = [e.detail["reason"] for e in play.effects if isinstance(e, Note) and e.action == "stuck"]
    assert reasons.read(reason, "en") == "A condition of “Which way” no longer fits the forms."
    assert "lost" not in reason


def test_calculating_counts_towards_the_limit_of_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "MOST_STEPS", 20_000)
    sums = {"id": "sums", "node": "calculate", "values": {f"v{n}": "amount" for n in range(30)}}
    inner = {"id": "inner", "node": "loop", "while": "TRUE", "most": 1000, "steps": [sums]}
    play = Play(prepared(inner, approval("one", "bob")), Paper({"amount": 1})).do("submit")
    assert play.state.status == "stuck"
    loop, last = play.state.tokens
    assert (loop.memory["index"], last.at) == (646, "sums")  # 31 for each of its rounds


def test_steps_too_deep_inside_others_are_named_with_their_place() -> None:
    doc = approval("innermost", "bob")
    for n in range(13):
        doc = {
            "id": f"l{n}",
            "node": "loop",
            "title": f"Loop {n}",
            "while": "TRUE",
            "most": 1,
            "steps": [doc],
        }
    (problem,) = build(workflow_doc(doc), 1, request_form())[1]
    assert problem.at == "steps.0" + ".steps.0" * 13
    assert str(problem.message) == "“Innermost” stands too deep inside other steps: 12 levels are possible."


@pytest.mark.parametrize("more", [{"needs": ["signature"]}, {"fields": {"reason": "require"}}])
def test_who_agreed_before_is_asked_again_where_more_is_wanted_of_them(more: dict[str, Any]) -> None:
    workflow = prepared(
        approval("one", "bob"), approval("two", "bob", **more), approval("three", "bob"), repeated="any"
    )
    play = Play(workflow).do("submit").do("approve", "bob")
    assert play.places() == ["two"]
    assert play.do("approve", "bob", signed=True).state.status == "approved"


class NoHeadOfBob(Paper):
    def find_people(self, rule: Mapping[str, Any], visit: Visit) -> Sequence[int]:
        return [] if rule == {"rule": "head_of", "of": BOB} else super().find_people(rule, visit)


def test_who_has_no_head_keeps_what_is_due_and_the_history_says_so() -> None:
    due = {"after": "P1D", "then": [{"do": "escalate"}]}
    workflow = prepared(approval("one", "bob", "dee", mode="all", due=due))
    play = Play(workflow, NoHeadOfBob()).do("submit").hear("due", "one", what="0")
    assert play.asked() == [BOB, PEOPLE["eve"]]
    assert [(e.action, e.detail["people"]) for e in play.effects if isinstance(e, Note)] == [
        ("due_escalate", [DEE]),
        ("due_no_head", [BOB]),
    ]


BANK = {"id": "bank", "node": "http", "url": "https://bank.invalid/"}


def key_of(play: Play) -> Any:
    (work,) = [e for e in play.effects if isinstance(e, Work)]
    return work.values["key"]


def test_a_call_without_an_answer_is_tried_again_under_its_key_and_a_refused_one_under_a_new_one() -> None:
    play = Play(prepared(BANK)).do("submit")
    key = key_of(play)
    play.hear("failed", "bank", reason="timed out").do("resume")
    assert key_of(play) == key
    play.hear("done", "bank", status=403).do("resume")
    assert key_of(play) != key


def test_a_call_that_was_returned_meanwhile_comes_back_under_its_key() -> None:
    ways = [{"id": "a", "steps": [approval("one", "bob")]}, {"id": "b", "steps": [BANK]}]
    play = Play(prepared({"id": "both", "node": "parallel", "branches": ways})).do("submit")
    key = key_of(play)
    play.do("return", "bob", "the amount", to="initiator", how="back").do("submit")
    assert key_of(play) == key


TELL = {"id": "tell", "node": "copy", "who": [{"rule": "people", "people": ["eve"]}]}
CHOSEN = approval("two", who=[{"rule": "chosen", "by": "previous"}])


@pytest.mark.parametrize(
    "steps",
    [
        [TELL, CHOSEN],
        [
            {
                "id": "both",
                "node": "parallel",
                "branches": [{"id": "x", "steps": [CHOSEN]}, {"id": "y", "steps": []}],
            }
        ],
        [fork({"id": "large", "when": "amount > 5", "steps": [TELL]}), CHOSEN],
    ],
)
def test_who_decides_picks_people_of_a_step_behind_others_that_ask_nobody(
    steps: list[dict[str, Any]],
) -> None:
    play = Play(prepared(approval("one", "bob"), *steps), Paper({"amount": 9})).do("submit")
    assert play.do("approve", "bob", chosen={"two": (DEE,)}).asked() == [DEE]
