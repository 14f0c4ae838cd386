"""The four steps of shaping a form, which stand above every page that belongs to one of them."""

from flask import url_for

from formloop.core.text import M, Message
from formloop.definitions.service import Definition
from formloop.forms import list_views

FORM, WORKFLOW, LIST = "form", "workflow", "list"


def steps_of(form: Definition, here: str) -> list[tuple[Message, str, bool]]:
    """Each step with where it leads, and whether it is this one."""
    data = (list_views.list_url(form.key) if form.version else None) or ""
    listed = url_for("studio.design", definition_id=form.id, at="x-list")
    return [
        (M("① Form"), url_for("studio.design", definition_id=form.id), here == FORM),
        (M("② Workflow"), url_for("studio.flow_of", definition_id=form.id), here == WORKFLOW),
        (M("③ List and rights"), listed, here == LIST),
        (M("④ Data"), data, False),
    ]
