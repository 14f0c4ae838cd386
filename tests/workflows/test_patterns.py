"""The control-flow patterns that block structure allows, one test each, by their names in the literature.

docs/guide/workflow-patterns.md lists them, and those that are left out with the reason.
"""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from formloop.events import reasons
from formloop.workflows.state import Alarm, CancelOpen, Event, Note, SetState, Watch
from workflows.specimens import PEOPLE, Paper, Play, approval, prepared

END = {"id": "done", "node": "end", "state": "confirmed"}


def branch(name: str, *steps: Any, when: str | None = None) -> dict[str, Any]:
    return {"id": name, "steps": list(steps), **({"when": when} if when else {})}


def block(node: str, *branches: Any) -> dict[str, Any]:
    return {"id": "fork", "node": node, "branches": list(branches)}


def test_1_sequence() -> None:
    play = Play(prepared(approval("one", "bob"), approval("two", "cho"))).do("submit")
    assert play.do("approve", "bob").places() == ["two"]


def both() -> Play:
    left, right = branch("a", approval("left", "bob")), branch("b", approval("right", "cho"))
    return Play(prepared(block("parallel", left, right), approval("after", "dee"))).do("submit")


def test_2_parallel_split() -> None:
    assert both().places() == ["left", "right"]


def test_3_synchronization() -> None:
    play = both().do("approve", "cho")
    assert play.places() == ["left"]
    assert play.do("approve", "bob").places() == ["after"]


def test_4_exclusive_choice_and_5_simple_merge() -> None:
    fork = block("condition", branch("a", approval("boss", "dee"), when="amount > 5"), branch("b"))
    workflow = prepared(fork, approval("after", "bob"))
    assert Play(workflow, Paper({"amount": 9})).do("submit").do("approve", "dee").places() == ["after"]
    assert Play(workflow, Paper({"amount": 1})).do("submit").places() == ["after"]


@pytest.mark.parametrize(
    ("amount", "places"), [(1, ["rest"]), (6, ["big"]), (60, ["big", "huge"])], ids=["none", "one", "two"]
)
def test_6_multi_choice_and_7_structured_synchronizing_merge(amount: int, places: list[str]) -> None:
    fork = block(
        "inclusive",
        branch("a", approval("big", "bob"), when="amount > 5"),
        branch("b", approval("huge", "cho"), when="amount > 50"),
        branch("c", approval("rest", "dee")),
    )
    play = Play(prepared(fork, approval("after", "eve")), Paper({"amount": amount})).do("submit")
    assert play.places() == places
    names = {"big": "bob", "huge": "cho", "rest": "dee"}
    for place in places:
        play.do("approve", names[place])
    assert play.places() == ["after"]


def test_9_structured_discriminator_the_first_yes_goes_on_and_the_others_are_asked_no_more() -> None:
    play = Play(prepared(approval("one", "bob", "cho", mode="any"), approval("after", "dee"))).do("submit")
    assert play.do("approve", "cho").asked() == [PEOPLE["dee"]]


def test_10_arbitrary_cycles_are_returns_to_an_earlier_step() -> None:
    play = Play(prepared(approval("one", "bob"), approval("two", "cho"))).do("submit").do("approve", "bob")
    assert play.do("return", "cho", "fix it", to="one").do("approve", "bob").places() == ["two"]


def test_11_implicit_termination() -> None:
    assert Play(prepared(approval("one", "bob"))).do("submit").do("approve", "bob").state.status == "approved"


def test_12_instances_without_synchronization_are_sub_flows_nobody_waits_for() -> None:
    sub = {"id": "sub", "node": "subflow", "form": "other", "record": "amount", "wait": False}
    each = {"id": "each", "node": "loop", "over": "items", "at_once": True, "steps": [sub]}
    play = Play(prepared(each, approval("after", "bob")), Paper({"items": [1, 2], "amount": 7})).do("submit")
    assert play.places() == ["sub", "sub"]
    for token in play.state.leaves:
        tell(play, token.round, case=1, status="open")
    assert play.places() == ["after"]


def tell(play: Play, round: int, **values: Any) -> None:
    from formloop.workflows.engine import advance

    event = Event("done", None, round=round, values=values)
    play.state, play.effects = advance(play.workflow, play.state, event, play.world)


def test_13_instances_known_when_designed_are_parallel_branches_of_the_same_kind() -> None:
    three = [branch(f"b{n}", approval(f"check{n}", "bob")) for n in range(3)]
    play = Play(prepared(block("parallel", *three))).do("submit")
    for _ in range(3):
        play.do("approve", "bob")
    assert play.state.status == "approved"


