"""What runs of a published workflow, and the contracts of steps and of rules that choose people."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Protocol

from formloop.core.definitions import Doc, Library
from formloop.core.errors import Problem
from formloop.core.expression import Expression, Path, Type
from formloop.core.text import M, Message, Titled, localized
from formloop.events import reasons
from formloop.forms.spec import FormSpec
from formloop.workflows.amendments.spec import Amends
from formloop.workflows.state import Effect, Event, Note, Rule, Seat, State, Token

OFFERED = ("approve", "reject", "return", "transfer")  # where a step does not say
ACTIONS = (*OFFERED, "add_signer")  # what an approver may be offered

FindForm = Callable[[str], "FormSpec | None"]
Wanted = tuple[str, "Type | None", Mapping[str, Type]]  # source, type it must have, names known besides


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
    """One step of a workflow. `next` is the step after it; None is the end, "/x" the end of a block of x.

    `place` is its place in reading order, `blocks` are the blocks around it: step and branch, outermost first.
    """

    id: str
    node: "Node"
    document: Mapping[str, Any]
    next: str | None
    branches: tuple[Branch, ...] = ()
    expressions: Mapping[str, Expression] = field(default_factory=dict)
    blocks: tuple[tuple[str, str], ...] = ()
    place: int = 0
    repeated: str = "ask"  # people who agreed before: ask again, pass if right "before", pass if "any" time

    def title(self, locale: str) -> str:
        """Its name in `locale`."""
        return self.called.render(locale)

    @property
    def called(self) -> Message:
        """Its name, in the language it is read in."""
        return Titled(self.document) if self.document.get("title") else self.node.title

    @property
    def who(self) -> tuple[Rule, ...]:
        """The rules that choose people."""
        return tuple(self.document.get("who", ()))

    @property
    def mode(self) -> str:
        """any, all, in_turn or vote; a line of heads decides in turn unless something else is said."""
        lined = any(rule["rule"] == "line" for rule in self.who)
        return str(self.document.get("mode", "in_turn" if lined else "any"))

    @property
    def actions(self) -> tuple[str, ...]:
        """What its people may do."""
        return tuple(a for a in self.document.get("actions", OFFERED) if a in self.node.actions)

    @property
    def demands(self) -> bool:
        """Whether agreeing takes more than saying so: a comment, a signature, or a field to fill in."""
        return bool(self.document.get("needs")) or "require" in self.fields.values()

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
    free_states: frozenset[str]  # in which nothing locks a record
    held_states: frozenset[str]  # in which it has a record, or has approved it
    summary: tuple[str, ...]
    reads: frozenset[Path]
    record_reads: frozenset[Path]  # those of the record itself
    found_reads: frozenset[Path]  # what is read of records that steps made or found
    lines_read: tuple[str, ...]  # the subforms among them
    changes: frozenset[str]  # the forms whose records its steps change or delete
    amends: Amends | None = None  # where it is for changes of approved records

    def title(self, locale: str) -> str:
        """Its name in `locale`."""
        return localized(self.document, "title", locale) or self.key


def subject_of(workflow: Workflow, form: FormSpec, cancels: bool = False) -> Message:
    """What a case of a workflow is about: a record of its form, a change of one, or cancelling one."""
    if cancels:
        return M("Cancel {form}", form=Titled(form.document, form.key))
    return Titled((form if workflow.amends is None else workflow).document, form.key)


@dataclass(frozen=True, slots=True)
class Visit:
    """A token at a step, as the step's kind sees it."""

    step: Step
    state: State
    token: Token

    @property
    def names(self) -> dict[str, Any]:
        """What expressions know of the case besides the record."""
        return {"flow": self.state.variables, "loop": self.token.loop}


class World(Protocol):
    """What the engine asks about the record and the people, so that it needs no database itself."""

    def value_of(self, expression: Expression, names: Mapping[str, Any]) -> Any:
        """The value for the record, with these names besides; EvaluationError when it cannot be said."""

    def find_people(self, rule: Rule, visit: Visit) -> Sequence[int]:
        """The active people a rule chooses, in order."""

    def is_here(self, person: int) -> bool:
        """Whether a person can still be asked."""

    def find_deputies(self, people: Sequence[int]) -> Mapping[int, int]:
        """Who stands in today for those of the people who are away."""

    def list_items(self, over: str, names: Mapping[str, Any]) -> Sequence[Any]:
        """The lines of a subform, or what a step found out, one by one."""

    def now(self) -> datetime:
        """The present moment."""

    def later(self, moment: datetime, duration: str, working: bool) -> datetime:
        """A moment an ISO duration later; on working days only, if that is wanted."""

    def moment_in(self, path: str) -> datetime | None:
        """The moment in a date field of the record: a day counts from its beginning."""


