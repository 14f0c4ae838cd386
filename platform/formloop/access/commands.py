"""What `formloop user …` does: whoever has the machine acts as the system itself."""

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy.engine import Row

from formloop.access import people, roles, sessions
from formloop.access.actor import SYSTEM
from formloop.core.errors import Invalid, NotFound, Problem
from formloop.core.text import M
from formloop.settings import Settings


def get_by_account(account: str) -> Row[Any]:
    """The person with this account, or NotFound."""
    row = people.find_person(account)
    if row is None:
        raise NotFound(M("There is no account “{account}”.", account=account))
    return row


def add(account: str, name: str, administrator: bool, given: Iterable[str], department: str | None) -> int:
    """Add a person; roles and department must exist."""
    problems = [
        Problem("no_role", "role", M("There is no role “{role}”.", role=key))
        for key in given
        if roles.find_role(key) is None
    ]
    place = next((each.id for each in people.list_departments() if each.key == department), None)
    if department is not None and place is None:
        problems.append(
            Problem("no_department", "department", M("There is no department “{key}”.", key=department))
        )
    if problems:
        raise Invalid(problems)
    return people.add_person(
        SYSTEM, account, name, roles=given, department_id=place, administrator=administrator
    )


def list_lines(locale: str = "en") -> Iterator[str]:
    """Everybody, one line each: account, name, active or not, administrator, roles."""
    rows = people.list_people(active=None, limit=100_000)
    held = roles.roles_of(row.id for row in rows)
    for row in rows:
        powers = ([M("administrator").render(locale)] if row.administrator else []) + held[row.id]
        state = M("active") if row.active else M("inactive")
        yield "\t".join((row.account, row.name, state.render(locale), ",".join(powers)))


def deactivate(account: str) -> None:
    """Keep a person out."""
    people.change_person(SYSTEM, get_by_account(account).id, active=False)


def make_link(person_id: int, settings: Settings) -> str:
    """The address of a one-time link to choose a password."""
    site = (settings.public_url or "http://127.0.0.1:8000").rstrip("/")
    return f"{site}/link/{sessions.add_password_link(SYSTEM, person_id)}"


def set_password(account: str, password: str) -> None:
    """Set a person's password."""
    people.change_person(SYSTEM, get_by_account(account).id, password=password)
