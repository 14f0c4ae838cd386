"""Who is to decide about records of which they may see nothing: told before a workflow is published."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from formloop.access import people
from formloop.access.actor import get_actor
from formloop.core.definitions import Doc, ImpactRow
from formloop.core.text import M, Message, Titled
from formloop.definitions import library
from formloop.forms import permits
from formloop.forms.spec import FormSpec
from formloop.workflows.reading import walk
from formloop.workflows.staff import Staff
from formloop.workflows.state import Rule

MOST_NAMES = 5


def list_blind(new: Doc) -> list[ImpactRow]:
    """A warning for each rule of a step that shows no field, where it asks people whom no grant shows one."""
    rows = []
    for step, at in walk(new):
        if any(right != "hide" for right in step.get("fields", {}).values()):
            continue
        title = Titled(step, step["id"])
        for rule in step.get("who", ()):
            rows += [
                ImpactRow(message=said, severity="warning", at=f"{at}.who")
                for said in _of_rule(rule, title, new)
            ]
    return rows


def _of_rule(rule: Rule, step: Titled, new: Doc) -> Iterator[Message]:
    found = library.find_published("form", new["form"])
    form = Titled(library.find_document("form", new["form"]) or {}, new["form"])
    if "role" in rule:
        role = library.find_document("role", rule["role"])
        if role is not None and not any(_shows(grant, new["form"]) for grant in role.get("grants", ())):
            yield M(
                "The role “{role}” is asked at “{step}” but may not see any field of {form}. Give the step field rights.",
                role=Titled(role, rule["role"]),
                step=step,
                form=form,
            )
    elif isinstance(found, FormSpec) and rule["rule"] in FORESEEN:
        asked = dict.fromkeys(FORESEEN[rule["rule"]](rule))
        unseeing = [person for person in asked if not _sees(person, found)]
        if unseeing:
            names = people.names_of(unseeing[:MOST_NAMES])
            more = "…" if len(unseeing) > MOST_NAMES else ""
            yield M(
                "{names} may be asked at “{step}” but may not see any field of {form}. Give the step field rights.",
                names=", ".join(names.get(each, "?") for each in unseeing[:MOST_NAMES]) + more,
                step=step,
                form=form,
            )


def _shows(grant: Doc, form: str) -> bool:
    return grant.get("form") == form and "view" in grant["may"]


def _sees(person: int, spec: FormSpec) -> bool:
    permit = permits.find_permit(get_actor(person), "view", spec)
    return permit is not None and bool(permit.anywhere)


def _heads(rule: Rule) -> list[int]:
    """Whoever leads a department may be asked for those below."""
    heads = [each.head for each in people.list_departments() if each.head is not None]
    return list(Staff().active(heads))


FORESEEN: Mapping[str, Callable[[Rule], Any]] = {  # the rules of which is known whom they may choose
    "people": lambda rule: Staff().with_accounts(rule["people"]),
    "department": lambda rule: Staff().in_department(rule["department"]),
    "head": _heads,
    "line": _heads,
}
