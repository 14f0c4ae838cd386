"""Edits of a document as small operations; each names its place by keys and stable ids, never by a line."""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from formloop.core.definitions import Doc, Path
from formloop.core.errors import Invalid, Problem
from formloop.core.keys import suggest_key
from formloop.core.text import M

MOST = 100  # operations in one edit
FIXED = ("x-kind", "x-id", "x-format", "$schema")  # what says which definition it is
VERBS = ("set", "add", "move", "remove", "duplicate")
_MISSING: Any = object()


@dataclass(frozen=True, slots=True)
class Operation:
    """One step of an edit.

    `set` gives the place `at` a value, `remove` takes it away, `duplicate` puts a copy behind it. `add` puts
    `value` into the object or list `at`, as `name` in an object; `move` takes the thing `at` into `to`, or
    within its own list. Both put it in front of `before`, else at the end.
    """

    do: str
    at: Path
    value: Any = None
    name: str = ""
    before: str = ""
    to: Path | None = None


def read_path(text: str) -> Path:
    """A place from its text: names between slashes; ~1 is a slash in a name, ~0 a tilde."""
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in text.split("/")) if text else ()


def write_path(path: Sequence[str]) -> str:
    """The text of a place."""
    return "/".join(part.replace("~", "~0").replace("/", "~1") for part in path)


def read_operations(said: Any) -> list[Operation]:
    """Operations as they came from outside, or Invalid."""
    if not isinstance(said, list) or not 0 < len(said) <= MOST:
        raise _wrong()
    return [_read(each) for each in said]


def _read(said: Any) -> Operation:
    texts = ("do", "at", "name", "before", "to")
    if not isinstance(said, dict) or set(said) - {*texts, "value"}:
        raise _wrong()
    if any(not isinstance(said.get(key, ""), str) for key in texts) or said.get("do") not in VERBS:
        raise _wrong()
    return Operation(
        said["do"],
        read_path(said.get("at", "")),
        said.get("value"),
        said.get("name", ""),
        said.get("before", ""),
        read_path(said["to"]) if "to" in said else None,
    )


def _wrong() -> Invalid:
    return Invalid([Problem("operation", "", M("This edit is not understood."))])


def apply(doc: Doc, operations: Sequence[Operation], identities: Mapping[str, str]) -> tuple[Doc, Path]:
    """The document after all operations, and the place the last one was about."""
    desk = _Desk(deepcopy(doc), identities)
    at: Path = ()
    for each in operations:
        if (each.do != "add" and not each.at) or (each.at and each.at[0] in FIXED):
            raise _wrong()
        at = getattr(desk, each.do)(each)
    return desk.doc, at


def find(doc: Any, path: Sequence[str], identities: Mapping[str, str]) -> Any:
    """What stands at a place, or None."""
    found, last = doc, ""
    for name in path:
        found = _member(found, name, identities.get(last, "id"))
        if found is _MISSING:
            return None
        last = name
    return found


def positions(doc: Any, path: Sequence[str], identities: Mapping[str, str]) -> Path:
    """The place with its steps into lists as numbers, so that two ways to name it are one."""
    found: list[str] = []
    value, last = doc, ""
    for name in path:
        place = _index(value, name, identities.get(last, "id"))
        found.append(name if place is None else str(place))
        value, last = (
            find(value, (name,), {last: identities.get(last, "id")}) if place is None else value[place],
            name,
        )
    return tuple(found)


