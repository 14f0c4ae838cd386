"""The pages of a form's examples: all of them with how they went, and one to fill in and to say what must come."""

from typing import Any

from flask import Blueprint, Response, request, url_for

from formloop.access import gate, signing
from formloop.core import clock
from formloop.core.definitions import Doc
from formloop.core.errors import Conflict, Invalid, NotFound, Problem
from formloop.core.text import M, Message
from formloop.definitions import service as definitions
from formloop.definitions import views as definition_views
from formloop.definitions.views import DESIGN
from formloop.forms import examples as running
from formloop.forms import listing, posted, screen
from formloop.forms.examples import Result
from formloop.forms.fields.datetime import site_zone
from formloop.forms.kind import get_form
from formloop.forms.spec import Values
from formloop.forms.trying import every_path
from formloop.studio import drafting, examples
from formloop.web import page, viewer
from formloop.web.routes import route

blueprint = Blueprint("examples", __name__, url_prefix="/studio/<definition_id>/examples")
NEWEST = 30  # records offered to make an example of


def enroll() -> None:
    """Examples that no longer hold are shown before publishing, with the way to them."""
    if "example" not in definition_views.remedies:
        definition_views.remedies.add("example", _remedy)


def _remedy(found: definitions.Definition) -> tuple[Message, str] | None:
    form = found
    if found.kind == "workflow":
        key = drafting.open_desk(signing.current(), found.id).doc.get("form")
        form = definitions.find_by_key("form", str(key)) or found
    return M("Look at the examples"), url_for("examples.list_all", definition_id=form.id)


@route(blueprint, "", permission=DESIGN)
def list_all(definition_id: str) -> Response:
    """Every example with what came out otherwise than expected."""
    return _list(_open(definition_id))


@route(blueprint, "/take", permission=DESIGN, methods=["POST"])
def take_all(definition_id: str) -> Response:
    """Expect of every example what comes of it now."""
    desk = _open(definition_id)
    return _changed(desk, lambda: examples.take_all_over(signing.current(), desk, _revision()))


@route(blueprint, "/new", permission=DESIGN)
def new(definition_id: str) -> Response:
    """An empty example to fill in."""
    return _one(_open(definition_id), examples.started("", _today(), {}), fresh=True)


@route(blueprint, "/new", permission=DESIGN, methods=["POST"], endpoint="add")
def add(definition_id: str) -> Response:
    """Keep a new example; it expects what comes of it now, to be corrected where that is wrong."""
    return _save(_open(definition_id), examples.started("", _today(), {}), fresh=True)


@route(blueprint, "/record", permission=DESIGN, methods=["POST"])
def from_record(definition_id: str) -> Response:
    """Make an example of a record."""
    desk, actor = _open(definition_id), signing.current()
    record = request.form.get("record", type=int)
    if record is None or not desk.definition.version:
        raise NotFound
    title = request.form.get("title", "").strip()[:200]
    example = examples.free_id(desk, examples.made_of_record(actor, desk.definition.key, record, title))
    try:
        example = examples.taken_over(desk, example)
    except Invalid:
        return _list(desk)
    return _changed(desk, lambda: examples.keep(actor, definition_id, _revision(), example), example["id"])


@route(blueprint, "/<example>", permission=DESIGN)
def show(definition_id: str, example: str) -> Response:
    """One example to change."""
    desk = _open(definition_id)
    return _one(desk, examples.get_example(desk, example))


@route(blueprint, "/<example>", permission=DESIGN, methods=["POST"], endpoint="save")
def save(definition_id: str, example: str) -> Response:
    """Keep what an example gives and expects."""
    desk = _open(definition_id)
    return _save(desk, examples.get_example(desk, example))


@route(blueprint, "/<example>/take", permission=DESIGN, methods=["POST"])
def take(definition_id: str, example: str) -> Response:
    """Expect what comes of it now."""
    desk, actor = _open(definition_id), signing.current()

    def work() -> drafting.Desk:
        made = examples.taken_over(desk, examples.get_example(desk, example))
        return examples.keep(actor, definition_id, _revision(), made)

    return _changed(desk, work)


@route(blueprint, "/<example>/remove", permission=DESIGN, methods=["POST"])
def remove(definition_id: str, example: str) -> Response:
    """Delete an example."""
    desk = _open(definition_id)
    return _changed(desk, lambda: examples.remove(signing.current(), definition_id, _revision(), example))


def _open(definition_id: str) -> drafting.Desk:
    desk = drafting.open_desk(signing.current(), definition_id)
    if desk.definition.kind != "form":
        raise NotFound
    return desk


def _revision() -> int | None:
    return request.form.get("revision", type=int)


def _today() -> Any:
    return clock.today(site_zone())


def _changed(desk: drafting.Desk, work: Any, example: str = "") -> Response:
    """Do it, and show the list or an example; what stands against it is told there."""
    try:
        work()
    except (Conflict, Invalid) as error:
        return page.redirect(_address(desk), error.message, "danger")
    return page.redirect(_address(desk, example))


def _address(desk: drafting.Desk, example: str = "") -> str:
    found = desk.definition.id
    if example:
        return url_for("examples.show", definition_id=found, example=example)
    return url_for("examples.list_all", definition_id=found)


