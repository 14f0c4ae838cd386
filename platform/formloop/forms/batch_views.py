"""What is done with the records chosen in a list: several fields at once, into the recycle bin and out of it."""

from typing import Any

from flask import Blueprint, Response, request, url_for

from formloop.access import gate
from formloop.access.actor import Actor
from formloop.access.signing import current
from formloop.core import clock
from formloop.core.errors import Invalid, Problem
from formloop.core.text import M, Message
from formloop.forms import bulk, permits, posted, reads
from formloop.forms.bulk import Chosen, Done
from formloop.forms.kind import get_form
from formloop.forms.screen import Cell, choices_of
from formloop.forms.spec import FormSpec, no_such_field
from formloop.web import page, viewer
from formloop.web.routes import route

blueprint = Blueprint("batches", __name__)
_TOO_LARGE = ("files", "signature", "rich_text")  # widgets for one record at a time

DEEDS = {
    "delete": (bulk.delete_records, M("{count} {count:record|records} moved to the recycle bin.")),
    "restore": (bulk.restore_records, M("{count} {count:record|records} restored.")),
    "purge": (bulk.purge_records, M("{count} {count:record|records} deleted for ever.")),
}


@route(blueprint, "/f/<form>/batch", permission=("view", "form:{form}"))
def bar(form: str) -> Response:
    """What can be done with the chosen records; loaded when the first one is chosen."""
    actor, spec = current(), get_form(form)
    return page.render_part(
        "forms/_batch.html",
        spec=spec,
        deleted=request.args.get("deleted") == "1",
        cells=_cells(actor, spec, viewer.locale()),
        may_delete=gate.allows(actor, "delete", spec.resource),
        may_purge=gate.allows(actor, "purge", spec.resource),
    )


@route(blueprint, "/f/<form>/batch", permission="signed-in", methods=["POST"])
def change(form: str) -> Response:
    """Do it; where some records had to be left alone, a page names them with the reasons."""
    actor, spec, chosen = current(), get_form(form), _chosen()
    if not chosen:
        back = url_for("lists.list_page", form=form)
        return page.redirect(back, M("Choose some records first."), "warning")
    deed = request.form.get("_do", "")
    if deed in DEEDS:
        work, said = DEEDS[deed]
        return _answer(actor, spec, deed, work(actor, form, chosen), said)
    raw = _raw(spec)
    if not raw:
        back = url_for("lists.list_page", form=form)
        return page.redirect(back, M("Choose the fields to change first."), "warning")
    return _answer(
        actor,
        spec,
        deed,
        bulk.change_records(actor, form, chosen, raw),
        M("{count} {count:record|records} changed."),
    )


def _cells(actor: Actor, spec: FormSpec, locale: str) -> list[Cell]:
    """An empty input for each field that can have the same value in many records."""
    permit = permits.find_permit(actor, "edit", spec)
    fields = [f for f in spec.stored if permit and f.key in permit.anywhere]
    return [
        Cell(f, f.key, None, "", "", f.title(locale), "", choices=choices_of(f, locale))
        for f in fields
        if not (f.computed or f.readonly or f.unique) and f.type.widget not in _TOO_LARGE
    ]


def _chosen() -> Chosen:
    """The records of the ticked boxes, each with the revision its row had."""
    found: dict[int, int | None] = {}
    for said in request.form.getlist("id"):
        record, _, revision = said.partition(":")
        if (known := clock.find_id(record)) is not None:
            found[known] = clock.find_id(revision)
    return found


def _raw(spec: FormSpec) -> dict[str, Any]:
    """What the fields that were picked are given; the inputs of the others do not count."""
    picked = request.form.getlist("_set")
    unknown = [key for key in picked if key not in spec.fields]
    if unknown:
        raise Invalid([no_such_field(key) for key in unknown])
    raw = posted.raw_values(spec, request.form)
    return {key: raw.get(key, "") for key in picked}


def _answer(actor: Actor, spec: FormSpec, deed: str, done: Done, said: Message) -> Response:
    count, failed = done
    text = Message(said.msgid, {"count": count})
    back = url_for("lists.list_page", form=spec.key, deleted=1 if deed in ("restore", "purge") else None)
    if not failed:
        return page.redirect(back, text)
    return page.render(
        "forms/batch_result.html",
        spec=spec,
        title=spec.title(viewer.locale()),
        text=text,
        failed=_named(actor, spec, failed),
        back=back,
        linked=deed not in ("restore", "purge"),
    )


def _named(actor: Actor, spec: FormSpec, failed: list[Problem]) -> list[tuple[int, str, Message]]:
    ids = [int(problem.at) for problem in failed]
    names = reads.list_titles(actor, spec, spec.table.c.id.in_(ids), len(ids))
    return [(int(p.at), names.get(int(p.at), f"#{p.at}"), p.message) for p in failed]