def ids_in(value: Any) -> Iterator[str]:
    """Every id that a part of the document has."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            if isinstance(each.get("id"), str):
                yield each["id"]
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each


def _member(container: Any, name: str, identity: str) -> Any:
    if isinstance(container, dict):
        return container.get(name, _MISSING)
    place = _index(container, name, identity)
    return _MISSING if place is None else container[place]


def _index(members: Any, name: str, identity: str) -> int | None:
    if not isinstance(members, list):
        return None
    for place, each in enumerate(members):
        if identity and isinstance(each, dict) and each.get(identity) == name:
            return place
        if isinstance(each, str) and each == name:
            return place
    if name.isascii() and name.isdecimal() and len(name) < 6 and int(name) < len(members):
        return int(name)
    return None


@dataclass(slots=True)
class _Desk:
    doc: Doc
    identities: Mapping[str, str]

    def set(self, each: Operation) -> Path:
        container, name = self._inside(each.at[:-1], make=True), each.at[-1]
        if isinstance(container, dict):
            container[name] = deepcopy(each.value)
            return each.at
        place = _index(container, name, self._identity(each.at[:-1]))
        if place is None:
            raise _gone()
        container[place] = deepcopy(each.value)
        return each.at

    def add(self, each: Operation) -> Path:
        container = self._inside(each.at, make=True, as_list=not each.name)
        return (*each.at, self._put(container, each, deepcopy(each.value), each.name, each.at))

    def remove(self, each: Operation) -> Path:
        self._take(each.at)
        return each.at[:-1]

    def move(self, each: Operation) -> Path:
        target = each.at[:-1] if each.to is None else each.to
        if target[: len(each.at)] == each.at:
            raise _gone()
        there = self._inside(target)
        name, value = self._take(each.at)
        return (*target, self._put(there, each, value, name, target))

    def duplicate(self, each: Operation) -> Path:
        around = each.at[:-1]
        container = self._inside(around)
        thing = _member(container, each.at[-1], self._identity(around))
        if thing is _MISSING:
            raise _gone()
        copy = deepcopy(thing)
        if isinstance(container, dict):
            following = _following(list(container), each.at[-1])
            name = suggest_key(each.at[-1], container)
            return (*around, _into_object(container, name, copy, following))
        container.insert(int(_index(container, each.at[-1], self._identity(around)) or 0) + 1, copy)
        self._name_anew(copy)
        return (*around, str(copy.get("id", each.at[-1])) if isinstance(copy, dict) else each.at[-1])

    def _put(self, container: Any, each: Operation, value: Any, name: str, around: Path) -> str:
        if isinstance(container, dict) and name:
            free = name if name not in container else suggest_key(name, container)
            return _into_object(container, free, value, each.before)
        if not isinstance(container, list):
            raise _gone()
        before = _index(container, each.before, self._identity(around)) if each.before else None
        if isinstance(value, dict) and isinstance(value.get("id"), str):
            taken = set(ids_in(self.doc))
            # nobody need think of one: the list gives its name
            wanted = value["id"] or "".join(around[-1:]).removeprefix("x-")
            value["id"] = wanted if wanted not in taken else suggest_key(wanted, taken)
        place = len(container) if before is None else before
        container.insert(place, value)
        return str(value["id"]) if isinstance(value, dict) and "id" in value else str(place)

    def _take(self, at: Path) -> tuple[str, Any]:
        container, name = self._inside(at[:-1]), at[-1]
        if isinstance(container, dict):
            if name not in container:
                raise _gone()
            return name, container.pop(name)
        place = _index(container, name, self._identity(at[:-1]))
        if place is None:
            raise _gone()
        return name, container.pop(place)

    def _inside(self, path: Path, make: bool = False, as_list: bool = False) -> Any:
        found: Any = self.doc
        for number, name in enumerate(path):
            inner = _member(found, name, self._identity(path[:number]))
            if inner is _MISSING:
                if not make or not isinstance(found, dict):
                    raise _gone()
                inner = found[name] = [] if as_list and number == len(path) - 1 else {}
            found = inner
        if not isinstance(found, dict | list):
            raise _gone()
        return found

    def _identity(self, path: Path) -> str:
        return self.identities.get(path[-1], "id") if path else "id"

    def _name_anew(self, copy: Any) -> None:
        """Ids of a copy and of everything in it, unlike all others."""
        waiting = [copy]
        while waiting:
            each = waiting.pop()
            if isinstance(each, dict):
                if isinstance(each.get("id"), str):
                    taken = set(ids_in(self.doc))
                    each["id"] = suggest_key(each["id"].rstrip("_0123456789") or "step", taken)
                waiting += each.values()
            elif isinstance(each, list):
                waiting += each


def _into_object(container: dict[str, Any], name: str, value: Any, before: str) -> str:
    later = {}
    if before in container:
        names = list(container)
        later = {key: container.pop(key) for key in names[names.index(before) :]}
    container[name] = value
    container.update(later)
    return name


def _following(names: list[str], name: str) -> str:
    place = names.index(name) + 1
    return names[place] if place < len(names) else ""


def _gone() -> Invalid:
    return Invalid([Problem("gone", "", M("This part is no longer there; the page shows what is."))])
