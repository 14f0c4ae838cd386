"""Pages about definitions: the list, the history of one, and what publishing would do."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Flask, Response, current_app, request, url_for

from formloop.access import audit_views, signing
from formloop.core import clock
from formloop.core.definitions import Change, kinds, say_place
from formloop.core.errors import Invalid, Problem
from formloop.core.registry import Registry
from formloop.core.text import M, Message
from formloop.definitions import apps, editor_views, publications, service
from formloop.definitions.designers import design_url, find_page
from formloop.definitions.history import wanted_document
from formloop.events import heartbeat, jobs
from formloop.web import htmx, navigation, page
from formloop.web.routes import route
from formloop.web.viewer import locale

blueprint = Blueprint("definitions", __name__, url_prefix="/definitions")
DESIGN = ("design", "definition")
_STAGES = {  # of a publication that is prepared ahead
    "begin": M("Getting ready"),
    "fill": M("Values are brought over"),
    "index": M("Indexes are made"),
    "settle": M("What people changed meanwhile is brought over"),
    "wait": M("It waits for somebody who reads for long, such as a backup"),
}

# kind → where the thing of a key is used; nothing for whoever may not look there
openers: Registry[Callable[[str], str | None]] = Registry("opener")
beginnings: Registry[str] = Registry("beginning")  # kind → endpoint where a new one is begun
Offer = Callable[[service.Definition], tuple[Message, str] | None]
offers: Registry[Offer] = Registry(
    "offer"
)  # endpoint → what a definition's page offers to do, and its address
Link = tuple[Message, str, str]  # words, icon and address
links: Registry[Callable[[service.Definition], list[Link]]] = Registry(
    "link"
)  # kind → where else its page leads
Next = tuple[Message, Message, str]  # what holds now, words for what comes next, and its address
nexts: Registry[Callable[[service.Definition], list[Next]]] = Registry(
    "next step"
)  # kind → once it is published
remedies: Registry[Offer] = Registry("remedy")  # code of a warning → what can be done about it, and where
# kind → what goes on for a definition's sake, also once it is out of use; None where nothing does
standing: Registry[Callable[[service.Definition], Message | None]] = Registry("standing")


@dataclass(frozen=True, slots=True)
class Followup:
    """What is to be chosen when a new version is published: words before and after it, and where, for who may."""

    before: Message
    after: Message
    url: str | None


# kind → what is to be chosen for that which runs by earlier versions; None where nothing does
followups: Registry[Callable[[service.Definition], Followup | None]] = Registry("followup")


@dataclass(frozen=True, slots=True)
class Restorer:
    """The endpoint that takes a single change back, and which changes it can."""

    endpoint: str
    can: Callable[[Change], bool]


restorer: list[Restorer] = []  # how one change of a version is taken back; at most one


def init_app(app: Flask) -> None:
    """Add the room's pages and its menu entry."""
    publications.init()
    app.register_blueprint(blueprint)
    app.register_blueprint(editor_views.blueprint)
    audit_views.name_objects("definition", _names_of)
    if "definitions" not in navigation.navigation:
        entry = navigation.Entry(
            M("Definitions"),
            "file-code",
            "definitions.list_all",
            order=200,
            group=navigation.BUILD,
            permission=DESIGN,
        )
        navigation.navigation.add("definitions", entry)


def _names_of(ids: set[str], locale: str) -> dict[str, str]:
    return {each.id: each.name(locale) for each in service.list_definitions() if each.id in ids}


@route(blueprint, "", permission=DESIGN)
def list_all() -> Response:
    """All definitions by kind, searched by name or key."""
    wanted, search = request.args.get("kind") or None, request.args.get("q", "").strip().lower()
    found = [
        each
        for each in service.list_definitions(wanted)
        if search in f"{each.key} {each.title} {each.title_zh} {each.app}".lower()
    ]
    groups = [(kind, [each for each in found if each.kind == kind.name]) for kind in kinds]
    known = apps.list_apps()
    return page.render(
        "definitions/list.html",
        "definitions/_groups.html",
        app_names={each.app: apps.app_of(each.app, known).name(locale()) for each in found},
        groups=[(kind, rows) for kind, rows in groups if rows],
        kinds=kinds,
        wanted=wanted,
        search=request.args.get("q", ""),
        designer=design_url,
        beginning=lambda kind: url_for(find_page(beginnings, kind) or "editor.new", kind=kind),
    )


