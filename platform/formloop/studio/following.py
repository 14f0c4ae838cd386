"""What the page of a definition says comes next once it is published: who uses it, and where that is changed."""

from flask import url_for

from formloop.core.text import M, Message, join_words
from formloop.definitions import drafts, library
from formloop.definitions import service as definitions
from formloop.definitions import views as definition_views
from formloop.forms import list_views
from formloop.forms.kind import get_form
from formloop.studio import rights
from formloop.web import viewer

MOST_NAMED = 5
_NO_FLOW = M("Nobody approves them."), M("Draw a workflow")


def enroll() -> None:
    """Say it for forms and for what belongs to one."""
    if "form" not in definition_views.nexts:
        definition_views.nexts.add("form", _of_form)
        definition_views.nexts.add("workflow", _of_workflow)


def _of_form(form: definitions.Definition) -> list[definition_views.Next]:
    found: list[definition_views.Next] = []
    if (address := list_views.list_url(form.key)) is not None:
        found.append((M("Records can be filled in."), M("Open the form"), address))
    found.append((_who(form.key), M("Rights"), url_for("studio_rights.show", definition_id=form.id)))
    if not any(each.version and not each.archived for each in _flows(form.key)):
        draw = url_for("studio.flow_of", definition_id=form.id)
        unpublished = (
            each.doc for each in drafts.list_unpublished("workflow") if not each.definition.archived
        )
        drafted = any(doc.get("form") == form.key and "amends" not in doc for doc in unpublished)
        said = (M("Their workflow is not published yet."), M("Go on with it")) if drafted else _NO_FLOW
        found.append((*said, draw))
    return found


def _of_workflow(flow: definitions.Definition) -> list[definition_views.Next]:
    key = str((library.find_document("workflow", flow.key) or {}).get("form", ""))
    address = list_views.list_url(key)
    said = M("Records go through it from now on when they are submitted.")
    return [(said, M("Open the form"), address)] if address is not None else []


def _who(form: str) -> Message:
    """Which roles may do something with the records."""
    lines = rights.lines_of(get_form(form))
    named = list(dict.fromkeys(line.title.render(viewer.locale()) for line in lines))
    if not named:
        return M("Only administrators see them so far.")
    shown = join_words(named[:MOST_NAMED], viewer.locale())
    if len(named) > MOST_NAMED:
        shown = M("{names} and others", names=shown).render(viewer.locale())
    return M("They are seen by: {roles}.", roles=shown)


def _flows(form: str) -> list[definitions.Definition]:
    return [
        each
        for each in definitions.list_definitions("workflow")
        if (library.find_document("workflow", each.key) or {}).get("form") == form
    ]