@dataclass(frozen=True, slots=True)
class Child:
    """A way that begins inside a block, with the item of the loop it is for."""

    first: str | None
    loop: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """What a step makes of something: it waits (`stays`), goes on inside its block, is stuck, or is left.

    Without any of these the case goes on at `next`. `seats` and `memory` replace those of the token. `agreed`:
    people agreed here; `rejected`: they did not; `returns`: back to the initiator. `ends` is the state of the
    record with which the case ends here.
    """

    effects: tuple[Effect, ...] = ()
    stays: bool = False
    next: str | None = None
    inside: tuple[Child, ...] = ()
    seats: tuple[Seat, ...] | None = None
    memory: Mapping[str, Any] | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    stuck: str | Message | None = None
    agreed: bool = False
    rejected: bool = False
    returns: bool = False
    ends: str | None = None


class Node:
    """The contract of a kind of step: one subclass a file in `nodes/`. `schema` describes its own keys."""

    name: ClassVar[str]
    title: ClassVar[Message]
    icon: ClassVar[str] = "circle"
    color: ClassVar[str] = "secondary"
    agree: ClassVar[Message] = M("Approve")  # the word on the button of its people
    agreed: ClassVar[Message] = M("Approved.")
    schema: ClassVar[Mapping[str, Any]] = {}
    required: ClassVar[tuple[str, ...]] = ()
    actions: ClassVar[tuple[str, ...]] = ()  # what its people may do
    ends: ClassVar[bool] = False  # nothing may stand behind it
    block: ClassVar[bool] = False  # its branches come back to it

    def check(self, doc: Doc, at: str, form: FormSpec, library: Library) -> list[Problem]:
        """What its schema cannot say."""
        return []

    def references(self, doc: Doc) -> set[tuple[str, str]]:
        """The definitions it needs, by kind and key; its people's aside."""
        return set()

    def expressions(self, doc: Doc, find_form: FindForm) -> Mapping[str, Wanted]:
        """Its expressions by a name of its own: the source, and the type they must have if any."""
        return {}

    def offers(self, doc: Doc, types: Mapping[str, Type], find_form: FindForm) -> Type | None:
        """The type of what it finds out, if it does; `types` are those of its expressions."""
        return None

    def because(self, doc: Doc, form: FormSpec) -> Message:
        """What it waits for, where that is no person."""
        return M("Waits until its work is done")

    def inside(self, doc: Doc, form: FormSpec, flow: Mapping[str, Type]) -> Mapping[str, Type]:
        """Names that only the steps inside it know."""
        return {}

    def enter(self, visit: Visit, world: World) -> Entry:
        """What happens when the case arrives here."""
        raise NotImplementedError

    def renew(self, visit: Visit, world: World) -> Entry | None:
        """What happens to a case here that goes on by another version, in which this step asks otherwise."""
        return None

    def decide(self, visit: Visit, event: Event, world: World) -> Entry:
        """What happens when a person who has an open seat here approves or rejects."""
        raise NotImplementedError

    def arm(self, visit: Visit, world: World, since: datetime) -> tuple[Effect, ...] | None:
        """What a token hears of that waits here `since` then and was put here; None: of what it heard before."""
        return None

    def back(self, visit: Visit, world: World) -> Entry:
        """What happens when one of the ways inside has come to its end."""
        raise NotImplementedError

    def hear(self, visit: Visit, event: Event, world: World) -> Entry:
        """What happens when something is done, has failed or is due."""
        if event.action == "failed":
            return self.fail(visit, event.values.get("reason", ""))
        return Entry(stays=True)

    def fail(self, visit: Visit, reason: str | Message) -> Entry:
        """What the step asked for has failed: the case is stuck, or where the step says so it goes on with a note."""
        step = visit.step
        if step.document.get("failed") != "pass":
            return Entry(stuck=reason)
        note = Note("failed", step.id, visit.token.round, detail=reasons.detail_of(reason))
        return Entry((note,), next=step.next)


class Directory(World, Protocol):
    """What assignee rules may ask about people, the record and the case (`visit`)."""

    initiator: int
    visit: Visit

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

    def in_department_numbered(self, department: int) -> Sequence[int]:
        """The people of a department by its id, by name."""

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
