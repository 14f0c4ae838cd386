"""Records are made, changed, deleted or looked up; the steps behind it know them as `flow.<step>`."""

from collections.abc import Mapping
from typing import Any, ClassVar

from formloop.core.definitions import Doc, Library, with_suggestion
from formloop.core.errors import Problem
from formloop.core.expression import BOOL, EvaluationError, ListType, RecordType, Type
from formloop.core.text import M
from formloop.forms.spec import FormSpec, no_form
from formloop.workflows.nodes.calculate import BROKEN, FIELD, VALUES, evaluate, pairs
from formloop.workflows.nodes.failing import FAILED
from formloop.workflows.plain import Found
from formloop.workflows.spec import Entry, FindForm, Node, Visit, Wanted, World
from formloop.workflows.state import Event, Note, Work

MOST_FOUND = 1_000


class WorkOnRecords(Node):
    """A step that makes, changes, deletes or looks up records; without `record` a change is to the case's own."""

    name = "data"
    title = M("Records")
    icon = "database"
    color = "green"
    required = ("do",)
    schema: ClassVar[Mapping[str, Any]] = {
        "do": {
            "enum": ["create", "update", "delete", "query"],
            "x-titles": {
                "create": {"title": "Create", "x-title": {"zh-CN": "新建"}},
                "update": {"title": "Change", "x-title": {"zh-CN": "修改"}},
                "delete": {"title": "Delete", "x-title": {"zh-CN": "删除"}},
                "query": {"title": "Look up", "x-title": {"zh-CN": "查找"}},
            },
            "title": "What to do",
            "x-title": {"zh-CN": "操作"},
        },
        "form": {
            "type": "string",
            "x-pick": "form",
            "x-needed-with": {"do": ["create", "query", "delete"]},
            "title": "Form",
            "x-title": {"zh-CN": "表单"},
        },
        "values": {**VALUES, "x-pairs": pairs(FIELD)},
        "state": {
            "type": "string",
            "pattern": "^[a-z][a-z0-9_]{0,40}$",
            "x-pick": "state",
            "title": "Its new state",
            "x-title": {"zh-CN": "新状态"},
        },
        "state_when": {
            "type": "string",
            "minLength": 1,
            "maxLength": 4096,
            "x-pick": "expression",
            "title": "The state changes only when",
            "x-title": {"zh-CN": "仅当满足时改状态"},
        },
        "record": {
            "type": "string",
            "minLength": 1,
            "maxLength": 4096,
            "x-pick": "expression",
            "title": "Which record",
            "x-title": {"zh-CN": "哪条记录"},
        },
        "by": {
            **VALUES,
            "x-pairs": pairs(FIELD),
            "title": "Where these fit",
            "x-title": {"zh-CN": "匹配字段"},
        },
        "many": {"type": "boolean", "title": "Several", "x-title": {"zh-CN": "多条"}},
        "failed": FAILED,
    }

    def check(self, doc: Doc, at: str, form: FormSpec, library: Library) -> list[Problem]:
        """What it does needs the right things said, and only fields that are there."""
        target = library.find_prepared("form", doc["form"]) if "form" in doc else form
        if not isinstance(target, FormSpec):
            return [no_form(f"{at}.form", doc["form"])]
        problems = [Problem("data", f"{at}.{key}", text) for key, text in _lacks(doc)]
        if "state" in doc and doc["state"] not in target.states:
            text = M("The form has no state “{state}”.", state=doc["state"])
            problems.append(
                Problem("state", f"{at}.state", with_suggestion(text, doc["state"], target.states))
            )
        for part in ("values", "by"):
            for key in doc.get(part, {}):
                field = target.fields.get(key)
                if field is None or (field.computed if part == "values" else field.children):
                    text = M("There is no field “{key}” that could be written.", key=key)
                    if part == "by":
                        text = M("There is no field “{key}”.", key=key)
                    problems.append(Problem("no_field", f"{at}.{part}.{key}", text))
        return problems

    def references(self, doc: Doc) -> set[tuple[str, str]]:
        """The other form."""
        return {("form", doc["form"])} if "form" in doc else set()

    def expressions(self, doc: Doc, find_form: FindForm) -> Mapping[str, Wanted]:
        """Its values, each of its field's type, and the record."""
        target = find_form(doc["form"]) if "form" in doc else None
        found: dict[str, Wanted] = {}
        for part in ("values", "by"):
            for key, source in doc.get(part, {}).items():
                field = target.fields.get(key) if target else None
                expects = field.type.expression_type(field) if field else None
                found[f"{part}.{key}"] = (source, expects, {})
        if "record" in doc:
            found["record"] = (doc["record"], None, {})
        if "state_when" in doc:
            found["state_when"] = (doc["state_when"], BOOL, {})
        return found

    def offers(self, doc: Doc, types: Mapping[str, Type], find_form: FindForm) -> Type | None:
        """What it made or found."""
        target = find_form(doc["form"]) if "form" in doc else None
        if target is None or doc["do"] not in ("create", "query"):
            return None
        kind = RecordType(target.key, lambda: target.names)
        return ListType(kind, ("flow", doc["id"])) if doc.get("many") else kind

    def enter(self, visit: Visit, world: World) -> Entry:
        """Promise the work; the case goes on when it is done."""
        doc, given = visit.step.document, visit.step.expressions
        if any(part in doc and part not in given for part in ("record", "state_when")):
            return Entry(stuck=BROKEN)
        try:
            values, by = evaluate(visit, world), evaluate(visit, world, "by")
            record = world.value_of(given["record"], visit.names) if "record" in given else None
            moves = "state_when" not in given or world.value_of(given["state_when"], visit.names) is True
        except EvaluationError as error:
            return Entry(stuck=error.message)
        if values is None or by is None:
            return Entry(stuck=BROKEN)
        state = doc.get("state") if moves else None
        if ("record" in doc and record is None) or ("state" in doc and state is None and not values):
            return Entry(next=visit.step.next)  # there is none, or nothing of it is to be changed
        wanted = {
            "values": values,
            "by": by,
            "record": record,
            "form": doc.get("form"),
            "state": state,
            "many": doc.get("many"),
        }
        return Entry((Work(visit.token.round, visit.step.id, doc["do"], wanted),), stays=True)

    def hear(self, visit: Visit, event: Event, world: World) -> Entry:
        """Go on with what was made or found."""
        step = visit.step
        if event.action == "failed":
            return self.fail(visit, event.values.get("reason", ""))
        ids = tuple(event.values.get("ids", ()))
        variables: dict[str, Any] = {}
        if step.document["do"] in ("create", "query"):
            many = bool(step.document.get("many"))
            variables[step.id] = Found(step.document["form"], ids, many)
        word = "found" if step.document["do"] == "query" else "worked"
        detail = {"do": step.document["do"], "form": step.document.get("form"), "ids": list(ids[:20])}
        noted = Note(word, step.id, visit.token.round, detail=detail)
        return Entry((noted,), next=step.next, variables=variables)


def _lacks(doc: Doc) -> list[tuple[str, Any]]:
    found = []
    if doc["do"] in ("create", "query") and "form" not in doc:
        found.append(("form", M("Say which form.")))
    if doc["do"] in ("create", "update") and "values" not in doc and "state" not in doc:
        found.append(("values", M("Say which values.")))
    if "state" in doc and (doc["do"] != "update" or "record" not in doc):
        found.append(
            ("state", M("Only a change of another record says its state; the own one follows the case."))
        )
    if "state_when" in doc and "state" not in doc:
        found.append(("state", M("Say which state it gets then.")))
    if doc["do"] == "delete" and "record" not in doc:
        found.append(("record", M("Say which record.")))
    if doc["do"] in ("update", "delete") and ("form" in doc) != ("record" in doc):
        found.append(("record", M("Another record needs its form, and a form needs its record.")))
    if doc.get("many") and doc["do"] != "query":
        found.append(("many", M("Only a look-up finds several.")))
    return found