@pytest.mark.parametrize("at_once", [True, False])
def test_14_instances_known_when_it_runs(at_once: bool) -> None:
    each = {
        "id": "each",
        "node": "loop",
        "over": "items",
        "at_once": at_once,
        "steps": [approval("check", "bob")],
    }
    play = Play(prepared(each), Paper({"items": ["a", "b", "c"]})).do("submit")
    assert play.places() == ["check"] * (3 if at_once else 1)
    assert [t.loop["item"] for t in play.state.leaves] == (["a", "b", "c"] if at_once else ["a"])
    for _ in range(3):
        play.do("approve", "bob")
    assert play.state.status == "approved"


def test_15_instances_nobody_can_count_beforehand_are_further_signers() -> None:
    step = approval("one", "bob", mode="all", actions=["approve", "add_signer"])
    play = Play(prepared(step)).do("submit").do("add_signer", "bob", to=PEOPLE["cho"], how="beside")
    play.do("add_signer", "cho", to=PEOPLE["dee"], how="beside").do("approve", "bob").do("approve", "cho")
    assert play.do("approve", "dee").state.status == "approved"


def test_16_deferred_choice_the_first_of_two_people_says_which_way() -> None:
    ask = approval("ask", "bob", "cho", rejected="pass")
    fork = block("condition", branch("no", approval("other", "dee"), when='flow.ask = "rejected"'))
    play = Play(prepared(ask, fork, approval("after", "eve"))).do("submit")
    assert play.do("reject", "cho", "rather not").places() == ["other"]


def test_17_interleaved_routing_is_deciding_in_turn() -> None:
    play = Play(prepared(approval("one", "bob", "cho", mode="in_turn"), approval("after", "dee"))).do(
        "submit"
    )
    assert play.asked() == [PEOPLE["bob"]]
    assert play.do("approve", "bob").asked() == [PEOPLE["cho"]]
    assert play.do("approve", "cho").places() == ["after"]
    assert play.do("approve", "dee").state.status == "approved"


def test_18_milestone_a_way_waits_until_the_record_says_so() -> None:
    wait = {"id": "ready", "node": "wait", "until": "amount > 5"}
    play = Play(prepared(wait, approval("after", "bob")), Paper({"amount": 1})).do("submit")
    assert play.places() == ["ready"]
    assert any(isinstance(e, Watch) for e in play.effects)
    assert play.hear("done", "ready", what="changed").places() == ["ready"]
    play.world.values = {"amount": 6}
    assert play.hear("done", "ready", what="changed").places() == ["after"]


def test_what_comes_straight_back_is_due_again() -> None:
    due = {"after": "P1D", "then": [{"do": "remind"}]}
    play = Play(prepared(approval("one", "bob", due=due, returned="back"))).do("submit")
    play.do("return", "bob", "fix it", to="initiator").do("submit")
    (token,) = play.state.leaves
    assert [e.round for e in play.effects if isinstance(e, Alarm)] == [token.round]


def test_19_cancel_task_a_due_step_is_agreed_without_its_people() -> None:
    due = {"after": "P1D", "then": [{"do": "approve"}]}
    play = Play(prepared(approval("one", "bob", due=due), approval("after", "cho"))).do("submit")
    (alarm,) = [e for e in play.effects if isinstance(e, Alarm)]
    assert alarm.at == play.world.clock + timedelta(days=1)
    assert play.hear("due", "one", what="0").asked() == [PEOPLE["cho"]]


def test_20_cancel_case_a_rejection_in_one_way_ends_all() -> None:
    play = both().do("reject", "cho", "no")
    assert (play.state.status, play.state.tokens) == ("rejected", ())


def test_25_cancel_region_a_return_out_of_a_block_ends_what_is_open_in_it() -> None:
    fork = block("parallel", branch("a", approval("left", "bob")), branch("b", approval("right", "cho")))
    play = Play(prepared(approval("first", "dee"), fork)).do("submit").do("approve", "dee")
    assert play.do("return", "bob", "fix it", to="first").places() == ["first"]
    assert play.do("approve", "dee").places() == ["left", "right"]


def test_21_structured_loop() -> None:
    again = {
        "id": "again",
        "node": "loop",
        "while": "amount > loop.index",
        "most": 9,
        "steps": [approval("one", "bob")],
    }
    play = Play(prepared(again), Paper({"amount": 3})).do("submit")
    assert play.do("approve", "bob").places() == ["one"]
    assert play.do("approve", "bob").state.status == "approved"


