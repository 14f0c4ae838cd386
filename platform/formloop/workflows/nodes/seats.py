"""Who sits at a step: everybody its rules choose, once each, with the rule that chose them."""

from formloop.core.definitions import Doc, Library
from formloop.core.errors import Problem
from formloop.core.text import M
from formloop.forms.spec import FormSpec
from formloop.workflows.assignees import rules
from formloop.workflows.spec import Seat, Step, World


def choose(step: Step, world: World) -> tuple[Seat, ...]:
    """One seat for each person; the first rule that chose somebody is kept as the reason."""
    found: dict[int, Seat] = {}
    for rule in step.who:
        for person in world.find_people(rule):
            found.setdefault(person, Seat(person, rule))
    return tuple(found.values())


def check_who(doc: Doc, at: str, form: FormSpec, library: Library) -> list[Problem]:
    """What is wrong with the rules of a step."""
    problems = []
    for index, rule in enumerate(doc.get("who", ())):
        known = rules.find(rule["rule"])
        if known is not None:
            problems += known.check(rule, f"{at}.who.{index}", form, library)
    return problems


WHO = {
    "type": "array",
    "minItems": 1,
    "maxItems": 50,
    "items": {"$ref": "#/$defs/who"},
    "title": "Who",
    "x-title": {"zh-CN": "处理人"},
}

FIELD_RIGHTS = ("view", "edit", "require", "hide")


def check_fields(doc: Doc, at: str, form: FormSpec) -> list[Problem]:
    """Unknown fields, and fields nobody can fill in."""
    problems = []
    for path, right in doc.get("fields", {}).items():
        place = f"{at}.fields.{path}"
        field = None if path == "*" else form.find(path)
        if path != "*" and field is None:
            problems.append(Problem("no_field", place, M("There is no field “{key}”.", key=path)))
        elif right in ("edit", "require") and field is not None and (field.computed or field.readonly):
            text = M("“{field}” is calculated or read-only; nobody can fill it in.", field=path)
            problems.append(Problem("computed", place, text))
    return problems
