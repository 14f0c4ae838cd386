"""The designer of bridges: source and target side by side, pairs drawn between them, tried on real records."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, request, url_for

from formloop.access import gate, signing
from formloop.access.actor import Actor
from formloop.bridges import trial
from formloop.bridges.spec import ASKED, CLOCK
from formloop.core.definitions import Doc, Path, kinds
from formloop.core.errors import Invalid, Problem
from formloop.core.expression import RecordType, Type
from formloop.core.text import LOCALES, M, Message, titled
from formloop.definitions import apps, editor, library
from formloop.definitions import service as definitions
from formloop.forms import listing, states
from formloop.forms.listing import Query
from formloop.forms.reading import OWN, single_of
from formloop.forms.spec import FormSpec
from formloop.studio import drafting
from formloop.studio.bridge_design import (
    clock_words,
    form_at,
    lines_of,
    list_found,
    list_warnings,
    names_in,
    read_board,
    read_filled,
)
from formloop.studio.designer import FIXED, Act, Designer, Gesture, Made, designers
from formloop.studio.formula import Scope, expected_at, own_field, scope_of
from formloop.studio.operations import Operation, apply
from formloop.studio.panel import Panel
from formloop.studio.pickers import Around, Option, fields_of, options_of, pickers, points_of, states_of
from formloop.studio.shapes import mapping, texts
from formloop.web import navigation, page, viewer
from formloop.web.routes import route

blueprint = Blueprint("studio_bridges", __name__, url_prefix="/studio/bridges")
DESIGN = ("design", "definition")
NEWEST = 10  # records that a draft is tried on
OFFERED = 30  # records to choose one of
HAPPENINGS = {
    "created": M("It is created"),
    "updated": M("It is changed"),
    "amended": M("It is changed after that"),
    "cancelled": M("It is cancelled"),
    "deleted": M("It is deleted"),
    "restored": M("It is taken out of the recycle bin"),
    "asked": M("Somebody asks for it by a button"),
    "clock": M("At set times"),
}


class BridgeDesigner(Designer):
    """Draws bridges."""

    canvas = "studio/_bridge_canvas.html"
    whole = False
    without = FIXED | {"map"}

    def shown(self, around: Around) -> Mapping[str, Any]:
        """The board, and what it says of when and how."""
        doc = around.doc
        board = read_board(doc, around.locale)
        lines = lines_of(doc, board.source) if board.source else None
        words = dict(_happenings(_around_source(around))) | {CLOCK: clock_words(doc, around.locale)}
        happens, by = texts(mapping(doc.get("from")).get("on")), texts(mapping(doc.get("to")).get("by"))
        asked = ASKED in happens
        return {
            "board": board,
            "lines": lines.title(around.locale) if lines else "",
            "happens": [words.get(each, each) for each in happens],
            "when": doc.get("when") if isinstance(doc.get("when"), str) else "",
            "by": by,
            "asked": asked,
            "own": not by and not asked,  # it changes nothing but what it made itself
            "filled": read_filled(doc, board.target, around.locale),
        }

    def panel(self, around: Around, at: Path) -> Panel | None:
        """Pairs have no panel of their own: the board shows them; those of lines stand with the lines."""
        panel = super().panel(around, () if at[:1] == ("map",) else at)
        return replace(panel, without=frozenset()) if panel is not None and panel.at else panel

    def scope(self, around: Around, at: Path) -> Scope:
        """Expressions see the source record and one of its lines; those of pairs give what the target field takes."""
        source, target = form_at(around.doc, "from"), form_at(around.doc, "to")
        if source is None:
            return Scope({}, [], expected_at(at), "")
        if at == ("find", "where"):
            return _found_by(around, source, expected_at(at))
        wanted = target.fields.get(at[1]) if target and len(at) == 2 and at[0] == "map" else None
        expects = wanted.type.expression_type(wanted) if wanted else expected_at(at)
        lines = lines_of(around.doc, source)
        groups = read_board(around.doc, around.locale).groups
        offered = [(each.path, each.title) for _, group in groups for each in group]
        if at[:1] == ("lines",) and lines is None:
            offered = [*list_found(around.doc, around.locale), *offered]
        each = lines.key if lines else ""
        said = library.find_document("form", source.key) or {}

        choices = {_as_line(path, each): one for path, one in options_of(said, around.locale).items()}
        points = {_as_line(path, each): one for path, one in points_of(said, around.locale).items()}
        names = names_in(around.doc, source)
        return Scope(names, offered, expects, source.key, each, choices, points)

    def warnings(self, around: Around) -> list[Problem]:
        """States of the source that nothing leads to."""
        return list_warnings(around.doc, around.locale)

    def gestures(self) -> Mapping[str, Act]:
        """Accepting suggestions, besides what every designer can."""
        return {**super().gestures(), "accept": _accept}


def _as_line(path: str, lines: str) -> str:
    """What expressions of a bridge call a field, or a column of the lines that it carries over."""
    return f"line.{path.rpartition('.')[2]}" if lines and path.startswith(f"{lines}.") else path


def _found_by(around: Around, source: FormSpec, expects: Type | None) -> Scope:
    """The records looked up see themselves, and the source as `this`."""
    there = form_at(around.doc, "find")
    if there is None:
        return Scope({}, [], expects, "")
    scope = scope_of(library.find_document("form", there.key) or {}, around.locale)
    names = {**there.names, OWN: RecordType(OWN, lambda: single_of(source.names))}
    single = [each for each in source.fields.values() if not each.children]
    own = [own_field(each.key, each.title(around.locale), around.locale) for each in single]
    return replace(scope, names=names, expects=expects, own=own)


def _accept(gesture: Gesture) -> Made:
    """The suggestion of one field, or of all."""
    doc = gesture.around.doc
    found, only = read_board(doc, gesture.around.locale).suggestions, gesture.text("field")
    wanted = [Operation("set", ("map", key), path) for key, path in found.items() if only in ("", key)]
    return apply(doc, wanted, gesture.around.kind.identities)[0], ()


def _around_source(around: Around) -> Around:
    return Around(around.kind, around.doc, around.locale, mapping(around.doc.get("from")))


def _happenings(around: Around) -> list[Option]:
    """What may happen to a record of the source."""
    titled = states_of(around.form, around.locale)
    comes = [
        (f"state:{key}", M("It comes to “{state}”", state=title).render(around.locale))
        for key, title in titled
    ]
    known = {key for key, _ in titled}
    return comes + [
        (key, says.render(around.locale))
        for key, says in HAPPENINGS.items()
        if key != "cancelled" or key in known
    ]


def _mapped(around: Around) -> list[Option]:
    """The fields of the target that the bridge gives a value."""
    given = mapping(around.doc.get("map"))
    return [each for each in fields_of(around.form, around.locale, lines=False) if each[0] in given]


def _line_columns(around: Around) -> list[Option]:
    """The columns of the lines that are made."""
    target, into = form_at(around.doc, "to"), str(around.beside.get("into", ""))
    lines = target.fields.get(into) if target else None
    return [(each.key, each.title(around.locale)) for each in lines.children] if lines else []


def _target_lines(around: Around) -> list[Option]:
    """The lines of the target."""
    target = form_at(around.doc, "to")
    return [(each.key, each.title(around.locale)) for each in target.subforms] if target else []


designers.add("bridge", BridgeDesigner())
pickers.add("happening", _happenings)
pickers.add("mapped", _mapped)
pickers.add("target_lines", _target_lines)
pickers.add("line_columns", _line_columns)


def enroll() -> None:
    """Add the list of bridges to the menu."""
    if "studio_bridges" not in navigation.navigation:
        entry = navigation.Entry(
            M("Bridges"),
            "arrows-exchange",
            "studio_bridges.list_all",
            order=210,
            group=navigation.BUILD,
            permission=DESIGN,
        )
        navigation.navigation.add("studio_bridges", entry)


@route(blueprint, "", permission=DESIGN)
def list_all() -> Response:
    """All bridges, or those from and to one form."""
    form, drafts = request.args.get("form", ""), definitions.list_drafts("bridge")
    known, rows = apps.list_apps(), []
    for each in definitions.list_definitions("bridge"):
        doc = drafts.get(each.key) or library.find_document("bridge", each.key) or {}
        source, target = form_at(doc, "from"), form_at(doc, "to")
        sides = [side.key for side in (source, target) if side is not None]
        if not each.archived and (not form or form in sides):
            app = apps.app_of(each.app, known).name(viewer.locale()) if each.app else ""
            rows.append((each, app, source, target, _runs(doc)))
    return page.render("studio/bridges.html", rows=rows, form=form)


def _runs(doc: Doc) -> str:
    """With what somebody does, after it, or at set times."""
    if CLOCK in texts(mapping(doc.get("from")).get("on")):
        return clock_words(doc, viewer.locale())
    return (M("together") if doc.get("run") == "together" else M("after")).render(viewer.locale())


@route(blueprint, "/new", permission=DESIGN)
def new() -> Response:
    """Which forms are to be connected."""
    return _new_page([])


@route(blueprint, "/new", permission=DESIGN, methods=["POST"], endpoint="do_new")
def do_new() -> Response:
    """Begin a bridge between two forms."""
    found = [library.find_published("form", request.form.get(side, "")) for side in ("from", "to")]
    source, target = (each if isinstance(each, FormSpec) else None for each in found)
    if source is None or target is None:
        return _new_page([M("Choose both forms.")], 422)
    name = request.form.get("name", "").strip()[:200]
    names = titled(*(" → ".join((source.title(each), target.title(each))) for each in LOCALES))
    doc = editor.start(kinds.get("bridge"), name or names["title"]) | ({} if name else names)
    comes = "confirmed" in source.states and states.are_moved(source.key)
    on = "state:confirmed" if comes else "created"
    doc |= {"from": {"form": source.key, "on": [on]}, "to": {"form": target.key}, "map": {}, "run": "after"}
    made = definitions.save_draft(signing.current(), "bridge", doc)
    return page.redirect(url_for("studio.design", definition_id=made.id))


@route(blueprint, "/<definition_id>/try", permission=DESIGN)
def try_on(definition_id: str) -> Response:
    """What the draft would do with the newest records, or with one to which something happens."""
    actor, locale = signing.current(), viewer.locale()
    desk = drafting.open_desk(actor, definition_id)
    problems = [each for each in drafting.check(actor, desk) if each.severity == "error"]
    source = form_at(desk.doc, "from")
    records = _records(actor, source) if source is not None else {}
    record, on = request.args.get("record", type=int), request.args.get("on", "")
    one = {record: records[record]} if record in records else {}
    trials: list[trial.Trial] = []
    if not problems:
        try:
            trials = trial.try_out(actor, desk.doc, one or _newest(records), locale, on if one else "")
        except Invalid as error:
            problems = error.problems
    around = Around(desk.kind, desk.doc, locale, {})
    waits_for = texts(mapping(desk.doc.get("from")).get("on"))
    return page.render_part(
        "studio/_bridge_trial.html",
        found=desk.definition,
        target=form_at(desk.doc, "to"),
        problems=problems,
        trials=trials,
        records=records,
        record=record if one else None,
        happens=[each for each in _happenings(_around_source(around)) if each[0] in waits_for],
        on=on,
        together=desk.doc.get("run") == "together",
    )


def _records(actor: Actor, source: FormSpec) -> dict[int, str]:
    """The newest records of the source that somebody may see, with their names."""
    if not gate.allows(actor, "view", source.resource):
        return {}
    rows = listing.list_records(actor, source, Query(sort=("-id",), limit=OFFERED)).rows
    return {row["id"]: str(row.get(source.title_field) or f"#{row['id']}") for row in rows}


def _newest(records: Mapping[int, str]) -> dict[int, str]:
    return dict(list(records.items())[:NEWEST])


def _new_page(problems: list[Message], status: int = 200) -> Response:
    actor = signing.current()
    seen = [each for each in library.list_entries("form") if gate.allows(actor, "view", f"form:{each.key}")]
    forms = apps.names_apart(seen, viewer.locale())
    chosen = {side: request.values.get(side, "") for side in ("from", "to", "name")}
    return page.render("studio/new_bridge.html", status=status, problems=problems, forms=forms, chosen=chosen)
