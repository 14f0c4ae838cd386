"""The people that rules choose from: who is here, in which role and department, under whom, and who stands in."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Select, bindparam, select

from formloop.access.tables import department, membership, person
from formloop.db import reading, remembered_by
from formloop.workflows import delegations

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
_IN_DEPARTMENT_NUMBERED = (
    select(person.c.id)
    .where(person.c.department == bindparam("department"), person.c.active)
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


class Staff:
    """Answers the rules about people; each answer is one prepared query, remembered until rights or people change."""

    def with_accounts(self, accounts: Sequence[str]) -> Sequence[int]:
        """People by their account names, in that order."""
        names = tuple(account.strip().lower() for account in accounts)
        found: Mapping[str, int] = {row.account: row.id for row in _ask(_BY_ACCOUNT, accounts=names)}
        return [found[name] for name in names if name in found]

    def with_role(self, role: str) -> Sequence[int]:
        """The members of a role, by name."""
        return [row.id for row in _ask(_WITH_ROLE, role=role)]

    def in_department(self, key: str) -> Sequence[int]:
        """The people of a department, by name."""
        return [row.id for row in _ask(_IN_DEPARTMENT, key=key)]

    def in_department_numbered(self, department_id: int) -> Sequence[int]:
        """The people of a department by its id, by name."""
        return [row.id for row in _ask(_IN_DEPARTMENT_NUMBERED, department=department_id)]

    def heads_above(self, person_id: int) -> Sequence[int]:
        """The heads over a person, nearest first, never the person itself."""
        tree = self._tree(person_id)
        own = next(iter(tree.values())).own if tree else None
        return [head for head in _line_of(tree, own) if head != person_id]

    def heads_of(self, department_id: int) -> Sequence[int]:
        """The heads of a department and of those above it, nearest first."""
        return _line_of(self._tree(None), department_id)

    def _tree(self, person_id: int | None) -> dict[int, Any]:
        return {row.id: row for row in _ask(_TREE, wanted=person_id)}

    def find_deputies(self, people: Sequence[int]) -> Mapping[int, int]:
        """Who stands in today for those of the people who are away."""
        return delegations.find_deputies(people)

    def is_here(self, person: int) -> bool:
        """Whether a person can still be asked."""
        return bool(self.active([person]))

    def active(self, chosen: Sequence[int]) -> Sequence[int]:
        """Those of the people who are still here."""
        active = {row.id for row in _ask(_ACTIVE, ids=tuple(chosen))} if chosen else ()
        return [each for each in chosen if each in active]


@remembered_by("access")
def _ask(query: Select[Any], **values: Any) -> Sequence[Row[Any]]:
    with reading() as conn:
        return conn.execute(query, values).all()


def _line_of(tree: Mapping[int, Any], at: int | None) -> list[int]:
    heads: list[int] = []
    seen: set[int] = set()
    while at is not None and at in tree and at not in seen:
        seen.add(at)
        if tree[at].head is not None and tree[at].head not in heads:
            heads.append(tree[at].head)
        at = tree[at].parent
    return heads
