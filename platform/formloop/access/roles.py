"""Reading roles: their titles, who has them, what they grant."""

from collections.abc import Iterable

from sqlalchemy import func, select

from formloop.access.gate import Grant, read_grant
from formloop.access.tables import grant, membership, person, role
from formloop.core.errors import NotFound
from formloop.db import reading


class Role:
    """A published role with its grants."""

    __slots__ = ("definition", "grants", "key", "members", "title", "title_zh")

    def __init__(self, key: str, definition: str, title: str, title_zh: str, members: int) -> None:
        self.key = key
        self.definition = definition
        self.title = title
        self.title_zh = title_zh
        self.members = members
        self.grants: list[Grant] = []

    def name(self, locale: str) -> str:
        """Its title in `locale`."""
        return (self.title_zh if locale == "zh-CN" else "") or self.title or self.key


def list_roles() -> list[Role]:
    """Every published role with its grants and the number of active people who have it."""
    counted = (
        select(membership.c.role, func.count().label("members"))
        .join(person, person.c.id == membership.c.person)
        .where(person.c.active)
        .group_by(membership.c.role)
    )
    with reading() as conn:
        members = {row.role: int(row.members) for row in conn.execute(counted)}
        found = {
            row.key: Role(row.key, row.definition, row.title, row.title_zh, members.get(row.key, 0))
            for row in conn.execute(select(role).order_by(role.c.title, role.c.key))
        }
        for row in conn.execute(select(grant).order_by(grant.c.role, grant.c.id)):
            found[row.role].grants.append(read_grant(row))
    return list(found.values())


def find_role(key: str) -> Role | None:
    """The published role `key`."""
    return next((each for each in list_roles() if each.key == key), None)


def get_role(key: str) -> Role:
    """The published role `key`, or NotFound."""
    found = find_role(key)
    if found is None:
        raise NotFound
    return found


def roles_of(people: Iterable[int]) -> dict[int, list[str]]:
    """The keys of the roles of each of these people, in one query."""
    found: dict[int, list[str]] = {each: [] for each in people}
    query = select(membership).where(membership.c.person.in_(found)).order_by(membership.c.role)
    with reading() as conn:
        for row in conn.execute(query):
            found[row.person].append(row.role)
    return found


def is_held(key: str) -> bool:
    """Whether anybody has the role `key`."""
    with reading() as conn:
        query = select(membership.c.person).where(membership.c.role == key).limit(1)
        return conn.execute(query).first() is not None
