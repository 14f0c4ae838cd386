"""What runs of a published workflow, the state of one case, and the contracts of steps and assignee rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from formloop.core.definitions import Doc, Library
from formloop.core.errors import Problem
from formloop.core.expression import Expression, Path
from formloop.core.text import Message, localized
from formloop.forms.spec import FormSpec

ACTIONS = ("approve", "reject", "return", "transfer")  # what an approver may be offered, comment aside
LATER_ACTIONS = ("add_signer",)  # may stand in a definition, not yet run
ENDED = ("approved", "rejected", "withdrawn")

Rule = Mapping[str, Any]


class Titled(Message):
    """The title of a definition or of a part of it, in the language it is read in."""

    __slots__ = ("document",)

    def __init__(self, document: Mapping[str, Any], otherwise: str = "") -> None:
        super().__init__(str(document.get("title") or otherwise))
        object.__setattr__(self, "document", document)

    def render(self, locale: str = "en") -> str:
        """The title in `locale`, never treated as a pattern with places."""
        document: Mapping[str, Any] = object.__getattribute__(self, "document")
        return localized(document, "title", locale) or self.msgid


@dataclass(frozen=True, slots=True, eq=False)
class Branch:
    """One way out of a condition; without `when` it is taken when no other was. `first` is where it goes on."""

    id: str
    document: Mapping[str, Any]
    when: Expression | None
    first: str | None
    broken: bool = False  # its condition no longer fits the form


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One step of a workflow. `next` is the step after it, out of its block too; None is the end."""

    id: str
    node: "Node"
    document: Mapping[str, Any]
    next: str | None
    branches: tuple[Branch, ...] = ()
    depth: int = 0

    def title(self, locale: str) -> str:
        """Its name in `locale`."""
        return localized(self.document, "title", locale) or self.node.title.render(locale)

    @property
    def who(self) -> tuple[Rule, ...]:
        """The rules that choose people."""
        return tuple(self.document.get("who", ()))

    @property
    def mode(self) -> str:
        """any, all or in_turn."""
        return str(self.document.get("mode", "any"))

    @property
    def actions(self) -> tuple[str, ...]:
        """What its people may do."""
        return tuple(a for a in self.document.get("actions", ACTIONS) if a in ACTIONS)

    @property
    def fields(self) -> Mapping[str, str]:
        """Field rights by path: view, edit, require or hide; `*` stands for every field not named."""
        return dict(self.document.get("fields", {}))


@dataclass(frozen=True, slots=True, eq=False)
class Workflow:
    """A published workflow, prepared once."""

    id: str
    key: str
    version: int
    form: str
    document: Mapping[str, Any]
    first: str | None
    steps: Mapping[str, Step]
    states: Mapping[str, str]  # the record's state when submitted, rejected, returned, approved
    summary: tuple[str, ...]
    reads: frozenset[Path]

    def title(self, locale: str) -> str:
        """Its name in `locale`."""
        return localized(self.document, "title", locale) or self.key

    @property
    def final_states(self) -> frozenset[str]:
        """The states in which an approved record may end."""
        ends = {str(s.document["state"]) for s in self.steps.values() if "state" in s.document}
        return frozenset(ends | {self.states["approved"]})


@dataclass(frozen=True, slots=True)
class Seat:
    """One person at the present step. `why` is the rule that chose them; state: waiting, open, done or left."""

    person: int
    why: Rule = field(default_factory=dict, hash=False)
    state: str = "open"


