"""What can be made of a record, as buttons on its page."""

from typing import Any

from flask import Blueprint, Flask, Response, url_for

from formloop.access import gate
from formloop.access.actor import Actor
from formloop.access.signing import current
from formloop.bridges import asking
from formloop.core.errors import FormloopError, Invalid
from formloop.core.text import M
from formloop.forms import views as forms_views
from formloop.forms.kind import get_form
from formloop.forms.spec import FormSpec, Values
from formloop.web import page
from formloop.web.routes import route

blueprint = Blueprint("asking", __name__)


def init_app(app: Flask) -> None:
    """Add the buttons to the pages of records."""
    app.register_blueprint(blueprint)
    if record_panel not in forms_views.record_panels:
        forms_views.record_panels.append(record_panel)


def record_panel(actor: Actor, spec: FormSpec, record: Values) -> tuple[str, dict[str, Any]] | None:
    """What can be made of the record, or is under way already; None when nothing."""
    chances = asking.list_chances(actor, spec, record["id"])
    values = {"place": "top", "spec": spec, "record": record, "chances": chances}
    return ("bridges/_next.html", values) if chances else None


@route(
    blueprint, "/f/<form>/<int:record>/make/<bridge>", permission=("view", "form:{form}"), methods=["POST"]
)
def make(form: str, record: int, bridge: str) -> Response:
    """Make it and open it to be completed; or open what is under way."""
    actor = current()
    try:
        made = asking.ask(actor, form, record, bridge)
    except FormloopError as error:
        told = error.problems[0].message if isinstance(error, Invalid) and error.problems else error.message
        return page.redirect(url_for("forms.record_page", form=form, record=record), told, "warning")
    opened = (
        "forms.edit_page" if gate.allows(actor, "edit", get_form(made.form).resource) else "forms.record_page"
    )
    url = url_for(opened, form=made.form, record=made.record)
    if not made.new:
        return page.redirect(url, M("This is under way already; no second one was made."), "warning")
    return page.redirect(url, M("Made. Complete it, then submit it."))
