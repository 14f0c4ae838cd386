"""Who acts: a person with roles and departments, or the system itself."""

from dataclasses import dataclass

from sqlalchemy import select, true

from formloop.access.tables import department, membership, person
from formloop.core.errors import NotFound
from formloop.db import changed_here, read_counter, reading

Department = tuple[int, int | None, int | None]  # id, parent, head


@dataclass(frozen=True, slots=True)
class Actor:
    """A person as the rest of the program sees them, with everything that rights depend on."""

    person_id: int | None
    name: str
    roles: frozenset[str] = frozenset()
    department: int | None = None
    departments: frozenset[int] = frozenset()  # the own one and all below it
    administrator: bool = False
    locale: str = "en"
    theme: str = "auto"
    zone: str = "Asia/Shanghai"
    account: str = ""


SYSTEM = Actor(None, "Formloop", administrator=True)

_actors: dict[tuple[int, int], Actor] = {}


def get_actor(person_id: int) -> Actor:
    """The active person `person_id` as an actor; remembered until their rights or the access rules change."""
    return remembered_actor(person_id, read_counter("access"))


def recall_actor(person_id: int) -> Actor:
    """A person as an actor, also one who has left: for what is said about them, not for what they may do."""
    try:
        return get_actor(person_id)
    except NotFound:
        return _read_actor(person_id, left=True)


def remembered_actor(person_id: int, access_epoch: int) -> Actor:
    """The actor for a person as of an epoch of the access rules that is known already; NotFound for who has left."""
    if changed_here("access"):
        return _read_actor(person_id)
    key = (person_id, access_epoch)
    if key not in _actors:
        if len(_actors) > 5_000:
            _actors.clear()
        _actors[key] = _read_actor(person_id)
    return _actors[key]


def _read_actor(person_id: int, left: bool = False) -> Actor:
    here = true() if left else person.c.active
    with reading() as conn:
        row = conn.execute(select(person).where(person.c.id == person_id, here)).one_or_none()
        if row is None:
            raise NotFound
        roles = conn.execute(select(membership.c.role).where(membership.c.person == person_id)).scalars()
        tree = conn.execute(select(department.c.id, department.c.parent)).all()
        return Actor(
            person_id=row.id,
            name=row.name,
            roles=frozenset(roles),
            department=row.department,
            departments=_below(row.department, [(r.id, r.parent) for r in tree]),
            administrator=row.administrator,
            locale=row.locale or "",
            theme=row.theme,
            account=row.account,
        )


def _below(top: int | None, tree: list[tuple[int, int | None]]) -> frozenset[int]:
    found: set[int] = set() if top is None else {top}
    grown = True
    while grown:
        more = {child for child, parent in tree if parent in found} - found
        grown = bool(more)
        found |= more
    return frozenset(found)
