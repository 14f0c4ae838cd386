"""From a workflow document to what runs, with everything that is wrong with it."""

from collections.abc import Iterator
from dataclasses import replace

from formloop.core.definitions import Doc, Library
from formloop.core.errors import Problem
from formloop.core.expression import BOOL, Expression, Path
from formloop.core.expression import check as check_expression
from formloop.core.text import M
from formloop.forms.spec import FormSpec
from formloop.workflows.nodes import nodes
from formloop.workflows.spec import Branch, Step, Workflow

DEEPEST = 12
STATES = {"submitted": "review", "approved": "confirmed", "rejected": "rejected"}
MOST_SUMMARY = 4


def build(
    doc: Doc, version: int, form: FormSpec | None, lib: Library | None = None
) -> tuple[Workflow, list[Problem]]:
    """The prepared workflow and its problems; people and roles are only looked up when `lib` is given."""
    reader = _Reader(form, lib)
    first = reader.chain(doc["steps"], None, "steps", 0)
    order = [step["id"] for step, _ in walk(doc)]
    states = {**STATES, "returned": form.initial_state if form else "draft", **doc.get("states", {})}
    workflow = Workflow(
        id=doc["x-id"],
        key=doc["x-key"],
        version=version,
        form=doc["form"],
        document=doc,
        first=first,
        steps={key: reader.steps[key] for key in dict.fromkeys(order)},
        states=states,
        summary=_summary(doc, form),
        reads=frozenset(reader.reads),
    )
    reader.problems += _check_ids(doc)
    if form is not None:
        reader.problems += _check_places(doc, workflow, form)
    return workflow, reader.problems


def walk(doc: Doc) -> Iterator[tuple[Doc, str]]:
    """Every step of a document with its place, in reading order."""

    def below(steps: list[Doc], at: str) -> Iterator[tuple[Doc, str]]:
        for index, step in enumerate(steps):
            here = f"{at}.{index}"
            yield step, here
            for number, branch in enumerate(step.get("branches", ())):
                yield from below(branch["steps"], f"{here}.branches.{number}.steps")

    yield from below(doc["steps"], "steps")


class _Reader:
    def __init__(self, form: FormSpec | None, lib: Library | None) -> None:
        self.form = form
        self.lib = lib
        self.steps: dict[str, Step] = {}
        self.reads: set[Path] = set()
        self.problems: list[Problem] = []

    def chain(self, docs: list[Doc], after: str | None, at: str, depth: int) -> str | None:
        """Prepare the steps of a block, which goes on at `after`; returns where the block begins."""
        if depth > DEEPEST:
            self.problems.append(Problem("deep", at, M("Conditions stand too deep inside each other.")))
            return after
        for index, doc in enumerate(docs[:-1]):
            if nodes.get(doc["node"]).ends:
                text = M("No case ever gets here, because the step before ends it.")
                self.problems.append(Problem("unreachable", f"{at}.{index + 1}", text))
        following = after
        for index in range(len(docs) - 1, -1, -1):
            self._step(docs[index], following, f"{at}.{index}", depth)
            following = docs[index]["id"]
        return following

    def _step(self, doc: Doc, following: str | None, at: str, depth: int) -> None:
        node = nodes.get(doc["node"])
        if self.form is not None and self.lib is not None:
            self.problems += node.check(doc, at, self.form, self.lib)
        step = Step(doc["id"], node, doc, following, depth=depth)
        self._read_fields(doc)
        branches = doc.get("branches", ())
        self._check_last(branches, at)
        found = tuple(self._branch(b, following, f"{at}.branches.{i}", depth) for i, b in enumerate(branches))
        self.steps[step.id] = replace(step, branches=found)

    def _read_fields(self, doc: Doc) -> None:
        for rule in doc.get("who", ()):
            path = rule.get("field") or rule.get("of")
            if path:
                self.reads.add(tuple(path.split(".")))

    def _check_last(self, branches: list[Doc], at: str) -> None:
        for index, branch in enumerate(branches[:-1]):
            if "when" not in branch:
                text = M("A branch without a condition is taken always; it must be the last one.")
                self.problems.append(Problem("unreachable", f"{at}.branches.{index}", text))

    def _branch(self, doc: Doc, following: str | None, at: str, depth: int) -> Branch:
        when = self._condition(doc["when"], f"{at}.when") if "when" in doc else None
        first = self.chain(doc["steps"], following, f"{at}.steps", depth + 1)
        return Branch(doc["id"], doc, when, first, broken="when" in doc and when is None)

    def _condition(self, source: str, at: str) -> Expression | None:
        if self.form is None:
            return None
        found, problems = check_expression(source, self.form.names, BOOL)
        self.problems += [replace(each, at=at, line=None, column=None) for each in problems]
        if found is not None:
            self.reads |= found.reads
        return found


def _check_ids(doc: Doc) -> list[Problem]:
    seen: set[str] = set()
    problems = []
    for step, at in walk(doc):
        named = [(step["id"], at)]
        named += [(b["id"], f"{at}.branches.{i}") for i, b in enumerate(step.get("branches", ()))]
        for key, place in named:
            if key in seen:
                text = M("The id “{id}” is used twice.", id=key)
                problems.append(Problem("duplicate", f"{place}.id", text))
            seen.add(key)
    return problems


def _summary(doc: Doc, form: FormSpec | None) -> tuple[str, ...]:
    if "summary" in doc or form is None:
        return tuple(doc.get("summary", ()))
    shown = [key for key in form.list.columns if key in form.fields and key != form.title_field]
    return tuple(shown[:MOST_SUMMARY])


def _check_places(doc: Doc, workflow: Workflow, form: FormSpec) -> list[Problem]:
    problems = []
    for index, path in enumerate(doc.get("summary", ())):
        field = form.fields.get(path)
        if field is None or field.children:
            text = M("There is no field “{key}”.", key=path)
            problems.append(Problem("no_field", f"summary.{index}", text))
    ends = any(nodes.get(step["node"]).ends for step in doc["steps"])  # every way meets this end
    for name, state in workflow.states.items():
        if state not in form.states and not (name == "approved" and ends):
            at = f"states.{name}" if name in doc.get("states", {}) else "form"
            problems.append(Problem("state", at, M("The form has no state “{state}”.", state=state)))
    return problems
