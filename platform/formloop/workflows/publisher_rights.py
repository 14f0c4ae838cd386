"""Nobody publishes, or plays, a workflow that shows, writes or sends what they may not see or do themselves.

Steps read records, write them and call other systems whatever the person may who happens to agree, and show
fields to whoever they ask. So a builder may only let them do so with fields they see, or may fill in.
"""

from collections.abc import Iterable, Iterator

from formloop.access import gate
from formloop.access.actor import Actor
from formloop.core.definitions import Doc
from formloop.core.errors import Invalid, Problem
from formloop.core.expression import Path
from formloop.core.text import M, Titled
from formloop.definitions import library
from formloop.definitions import service as definitions
from formloop.forms import permits
from formloop.forms.kind import get_form
from formloop.forms.publisher_rights import in_words, read_elsewhere, sees
from formloop.forms.spec import FormSpec
from formloop.planning import service as planning
from formloop.planning.kind import get_plan
from formloop.workflows import sight
from formloop.workflows.reading import OF_THE_CASE, walk
from formloop.workflows.spec import Step, Workflow


def enroll() -> None:
    """Take part in publishing."""
    if "workflow" not in definitions.judges:
        definitions.judges.add("workflow", _problems)


def require_rights(actor: Actor, draft: Workflow) -> None:
    """Refuse a draft of a workflow that this person could not publish."""
    if actor.administrator:
        return
    of_app = definitions.get_definition(draft.id).app
    earlier = library.find_published("workflow", draft.key) if of_app else None
    if problems := definitions.without_known(draft, earlier, lambda each: _problems(actor, each)):
        raise Invalid(problems)


def _problems(actor: Actor, workflow: Workflow) -> list[Problem]:
    """By what of a workflow a person would see or do more than they may."""
    return [*_shows_hidden(actor, workflow), *_reads_hidden(actor, workflow), *_works(actor, workflow)]


def _steps(workflow: Workflow) -> Iterator[tuple[Doc, str]]:
    return walk(dict(workflow.document))


def _shows_hidden(actor: Actor, workflow: Workflow) -> Iterator[Problem]:
    """A step's field rights show fields to whoever it asks."""
    spec = get_form(workflow.form)
    for doc, at in _steps(workflow):
        step = workflow.steps[doc["id"]]
        shown = {path for path, right in sight.rights_of(step, spec).items() if right != "hide"}
        for path in sorted(shown):
            if not sees(actor, spec.key, path):
                named = in_words(spec.key, path)
                text = M("This step shows {field}, which you may not see yourself.", field=named["field"])
                yield Problem("shows_hidden", f"{at}.fields", text)


def _reads_hidden(actor: Actor, workflow: Workflow) -> Iterator[Problem]:
    """Expressions read the record, what it points to, and what steps found."""
    for form, key in sorted(_fields_read(workflow, workflow.reads) | _lines_taken(workflow)):
        if not sees(actor, form, key):
            text = M(
                "This workflow reads {field} of {form}, which you may not see yourself.",
                **in_words(form, key),
            )
            yield Problem("reads_hidden", "steps", text)


def tells_hidden(actor: Actor, workflow: Workflow, step: Step) -> bool:
    """Whether what a step writes to people may say more than a person sees: a field, or a row elsewhere."""
    reads, found = frozenset[Path]().union(*(each.reads for each in step.expressions.values())), set[str]()
    if any(path[0] in OF_THE_CASE for path in reads):
        reads = workflow.reads  # what steps before it found, and all that they read to find it
        found = _forms_of(workflow)
    read = _fields_read(workflow, reads)
    found |= {form for form, _ in read if form != workflow.form}
    return not (
        all(sees(actor, form, key) for form, key in read) and all(_sees_every_row(actor, f) for f in found)
    )


def are_hidden(actor: Actor, spec: FormSpec, paths: Iterable[Path]) -> bool:
    """Whether what a rule of a form reads is more than a person sees: a field, or a row elsewhere."""
    paths = list(paths)
    read = {(form, key) for _, form, key in read_elsewhere(spec, paths)}
    forms = {form for form, _ in read}
    read |= {(spec.key, p) for path in paths for p in (".".join(path[:2]), path[0]) if spec.find(p)}
    return not (
        all(sees(actor, form, key) for form, key in read) and all(_sees_every_row(actor, f) for f in forms)
    )


