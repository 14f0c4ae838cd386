"""Pages of the room: balances, the entries behind them, periods, and the ledgers' part of each record's page."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from itertools import pairwise
from typing import Any

from flask import Blueprint, Flask, Response, request, url_for

from formloop.access import gate
from formloop.access.actor import Actor
from formloop.access.signing import current
from formloop.core import clock
from formloop.core.clock import find_id
from formloop.core.errors import Forbidden, Invalid, NotFound, Problem
from formloop.core.text import M, Message, Titled
from formloop.forms import fill_in, posted, reads
from formloop.forms import views as forms_views
from formloop.forms.kind import get_form
from formloop.forms.spec import FormSpec, Values
from formloop.ledgers import (
    expiring,
    explaining,
    names,
    periods,
    publisher_rights,
    reading,
    service,
    tracing,
    trying,
    unposted,
)
from formloop.ledgers.engine import Sheet, Slot
from formloop.ledgers.explaining import Why
from formloop.ledgers.kind import get_ledger, list_ledgers
from formloop.ledgers.permits import find_permit
from formloop.ledgers.spec import LedgerSpec
from formloop.web import formats, navigation, page, viewer
from formloop.web.routes import route

blueprint = Blueprint("ledgers", __name__, url_prefix="/ledgers")
PAGE = 50


def init_app(app: Flask) -> None:
    """Post what happens to records; add the ledgers a person may see to the menu and to the pages of records."""
    service.start()
    publisher_rights.enroll()
    expiring.plan()
    app.register_blueprint(blueprint)
    if try_tool not in fill_in.tools:
        fill_in.tools.append(try_tool)
    if record_panel not in forms_views.record_panels:
        forms_views.record_panels.append(record_panel)
    if "ledgers" not in navigation.navigation:
        navigation.navigation.add("ledgers", _menu)


def _menu() -> list[navigation.Entry]:
    actor = current()
    seen = [each for each in list_ledgers() if gate.allows(actor, "view", each.resource)]
    if not seen:
        return []
    return [navigation.Entry(M("Ledgers"), "book", "ledgers.list_page", order=150)]


def record_panel(actor: Actor, spec: FormSpec, record: Values) -> tuple[str, dict[str, Any]] | None:
    """The entries that a record has made; before it has, the way to try them out."""
    if explaining.has_entries(spec.key, record["id"]):
        found = explaining.list_of_record(actor, spec.key, record["id"], viewer.locale())
        if not found:
            return None
        return "ledgers/_panel.html", {"place": "bottom", "tables": _tables(actor, found), "try_url": None}
    if not _may_try(actor, spec):
        return None
    url = url_for("ledgers.try_record", form=spec.key, record=record["id"])
    return "ledgers/_panel.html", {"place": "bottom", "tables": [], "try_url": url}


def try_tool(actor: Actor, spec: FormSpec, before: Values | None) -> fill_in.Tool | None:
    """The way to try what is being filled in, for forms that enter something."""
    if not _may_try(actor, spec):
        return None
    url = url_for("ledgers.try_given", form=spec.key, record=before["id"] if before else None)
    return fill_in.Tool(M("See what it would enter"), "eye", url)


def _may_try(actor: Actor, spec: FormSpec) -> bool:
    return bool(service.postings_of(spec.key)) and any(find_permit(actor, each) for each in list_ledgers())


def _tables(actor: Actor, found: Iterable[Why]) -> list[dict[str, Any]]:
    """Entries by ledger, with the names of what their dimensions hold."""
    by_ledger: dict[str, list[Why]] = {}
    for each in found:
        by_ledger.setdefault(each.ledger.key, []).append(each)
    return [
        {
            "ledger": rows[0].ledger,
            "rows": rows,
            "named": names.titles(rows[0].ledger, [each.dims for each in rows], actor),
            "dims": [rows[0].ledger.dimensions[key] for key in rows[0].dims],
            "measures": [rows[0].ledger.measures[key] for key in rows[0].amounts],
        }
        for rows in by_ledger.values()
    ]


@route(blueprint, "", permission="signed-in")
def list_page() -> Response:
    """The ledgers a person may see, and how far their calendars are closed."""
    actor = current()
    seen = [each for each in list_ledgers() if gate.allows(actor, "view", each.resource)]
    if not seen:
        raise Forbidden
    mine = {each.calendar for each in seen}
    calendars = [
        (name, [each for each in seen if each.calendar == name], day, periods.may_close(actor, name))
        for name, day in periods.list_calendars()
        if name in mine
    ]
    asked, through = request.args.get("close", ""), _day(request.args.get("through"), "through")
    may = any(name == asked and may for name, _, _, may in calendars)
    waiting = unposted.list_waiting(actor, asked, through) if may and through else []
    return page.render(
        "ledgers/list.html",
        ledgers=seen,
        calendars=calendars,
        asked=asked,
        through=through,
        waiting=waiting,
        latest={name: periods.latest_deed(name, formats.format_datetime) for name in mine},
    )


@route(blueprint, "/periods/<name>", permission="signed-in", methods=["POST"])
def set_period(name: str) -> Response:
    """Close a calendar through a day, or take days back with a reason; what waits of these days is shown first."""
    actor, reason = current(), request.form.get("reason", "")
    through = _day(request.form.get("through"), "through")
    if through is None:
        raise Invalid([Problem("required", "through", M("Say through which day."))])
    if request.form.get("what") == "reopen":
        periods.reopen(actor, name, through, reason)
        return page.redirect(url_for("ledgers.list_page"), M("These days are open again."))
    asks = not request.form.get("sure") and periods.may_close(actor, name)
    if asks and unposted.list_waiting(actor, name, through):
        shown = url_for("ledgers.list_page", close=name, through=through.isoformat(), _anchor="waiting")
        return page.redirect(shown)
    periods.close(actor, name, through, reason)
    return page.redirect(url_for("ledgers.list_page"), M("Closed through {day}.", day=through.isoformat()))


@route(blueprint, "/<ledger>", permission=("view", "ledger:{ledger}"))
def balances(ledger: str) -> Response:
    """The balances of a ledger as they are now or as of a date, for the dimensions that are asked for."""
    spec, actor = get_ledger(ledger), current()
    day, chosen = _day(request.args.get("day"), "day"), _dims(spec)
    per = [key for key in request.args.getlist("per") if key in spec.dimensions] or list(spec.dimensions)
    found = reading.list_balances(actor, ledger, chosen, day, per, request.args.get("after", ""), PAGE)
    shown = found.rows[0] if found.rows else None
    asked: dict[str, Any] = {
        "day": day.isoformat() if day else None,
        "per": per if len(per) < len(spec.dimensions) else None,
    }
    asked |= {f"d.{key}": value for key, value in chosen.items()}
    return page.render(
        "ledgers/balances.html",
        "ledgers/_balances.html",
        ledger=spec,
        rows=found.rows,
        more=url_for("ledgers.balances", ledger=ledger, **asked, after=found.next) if found.next else None,
        named=names.titles(spec, [row.dims for row in found.rows], actor),
        chosen=names.titles(spec, [chosen], actor),
        dims=[spec.dimensions[key] for key in (shown.dims if shown else per)],
        measures=[spec.measures[key] for key in (shown.amounts if shown else spec.measures)],
        per=per,
        day=day,
        pending=day is None and any(_pending(row) for row in found.rows),
        address=lambda row: url_for(
            "ledgers.entries", ledger=ledger, until=asked["day"], **_as_args(spec, row.dims)
        ),
    )


def _pending(row: reading.Line) -> bool:
    return any(row.reserved.values()) or any(row.expected.values())


def _as_args(spec: LedgerSpec, dims: Mapping[str, Any]) -> dict[str, Any]:
    return {f"d.{key}": value if value else "-" for key, value in dims.items() if key in spec.dimensions}


@route(blueprint, "/<ledger>/entries", permission=("view", "ledger:{ledger}"))
def entries(ledger: str) -> Response:
    """Why? The entries behind a balance, with their documents, rules and formulas."""
    spec, actor, chosen = get_ledger(ledger), current(), _dims(spec=get_ledger(ledger))
    until, before = _day(request.args.get("until"), "until"), request.args.get("before", type=int)
    since = _day(request.args.get("since"), "since")
    found = explaining.list_entries(actor, ledger, chosen, until, before, PAGE + 1, viewer.locale(), since)
    more = None
    if len(found) > PAGE:
        days = {word: request.args.get(word) for word in ("since", "until")}
        args: dict[str, Any] = {**days, **_as_args(spec, chosen)}
        more = url_for("ledgers.entries", ledger=ledger, before=found[PAGE - 1].id, **args)
    total = reading.list_balances(
        actor, ledger, chosen, until, list(chosen), limit=1, empty=True, since=since
    ).rows
    return page.render(
        "ledgers/entries.html",
        "ledgers/_entry_rows.html" if before else "ledgers/_entries.html",
        ledger=spec,
        tables=_tables(actor, found[:PAGE]),
        chosen=names.titles(spec, [chosen], actor),
        total=total[0] if total else None,
        left=_balance_of_sides(spec, total[0].amounts) if total else None,
        until=until,
        since=since,
        more=more,
        ways=[] if before else _ways(actor, spec, chosen),
    )


def _balance_of_sides(
    spec: LedgerSpec, amounts: Mapping[str, Any]
) -> tuple[list[tuple[str, Message]], Any, int] | None:
    """What the sides of a ledger come to together, as its open items or its balance weigh them, and how."""
    weighed = spec.open.sum if spec.open else spec.balanced[0].sum if spec.balanced else {}
    if len(weighed) < 2 or any(amounts.get(key) is None for key in weighed):
        return None
    sides = [("+" if sign > 0 else "−", spec.measures[key].title) for key, sign in weighed.items()]
    scale = max(spec.measures[key].scale for key in weighed)
    return sides, sum(sign * amounts[key] for key, sign in weighed.items()), scale


def _ways(
    actor: Actor, spec: LedgerSpec, chosen: Mapping[str, Any]
) -> list[tuple[Message, list[tuple[str, str]]]]:
    """What something was made of and went into, where it is one thing that is asked about: names and addresses."""
    single = [(key, value) for key, value in chosen.items() if value and tracing.is_traced(spec, key)]
    if len(single) != 1:
        return []
    (key, value), found = single[0], []
    for title, down in ((M("Made from"), False), (M("Went into"), True)):
        values = tracing.trace(actor, spec.key, key, value, down)
        named = names.titles(spec, [{key: each} for each in values], actor)
        links = [
            (named[key, each], url_for("ledgers.entries", ledger=spec.key, **_as_args(spec, {key: each})))
            for each in values
        ]
        if links:
            found.append((title, links))
    return found


@route(blueprint, "/<ledger>/open", permission=("view", "ledger:{ledger}"))
def open_items(ledger: str) -> Response:
    """What is open by days overdue, as of a date and with the borders that are asked for."""
    spec, actor, chosen = get_ledger(ledger), current(), _dims(get_ledger(ledger))
    if spec.open is None:
        raise NotFound
    day = _day(request.args.get("day"), "day") or clock.today(actor.zone)
    borders = _borders(request.args.get("borders", ""))
    found = reading.ageing_by(actor, ledger, chosen, day, borders)
    rows = [(dict(zip(spec.dimensions, dims, strict=True)), parts) for dims, parts in found.items()]
    shown = [key for key in spec.dimensions if any(dims[key] for dims, _ in rows)]
    return page.render(
        "ledgers/open.html",
        ledger=spec,
        rows=rows,
        dims=[spec.dimensions[key] for key in shown],
        named=names.titles(spec, [dims for dims, _ in rows], actor),
        heads=[f"{low}–{high - 1}" for low, high in pairwise(borders)] + [f"{borders[-1]}+"],
        totals=[sum(column) for column in zip(*(parts for _, parts in rows), strict=True)],
        day=day,
        borders=", ".join(map(str, borders)),
    )


def _borders(text: str) -> list[int]:
    """Days at which buckets begin, in rising order; the usual ones unless said."""
    said = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isdecimal() and len(part) < 5 for part in said):
        raise Invalid(
            [Problem("borders", "borders", M("Write days with commas between them: 0, 30, 60, 90."))]
        )
    return sorted({int(part) for part in said})[:12] or [0, 30, 60, 90]


@route(blueprint, "/try/<form>/<int:record>", permission=("view", "form:{form}"))
def try_record(form: str, record: int) -> Response:
    """What a record would enter, before it does."""
    actor = current()
    values = reads.look(actor, form, record).record
    back = url_for("forms.record_page", form=form, record=record)
    named = called(actor, form, record)
    return show_tried(actor, lambda: trying.preview(actor, form, values), back, named)


@route(blueprint, "/try/<form>", permission="signed-in", methods=["POST"])
def try_given(form: str) -> Response:
    """What that which is being filled in would enter; it is not saved, so whoever may not save it is refused."""
    actor, spec, record = current(), get_form(form), request.args.get("record", type=int)
    raw = posted.raw_values(spec, request.form)
    back = url_for("forms.edit_page" if record else "forms.new_page", form=form, record=record)

    def preview() -> list[Sheet]:
        try:
            return trying.preview_given(actor, form, raw, record)
        except Invalid as error:
            raise Invalid([_told(spec, each) for each in error.problems]) from error

    return show_tried(actor, preview, back)


def _told(spec: FormSpec, problem: Problem) -> Problem:
    """A problem with the name of its field, since it is not told beside it."""
    field = spec.find(".".join(step for step in problem.at.split(".") if not step.isdecimal()))
    if field is None:
        return problem
    text = M("{field}: {problem}", field=Titled(field.schema, field.key), problem=problem.message)
    return Problem(problem.code, problem.at, text)


def show_tried(actor: Actor, preview: Callable[[], list[Sheet]], back: str, of: str = "") -> Response:
    """The page, or the dialog, of what would be entered, or why it would be refused."""
    problems: list[Problem] = []
    slots: list[Slot] = []
    try:
        slots = [slot for sheet in preview() for slot in sheet.slots]
    except Invalid as error:
        problems = error.problems
    touched = [each for each in list_ledgers() if any(_says(slot, each) for slot in slots)]
    tables = [table for each in touched if (table := _tried(actor, each, slots)) is not None]
    return page.render(
        "ledgers/try.html",
        "ledgers/_try.html",
        tables=tables,
        hidden=len(touched) > len(tables),
        problems=problems,
        back=back,
        of=of,
    )


def called(actor: Actor, form: str, record: int) -> str:
    """What a record is called beside its form; nothing where it may not be seen."""
    found = explaining.list_sources(actor, [(form, record)], viewer.locale()).get((form, record))
    return f"{found.form_title} {found.title}" if found else ""


def _says(slot: Slot, ledger: LedgerSpec) -> bool:
    return slot.ledger.key == ledger.key and any(slot.amounts.values())


def _tried(actor: Actor, ledger: LedgerSpec, slots: list[Slot]) -> dict[str, Any] | None:
    """The entries of one ledger, of them what the actor sees of every row; None when they see no row or only some."""
    permit = find_permit(actor, ledger)
    whole = [g for g, c in zip(permit.grants, permit.conditions, strict=True) if c is None] if permit else []
    if not whole:
        return None
    mine = [slot for slot in slots if _says(slot, ledger)]
    dims, measures = (
        [each for each in parts.values() if any(grant.covers(each.key) for grant in whole)]
        for parts in (ledger.dimensions, ledger.measures)
    )
    named = names.titles(ledger, [slot.dims for slot in mine], actor)
    return {"ledger": ledger, "rows": mine, "named": named, "dims": dims, "measures": measures}


def _dims(spec: LedgerSpec) -> dict[str, Any]:
    """The dimensions in an address: `d.<dimension>=<id or text>`, `-` for none."""
    found: dict[str, Any] = {}
    for key, dimension in spec.dimensions.items():
        said = request.args.get(f"d.{key}")
        if not said:
            continue
        if said == "-":
            found[key] = dimension.empty
        elif dimension.forms:
            number = find_id(said)
            if number is None:
                raise NotFound
            found[key] = number
        else:
            found[key] = said[:200]
    return found


def _day(text: str | None, at: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid([Problem("date", at, M("“{text}” is no date.", text=text[:20]))]) from None
