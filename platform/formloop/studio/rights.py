"""Who may do what with the records of one form, drawn from the grants of all roles and written back into them."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from formloop.access import roles
from formloop.access.gate import RECORD_ACTIONS
from formloop.access.granting import grant_of
from formloop.core import clock, json_text
from formloop.core.definitions import Doc
from formloop.core.errors import Problem
from formloop.core.keys import suggest_key
from formloop.core.text import M, Message, Titled
from formloop.definitions import library
from formloop.definitions import service as definitions
from formloop.forms.spec import FormSpec

OWN, DEPARTMENT = "owner = USER()", "IN_DEPARTMENT(department)"
SCOPES: Mapping[str, Message] = {
    "": M("all records"),
    OWN: M("their own records"),
    DEPARTMENT: M("records of their department and those below it"),
}
_LOOK, _WORK = ("view", "print", "comment"), ("create", "edit", "submit", "amend")


@dataclass(frozen=True, slots=True)
class Preset:
    """A set of actions and records that people have a word for."""

    title: Message
    actions: tuple[str, ...]
    scope: str = ""


PRESETS: Mapping[str, Preset] = {
    "see_own": Preset(M("See their own"), _LOOK, OWN),
    "see_department": Preset(M("See their department's"), _LOOK, DEPARTMENT),
    "see_all": Preset(M("See all"), _LOOK),
    "enter": Preset(M("Enter, and edit their own"), (*_LOOK, *_WORK), OWN),
    "edit": Preset(M("Edit all"), (*_LOOK, *_WORK, "import", "export")),
    "manage": Preset(M("Everything"), RECORD_ACTIONS),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One grant on the form: whose it is, what it allows, for which records, with which fields."""

    role: str
    title: Titled
    grant: str
    actions: frozenset[str]
    scope: str
    fields: frozenset[str]
    members: int = 0
    new: bool = False

    @property
    def preset(self) -> str:
        """The preset that this is, if any."""
        found = (
            key for key, p in PRESETS.items() if self.actions == set(p.actions) and self.scope == p.scope
        )
        return next(found, "")


def paths_of(spec: FormSpec) -> tuple[str, ...]:
    """Every field and column of lines that a grant could leave out."""
    return tuple(path for top in spec.fields.values() for path in (top.path, *(c.path for c in top.children)))


def lines_of(spec: FormSpec) -> list[Line]:
    """The grants of all published roles on the form."""
    members = {role.key: role.members for role in roles.list_roles()}
    return [line for doc in _roles() for line in lines_in(spec, doc, members.get(doc["x-key"], 0))]


def lines_in(spec: FormSpec, doc: Doc, members: int = 0) -> list[Line]:
    """The grants of one role on the form."""
    key, found = doc["x-key"], [each for each in doc.get("grants", ()) if each.get("form") == spec.key]
    return [
        Line(
            key,
            Titled(doc),
            each["id"],
            frozenset(each["may"]),
            each.get("where", ""),
            _seen(spec, key, each),
            members,
        )
        for each in found
    ]


def others(lines: Iterable[Line]) -> list[tuple[str, Titled]]:
    """The roles without a grant on the form."""
    there = {line.role for line in lines}
    return [(doc["x-key"], Titled(doc)) for doc in _roles() if doc["x-key"] not in there]


def _roles() -> list[Doc]:
    found = (library.find_document("role", key) for key in library.list_keys("role"))
    return [doc for doc in found if doc is not None]


def added(spec: FormSpec, role: str, name: str) -> Line | None:
    """A first line for a role that is there, or for a new one of this name."""
    doc = library.find_document("role", role) if role else None
    if doc is None:
        if not name:
            return None
        taken = library.list_keys("role")
        doc = {"x-key": suggest_key(name, taken, "role"), "title": name}
    preset = PRESETS["see_all"]
    taken_ids = [each["id"] for each in doc.get("grants", ())]
    grant, every = suggest_key(spec.key, taken_ids), frozenset(paths_of(spec))
    members = {each.key: each.members for each in roles.list_roles()}.get(doc["x-key"], 0)
    actions = frozenset(preset.actions)
    return Line(doc["x-key"], Titled(doc), grant, actions, preset.scope, every, members, new=not role)


