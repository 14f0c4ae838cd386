"""What somebody who is deactivated would leave behind, as each room knows it: told before, and afterwards until it is seen to."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import url_for
from sqlalchemy.engine import Row

from formloop.access import people
from formloop.core.registry import Registry
from formloop.core.text import M, Message, Titled


@dataclass(frozen=True, slots=True)
class Left:
    """One thing that is left behind; `words` and `url` lead to where it is seen to, for who may."""

    said: Message
    words: Message | None = None
    url: str | None = None


Ask = Callable[[Row[Any]], list[Left]]
rooms: Registry[Ask] = Registry("what is left behind")


def list_left(person: Row[Any]) -> list[Left]:
    """Everything a person would leave behind."""
    return [each for ask in rooms for each in ask(person)]


def _departments(person: Row[Any]) -> list[Left]:
    """The departments whose head it is: who asks for their head then finds the one above."""
    headed = [row for row in people.list_departments() if row.head == person.id]
    return [
        Left(
            M(
                "Is the head of “{name}”.",
                name=Titled({"title": row.name, "x-title": {"zh-CN": row.name_zh or ""}}),
            ),
            M("Name another head"),
            url_for("departments.show", department_id=row.id),
        )
        for row in headed
    ]


rooms.add("access", _departments)