@route(blueprint, "/<definition_id>", permission=DESIGN)
def history(definition_id: str) -> Response:
    """The versions of one definition, and what differs between two of them."""
    versions = service.list_history(definition_id)
    definition = service.get_definition(definition_id)
    old, new = request.args.get("old", type=int), request.args.get("new", type=int)
    if old is None:
        old, new = _last_step(definition, versions)
    comparable = old is not None and (new is not None or definition.has_draft)
    changes = service.compare(definition_id, old, new) if old is not None and comparable else None
    return page.render(
        "definitions/history.html",
        "definitions/_differences.html",
        definition=definition,
        kind=kinds.get(definition.kind),
        versions=versions,
        opened=_opened(definition),
        offers=_offered(definition),
        links=_linked(definition),
        nexts=_nexts(definition),
        standing=_standing(definition),
        designer=design_url(definition) or url_for("editor.edit", definition_id=definition_id),
        old=old,
        new=new,
        sentences=None if changes is None else [change.describe(locale()) for change in changes],
        restorable=_restorable(definition, changes or []),
        restore_url=_restore_url(definition),
    )


@route(blueprint, "/<definition_id>/text", permission=DESIGN)
def text(definition_id: str) -> Response:
    """The canonical text of a version, or of the draft, as a file."""
    definition = service.get_definition(definition_id)
    version = request.args.get("version", type=int)
    response = Response(service.get_text(definition_id, version), mimetype="application/json")
    response.headers["Content-Disposition"] = f"attachment; filename={definition.key}.{definition.kind}.json"
    return response


@route(blueprint, "/<definition_id>/publish", permission=DESIGN)
def impact(definition_id: str) -> Response:
    """What publishing the draft would do."""
    return _impact_page(definition_id)


@route(blueprint, "/<definition_id>/publish", permission=DESIGN, methods=["POST"], endpoint="do_publish")
def do_publish(definition_id: str) -> Response:
    """Publish the draft that was shown."""
    revision = request.form.get("revision", type=int)
    try:
        done = service.begin(signing.current(), definition_id, _note(), revision, together=_together())
    except Invalid as error:
        return _impact_page(definition_id, problems=error.problems)
    if isinstance(done, int):
        return page.redirect(url_for("definitions.progress", definition_id=definition_id, run=done))
    return _published(definition_id, M("Version {version} is published.", version=done.version))


@route(blueprint, "/<definition_id>/back/<int:version>", permission=DESIGN)
def back(definition_id: str, version: int) -> Response:
    """What going back to an old version would do."""
    return _impact_page(definition_id, version)


@route(
    blueprint, "/<definition_id>/back/<int:version>", permission=DESIGN, methods=["POST"], endpoint="do_back"
)
def do_back(definition_id: str, version: int) -> Response:
    """Publish an old version's content as a new version."""
    try:
        done = service.begin(signing.current(), definition_id, _note(), version=version)
    except Invalid as error:
        return _impact_page(definition_id, version, error.problems)
    if isinstance(done, int):
        return page.redirect(url_for("definitions.progress", definition_id=definition_id, run=done))
    said = M("Version {old} is back, as version {version}.", old=version, version=done.version)
    return _published(definition_id, said)


def _published(definition_id: str, said: Message) -> Response:
    """On to what is to be chosen now, for who may choose; else to the history."""
    history, follow = url_for("definitions.history", definition_id=definition_id), _followup(definition_id)
    if follow is None:
        return page.redirect(history, said)
    return page.redirect(follow.url or history, M("{said} {more}", said=said, more=follow.after))


def _followup(definition_id: str) -> Followup | None:
    definition = service.get_definition(definition_id)
    find = followups.find(definition.kind) if definition.version else None
    return find(definition) if find is not None else None


@route(blueprint, "/<definition_id>/publishing/<int:run>", permission=DESIGN)
def progress(definition_id: str, run: int) -> Response:
    """How far a publication with many records is; polled each second until it has ended."""
    job = service.get_run(definition_id, run)
    stuck = not job.over and heartbeat.is_missing()
    shown: dict[str, Any] = {
        "job": job,
        "definition": service.get_definition(definition_id),
        "stages": _STAGES,
        "losses": service.list_losses(job),
        "ending": job.stopping and jobs.is_promised(job),
        "waiting": heartbeat.ADVICE if stuck else None,
    }
    if htmx.is_htmx():
        return page.render_progress("definitions/_publishing.html", finished=job.over, **shown)
    return page.render("definitions/publishing.html", **shown)


@route(blueprint, "/<definition_id>/publishing/<int:run>", permission=DESIGN, methods=["POST"])
def cancel(definition_id: str, run: int) -> Response:
    """Let a publication end without coming."""
    service.cancel(signing.current(), definition_id, run)
    return page.redirect(url_for("definitions.progress", definition_id=definition_id, run=run))


