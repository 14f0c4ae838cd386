"""Generated workflows, and a ledger of what their effects say: who is asked now, and what the history holds."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as some

from formloop.core.json_text import dumps, loads
from formloop.workflows.state import Ask, CancelOpen, Event, Note, State, Token
from workflows.specimens import PEOPLE, Play

NAMES = {number: name for name, number in PEOPLE.items()}
BLOCKS = ("condition", "parallel", "inclusive", "loop")
LEAVES = (
    "approval", "approval", "handle", "copy", "wait", "calculate", "data", "message", "http", "subflow", "plan",
)  # fmt: skip
ASKING = (
    "data",
    "http",
    "subflow",
    "plan",
)  # they wait until the service has done what they ask for, or failed
EVENT = {"form": "request", "on": "updated"}
WAITS: list[dict[str, Any]] = [
    {"after": "P1D"},
    {"after": "P1D", "calendar": "working"},
    {"field": "day"},
    {"field": "day", "after": "P2D"},
    {"until": "amount > 5"},
    {"event": EVENT},
    {"event": {**EVENT, "record": "amount"}},
]
SAME = {"amount": "amount"}
WORK: list[dict[str, Any]] = [
    {"do": "update", "values": SAME},
    {"do": "create", "form": "request", "values": {"subject": "subject"}},
    {"do": "query", "form": "request", "by": SAME},
    {"do": "query", "form": "request", "by": SAME, "many": True},
    {"do": "delete"},
]


@some.composite
def steps(draw: Any, depth: int = 0) -> list[dict[str, Any]]:
    """A list of steps without ids, with blocks inside each other up to three deep."""
    kinds = [*LEAVES, *(BLOCKS if depth < 3 else ())]
    found = [draw(step(kind, depth)) for kind in draw(some.lists(some.sampled_from(kinds), max_size=3))]
    if depth < 2 and draw(some.integers(0, 7)) == 0:  # nothing may stand behind it
        found.append({"node": "end", "id": "x", "state": draw(some.sampled_from(["confirmed", "draft"]))})
    return found


@some.composite
def often_asking(draw: Any) -> list[dict[str, Any]]:
    """A workflow whose first two steps are approvals, so that there is something to decide."""
    first = [
        {**draw(step("approval", 0)), "who": [{"rule": "people", "people": ["bob", "cho"]}]} for _ in "12"
    ]
    return [*first, *draw(steps())]


@some.composite
def step(draw: Any, kind: str, depth: int) -> dict[str, Any]:
    """One step of a kind."""
    found: dict[str, Any] = {"node": kind, "id": "x"}
    people = some.lists(
        some.sampled_from(["bob", "cho", "dee", "nobody"]), min_size=1, max_size=3, unique=True
    )
    if kind in ("approval", "handle", "copy", "message"):
        found["who"] = [{"rule": "people", "people": draw(people)}]
    if kind in ("approval", "handle"):
        modes = ["any", "all", "in_turn", *(["vote"] if kind == "approval" else [])]
        found |= {"mode": draw(some.sampled_from(modes)), "nobody": draw(some.sampled_from(["pass", "stop"]))}
        found["actions"] = ["approve", "return", "transfer", "add_signer"]
        found["returned"] = draw(some.sampled_from(["again", "back"]))
        found["repeated"] = draw(some.sampled_from(["ask", "before", "any"]))
        if found["mode"] == "vote":
            found |= draw(some.sampled_from([{}, {"percent": 1}, {"percent": 67}, {"percent": 100}]))
    if kind == "approval":
        found["rejected"] = draw(some.sampled_from(["end", "return", "pass"]))
        found["actions"].append("reject")
        found["due"] = {
            "after": "P1D",
            "then": [{"do": draw(some.sampled_from(["remind", "escalate", "approve", "return"]))}],
        }
    if kind == "message":
        found["text"] = '"hello"'
    if kind == "wait":
        found |= draw(some.sampled_from(WAITS)) | draw(some.sampled_from([{}, {"most": "P3D"}]))
    if kind == "calculate":
        found["values"] = {"one": "amount + 1"}
    if kind == "data":
        found |= draw(some.sampled_from(WORK))
    if kind == "http":
        found |= {"url": "https://example.com/", "values": {"amount": "amount"}}
    if kind == "subflow":
        found |= {"form": "other", "record": "amount", "wait": draw(some.booleans())}
    if kind == "plan":
        found["plan"] = "needs"
    if kind in ASKING:
        found["failed"] = draw(some.sampled_from(["stop", "pass"]))
    if kind == "loop":
        found["steps"] = draw(steps(depth + 1))
        found |= draw(
            some.sampled_from(
                [
                    {"over": "items", "at_once": True},
                    {"over": "items"},
                    {"while": "amount > loop.index", "most": 3},
                ]
            )
        )
    elif kind in BLOCKS:
        count = draw(some.integers(1, 3))
        found["branches"] = [{"id": "x", "steps": draw(steps(depth + 1))} for _ in range(count)]
        for index, branch in enumerate(found["branches"]):
            if kind != "parallel" and index < count - 1:
                branch["when"] = f"amount > {draw(some.integers(0, 9))}"
    return found


def numbered(found: list[dict[str, Any]], names: Iterator[str]) -> list[dict[str, Any]]:
    """Give every step and branch an id; what is deleted is what a step before has made, if one has."""
    made = None
    for each in found:
        each["id"] = next(names)
        if each.get("do") == "create":
            made = each["id"]
        elif each.get("do") == "delete":
            each |= (
                {"form": "request", "record": f"flow.{made}"} if made else {"do": "update", "values": SAME}
            )
        for branch in each.get("branches", ()):
            branch["id"] = next(names)
            numbered(branch["steps"], names)
        numbered(each.get("steps", []), names)
    return found


@dataclass
class Desk:
    """The tasks and the history as the effects of a play make them."""

    open: set[tuple[str, int, int]] = field(default_factory=set)
    notes: list[Note] = field(default_factory=list)
    used: set[tuple[str, int, int]] = field(default_factory=set)

    def take(self, play: Play) -> None:
        """Carry out the effects of the last event, in their order."""
        for each in play.effects:
            if isinstance(each, Ask):
                key = (each.step, each.round, each.person)
                assert key not in self.used, "a task is made twice"
                self.used.add(key)
                self.open.add(key)
            elif isinstance(each, CancelOpen):
                self.open = {t for t in self.open if not _cancels(each, t)}
            elif isinstance(each, Note):
                self.notes.append(each)


def _cancels(cancel: CancelOpen, task: tuple[str, int, int]) -> bool:
    return (not cancel.rounds or task[1] in cancel.rounds) and (not cancel.people or task[2] in cancel.people)


def check(play: Play, desk: Desk) -> None:
    """What must hold after every event."""
    state = play.state
    assert State.from_json(loads(dumps(state.as_json()))) == state
    _check_tree(play, state.tokens)
    asked = {(t.at, s.round, s.person) for t in state.tokens for s in t.seats if s.state == "open"}
    assert desk.open == asked, "the open tasks are not those of the state"
    done = state.status in ("approved", "rejected", "withdrawn", "voided")
    assert done == (not state.tokens)
    last = [note.action for note in desk.notes if note.action not in ("comment", "copied")][-1]
    assert set(state.passed) == set(state.hands)
    _check_history(state, desk.notes, last)


ENDINGS = {"finished": "approved", "withdraw": "withdrawn", "void": "voided"}


def _check_history(state: State, notes: list[Note], last: str) -> None:
    """The history explains the state: how it ended, why it is stuck, and whoever agreed is said to have."""
    for note, status in ENDINGS.items():
        assert (state.status == status) == (last == note)
    assert state.status != "rejected" or last == "reject"
    stuck = [note.round for note in notes if note.action == "stuck"]
    assert all(token.round in stuck for token in state.tokens if token.stuck)
    said = {(note.step, note.person) for note in notes}
    agreed = {(step, person) for step, people in state.hands.items() for person in people}
    assert {each for each in agreed if each not in said} == set()


def _check_tree(play: Play, tokens: tuple[Token, ...]) -> None:
    """Tokens are conserved: each block counts what is inside, and everything inside stands in it."""
    rounds = [t.round for t in tokens]
    assert len(rounds) == len(set(rounds))
    for token in tokens:
        assert token.inside == sum(1 for t in tokens if t.parent == token.round)
        around = play.workflow.steps[token.at].blocks if token.at else ()
        if not token.parent:
            assert around == ()
            continue
        (parent,) = [t for t in tokens if t.round == token.parent]
        assert around[-1][0] == parent.at
        assert around[:-1] == play.workflow.steps[parent.at].blocks
        assert parent.inside
    assert sum(1 for t in tokens if not t.parent) <= 1


def waits(token: Token, play: Play) -> bool:
    """Whether a token waits for no person."""
    return token.at != "" and not any(s.state == "open" for s in token.seats) and not token.stuck


def answer(token: Token, play: Play) -> Event:
    """What such a token waits to hear."""
    kind = play.workflow.steps[token.at].node.name
    if kind == "wait":
        return Event("due", None, round=token.round, values={"what": "time"})
    return Event("done", None, round=token.round, values={"status": 200 if kind == "http" else "approved"})


def failure(token: Token) -> Event:
    """What a token hears whose work has failed."""
    return Event("failed", None, round=token.round, values={"reason": "No way"})
