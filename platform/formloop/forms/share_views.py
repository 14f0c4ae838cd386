"""The page of a record's links, and what a link shows; who may make links is for `sharing` to judge."""

from flask import Blueprint, Response, current_app, request, url_for

from formloop.access.signing import current
from formloop.core.text import M
from formloop.forms import reads, screen, sharing
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
    response = page.render(
        "forms/share.html", spec=spec, record=record, links=links, made=made, fields=fields
    )
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _shared(spec: FormSpec) -> list[str]:
    said = sharing.settings_of(spec).get("fields", ())
    return [key for key in spec.fields if key == spec.title_field or key in said]


@route(blueprint, "/s/<secret>", permission="public")
def open_link(secret: str) -> Response:
    """The record that a link leads to, for whoever has the link."""
    opened, locale = sharing.open_link(secret), viewer.locale()
    look, spec = opened.look, opened.look.spec
    names = screen.names_for(opened.maker, spec, [look.record])
    context = context_of(opened.maker)
    shown = screen.build(spec, look.record, look.env, context, locale, opened.visible, frozenset(), [], names)
    state = spec.states.get(look.record["state"])
    name = next((cell.text for cell in shown.cells() if cell.field.key == spec.title_field), "")
    response = page.render(
        "forms/shared.html",
        sheet=sheet_of(spec, shown, locale, every=True),
        name=name,
        state=state.title(locale) if state else "",
        changed_at=look.record["updated_at"],
    )
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
