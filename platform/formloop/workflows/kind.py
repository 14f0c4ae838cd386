"""The kind of definition "workflow": checking, preparing, and what publishing one means for running cases."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from formloop.core.definitions import Doc, ImpactRow, Kind, Library, kinds, load_schema, name_pattern
from formloop.core.definitions.shape import kinds_of_things
from formloop.core.errors import Invalid, NotFound, Problem
from formloop.core.text import M, Message, Titled
from formloop.definitions import library
from formloop.forms.spec import FormSpec, no_form
from formloop.forms.system_fields import named_in_form
from formloop.workflows import examples, in_use
from formloop.workflows.amendments import reading as amendments
from formloop.workflows.assignees import rules
from formloop.workflows.blind import list_blind
from formloop.workflows.nodes import nodes
from formloop.workflows.reading import build, walk
from formloop.workflows.spec import FindForm, Workflow
from formloop.workflows.standing import list_states, places_of


def make_schema() -> dict[str, Any]:
    """The meta-schema: the frame of `schema.json` with what each kind of step and each rule says of itself."""
    schema = load_schema("workflow", Path(__file__).with_name("schema.json"))
    names = {"id": {"$ref": "#/$defs/id"}}
    titles = {"title": {"$ref": "#/$defs/title"}, "x-title": {"$ref": "#/$defs/translations"}}
    schema["$defs"]["step"]["anyOf"] = [
        {
            "type": "object",
            "additionalProperties": False,
            "required": ["id", "node", *node.required],
            "properties": {**names, "node": {"const": node.name}, **titles, **node.schema},
        }
        for node in nodes
    ]
    schema["$defs"]["who"]["anyOf"] = [
        {
            "type": "object",
            "additionalProperties": False,
            "required": ["rule", *rule.required],
            "properties": {"rule": {"const": rule.name}, **rule.schema},
        }
        for rule in rules
    ]
    return schema


kinds_of_things.add("node", {node.name: node.title for node in nodes})
kinds_of_things.add("rule", {rule.name: rule.title for rule in rules})


def check(doc: Doc, lib: Library) -> list[Problem]:
    """What is wrong with a workflow beyond its schema."""
    form = lib.find_prepared("form", doc["form"])
    if not isinstance(form, FormSpec):
        return [no_form("form", doc["form"])]
    for key in lib.list_keys("workflow"):
        other = lib.find_document("workflow", key)
        same = other is not None and other["form"] == doc["form"] and ("amends" in other) == ("amends" in doc)
        if key != doc["x-key"] and other is not None and same:
            text = M("The form has the workflow “{name}” already.", name=other["title"])
            return [Problem("second", "form", text)]
    workflow, problems = build(doc, 0, form, lib, _finder(doc, form, lib.find_prepared))
    if not any(each.severity == "error" for each in problems) and workflow.amends is None:
        problems += examples.check(workflow, form, lib)
    return problems


def references(doc: Doc) -> set[tuple[str, str]]:
    """The form, and what the rules that choose people need."""
    found = {("form", str(doc["form"]))} | amendments.references(doc)
    for step, _ in walk(doc):
        found |= nodes.get(step["node"]).references(step)
        for rule in step.get("who", ()):
            found |= rules.get(rule["rule"]).references(rule)
    return found


def prepare(doc: Doc, version: int) -> Workflow:
    """What runs of a workflow document that has been checked."""
    found = library.find_published("form", doc["form"])
    form = found if isinstance(found, FormSpec) else None
    return build(doc, version, form, None, _finder(doc, form, library.find_published))[0]


def _finder(doc: Doc, form: FormSpec | None, find: Callable[[str, str], Any]) -> FindForm:
    """How steps find other forms, and their own."""

    def find_form(key: str) -> FormSpec | None:
        found = form if key == doc["form"] else find("form", key)
        return found if isinstance(found, FormSpec) else None

    return find_form


def impact(conn: Connection, old: Doc | None, new: Doc) -> list[ImpactRow]:
    """Who would see nothing of what they are asked about, and cases that go on under their version."""
    rows = [ImpactRow(message=each.message, severity="error", at=each.at) for each in _check_states(new)]
    rows += list_blind(new)
    if old is not None:
        rows += _running(conn, old, new)
    return rows


def apply(_conn: Connection, _old: Doc | None, new: Doc) -> None:
    """Refuse states by which records of earlier versions would be unlocked, or locked for good."""
    problems = _check_states(new)
    if problems:
        raise Invalid(problems)


def _check_states(new: Doc) -> list[Problem]:
    form = library.find_published("form", new["form"])
    return in_use.check_states(prepare(new, 0), form) if isinstance(form, FormSpec) else []


def _running(conn: Connection, old: Doc, new: Doc) -> list[ImpactRow]:
    """How many approvals go on by the version they began with, and at which steps they stand."""
    states = [state for _, state in list_states(conn, new["x-key"])]
    found = Counter(at for state in states for at in places_of(state))
    if not states:
        return []
    count = len(states)
    text = M(
        "{count} running {count:approval goes|approvals go} on by the version {count:it|they} began with.",
        count=count,
    )
    there = {step["id"]: at for step, at in walk(new)}
    return [ImpactRow(message=text, count=count), *_standing(found, (old, new), there)]


def list_under_way(conn: Connection, form: Doc) -> list[ImpactRow]:
    """How many records of a form are under approval while it changes, and at which steps."""
    rows: list[ImpactRow] = []
    for workflow in library.of_form("workflow", form["x-key"]):
        doc = dict(workflow.document)
        states = [state for _, state in list_states(conn, doc["x-key"])]
        if states:
            text = M(
                "{count} {count:record is|records are} under way in “{workflow}” and will have this version at once.",
                count=len(states),
                workflow=Titled(doc, doc["x-key"]),
            )
            found = Counter(at for state in states for at in places_of(state))
            rows += [ImpactRow(message=text, count=len(states)), *_standing(found, (doc,), {})]
    return rows


def _standing(found: Mapping[str, int], docs: Iterable[Doc], there: Mapping[str, str]) -> list[ImpactRow]:
    """At which steps of these documents how many cases stand."""
    steps = {step["id"]: step for doc in docs for step, _ in walk(doc)}
    rows = []
    for step, each in sorted(found.items()):
        waits = M(
            "{count} of them {count:waits|wait} at “{step}”.",
            count=each,
            step=called(steps.get(step, {}), step),
        )
        if not step:
            waits = M("{count} of them {count:is|are} with the initiator.", count=each)
        rows.append(ImpactRow(message=waits, count=each, at=there.get(step, "steps") if there else ""))
    return rows


def called(step: Doc, key: str) -> Message:
    """What a step is called, by its kind where it has no name."""
    kind = nodes.find(str(step.get("node")))
    return Titled(step, key) if step.get("title") or kind is None else kind.title


def find_workflow(form: str) -> Workflow | None:
    """The published workflow that records of a form are submitted to, if it has one."""
    return next((each for each in library.of_form("workflow", form) if each.amends is None), None)


def find_amending(form: str) -> Workflow | None:
    """The published workflow that changes of a form's approved records pass, if it has one."""
    return next((each for each in library.of_form("workflow", form) if each.amends is not None), None)


def get_version(key: str, version: int) -> Workflow:
    """The version of a workflow that a case runs by."""
    found = library.at_version("workflow", key, version)
    if not isinstance(found, Workflow):
        raise NotFound
    return found


WORKFLOW = kinds.add(
    "workflow",
    Kind(
        name="workflow",
        title=M("Workflow"),
        schema=make_schema(),
        check=check,
        references=references,
        prepare=prepare,
        apply=apply,
        impact=impact,
        spaces={"dependents": "form"},
        identities={"who": "", "actions": "", "then": "", "summary": "", "people": ""},
        named=lambda doc: named_in_form(doc.get("form")),
    ),
)

name_pattern(
    r"^(created|updated|deleted|state:[a-z][a-z0-9_]{0,40})$",
    M("“{value}” is nothing that happens to a record."),
)
name_pattern(
    r"^https?://[^\s]{1,2000}$",
    M("“{value}” is no address. It begins with https:// or http://."),
)
