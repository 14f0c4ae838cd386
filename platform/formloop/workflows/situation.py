"""The world a case is decided in: its record, read only when asked for, and the people rules choose from."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from sqlalchemy import bindparam, select

from formloop.access.actor import SYSTEM, get_actor
from formloop.access.tables import department, membership, person
from formloop.core.expression import FUNCTIONS, Expression
from formloop.db import reading
from formloop.forms.links import Links
from formloop.forms.names import context_of
from formloop.forms.spec import FormSpec, Values
from formloop.workflows.assignees import rules
from formloop.workflows.spec import Rule, Workflow

_ABOUT_PEOPLE = frozenset(name for name, each in FUNCTIONS.items() if each.group == "people")

_WITH_ROLE = (
    select(person.c.id)
    .join(membership, membership.c.person == person.c.id)
    .where(membership.c.role == bindparam("role"), person.c.active)
    .order_by(person.c.name, person.c.id)
)
_IN_DEPARTMENT = (
    select(person.c.id)
    .join(department, department.c.id == person.c.department)
    .where(department.c.key == bindparam("key"), person.c.active)
    .order_by(person.c.name, person.c.id)
)
_BY_ACCOUNT = select(person.c.account, person.c.id).where(
    person.c.account.in_(bindparam("accounts", expanding=True)), person.c.active
)
_head = person.alias("head")
_TREE = (  # every department with its head, if they are still here, and where the person belongs
    select(
        department.c.id,
        department.c.parent,
        _head.c.id.label("head"),
        select(person.c.department).where(person.c.id == bindparam("wanted")).scalar_subquery().label("own"),
    )
    .join(_head, (_head.c.id == department.c.head) & _head.c.active, isouter=True)
    .where(~department.c.archived)
)
_ACTIVE = select(person.c.id).where(person.c.id.in_(bindparam("ids", expanding=True)), person.c.active)


class Situation:
    """Answers the engine and the assignee rules for one record."""

    def __init__(self, workflow: Workflow, spec: FormSpec, record: int, initiator: int) -> None:
        self.workflow = workflow
        self.spec = spec
        self.record = record
        self.initiator = initiator
        self._values: Values | None = None

    def see(self, values: Values | None) -> None:
        """Take the record as it is now; None to read it again when it is needed."""
        self._values = values
        self.__dict__.pop("_environment", None)

    @property
    def values(self) -> Values:
        """The record, with those lines that the workflow reads."""
        if self._values is None:
            self._values = self._load()
        return self._values

    def _load(self) -> Values:
        table = self.spec.table
        with reading() as conn:
            found = dict(conn.execute(select(table).where(table.c.id == self.record)).mappings().one())
            for key in {path[0] for path in self.workflow.reads} & set(self.spec.line_tables):
                lines = self.spec.line_tables[key]
                query = select(lines).where(lines.c.record == self.record).order_by(lines.c.position)
                found[key] = [dict(row) for row in conn.execute(query).mappings()]
        return found

    @cached_property
    def _environment(self) -> Values:
        return Links(SYSTEM, self.spec, [self.values], self.workflow.reads).environment(
            self.spec, self.values
        )

    def holds(self, condition: Expression) -> bool:
        """Whether a condition is true; what it asks of "the user" is asked of whoever submitted."""
        who = get_actor(self.initiator) if condition.calls & _ABOUT_PEOPLE else SYSTEM
        return condition.evaluate(self._environment, context_of(who)) is True

    def find_people(self, rule: Rule) -> Sequence[int]:
        """The active people a rule chooses."""
        if rule["rule"] == "stand_in":
            return self.with_accounts([rule["person"]])
        chosen = rules.get(rule["rule"]).find(rule, self)
        return self._active(chosen) if rule["rule"] not in _ACTIVE_ALREADY else chosen

    def value(self, path: str) -> Any:
        """The value of a field; a list for a field of lines."""
        head, _, column = path.partition(".")
        found = self.values.get(head)
        return [line.get(column) for line in found or ()] if column else found

    def is_department(self, path: str) -> bool:
        """Whether the field holds a department."""
        field = self.spec.find(path)
        return field is not None and field.type.name == "department"

    def with_accounts(self, accounts: Sequence[str]) -> Sequence[int]:
        """People by their account names, in that order."""
        names = [account.strip().lower() for account in accounts]
        with reading() as conn:
            found: Mapping[str, int] = {
                r.account: r.id for r in conn.execute(_BY_ACCOUNT, {"accounts": names})
            }
        return [found[name] for name in names if name in found]

    def with_role(self, role: str) -> Sequence[int]:
        """The members of a role, by name."""
        with reading() as conn:
            return list(conn.execute(_WITH_ROLE, {"role": role}).scalars())

    def in_department(self, key: str) -> Sequence[int]:
        """The people of a department, by name."""
        with reading() as conn:
            return list(conn.execute(_IN_DEPARTMENT, {"key": key}).scalars())

    def heads_above(self, person_id: int) -> Sequence[int]:
        """The heads over a person, nearest first, never the person itself."""
        tree = self._tree(person_id)
        own = next(iter(tree.values())).own if tree else None
        return [head for head in _line_of(tree, own) if head != person_id]

    def heads_of(self, department_id: int) -> Sequence[int]:
        """The heads of a department and of those above it, nearest first."""
        return _line_of(self._tree(None), department_id)

    def _tree(self, person_id: int | None) -> dict[int, Any]:
        with reading() as conn:
            return {row.id: row for row in conn.execute(_TREE, {"wanted": person_id}).all()}

    def _active(self, chosen: Sequence[int]) -> Sequence[int]:
        if not chosen:
            return ()
        with reading() as conn:
            active = set(conn.execute(_ACTIVE, {"ids": list(chosen)}).scalars())
        return [each for each in chosen if each in active]


def _line_of(tree: Mapping[int, Any], at: int | None) -> list[int]:
    heads: list[int] = []
    seen: set[int] = set()
    while at is not None and at in tree and at not in seen:
        seen.add(at)
        if tree[at].head is not None and tree[at].head not in heads:
            heads.append(tree[at].head)
        at = tree[at].parent
    return heads


_ACTIVE_ALREADY = ("people", "role", "department", "head")  # their queries ask for active people only