def _list(desk: drafting.Desk) -> Response:
    results, problems = list[Result](), list[Problem]()
    try:
        results = examples.run_all(desk)
    except Invalid as error:
        problems = error.problems
    return page.render(
        "studio/examples.html",
        desk=desk,
        found=desk.definition,
        results=results,
        problems=problems,
        records=_records(desk),
        failing=[each for each in results if each.differences],
    )


def _records(desk: drafting.Desk) -> list[tuple[int, str]]:
    """The newest records that the builder may see, to make an example of."""
    if not desk.definition.version:
        return []
    spec, actor = get_form(desk.definition.key), signing.current()
    if not gate.allows(actor, "view", spec.resource):
        return []
    query = listing.Query(sort=("-id",), limit=NEWEST, columns=(spec.title_field,))
    rows = listing.list_records(actor, spec, query).rows
    return [(row["id"], str(row.get(spec.title_field) or f"#{row['id']}")) for row in rows]


def _save(desk: drafting.Desk, example: Doc, fresh: bool = False) -> Response:
    form, actor = request.form, signing.current()
    made = {**example, "title": form.get("title", "").strip()[:200], "on": form.get("on", "")}
    try:
        with examples.opened(desk) as spec:
            given = examples.made_of_raw(actor, spec, posted.raw_values(spec, form), example["given"])
        made = {**made, "given": given}
        if not made["title"]:
            raise Invalid([Problem("required", "title", M("Give it a name."))])
        if fresh:
            made = examples.free_id(desk, made)
        if fresh or "take" in form:
            made = examples.taken_over(desk, made)
        else:
            typed = {name[2:]: text for name, text in form.items() if name.startswith("e.")}
            made = examples.expecting(desk, made, typed, set(form.getlist("part")))
        examples.keep(actor, desk.definition.id, _revision(), made)
    except (Conflict, Invalid) as error:
        problems = list(getattr(error, "problems", ())) or [Problem(error.code, "", error.message)]
        return _one(desk, made, fresh, problems)
    return page.redirect(_address(desk, made["id"]), M("Saved."))


def _one(
    desk: drafting.Desk, example: Doc, fresh: bool = False, problems: list[Problem] | None = None
) -> Response:
    try:
        result = examples.run_one(desk, example)
    except Invalid:
        return _list(desk)
    tried, expected = result.tried, example.get("expect", {})
    return page.render(
        "studio/example.html",
        status=422 if problems else 200,
        desk=desk,
        found=desk.definition,
        example=example,
        fresh=fresh,
        result=result,
        problems=problems or [],
        spec=tried.spec,
        screen=_screen(result, problems or []),
        rows=_expected_rows(result, expected),
        parts=_parts(result),
        checked=examples.checked_parts(expected),
    )


def _screen(result: Result, problems: list[Problem]) -> screen.Screen:
    """What the example gives, in the inputs of the form."""
    tried, spec = result.tried, result.tried.spec
    blank: Values = {each.key: [{}] for each in spec.subforms if not tried.values.get(each.key)}
    values, env = {**tried.values, **blank}, {**tried.env, **blank}
    paths, names = every_path(spec), dict(tried.names)
    return screen.build(spec, values, env, tried.context, viewer.locale(), paths, paths, problems, names)


def _expected_rows(result: Result, expected: Doc) -> list[tuple[str, Message, str, str, bool]]:
    """Each value that comes of it or was expected: place, words, what comes now, what is expected, and whether the same."""
    known = {place: (field, row) for place, field, row, _, _ in running.places(result.tried)}
    wrong = {each.what.render("en") for each in result.differences}
    told, rows = expected.get("values", {}), list[tuple[str, Message, str, str, bool]]()
    for place in dict.fromkeys([*told, *result.found["values"]]):
        if place not in known:
            continue
        field, row = known[place]
        now = field.type.show(field, row.get(field.key), viewer.locale())
        wanted = (
            field.type.input_text(field, field.type.read(field, told[place])) if _is_told(told, place) else ""
        )
        name = running.name_of(result.tried.spec, place)
        rows.append((place, name, now, wanted, name.render("en") not in wrong))
    return rows


def _is_told(told: Doc, place: str) -> bool:
    return told.get(place) is not None


def _parts(result: Result) -> list[tuple[str, Message, str]]:
    """What else may be looked at, with what comes now, in words."""
    spec, locale = result.tried.spec, viewer.locale()

    def named(places: list[str]) -> str:
        return ", ".join(running.name_of(spec, each).render(locale) for each in places)

    found = result.found
    shown = [(M("Shown"), named(found.get("shown", []))), (M("Hidden"), named(found.get("hidden", [])))]
    refused = [f"{running.name_of(spec, p.at)}: {p.message.render(locale)}" for p in result.tried.problems]
    parts = []
    if any(text for _, text in shown):
        says = " · ".join(f"{word.render(locale)}: {text}" for word, text in shown if text)
        parts.append(("rules", M("What is shown and hidden"), says))
    parts.append(("problems", M("What is refused"), "; ".join(refused) or running.FINE.render(locale)))
    if result.way is not None:
        parts.append(("way", M("Way of the approval"), result.way.told(result.way.steps).render(locale)))
    return parts
