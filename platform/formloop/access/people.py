"""People, departments and who has which role."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.engine import Row

from formloop.access import audit, granting
from formloop.access.actor import Actor
from formloop.access.tables import department, link, membership, person
from formloop.core import clock
from formloop.core.definitions.shape import called
from formloop.core.errors import Forbidden, Invalid, NotFound, Problem
from formloop.core.text import M
from formloop.db import (
    Prepared,
    among,
    connection,
    handed,
    places_for,
    raise_counter,
    reading,
    transactional,
)
from formloop.web import viewer

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_nobody = _hasher.hash("nobody has this password")
SHORTEST_PASSWORD = 10


def hash_password(password: str) -> str:
    """The argon2id hash of a password, refused when it is too short."""
    if len(password) < SHORTEST_PASSWORD:
        raise Invalid(
            [
                Problem(
                    "short",
                    "password",
                    M("A password has at least {count} characters.", count=SHORTEST_PASSWORD),
                )
            ]
        )
    return _hasher.hash(password)


def password_fits(stored: str | None, password: str) -> bool:
    """Whether `password` is the one stored; takes the same time when there is none."""
    try:
        return _hasher.verify(stored or _nobody, password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


@transactional
def add_person(
    actor: Actor,
    account: str,
    name: str,
    *,
    email: str = "",
    phone: str = "",
    department_id: int | None = None,
    roles: Iterable[str] = (),
    administrator: bool = False,
    password: str | None = None,
    reports_to: int | None = None,
) -> int:
    """Add a person; returns their id. The account name must be new."""
    problems = check_person(account, name)
    if problems:
        raise Invalid(problems)
    roles = sorted(set(roles))
    granting.require_authority(actor, administrator, ())
    granting.require_givable(actor, roles)
    conn, person_id = connection(), clock.new_id()
    conn.execute(
        insert(person).values(
            id=person_id,
            account=account.strip().lower(),
            name=name.strip(),
            email=email,
            phone=phone,
            department=department_id,
            reports_to=reports_to,
            administrator=administrator,
            password_hash=hash_password(password) if password else None,
            made_at=clock.now(),
        )
    )
    _set_roles(person_id, roles)
    audit.note(actor, "person.added", f"person:{person_id}", account=account, roles=roles)
    raise_counter("access")
    return person_id


def check_person(account: str, name: str, person_id: int | None = None) -> list[Problem]:
    """What is wrong with an account name and a name."""
    problems = []
    if not account.strip():
        problems.append(Problem("required", "account", M("An account needs a name to sign in with.")))
    if not name.strip():
        problems.append(Problem("required", "name", M("Please give the person's name.")))
    with reading() as conn:
        taken = conn.execute(select(person.c.id).where(person.c.account == account.strip().lower())).scalar()
    if taken not in (None, person_id):
        problems.append(
            Problem("taken", "account", M("The account “{account}” exists already.", account=account))
        )
    return problems


@transactional
def change_person(actor: Actor, person_id: int, **values: Any) -> None:
    """Change columns of a person; what takes rights or sessions away counts on their next request."""
    before, held = get_person(person_id), _roles_of(person_id)
    roles = values.pop("roles", None)
    password = values.pop("password", None)
    if password:
        values["password_hash"] = hash_password(password)
    _require_allowed(actor, before, held, values, roles)
    if before.administrator and before.active and not {**before._mapping, **values}["active"]:
        granting.keep_an_administrator(person_id)
    if before.administrator and before.active and not {**before._mapping, **values}["administrator"]:
        granting.keep_an_administrator(person_id)
    if roles is not None or {"active", "administrator", "password_hash", "department"} & set(values):
        values["epoch"] = person.c.epoch + 1
    if values:
        connection().execute(update(person).where(person.c.id == person_id).values(**values))
    if roles is not None:
        _set_roles(person_id, roles)
    if {"password_hash", "active"} & set(values):
        _spend_links(person_id)
    told = {k: v for k, v in values.items() if k not in {"password_hash", "epoch"}}
    told |= {} if roles is None else {"roles": sorted(roles)}
    told |= {"password": "changed"} if password else {}
    audit.note(actor, "person.changed", f"person:{person_id}", **told)
    raise_counter("access")


def _require_allowed(
    actor: Actor, before: Row[Any], held: set[str], values: dict[str, Any], roles: Iterable[str] | None
) -> None:
    """Whoever manages people gives no role, department, door or power that is above their own."""
    if actor.administrator:
        return
    myself = actor.person_id == before.id
    granting.require_authority(actor, before.administrator or bool(values.get("administrator")), ())
    granting.require_givable(actor, set(roles or ()) - held)
    if "password_hash" in values and not myself:
        granting.require_authority(actor, False, held)
    if myself and values.get("department", before.department) != before.department:
        raise Forbidden(M("Only an administrator may move you to another department."))


def _spend_links(person_id: int) -> None:
    """Make the one-time links of a person useless: whoever still has one must not come in by it."""
    unused = (link.c.person == person_id) & link.c.used_at.is_(None)
    connection().execute(update(link).where(unused).values(used_at=clock.now()))


@transactional
def prefer(person_id: int, name: str, value: str) -> None:
    """Remember the language ("locale") or the colours ("theme") a person chose."""
    if name not in ("locale", "theme"):
        raise NotFound
    connection().execute(
        update(person).where(person.c.id == person_id).values({name: value, "epoch": person.c.epoch})
    )
    raise_counter("access")


@transactional
def rename(actor: Actor, name: str) -> None:
    """Change one's own name."""
    connection().execute(update(person).where(person.c.id == actor.person_id).values(name=name))
    audit.note(actor, "person.changed", f"person:{actor.person_id}", name=name)
    raise_counter("access")