@route(blueprint, "/<definition_id>/discard", permission=DESIGN, methods=["POST"])
def discard(definition_id: str) -> Response:
    """Forget the draft."""
    service.discard_draft(signing.current(), definition_id)
    return page.redirect(url_for("definitions.history", definition_id=definition_id), M("The draft is gone."))


@route(blueprint, "/<definition_id>/archive", permission=DESIGN, methods=["POST"])
def archive(definition_id: str) -> Response:
    """Take a definition out of use."""
    target = url_for("definitions.history", definition_id=definition_id)
    try:
        service.archive(signing.current(), definition_id)
    except Invalid as error:
        return page.redirect(target, error.message, "danger")
    return page.redirect(target, M("It is out of use now. Its data stay."))


@route(blueprint, "/<definition_id>/take-back", permission=DESIGN, methods=["POST"])
def take_back(definition_id: str) -> Response:
    """Use an archived definition again."""
    service.take_back(signing.current(), definition_id)
    return page.redirect(
        url_for("definitions.history", definition_id=definition_id), M("It is in use again.")
    )


def _impact_page(
    definition_id: str, version: int | None = None, problems: list[Problem] | None = None
) -> Response:
    found = service.impact(signing.current(), definition_id, version)
    told = problems or found.problems
    return page.render(
        "definitions/impact.html",
        "definitions/_impact.html",
        status=422 if problems else 200,
        found=found,
        kind=kinds.get(found.definition.kind),
        problems=[each for each in told if each.severity == "error"],
        warnings=[each for each in told if each.severity != "error"],
        place_of=lambda problem: _place_of(found, problem),
        remedies=_remedies(found.definition, told),
        followup=_followup(definition_id),
        sentences=[change.describe(locale()) for change in found.changes],
        kind_titles={each.name: each.title for each in kinds},
        note=request.form.get("note", ""),
        designer=design_url,
    )


def _place_of(found: service.Impact, problem: Problem) -> str:
    """The place of a problem in words; of one in another definition nothing, since its sentence names that."""
    if problem.code == "breaks":
        return ""
    doc = wanted_document(found.definition, found.number)
    return say_place(doc, problem.at, kinds.get(found.definition.kind), locale())


def _remedies(definition: service.Definition, problems: list[Problem]) -> list[tuple[Message, str]]:
    """What can be done about the warnings, each once."""
    codes = dict.fromkeys(each.code for each in problems if each.severity != "error")
    found = (find(definition) for code in codes if (find := remedies.find(code)) is not None)
    return [each for each in found if each is not None]


def _together() -> dict[str, int]:
    """At which revisions the page showed what goes along: `<id>:<revision>` each."""
    said = (each.partition(":") for each in request.form.getlist("together"))
    return {key: number for key, _, text in said if (number := clock.find_id(text)) is not None}


def _last_step(
    definition: service.Definition, versions: list[service.Version]
) -> tuple[int | None, int | None]:
    """The comparison people want first: what the draft changes, else what the last publishing changed."""
    if definition.has_draft and definition.version:
        return definition.version, None
    return (versions[1].version, versions[0].version) if len(versions) > 1 else (None, None)


def _note() -> str:
    return request.form.get("note", "").strip()[:1000]


def _opened(definition: service.Definition) -> str | None:
    """The address where a published definition is at work."""
    opener = openers.find(definition.kind) if definition.version and not definition.archived else None
    return opener(definition.key) if opener else None


def _linked(definition: service.Definition) -> list[Link]:
    find = links.find(definition.kind) if definition.version and not definition.archived else None
    return find(definition) if find is not None else []


def _nexts(definition: service.Definition) -> list[Next]:
    runs = definition.version and not definition.archived and not definition.has_draft
    find = nexts.find(definition.kind) if runs else None
    return find(definition) if find is not None else []


def _standing(definition: service.Definition) -> Message | None:
    find = standing.find(definition.kind) if definition.version else None
    return find(definition) if find is not None else None


def _restore_url(definition: service.Definition) -> str:
    found = next((each.endpoint for each in restorer if each.endpoint in current_app.view_functions), "")
    return url_for(found, definition_id=definition.id) if found and not definition.archived else ""


def _restorable(definition: service.Definition, changes: list[Change]) -> set[int]:
    """The places of the changes that can be taken back one by one."""
    if not _restore_url(definition):
        return set()
    return {place for place, change in enumerate(changes) if restorer[0].can(change)}


def _offered(definition: service.Definition) -> list[tuple[Message, str]]:
    found = (offers.get(name)(definition) for name in offers.names() if name in current_app.view_functions)
    return [offer for offer in found if offer is not None]