@dataclass(frozen=True, slots=True)
class State:
    """Where a case stands.

    status: new, open, stuck (nobody was found), returned, or one of ENDED. `round` rises with each step
    entered. `decided` counts decisions since it was submitted; `passed` are the steps people agreed in.
    """

    initiator: int
    status: str = "new"
    at: str | None = None
    round: int = 0
    decided: int = 0
    seats: tuple[Seat, ...] = ()
    passed: tuple[str, ...] = ()

    def seat_of(self, person: int | None) -> Seat | None:
        """The open seat of a person."""
        return next((s for s in self.seats if s.person == person and s.state == "open"), None)

    def as_json(self) -> dict[str, Any]:
        """The state as plain values."""
        return {
            "initiator": self.initiator,
            "status": self.status,
            "at": self.at,
            "round": self.round,
            "decided": self.decided,
            "seats": [[s.person, dict(s.why), s.state] for s in self.seats],
            "passed": list(self.passed),
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> "State":
        """The state that `as_json` wrote."""
        seats = tuple(Seat(person, why, state) for person, why, state in plain["seats"])
        return cls(**{**plain, "seats": seats, "passed": tuple(plain["passed"])})


@dataclass(frozen=True, slots=True)
class Event:
    """What somebody does to a case. `to` is a person (transfer) or a step id, previous or initiator (return)."""

    action: str
    by: int | None
    comment: str = ""
    to: Any = None


@dataclass(frozen=True, slots=True)
class Ask:
    """A task for a person."""

    step: str
    round: int
    person: int
    why: Rule = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Tell:
    """A copy for a person."""

    step: str
    round: int
    person: int
    why: Rule = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class CancelOpen:
    """All tasks of the case that are still open are no longer needed."""


@dataclass(frozen=True, slots=True)
class SetState:
    """The record moves to another state."""

    state: str


@dataclass(frozen=True, slots=True)
class Note:
    """A row of the case's history."""

    action: str
    step: str = ""
    round: int = 0
    person: int | None = None
    comment: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict, hash=False)


Effect = Ask | Tell | CancelOpen | SetState | Note


class World(Protocol):
    """What the engine asks about the record and the people, so that it needs no database itself."""

    def holds(self, condition: Expression) -> bool:
        """Whether a condition is true for the record; EvaluationError when it cannot be said."""

    def find_people(self, rule: Rule) -> Sequence[int]:
        """The active people a rule chooses, in order."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a step does when it is entered or decided: it waits, ends the case, or goes on at `next`."""

    state: State
    effects: tuple[Effect, ...] = ()
    stays: bool = False
    next: str | None = None


class Node:
    """The contract of a kind of step: one subclass a file in `nodes/`. `schema` describes its own keys."""

    name: ClassVar[str]
    title: ClassVar[Message]
    icon: ClassVar[str] = "circle"
    color: ClassVar[str] = "secondary"
    schema: ClassVar[Mapping[str, Any]] = {}
    required: ClassVar[tuple[str, ...]] = ()
    ends: ClassVar[bool] = False  # nothing may stand behind it

    def check(self, doc: Doc, at: str, form: FormSpec, library: Library) -> list[Problem]:
        """What its schema cannot say."""
        return []

    def enter(self, step: Step, state: State, world: World) -> Entry:
        """What happens when the case arrives here."""
        raise NotImplementedError

    def decide(self, step: Step, state: State, person: int) -> Entry:
        """What happens when `person`, who has an open seat here, agrees."""
        raise NotImplementedError


class Directory(World, Protocol):
    """What assignee rules may ask about people and the record."""

    initiator: int

    def value(self, path: str) -> Any:
        """The value of a field of the record; a list for a field of lines."""

    def is_department(self, path: str) -> bool:
        """Whether the field holds a department."""

    def with_accounts(self, accounts: Sequence[str]) -> Sequence[int]:
        """People by their account names, in that order."""

    def with_role(self, role: str) -> Sequence[int]:
        """The members of a role, by name."""

    def in_department(self, key: str) -> Sequence[int]:
        """The people of a department, by name."""

    def heads_above(self, person: int) -> Sequence[int]:
        """The heads over a person, nearest first."""

    def heads_of(self, department: int) -> Sequence[int]:
        """The heads of a department and of those above it, nearest first."""


class AssigneeRule:
    """The contract of a way to choose people: one subclass a file in `assignees/`."""

    name: ClassVar[str]
    title: ClassVar[Message]
    icon: ClassVar[str] = "user"
    schema: ClassVar[Mapping[str, Any]] = {}
    required: ClassVar[tuple[str, ...]] = ()

    def check(self, rule: Rule, at: str, form: FormSpec, library: Library) -> list[Problem]:
        """What its schema cannot say."""
        return []

    def references(self, rule: Rule) -> set[tuple[str, str]]:
        """The definitions it needs, by kind and key."""
        return set()

    def find(self, rule: Rule, directory: Directory) -> Sequence[int]:
        """The people it chooses; whoever is not active is left out by the caller."""
        raise NotImplementedError

    def explain(self, rule: Rule, form: FormSpec, names: Mapping[str, Message]) -> Message:
        """The answer to "why me?", addressed to the person; `names` has titles of roles by key."""
        raise NotImplementedError