@transactional
def add_role(actor: Actor, person_id: int, key: str) -> None:
    """Give a person one more role; it counts on their next request."""
    if key not in _roles_of(person_id):
        connection().execute(insert(membership).values(person=person_id, role=key))
        audit.note(actor, "role.given", f"person:{person_id}", role=key)
        raise_counter("access")


def _set_roles(person_id: int, roles: Iterable[str]) -> None:
    conn = connection()
    conn.execute(delete(membership).where(membership.c.person == person_id))
    rows = [{"person": person_id, "role": key} for key in sorted(set(roles))]
    if rows:
        conn.execute(insert(membership), rows)


def _roles_of(person_id: int) -> set[str]:
    with reading() as conn:
        return set(conn.execute(select(membership.c.role).where(membership.c.person == person_id)).scalars())


def find_person(account: str) -> Row[Any] | None:
    """The person with this account name, active or not."""
    with reading() as conn:
        return conn.execute(select(person).where(person.c.account == account.strip().lower())).one_or_none()


def get_person(person_id: int) -> Row[Any]:
    """The person with this id."""
    with reading() as conn:
        row = conn.execute(select(person).where(person.c.id == person_id)).one_or_none()
    if row is None:
        raise NotFound
    return row


def list_people(
    search: str = "",
    role: str | None = None,
    active: bool | None = True,
    limit: int = 200,
    department_id: int | None = None,
) -> list[Row[Any]]:
    """People by name; `search` looks into name, account and e-mail; `active` None means all."""
    query = select(person).order_by(person.c.name, person.c.id).limit(limit)
    if active is not None:
        query = query.where(person.c.active == active)
    if search:
        like = f"%{search.lower()}%"
        query = query.where(
            func.lower(person.c.name).like(like)
            | person.c.account.like(like)
            | func.lower(person.c.email).like(like)
        )
    if role:
        query = query.where(person.c.id.in_(select(membership.c.person).where(membership.c.role == role)))
    if department_id is not None:
        query = query.where(person.c.department == department_id)
    with reading() as conn:
        return list(conn.execute(query))


def names_of(ids: Iterable[int]) -> dict[int, str]:
    """Names of people by id, in one query."""
    wanted = {i for i in ids if i is not None}
    if not wanted:
        return {}
    with reading() as conn:
        found = _names(places_for(wanted)).dicts(conn, handed("id", wanted))
    return {each["id"]: each["name"] for each in found}


@lru_cache(maxsize=100)
def _names(places: int) -> Prepared:
    """The names of some people; prepared once, since every case asks it."""
    return Prepared(select(person.c.id, person.c.name).where(among(person.c.id, "id", places)))


