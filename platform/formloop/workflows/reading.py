"""From a workflow document to what runs, with everything that is wrong with it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from formloop.core.definitions import Doc, Library
from formloop.core.errors import Problem
from formloop.core.expression import BOOL, Expression, Path, RecordType, Type
from formloop.core.expression import check as check_expression
from formloop.core.text import M, Titled
from formloop.forms.spec import FormSpec
from formloop.workflows.actions.spec import picks_for
from formloop.workflows.amendments import reading as amendments
from formloop.workflows.nodes import nodes
from formloop.workflows.nodes.seats import no_field
from formloop.workflows.spec import Branch, FindForm, Step, Workflow

DEEPEST = 12
OF_THE_CASE = ("flow", "loop", "answer", "amendment", "dependents")  # names that are not of the record
CHANGING = frozenset({"update", "delete"})  # what a step does with records that are there
STATES = {"submitted": "review", "approved": "confirmed", "rejected": "rejected"}
MOST_SUMMARY = 4


def build(
    doc: Doc,
    version: int,
    form: FormSpec | None,
    lib: Library | None = None,
    find_form: FindForm = lambda key: None,
) -> tuple[Workflow, list[Problem]]:
    """The prepared workflow and its problems; people and roles are only looked up when `lib` is given."""
    reader = _Reader(doc, form, lib, find_form)
    known = amendments.names_of(doc, form, find_form) if "amends" in doc else {}
    amends = amendments.read(doc, find_form, reader.express)
    first = reader.chain(doc["steps"], None, "steps", _Around(names=known))
    states = {**STATES, "returned": form.initial_state if form else "draft", **doc.get("states", {})}
    came_back = {states["returned"], states["rejected"], form.initial_state if form else "draft"}
    read = {path[0] for path in reader.reads}
    lines = tuple(f.key for f in form.subforms if f.key in read) if form else ()
    ends = {str(step.document["state"]) for step in reader.steps.values() if "state" in step.document}
    workflow = Workflow(
        id=doc["x-id"],
        key=doc["x-key"],
        version=version,
        form=doc["form"],
        document=doc,
        first=first,
        steps=reader.steps,
        states=states,
        free_states=frozenset(came_back - ends - {states["approved"]}),
        held_states=frozenset(({states["submitted"], states["approved"]} | ends) - came_back),
        summary=_summary(doc, form),
        reads=frozenset(reader.reads),
        record_reads=_record_reads(reader.reads, lines),
        found_reads=frozenset(path[2:] for path in reader.reads if path[0] in OF_THE_CASE and len(path) > 2),
        lines_read=lines,
        changes=frozenset(
            str(step.document.get("form", doc["form"]))
            for step in reader.steps.values()
            if step.document.get("do") in CHANGING
        ),
        amends=amends,
    )
    reader.problems += [*_check_ids(doc), *_check_same(doc)]
    if form is not None:
        reader.problems += [*_check_places(doc, workflow, form), *_check_chosen(doc, workflow)]
        if amends is not None:
            reader.problems += amendments.check(doc, amends, form, find_form)
    return workflow, reader.problems


def _record_reads(reads: Iterable[Path], lines: Iterable[str]) -> frozenset[Path]:
    """What is read of the record itself, and of its lines under the name a loop gives them."""
    reads = set(reads)
    own = {path for path in reads if path[0] not in OF_THE_CASE}
    rest = {path[2:] for path in reads if path[:2] == ("loop", "item") and len(path) > 3}
    return frozenset(own | {(key, *path) for key in lines for path in rest})


def walk(doc: Doc) -> Iterator[tuple[Doc, str]]:
    """Every step of a document with its place, in reading order."""

    def below(steps: list[Doc], at: str) -> Iterator[tuple[Doc, str]]:
        for index, step in enumerate(steps):
            here = f"{at}.{index}"
            yield step, here
            for inner, place in parts_of(step):
                yield from below(inner["steps"], f"{here}{place}.steps")

    yield from below(doc["steps"], "steps")


def parts_of(step: Doc) -> list[tuple[Doc, str]]:
    """The parts of a step that have steps of their own: its branches, or the body of a loop."""
    if "steps" in step:
        return [(step, "")]
    return [(branch, f".branches.{index}") for index, branch in enumerate(step.get("branches", ()))]


@dataclass(frozen=True, slots=True)
class _Around:
    """What stands around a step: how deep it is, its blocks, and the names only they know."""

    depth: int = 0
    blocks: tuple[tuple[str, str], ...] = ()
    names: Mapping[str, Type] = field(default_factory=dict)


class _Reader:
    def __init__(self, doc: Doc, form: FormSpec | None, lib: Library | None, find_form: FindForm) -> None:
        self.doc = doc
        self.form = form
        self.lib = lib
        self.find_form = find_form
        self.steps: dict[str, Step] = {}
        self.flow: dict[str, Type] = {}  # what the steps read so far find out
        self.reads: set[Path] = set()
        self.problems: list[Problem] = []

    def chain(self, docs: list[Doc], after: str | None, at: str, around: _Around) -> str | None:
        """Prepare the steps of a block, which goes on at `after`; returns where the block begins."""
        if around.depth > DEEPEST:
            self._say_too_deep(docs, at)
            return after
        for index, doc in enumerate(docs):
            last = index + 1 == len(docs)
            if not last and nodes.get(doc["node"]).ends:
                text = M("No case ever gets here, because the step before ends it.")
                self.problems.append(Problem("unreachable", f"{at}.{index + 1}", text))
            self._step(doc, after if last else docs[index + 1]["id"], f"{at}.{index}", around)
        return docs[0]["id"] if docs else after

    def _say_too_deep(self, docs: list[Doc], at: str) -> None:
        for doc in docs[:1]:
            called = Titled(doc) if doc.get("title") else nodes.get(doc["node"]).title
            self.problems.append(
                Problem(
                    "deep",
                    f"{at}.0",
                    M(
                        "“{step}” stands too deep inside other steps: {most} levels are possible.",
                        step=called,
                        most=DEEPEST,
                    ),
                )
            )

    def _step(self, doc: Doc, following: str | None, at: str, around: _Around) -> None:
        node = nodes.get(doc["node"])
        if self.form is not None and self.lib is not None:
            self.problems += node.check(doc, at, self.form, self.lib)
        step = Step(
            doc["id"],
            node,
            doc,
            following,
            expressions=self._expressions(doc, at, around),
            blocks=around.blocks,
            place=len(self.steps),
            repeated=str(doc.get("repeated", self.doc.get("repeated", "ask"))),
        )
        self.steps.setdefault(step.id, step)
        self._read_fields(doc)
        self._check_last(doc, at)
        if "amends" in self.doc:
            self.problems += amendments.check_step(doc, at)
        inner = node.inside(doc, self.form, self.flow) if self.form is not None else {}
        within = replace(around, depth=around.depth + 1, names={**around.names, **inner})
        found = tuple(
            self._branch(part, step, f"{at}{place}", within, around) for part, place in parts_of(doc)
        )
        self.steps[step.id] = replace(step, branches=found)

    def _expressions(self, doc: Doc, at: str, around: _Around) -> dict[str, Expression]:
        node = nodes.get(doc["node"])
        found, types = {}, {}
        for name, (source, expects, besides) in node.expressions(doc, self.find_form).items():
            parsed = self.express(source, f"{at}.{name}", expects, {**around.names, **besides})
            if parsed is not None:
                found[name], types[name] = parsed, parsed.type
        for index, rule in enumerate(doc.get("who", ())):
            if rule["rule"] == "expression":
                place = f"{at}.who.{index}.value"
                parsed = self.express(rule["value"], place, None, around.names)
                if parsed is not None:
                    found[f"who:{rule['value']}"] = parsed
        offered = node.offers(doc, types, self.find_form)
        if offered is not None:
            self.flow[doc["id"]] = offered
        return found

    def _read_fields(self, doc: Doc) -> None:
        for rule in doc.get("who", ()):
            path = rule.get("field") or rule.get("of")
            if path and rule["rule"] != "same":
                self.reads.add(tuple(path.split(".")))
        if "over" in doc:
            self.reads.add((doc["over"],))

    def _check_last(self, doc: Doc, at: str) -> None:
        branches = doc.get("branches", ()) if doc["node"] == "condition" else ()
        for index, branch in enumerate(branches[:-1]):
            if "when" not in branch:
                text = M("A branch without a condition is taken always; it must be the last one.")
                self.problems.append(Problem("unreachable", f"{at}.branches.{index}", text))

    def _branch(self, doc: Doc, step: Step, at: str, within: _Around, around: _Around) -> Branch:
        own = "steps" not in step.document  # else the part is the step itself
        when = None
        if own and "when" in doc and not doc["when"].strip():
            text = M("Choose when this branch is taken.")
            self.problems.append(Problem("empty", f"{at}.when", text))
        elif own and "when" in doc:
            when = self.express(doc["when"], f"{at}.when", BOOL, around.names)
        after = step.next
        if step.node.block:
            after = f"/{step.id}"
            within = replace(within, blocks=(*around.blocks, (step.id, doc["id"])))
        first = self.chain(doc["steps"], after, f"{at}.steps", within)
        return Branch(doc["id"], doc, when, first, broken=own and "when" in doc and when is None)

    def express(
        self, source: str, at: str, expects: Type | None, names: Mapping[str, Type]
    ) -> Expression | None:
        """An expression over the record, what steps found out, and these names besides; problems are noted."""
        if self.form is None:
            return None
        flow = {"flow": RecordType("flow", lambda: self.flow)} if self.flow else {}
        found, problems = check_expression(source, {**flow, **names, **self.form.names}, expects)
        self.problems += [replace(each, at=at, line=None, column=None) for each in problems]
        if found is not None:
            self.reads |= found.reads
        return found


def _check_same(doc: Doc) -> list[Problem]:
    """`same` names a step of the workflow in which people decide."""
    known = {step["id"] for step, _ in walk(doc) if nodes.get(step["node"]).actions}
    return [
        Problem(
            "no_step",
            f"{at}.who.{index}.step",
            M("There is no step “{key}” where people decide.", key=rule["step"]),
        )
        for step, at in walk(doc)
        for index, rule in enumerate(step.get("who", ()))
        if rule["rule"] == "same" and rule["step"] not in known
    ]


def _check_chosen(doc: Doc, workflow: Workflow) -> list[Problem]:
    """People chosen by whoever decided before need somebody who decides before."""
    deciding = [step for step in workflow.steps.values() if step.node.actions]
    text = M("Nobody decides before this step who could choose its people.")
    return [
        Problem("nobody_chooses", f"{at}.who.{index}.by", text)
        for step, at in walk(doc)
        for index, rule in enumerate(step.get("who", ()))
        if rule["rule"] == "chosen" and rule["by"] == "previous"
        if not any(picks_for(workflow, each, step["id"]) for each in deciding)
    ]


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
            problems.append(Problem("no_field", f"summary.{index}", no_field(form, path)))
    ends = any(nodes.get(step["node"]).ends for step in doc["steps"])  # every way meets this end
    for name, state in workflow.states.items():
        if workflow.amends is not None:
            continue  # its steps move the proposal, never the record
        if state not in form.states and not (name == "approved" and ends):
            text = M(
                "The form has no state “{state}”. Add it to the form, or choose another of its states here.",
                state=state,
            )
            problems.append(Problem("state", f"states.{name}", text))
    held = {workflow.states["submitted"], workflow.states["approved"]}
    for name in ("returned", "rejected"):
        if workflow.amends is None and workflow.states[name] in held:
            text = M(
                "Records come back in “{state}”, so it cannot be where they are submitted or approved too."
            )
            problems.append(Problem("state", f"states.{name}", M(text.msgid, state=workflow.states[name])))
    return problems
