"""Documents taken apart by stable ids, so that a move is a move and not a removal and an addition."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any, Final, TypeAlias

from formloop.core.definitions.writing import scalar_text

Path: TypeAlias = tuple[str, ...]


class Absent(Enum):
    """The value of what is not there."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT


@dataclass(frozen=True, slots=True)
class Split:
    """Several states of one place, taken apart: for each state its parts by name."""

    parts: list[dict[str, Any]]
    is_list: bool

    def join(self, parts: Mapping[str, Any]) -> Any:
        """One value of parts again."""
        return list(parts.values()) if self.is_list else dict(parts)


def split(states: Sequence[Any], name: str, identities: Mapping[str, str]) -> Split | None:
    """The parts of several states of the place called `name`; None if it can only be taken as a whole.

    Objects have their keys, lists of objects the identifying property, lists of plain values the values
    themselves. A list where two members have the same id is taken as a whole.
    """
    there = [state for state in states if state is not ABSENT]
    if not there:
        return None
    if all(isinstance(state, dict) for state in there):
        return Split([{} if state is ABSENT else state for state in states], is_list=False)
    if not all(isinstance(state, list) for state in there):
        return None
    lists = [[] if state is ABSENT else state for state in states]
    identity = identities.get(name, "id")
    for rows in ([_by_id(each, identity) for each in lists], [_by_value(each) for each in lists]):
        if identity and None not in rows:
            return Split([row for row in rows if row is not None], is_list=True)
    return None


def _by_id(members: list[Any], identity: str) -> dict[str, Any] | None:
    found = {
        member[identity]: member
        for member in members
        if isinstance(member, dict) and isinstance(member.get(identity), str)
    }
    return found if len(found) == len(members) else None


def _by_value(members: list[Any]) -> dict[str, Any] | None:
    if any(isinstance(member, dict | list) for member in members):
        return None
    found = {member if isinstance(member, str) else scalar_text(member): member for member in members}
    return found if len(found) == len(members) else None


def same(one: Any, other: Any) -> bool:
    """Whether two values have the same text: 1, 1.0 and true differ, and so does another order of keys."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(each, other[key]) for key, each in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, Decimal):
        return scalar_text(one) == scalar_text(other)
    return bool(one == other)
