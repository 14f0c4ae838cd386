"""What a workflow document says about amendments, prepared, with everything that is wrong with it."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from formloop.core.definitions import Doc
from formloop.core.errors import Problem
from formloop.core.expression import BOOL, FUNCTIONS, TEXT, Expression, ListType, RecordType, Type
from formloop.core.text import M
from formloop.forms.spec import FormSpec, no_form
from formloop.workflows.amendments.spec import CANCEL, EVERYTHING, Amends, Stage, Supplement

ABOUT_PEOPLE = frozenset(name for name, each in FUNCTIONS.items() if each.group == "people")
FindForm = Callable[[str], "FormSpec | None"]
Express = Callable[[str, str, Type | None, Mapping[str, Type]], Expression | None]


def names_of(doc: Doc, form: FormSpec | None, find_form: FindForm) -> dict[str, Type]:
    """What the steps of such a workflow know besides: the proposal, and the records that depend on the record."""
    if form is None:
        return {}
    told = {"stage": TEXT, "cancels": BOOL, "was": RecordType(form.key, lambda: form.names)}
    return {"amendment": RecordType("amendment", lambda: told), "dependents": _dependents(doc, find_form)}


def _dependents(doc: Doc, find_form: FindForm) -> Type:
    found: dict[str, Type] = {}
    for key in doc["amends"].get("dependents", ()):
        other = find_form(key)
        if other is not None:
            found[key] = ListType(_record_of(other), ("dependents", key))
    return RecordType("dependents", lambda: found)


def _record_of(form: FormSpec) -> RecordType:
    return RecordType(form.key, lambda: form.names)


def read(doc: Doc, find_form: FindForm, express: Express) -> Amends | None:
    """The prepared part; `express` prepares an expression and notes its problems."""
    said = doc.get("amends")
    if said is None:
        return None
    names = {"dependents": _dependents(doc, find_form)}
    return Amends(
        stages=tuple(_stage(each, i, names, express) for i, each in enumerate(said["stages"])),
        cancelled=said.get("cancelled"),
        dependents=tuple(said.get("dependents", ())),
        supplement=_supplement(said, find_form, express),
    )


def _stage(doc: Doc, index: int, names: Mapping[str, Type], express: Express) -> Stage:
    when = express(doc["when"], f"amends.stages.{index}.when", BOOL, names) if "when" in doc else None
    forbids = frozenset(doc.get("forbids", ()))
    return Stage(doc["id"], doc, when, forbids, broken="when" in doc and when is None)


def _supplement(said: Mapping[str, Any], find_form: FindForm, express: Express) -> Supplement | None:
    doc = said.get("supplement")
    if doc is None:
        return None
    target = find_form(doc["form"])
    values = {}
    for key, source in doc.get("values", {}).items():
        field = target.fields.get(key) if target is not None else None
        expects = field.type.expression_type(field) if field is not None else None
        prepared = express(source, f"amends.supplement.values.{key}", expects, {})
        if prepared is not None:
            values[key] = prepared
    return Supplement(doc["form"], values)


def check(doc: Doc, amends: Amends, form: FormSpec, find_form: FindForm) -> Iterator[Problem]:
    """What is wrong beyond schema and expressions."""
    said = doc["amends"]
    for index, stage in enumerate(said["stages"]):
        at = f"amends.stages.{index}"
        if stage["id"] in {earlier["id"] for earlier in said["stages"][:index]}:
            yield Problem("duplicate", f"{at}.id", M("The id “{id}” is used twice.", id=stage["id"]))
        when = amends.stages[index].when
        if when is not None and when.calls & ABOUT_PEOPLE:
            text = M("How far a record is does not depend on who looks.")
            yield Problem("about_people", f"{at}.when", text)
        if "when" not in stage and index + 1 < len(said["stages"]):
            text = M("A stage without a condition is met always; it must be the last one.")
            yield Problem("unreachable", f"{at}.when", text)
        for what in stage.get("forbids", ()):
            if not _is_known(form, what):
                yield Problem("no_field", f"{at}.forbids", M("There is no field “{key}”.", key=what))
    if said.get("cancelled") not in (None, *form.states):
        text = M("The form has no state “{state}”.", state=said["cancelled"])
        yield Problem("state", "amends.cancelled", text)
    yield from _check_others(said, find_form)


def _is_known(form: FormSpec, what: str) -> bool:
    if what[0] in "+-":
        field = form.fields.get(what[1:])
        return field is not None and bool(field.children)
    return what in (EVERYTHING, CANCEL) or form.find(what) is not None


def _check_others(said: Mapping[str, Any], find_form: FindForm) -> Iterator[Problem]:
    for index, key in enumerate(said.get("dependents", ())):
        if find_form(key) is None:
            yield no_form(f"amends.dependents.{index}", key)
    supplement = said.get("supplement")
    if supplement is None:
        return
    target = find_form(supplement["form"])
    if target is None:
        yield no_form("amends.supplement.form", supplement["form"])
        return
    for key in supplement.get("values", {}):
        field = target.fields.get(key)
        if field is None or field.children or field.computed:
            text = M("There is no field “{key}” that could be written.", key=key)
            yield Problem("no_field", f"amends.supplement.values.{key}", text)


def check_step(doc: Doc, at: str) -> Iterator[Problem]:
    """A step may not change the record itself: only what was proposed is applied, when everybody has agreed."""
    for path, right in doc.get("fields", {}).items():
        if right in ("edit", "require"):
            text = M("What is proposed cannot be changed by those who decide; let them return it.")
            yield Problem("changes_proposal", f"{at}.fields.{path}", text)
    if doc["node"] == "data" and doc["do"] in ("update", "delete") and "form" not in doc:
        text = M("The record itself only changes by what was proposed.")
        yield Problem("changes_proposal", at, text)


def references(doc: Doc) -> set[tuple[str, str]]:
    """The forms that its conditions look at, and that of the supplement."""
    said = doc.get("amends", {})
    found = {("form", str(key)) for key in said.get("dependents", ())}
    return found | ({("form", said["supplement"]["form"])} if "supplement" in said else set())