def with_preset(line: Line, preset: str) -> Line:
    """The line as the preset says; its fields stay."""
    found = PRESETS.get(preset)
    return replace(line, actions=frozenset(found.actions), scope=found.scope) if found else line


def changed(spec: FormSpec, lines: Sequence[Line]) -> tuple[list[tuple[Doc | None, Doc]], list[Problem]]:
    """The roles that differ from what is published, each as it is and as it would be; and what stands against that."""
    wanted: dict[str, list[Line]] = {}
    for line in lines:
        wanted.setdefault(line.role, []).append(line)
    found: list[tuple[Doc | None, Doc]] = []
    problems: list[Problem] = []
    known = {doc["x-key"]: doc for doc in _roles()}
    for key in dict.fromkeys([*known, *wanted]):
        old = known.get(key)
        new = _with_grants(spec, old or _new_role(wanted[key][0]), wanted.get(key, []))
        if new == old or (old is None and not new["grants"]):
            continue
        found.append((old, new))
        if old is not None and definitions.get_definition(old["x-id"]).has_draft:
            text = M(
                "Somebody is changing the role “{role}”. Publish or discard that draft first.",
                role=Titled(old),
            )
            problems.append(Problem("draft", key, text))
    return found, problems


def mark_of(changes: Sequence[tuple[Doc | None, Doc]]) -> str:
    """What tells one set of changes from another: of roles as they were when somebody looked, to what they shall be."""
    told = [(old, {**new, "x-id": new["x-id"] if old else ""}) for old, new in changes]
    return hashlib.sha256(json_text.dumps(told).encode()).hexdigest()


def _new_role(line: Line) -> Doc:
    title = line.title.render("en")
    return {"x-kind": "role", "x-id": clock.new_key(), "x-key": line.role, "title": title, "grants": []}


def _with_grants(spec: FormSpec, doc: Doc, lines: list[Line]) -> Doc:
    """The role with these grants on the form in the places of those it had; without any action one is gone."""
    left = {line.grant: line for line in lines}
    grants = []
    for written in doc.get("grants", ()):
        if written.get("form") != spec.key:
            grants.append(written)
        elif (line := left.pop(written["id"], None)) is not None and line.actions:
            grants.append(_written(spec, written, line))
    grants += [_written(spec, {"id": g, "form": spec.key}, line) for g, line in left.items() if line.actions]
    return {**doc, "grants": grants}


def _written(spec: FormSpec, old: Mapping[str, Any], line: Line) -> dict[str, Any]:
    """The grant of a line; what it says the same is left in the words it had."""
    made = {key: value for key, value in old.items() if key not in ("may", "where", "fields", "except")}
    ordered = [action for action in RECORD_ACTIONS if action in line.actions]
    made["may"] = old["may"] if "may" in old and set(old["may"]) == line.actions else ordered
    if line.scope:
        made["where"] = line.scope
    if "may" in old and _seen(spec, line.role, old) == line.fields:
        return made | {key: old[key] for key in ("fields", "except") if key in old}
    hidden = [path for path in paths_of(spec) if path not in line.fields]
    if "fields" in old:
        return made | {"fields": [path for path in paths_of(spec) if path in line.fields]}
    inner = {path for path in hidden if path.rpartition(".")[0] in hidden}
    return made | ({"except": [path for path in hidden if path not in inner]} if hidden else {})


def _seen(spec: FormSpec, role: str, written: Mapping[str, Any]) -> frozenset[str]:
    given = grant_of(role, written)
    return frozenset(path for path in paths_of(spec) if given.covers(path))