def names_by_account(accounts: Iterable[str]) -> dict[str, str]:
    """Names of people, active or not, by account, in one query."""
    with reading() as conn:
        rows = conn.execute(
            select(person.c.account, person.c.name).where(person.c.account.in_(set(accounts)))
        )
        return {row.account: row.name for row in rows}


called.add("person", lambda account, locale: names_by_account([account]).get(account, ""))


@transactional
def add_department(
    actor: Actor,
    key: str,
    name: str,
    *,
    name_zh: str = "",
    parent: int | None = None,
    head: int | None = None,
) -> int:
    """Add a department below `parent`; returns its id. Without a key it is given one."""
    _require_known(parent)
    department_id = clock.new_id()
    key = key.strip() or f"department_{department_id}"
    _require_department(name, key)
    connection().execute(
        insert(department).values(
            id=department_id, key=key, name=name.strip(), name_zh=name_zh, parent=parent, head=head
        )
    )
    audit.note(actor, "department.added", f"department:{department_id}", key=key)
    raise_counter("access")
    return department_id


@transactional
def change_department(actor: Actor, department_id: int, **values: Any) -> None:
    """Change columns of a department; it cannot come to stand below itself."""
    if "name" in values:
        _require_department(values["name"])
    _require_known(values.get("parent"))
    if values.get("parent") is not None and department_id in _line_up(values["parent"]):
        raise Invalid([Problem("cycle", "parent", M("A department cannot stand below itself."))])
    if values.get("archived"):
        _require_empty(department_id)
    query = update(department).where(department.c.id == department_id).values(**values)
    if not connection().execute(query).rowcount:
        raise NotFound
    audit.note(actor, "department.changed", f"department:{department_id}", **values)
    raise_counter("access")


def _require_known(parent: int | None) -> None:
    """Invalid when a department is to stand below one that is not there."""
    if parent is not None and parent not in {row.id for row in list_departments()}:
        raise Invalid([Problem("parent", "parent", M("There is no such department to stand below."))])


def _require_department(name: str, key: str | None = None) -> None:
    if not name.strip():
        raise Invalid([Problem("required", "name", M("A department needs a name."))])
    if key is not None:
        query = select(department.c.id).where(department.c.key == key)
        if connection().execute(query).first() is not None:
            raise Invalid([Problem("taken", "key", M("The key “{key}” is used already.", key=key))])


def _require_empty(department_id: int) -> None:
    below = select(department.c.id).where(department.c.parent == department_id, ~department.c.archived)
    inside = select(person.c.id).where(person.c.department == department_id, person.c.active)
    if connection().execute(below).first() or connection().execute(inside).first():
        text = M("This department still has people or departments below it. Move them first.")
        raise Invalid([Problem("not_empty", "", text)])


def list_departments() -> list[Row[Any]]:
    """All departments that are not archived, by name."""
    with reading() as conn:
        return list(
            conn.execute(select(department).where(~department.c.archived).order_by(department.c.name))
        )


def find_department(department_id: int | None) -> Row[Any] | None:
    """The department with this id."""
    with reading() as conn:
        query = select(department).where(department.c.id == department_id)
        return conn.execute(query).one_or_none() if department_id is not None else None


def _line_up(department_id: int | None) -> list[int]:
    tree = {row.id: row.parent for row in list_departments()}
    line: list[int] = []
    while department_id is not None and department_id not in line:
        line.append(department_id)
        department_id = tree.get(department_id)
    return line


def heads_above(person_id: int) -> list[int]:
    """The heads over a person, nearest first: of their department, its parent and so on, never the person itself."""
    tree = {row.id: row for row in list_departments()}
    heads: list[int] = []
    for department_id in _line_up(get_person(person_id).department):
        head = tree[department_id].head if department_id in tree else None
        if head is not None and head != person_id and head not in heads:
            heads.append(head)
    return heads


def department_names(ids: Iterable[int]) -> dict[int, str]:
    """Names of departments by id, in one query."""
    wanted = {i for i in ids if i is not None}
    if not wanted:
        return {}
    query = select(department).where(department.c.id.in_(wanted))
    with reading() as conn:
        return {row.id: department_title(row) for row in conn.execute(query)}


def department_title(row: Row[Any]) -> str:
    """What a department is called in the language of who looks."""
    return str(row.name_zh) if viewer.locale().startswith("zh") and row.name_zh else str(row.name)
