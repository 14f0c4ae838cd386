"""The designers of ledgers and postings: cards drawn from their schemas, and a posting tried on a record."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request, url_for

from formloop.access import gate, signing
from formloop.core.errors import Invalid, NotFound, Problem
from formloop.core.text import M, localized
from formloop.definitions import library
from formloop.forms import listing, reads
from formloop.forms.kind import get_form
from formloop.forms.listing import Query
from formloop.forms.spec import FormSpec
from formloop.ledgers import trying
from formloop.ledgers import views as ledgers_views
from formloop.studio import drafting
from formloop.studio.designer import PLAIN, Designer, designers
from formloop.studio.pickers import Around
from formloop.web import viewer
from formloop.web.routes import route

blueprint = Blueprint("studio_ledgers", __name__, url_prefix="/studio")
NEWEST = 20  # records offered to try a posting on


class PostingDesigner(Designer):
    """Draws postings."""

    canvas = "studio/_posting_canvas.html"

    def shown(self, around: Around) -> Mapping[str, Any]:
        """The cards, and the newest records that the draft can be tried on."""
        form, actor = around.doc.get("form"), signing.current()
        spec = library.find_published("form", form) if isinstance(form, str) else None
        offered: list[tuple[int, str]] = []
        if isinstance(spec, FormSpec) and gate.allows(actor, "view", spec.resource):
            rows = listing.list_records(actor, spec, Query(limit=NEWEST)).rows
            offered = [(row["id"], str(row.get(spec.title_field) or f"#{row['id']}")) for row in rows]
        return {**super().shown(around), "records": offered}


designers.add("ledger", PLAIN)
designers.add("posting", PostingDesigner())


@route(blueprint, "/<definition_id>/try", permission=("design", "definition"))
def try_on(definition_id: str) -> Response:
    """What the draft of a posting would enter for a record, with all that the record's other postings enter."""
    actor, desk = signing.current(), drafting.open_desk(signing.current(), definition_id)
    if desk.kind.name != "posting":
        raise NotFound
    wrong = [each for each in drafting.check(actor, desk) if each.severity == "error"]
    record = request.args.get("record", type=int)
    if not wrong and record is None:
        wrong = [Problem("required", "record", M("Choose a record to try it on."))]
    back = url_for("studio.design", definition_id=definition_id)

    def preview() -> list[Any]:
        if wrong or record is None:
            raise Invalid(wrong)
        form = get_form(desk.doc["form"])
        return trying.preview(actor, form.key, reads.look(actor, form.key, record).record, desk.doc)

    of = [localized(desk.doc, "title", viewer.locale()) or desk.definition.key]
    if record is not None and not wrong:
        of.append(ledgers_views.called(actor, desk.doc["form"], record))
    return ledgers_views.show_tried(actor, preview, back, " · ".join(filter(None, of)))
