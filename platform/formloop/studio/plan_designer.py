"""The designer of plans: ports and outputs are picked; the first rows it reads, and what a run would make of them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, Response
from markupsafe import Markup

from formloop.access import signing
from formloop.access.actor import Actor
from formloop.core.definitions import Path
from formloop.core.errors import FormloopError, Invalid, NotFound, Problem
from formloop.core.text import Message
from formloop.datasets import drawing
from formloop.datasets.kind import get_dataset
from formloop.datasets.service import Reading
from formloop.definitions import library
from formloop.forms.listing import Query
from formloop.forms.spec import FormSpec
from formloop.planning import service as planning
from formloop.planning import views as planning_views
from formloop.planning.kind import prepare, same_names
from formloop.planning.operators import operators
from formloop.planning.spec import PlanSpec
from formloop.studio import drafting, plan_design
from formloop.studio.designer import Act, Designer, Gesture, Made, designers
from formloop.studio.formula import Scope
from formloop.studio.operations import Operation, apply
from formloop.studio.panel import Members
from formloop.studio.pickers import Around, Option, described, pickers
from formloop.studio.shapes import mapping
from formloop.web import page, viewer
from formloop.web.routes import route

blueprint = Blueprint("studio_plans", __name__, url_prefix="/studio")
DESIGN = ("design", "definition")
FIRST = 5  # rows that are shown of each port


@dataclass(frozen=True, slots=True)
class Read:
    """The first rows that a port gets, as the builder may see them."""

    title: Message
    dataset: Message
    columns: list[dict[str, Any]]
    rows: list[Markup]
    problems: list[Problem]


class PlanDesigner(Designer):
    """Draws plans."""

    canvas = "studio/_plan_canvas.html"

    def shown(self, around: Around) -> Mapping[str, Any]:
        """The panel, parted where results begin, and what goes where."""
        parts = list(super().shown(around)["parts"])
        at = next((n for n, each in enumerate(parts) if isinstance(each, Members)), len(parts))
        targets = list(plan_design.list_targets(around.doc, around.locale))
        rest = {"results": parts[at : at + 1], "rest": parts[at + 1 :]}
        return {"parts": parts[:at], "targets": targets, **rest}

    def scope(self, around: Around, at: Path) -> Scope:
        """Conditions see the form that is written; values see the columns of their result."""
        if len(at) < 3 or at[0] != "outputs":
            return super().scope(around, at)
        form = mapping(mapping(around.doc.get("outputs")).get(at[1])).get("form")
        scope = super().scope(replace(around, beside={"form": form}), at)
        if at[2] != "map":
            return scope
        _, names = plan_design.understood(around.doc)
        fields = plan_design.list_results(around.doc, at[1], around.locale)
        spec = library.find_published("form", str(form))
        known = spec.fields.get(at[-1]) if isinstance(spec, FormSpec) else None
        expects = known.type.expression_type(known) if known else None
        return Scope(names.get(".".join(at), {}), fields, expects, "")

    def gestures(self) -> Mapping[str, Act]:
        """Accepting the suggestions for an output, besides what every designer can."""
        return {**super().gestures(), "plan-accept": _accept}


def _accept(gesture: Gesture) -> Made:
    """Draw the pairs that are suggested for the output at a place."""
    around, name = gesture.around, gesture.at[-1]
    targets = plan_design.list_targets(around.doc, around.locale)
    found = next((each.suggested for each in targets if each.name == name), {})
    pairs = [Operation("set", (*gesture.at, "map", key), column) for key, column in found.items()]
    doc, _ = apply(around.doc, pairs, around.kind.identities)
    return doc, ()


def _form_beside(around: Around) -> FormSpec | None:
    found = library.find_published("form", str(around.beside.get("form", "")))
    return found if isinstance(found, FormSpec) else None


def _written(around: Around) -> list[Option]:
    """The fields that an output fills in, by which a record can be found again."""
    form = _form_beside(around)
    operator = plan_design.operator_of(around.doc)
    port = operator.outputs.get(around.at[-1]) if operator and around.at else None
    if form is None or port is None:
        return []
    filled = {*same_names(port, form), *mapping(around.beside.get("map"))}
    return [each for each in plan_design.writable(form, around.locale) if each[0] in filled]


def _writable(around: Around) -> list[Option]:
    form = _form_beside(around)
    return plan_design.writable(form, around.locale) if form else []


def _outputs(around: Around) -> list[Option]:
    operator = plan_design.operator_of(around.doc)
    outputs = operator.outputs if operator else {}
    return [(name, port.title.render(around.locale)) for name, port in outputs.items()]


def _parameters_of(around: Around) -> list[Option]:
    """The parameters of the plan that is named beside."""
    plan = library.find_published("plan", str(around.beside.get("plan", "")))
    return [(name, each.title(around.locale)) for name, each in plan.parameters.items()] if plan else []


designers.add("plan", PlanDesigner())
described.add("ports", lambda around: plan_design.describe_ports(around.doc))
described.add("parameters", lambda around: plan_design.describe_parameters(around.doc))
pickers.add("plan_parameters", _parameters_of)
pickers.add("operator", lambda around: [(each.name, each.title.render(around.locale)) for each in operators])
pickers.add("outputs", _outputs)
pickers.add("written", _written)
pickers.add("writable", _writable)
pickers.add("results", lambda around: plan_design.list_results(around.doc, str(around.at[-1]), around.locale))


@route(blueprint, "/<definition_id>/reads", permission=DESIGN)
def show_reads(definition_id: str) -> Response:
    """The first rows that each port of the draft gets."""
    actor, desk = _desk(definition_id)
    plan, _ = plan_design.understood(desk.doc)
    ports = plan.ports if plan else {}
    reads = [_read(actor, plan, port, key) for port, key in ports.items() if plan]
    return page.render_part("studio/_plan_reads.html", reads=reads)


def _read(actor: Actor, plan: PlanSpec, port: str, key: str) -> Read:
    said, dataset, locale = plan.operator.ports[port], get_dataset(key), viewer.locale()
    columns, rows, problems = [], list[Markup](), list[Problem]()
    try:
        given = {
            name: field.type.input_text(field, plan.values[name])
            for name, field in dataset.parameters.items()
            if name in plan.values
        }
        found, query = Reading(actor, dataset, given), Query(limit=FIRST)
        fields = [each for name, each in found.fields.items() if name in said.columns]
        columns = [{"label": each.title(locale), "number": each.type.numeric} for each in fields]
        rows = drawing.rows(actor, found, query, fields, found.page(query).rows, locale)
    except FormloopError as error:
        problems = error.problems if isinstance(error, Invalid) else [Problem(error.code, "", error.message)]
    return Read(said.title, dataset.name, columns, rows, problems)


@route(blueprint, "/<definition_id>/run", permission=DESIGN)
def try_run(definition_id: str) -> Response:
    """What a run of the draft would make; nothing of it stays."""
    actor, desk = _desk(definition_id)
    problems = [each for each in drafting.check(actor, desk) if each.severity == "error"]
    told = None
    if not problems:
        try:
            told = planning_views.tell_try(actor, prepare(desk.doc, 0), planning.try_draft(actor, desk.doc))
        except FormloopError as error:
            problems = (
                error.problems if isinstance(error, Invalid) else [Problem(error.code, "", error.message)]
            )
    return page.render_part(
        "planning/_tried.html", problems=problems, tried=told, counts=planning_views.COUNTS
    )


def _desk(definition_id: str) -> tuple[Actor, drafting.Desk]:
    actor = signing.current()
    desk = drafting.open_desk(actor, definition_id)
    if desk.kind.name != "plan":
        raise NotFound
    return actor, desk