@pytest.mark.parametrize(
    ("times", "limited"), [({"while": "amount > 0"}, True), ({"while": "amount >= loop.index"}, False),
                           ({"over": "items"}, True), ({"over": "pair"}, False)]
)  # fmt: skip
def test_a_loop_that_its_own_limit_ends_says_so_in_the_history(times: dict[str, str], limited: bool) -> None:
    each = {"id": "each", "node": "loop", **times, "most": 2, "steps": [approval("one", "bob")]}
    paper = Paper({"amount": 2, "items": ["a", "b", "c"], "pair": ["a", "b"]})
    play, said = Play(prepared(each, approval("after", "cho")), paper).do("submit"), []
    while play.places() == ["one"]:
        said += [e for e in play.effects if isinstance(e, Note)]
        play.do("approve", "bob")
    said += [e for e in play.effects if isinstance(e, Note)]
    told = [reasons.read(e.detail["reason"], "en") for e in said if e.action == "limited"]
    assert told == (["At most 2 times."] if limited else [])
    assert play.places() == ["after"]


@pytest.mark.parametrize("at_once", [True, False])
def test_a_loop_leaves_nothing_out_silently(at_once: bool) -> None:
    each = {"id": "each", "node": "loop", "over": "items", "at_once": at_once, "steps": []}
    workflow = prepared(each)
    assert Play(workflow, Paper({"items": range(1_000)})).do("submit").state.status == "approved"
    play = Play(workflow, Paper({"items": range(1_001)})).do("submit")
    assert play.state.status == "stuck"
    (note,) = [e for e in play.effects if isinstance(e, Note) and e.action == "stuck"]
    assert reasons.read(note.detail["reason"], "en") == "There are more than 1000 to go through."


def test_23_a_trigger_is_kept_until_the_step_hears_of_it() -> None:
    wait = {"id": "paid", "node": "wait", "event": {"form": "payment", "on": "created"}}
    play = Play(prepared(wait)).do("submit")
    assert [e.key for e in play.effects if isinstance(e, Watch)] == ["payment:created"]
    assert play.hear("done", "paid", record=5).state.status == "approved"


def test_35_cancelling_partial_join_of_instances_a_vote_goes_on_when_enough_agree_and_asks_the_others_no_more() -> (
    None
):
    vote = approval("one", "bob", "cho", "dee", mode="vote", percent=66)
    play = Play(prepared(vote, approval("after", "eve"))).do("submit").do("approve", "bob")
    assert play.asked() == [PEOPLE["cho"], PEOPLE["dee"]]
    play.do("approve", "cho")
    assert CancelOpen() in play.effects
    assert (play.places(), play.asked()) == (["after"], [PEOPLE["eve"]])


def test_36_dynamic_partial_join_of_instances_who_joins_a_vote_counts_in_it() -> None:
    actions = ["approve", "add_signer"]
    play = Play(prepared(approval("one", "bob", "cho", mode="vote", percent=60, actions=actions))).do(
        "submit"
    )
    play.do("add_signer", "bob", to=PEOPLE["dee"], how="beside").do("approve", "bob")
    assert play.asked() == [PEOPLE["dee"], PEOPLE["cho"]]
    assert play.do("approve", "dee").state.status == "approved"


def test_43_explicit_termination_an_end_ends_the_other_ways_too() -> None:
    stop = {"id": "stop", "node": "end", "state": "confirmed"}
    fork = block(
        "parallel", branch("a", approval("left", "bob")), branch("b", approval("right", "cho"), stop)
    )
    play = Play(prepared(fork, approval("after", "dee"))).do("submit").do("approve", "cho")
    assert (play.state.status, play.state.tokens) == ("approved", ())
    assert SetState("confirmed") in play.effects


def test_the_guide_names_every_pattern_and_each_it_promises_has_its_test() -> None:
    guide = Path(__file__).parents[2] / "docs" / "guide" / "workflow-patterns.md"
    table, _, left_out = guide.read_text("utf-8").partition("Left out")
    promised = {
        int(n)
        for line in table.splitlines()
        if line.startswith("| ")
        for n in re.findall(r"\d+ (?=[a-z])", line)
    }
    tested = {
        int(n) for name in globals() if name.startswith("test_") for n in re.findall(r"_(\d+)(?=_)", name)
    }
    assert promised == tested
    said = {int(n) for n in re.findall(r"\d+", left_out)}
    assert said & promised == set()
    assert said | promised == set(range(1, 44))
