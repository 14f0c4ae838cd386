"""The page of a record's links, and what a link shows; who may make links is for `sharing` to judge."""

from dataclasses import replace

from flask import Blueprint, Response, current_app, request, url_for

from formloop.access.signing import current
from formloop.core.errors import Conflict, Invalid, Problem
from formloop.core.text import M
from formloop.forms import posted, reads, screen, sharing
from formloop.forms.names import context_of
from formloop.forms.printing import sheet_of
from formloop.forms.spec import FormSpec
from formloop.web import page, viewer
from formloop.web.routes import route

blueprint = Blueprint("sharing", __name__)


@route(blueprint, "/f/<form>/<int:record>/share", permission="signed-in")
def show(form: str, record: int) -> Response:
    """The links to a record that are good now."""
    return _page(form, record)


@route(blueprint, "/f/<form>/<int:record>/share", permission="signed-in", methods=["POST"])
def make(form: str, record: int) -> Response:
    """Make a link; this page is the only one that ever shows it."""
    secret = sharing.add(current(), form, record)
    site = current_app.config["SETTINGS"].public_url or request.host_url
    return _page(form, record, site.rstrip("/") + url_for("sharing.open_link", secret=secret))


@route(blueprint, "/f/<form>/<int:record>/unshare", permission="signed-in", methods=["POST"])
def end_all(form: str, record: int) -> Response:
    """Take all links to a record back."""
    sharing.end_all(current(), form, record)
    return page.redirect(
        url_for("sharing.show", form=form, record=record), M("The links no longer open anything.")
    )


def _page(form: str, record: int, made: str = "") -> Response:
    actor = current()
    links = sharing.list_links(actor, form, record)
    spec = reads.look(actor, form, record).spec
    fields = [spec.fields[key].title(viewer.locale()) for key in _shared(spec)]
    filled = [
        known.title(viewer.locale())
        for path in sharing.settings_of(spec).get("fill", ())
        if (known := spec.find(path)) is not None
    ]
    response = page.render(
        "forms/share.html", spec=spec, record=record, links=links, made=made, fields=fields, filled=filled
    )
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _shared(spec: FormSpec) -> list[str]:
    said = {path.partition(".")[0] for path in sharing.settings_of(spec).get("fields", ())}
    return [key for key in spec.fields if key == spec.title_field or key in said]


@route(blueprint, "/s/<secret>", permission="public")
def open_link(secret: str) -> Response:
    """The record that a link leads to, for whoever has the link; to fill in what the form lets them."""
    return _shared_page(sharing.open_link(secret), [])


@route(blueprint, "/s/<secret>", permission="public", methods=["POST"])
def fill_in(secret: str) -> Response:
    """Save what somebody filled in by a link."""
    opened = sharing.open_link(secret)
    raw = posted.raw_values(opened.look.spec, request.form)
    try:
        sharing.fill_in(secret, raw, request.form.get("revision", 0, type=int))
    except Invalid as error:
        return _shared_page(sharing.with_typed(opened, raw), _told(opened, error.problems), 422)
    except Conflict:
        text = M("Somebody changed this meanwhile. Please look again and fill in what is missing.")
        newest = sharing.with_typed(sharing.open_link(secret), raw)
        return _shared_page(newest, [Problem("changed", "", text)], 409)
    return page.redirect(url_for("sharing.open_link", secret=secret), M("Saved. Thank you."))


def _told(opened: sharing.Opened, problems: list[Problem]) -> list[Problem]:
    """What is wrong with what the reader may fill in; of the rest only that its maker has to be asked."""
    own = [
        p for p in problems if ".".join(x for x in p.at.split(".") if not x.isdecimal()) in opened.fillable
    ]
    if len(own) == len(problems):
        return own
    text = M(
        "This cannot be accepted now. Please tell {name}, who sent you the link.", name=opened.maker.name
    )
    return [*own, Problem("not_now", "", text)]


def _shared_page(opened: sharing.Opened, problems: list[Problem], status: int = 200) -> Response:
    look, spec, locale = opened.look, opened.look.spec, viewer.locale()
    names, context = screen.names_for(opened.maker, spec, [look.record]), context_of(opened.maker)
    shown = screen.build(
        spec, look.record, look.env, context, locale, opened.visible, opened.fillable, problems, names
    )
    asked = [cell for cell in shown.cells() if cell.shown and not cell.readonly]
    sheet = sheet_of(spec, shown, locale, every=True)
    parts = [(title, [c for c in cells if c not in asked]) for title, cells in sheet.parts]
    tables = [cell for cell in sheet.tables if cell not in asked]
    sheet = replace(sheet, parts=[each for each in parts if each[1]], tables=tables)
    state = spec.states.get(look.record["state"])
    response = page.render(
        "forms/shared.html",
        status=status,
        spec=spec,
        sheet=sheet,
        asked=asked,
        problems=shown.problems,
        revision=look.record["revision"],
        name=next((cell.text for cell in shown.cells() if cell.field.key == spec.title_field), ""),
        state=state.title(locale) if state else "",
        changed_at=look.record["updated_at"],
    )
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