def _sees_every_row(actor: Actor, form: str) -> bool:
    permit = permits.find_permit(actor, "view", get_form(form))
    return permit is not None and None in permit.conditions


def _fields_read(workflow: Workflow, reads: Iterable[Path]) -> set[tuple[str, str]]:
    """Form and field of everything that these paths read."""
    spec, reads = get_form(workflow.form), list(reads)
    own = [path for path in reads if path[0] not in OF_THE_CASE]
    read = {(form, key) for _, form, key in read_elsewhere(spec, own)}
    for path in own:
        read |= {(spec.key, p) for p in (".".join(path[:2]), path[0]) if spec.find(p)}
    forms = _forms_of(workflow)
    for path in reads:
        if path[0] in OF_THE_CASE:
            own_forms = {"amendment": {spec.key}, "dependents": set(path[1:2])}.get(path[0], forms)
            read |= {(form, key) for form in own_forms for key in path[2:] if get_form(form).find(key)}
            for each in own_forms:
                read |= {(form, key) for _, form, key in read_elsewhere(get_form(each), [path[2:]])}
    return read


def _lines_taken(workflow: Workflow) -> set[tuple[str, str]]:
    """Form and field of what steps read to make lines of it: everything under the names of the columns."""
    taken = set()
    for doc, _ in _steps(workflow):
        target = get_form(doc.get("form", workflow.form)) if doc["node"] == "data" else None
        for key in doc.get("values", {}) if target else ():
            columns = {column.key for column in target.fields[key].children} if target else set()
            for path in workflow.steps[doc["id"]].expressions[f"values.{key}"].reads if columns else ():
                forms = _forms_of(workflow) if path[0] in OF_THE_CASE else {workflow.form}
                within = path[2:] if path[0] in OF_THE_CASE else path
                taken |= {(form, ".".join((*within, column))) for form in forms for column in columns}
    return {(form, path) for form, path in taken if get_form(form).find(path)}


def _forms_of(workflow: Workflow) -> set[str]:
    """The forms that steps name."""
    named = {str(doc["form"]) for doc, _ in _steps(workflow) if "form" in doc}
    return named | {str(doc["event"]["form"]) for doc, _ in _steps(workflow) if "event" in doc}


def _works(actor: Actor, workflow: Workflow) -> Iterator[Problem]:
    """Records are made, changed, deleted, found and submitted."""
    for doc, at in _steps(workflow):
        form = doc.get("form", workflow.form)
        if library.is_new("form", form):
            continue  # theirs who will publish it
        if doc["node"] == "subflow" and not gate.allows(actor, "submit", get_form(form).resource):
            named = get_form(form).called
            yield Problem(
                "writes_forbidden", at, M("You may not submit records of {form} yourself.", form=named)
            )
        if doc["node"] == "plan" and not planning.may_run(actor, plan := get_plan(doc["plan"])):
            text = M(
                "This step runs the plan “{plan}”, which you may not run yourself.",
                plan=Titled(plan.document, plan.key),
            )
            yield Problem("writes_forbidden", at, text)
        if doc["node"] == "data":
            yield from _writes_forbidden(actor, doc, form, at)


def _writes_forbidden(actor: Actor, doc: Doc, form: str, at: str) -> Iterator[Problem]:
    spec, does = get_form(form), str(doc["do"])
    permit = permits.find_permit(actor, {"update": "edit", "query": "view"}.get(does, does), spec)
    keys = [*doc.get("values", {}), *doc.get("by", {})]
    keys += [
        column.path
        for key in doc.get("values", {})
        for column in spec.fields[key].children
        if not column.computed
    ]
    if permit is None or any(key not in permit.everywhere for key in keys):
        text = M("This step works on records of {form} as you may not do yourself.", form=spec.called)
        yield Problem("writes_forbidden", at, text)
