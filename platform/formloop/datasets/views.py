"""Pages of datasets: which there are, their rows with filters and parameters, totals, exports."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Flask, Response, jsonify, request, url_for

from formloop.access.actor import Actor
from formloop.access.signing import current
from formloop.core import clock
from formloop.core.errors import Forbidden, Invalid, NotFound
from formloop.core.text import M, localized
from formloop.datasets import drawing, exporting, keeping_back, publisher_rights, service
from formloop.datasets.addresses import PREFIX, read_address, to_address
from formloop.datasets.kind import get_dataset
from formloop.datasets.service import Reading
from formloop.datasets.spec import DatasetSpec
from formloop.definitions import apps
from formloop.definitions import views as definition_views
from formloop.events import jobs
from formloop.forms import files, filter_bar, live, screen
from formloop.forms.filters import Filter
from formloop.forms.import_views import sent, waiting
from formloop.forms.list_views import filter_box
from formloop.forms.listing import EXACT_TOTAL, Query
from formloop.forms.spec import Field
from formloop.web import navigation, page, viewer
from formloop.web.routes import route

blueprint = Blueprint("datasets", __name__, url_prefix="/datasets")


def init_app(app: Flask) -> None:
    """Add the pages, and a line of the menu for whom there is a dataset to read."""
    app.register_blueprint(blueprint)
    publisher_rights.enroll()
    if "dataset" not in definition_views.openers:
        definition_views.openers.add("dataset", lambda key: url_for("datasets.rows_page", key=key))
    if "datasets" not in navigation.navigation:
        navigation.navigation.add("datasets", _menu)


def _menu() -> list[navigation.Entry]:
    seen = service.list_datasets(current())
    if not seen:
        return []
    found, known, locale = [], apps.list_apps(), viewer.locale()
    for entry in seen:
        dataset = get_dataset(entry.key)
        if dataset.document.get("menu"):
            app, icon = apps.app_of(entry.app, known), dataset.document.get("icon", "table")
            found.append(
                navigation.Entry(
                    dataset.title(locale),
                    icon,
                    "datasets.rows_page",
                    order=app.order,
                    group=navigation.APPS,
                    values={"key": entry.key},
                    section=app.name(locale),
                    place=app.place("dataset", entry.key),
                )
            )
    found.sort(key=lambda each: str(each.title))
    return [navigation.Entry(M("Datasets"), "table", "datasets.list_page", order=90), *found]


def may_read(key: str, **_: Any) -> None:
    """The permission of pages of one dataset: something of its sources may be seen."""
    get_dataset(key)
    if not service.may_read(current(), key):
        raise Forbidden(M("You may see none of the records that this dataset is made of."))


@route(blueprint, "", permission="signed-in")
def list_page() -> Response:
    """The datasets of which this person may see something, by application."""
    locale, known = viewer.locale(), apps.list_apps()
    found = []
    for entry in service.list_datasets(current()):
        dataset = get_dataset(entry.key)
        app = apps.app_of(entry.app, known)
        told = localized(dataset.document, "description", locale)
        found.append((app.order, app.name(locale), dataset.title(locale), told, dataset))
    return page.render("datasets/list.html", found=sorted(found, key=lambda each: each[:3]))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What an address asks of a dataset, read by one person."""

    reading: Reading
    query: Query
    given: dict[str, str]

    @property
    def dataset(self) -> DatasetSpec:
        return self.reading.dataset

    @property
    def args(self) -> dict[str, Any]:
        return to_address(self.query, self.given)

    @property
    def fields(self) -> list[Field]:
        known = self.reading.fields
        return [known[key] for key in self.query.columns if key in known] or list(known.values())


def _asked(actor: Actor, key: str) -> _Asked:
    dataset = get_dataset(key)
    query, given = read_address(dataset, request.args)
    return _Asked(Reading(actor, dataset, given), query, given)


@route(blueprint, "/<key>", permission=may_read)
def rows_page(key: str) -> Response:
    """The rows of a dataset, a page at a time."""
    actor, locale = current(), viewer.locale()
    asked = _asked(actor, key)
    try:
        found = asked.reading.page(asked.query)
    except Invalid as error:  # a sort or a page mark that is not possible: as the dataset sorts, and why
        query = Query(search=asked.query.search, filters=asked.query.filters)
        asked = _Asked(asked.reading, query, asked.given)
        found = asked.reading.page(query)
        found.problems.extend(error.problems)
    blind = asked.reading.is_blind
    dataset, part = asked.dataset, bool(asked.query.after and request.headers.get("HX-Request"))
    drawn = {k: dataset.fields[k] for k in dataset.filters if k in dataset.fields}
    in_bar, besides = filter_bar.split(asked.query, drawn, filter_bar.in_box)
    mark = {**asked.args, "after": found.next}
    return page.render(
        "datasets/rows.html",
        "datasets/_more.html" if asked.query.after else "datasets/_rows.html",
        dataset=dataset,
        title=dataset.title(locale),
        told=localized(dataset.document, "description", locale),
        columns=[*(_column(asked, field, locale) for field in asked.fields), *drawing.last_columns(dataset)],
        rows=[]
        if blind
        else drawing.rows(actor, asked.reading, asked.query, asked.fields, found.rows, locale),
        blind=blind,
        query=asked.query,
        args=asked.args,
        filtered=bool(asked.query.filters or asked.query.search or any(asked.given.values())),
        parameters=[_parameter(asked, field, locale) for field in dataset.parameters.values()],
        filters=[_box(asked, field, in_bar, locale, actor, key) for key, field in drawn.items()],
        besides=besides,
        problems=found.problems,
        total=0 if part or blind else asked.reading.count(asked.query),
        most=EXACT_TOTAL,
        next_url=url_for("datasets.rows_page", key=key, **mark) if found.next and not blind else None,
        sums_url=url_for("datasets.sums", key=key, **asked.args) if _summed(asked) else None,
        may_export=_may_export(actor, dataset),
        hidden=keeping_back.partly_hidden(asked.reading.view, dataset),
    )


def _may_export(actor: Actor, dataset: DatasetSpec) -> bool:
    try:
        Reading(actor, dataset, actions=exporting.ACTIONS)
    except Forbidden:
        return False
    return True


def _summed(asked: _Asked) -> list[str]:
    return drawing.summed(asked.fields)


def _column(asked: _Asked, field: Field, locale: str) -> dict[str, Any]:
    sort = asked.query.sort or asked.dataset.sort
    way = {field.key: "up", f"-{field.key}": "down"}.get(sort[0]) if sort else None
    args = {**asked.args, "sort": f"-{field.key}" if way == "up" else field.key}
    target = url_for("datasets.rows_page", key=asked.dataset.key, **args)
    return {
        "label": field.title(locale),
        "number": field.type.numeric,
        "sort": target if field.type.sortable else None,
        "sorted": way,
        "attrs": {"hx-get": target, "hx-target": "#list", "hx-swap": "outerHTML", "hx-push-url": "true"},
    }


def _parameter(asked: _Asked, field: Field, locale: str) -> dict[str, Any]:
    """A parameter is drawn as a filter that asks for one value."""
    value = asked.reading.view.parameters[field.key]
    text = asked.given.get(field.key, "" if value is None else field.type.input_text(field, value))
    query = Query(filters=(Filter(field.key, "is", text),) if text else ())
    box = _box(asked, field, query, locale, current(), f"{PREFIX}{field.key}")
    return {**box, "natural": "is", "operator": "is"}


def _box(asked: _Asked, field: Field, query: Query, locale: str, actor: Actor, path: str) -> dict[str, Any]:
    choices = screen.choices_of(field, locale)
    if field.type.name == "switch":
        choices = [("1", M("Yes").render(locale)), ("0", M("No").render(locale))]
    chosen = next((clock.find_id(f.value) for f in query.filters if f.field == field.key), None)
    text = ""
    if chosen is not None and (source := field.type.source(field)):
        names = screen.names_of(actor, {source: {chosen}}, asked=True)
        text = screen.shown_text(field, chosen, locale, names)
    search = url_for("datasets.choices", key=asked.dataset.key, path=path)
    return filter_box(field, field.key, field.title(locale), query, choices, text, search)


@route(blueprint, "/<key>/choices/<path>", permission=may_read)
def choices(key: str, path: str) -> Response:
    """What a filter or parameter offers for what was typed, as JSON for the select."""
    dataset = get_dataset(key)
    found = (
        dataset.parameters.get(path.removeprefix(PREFIX))
        if path.startswith(PREFIX)
        else dataset.fields.get(path)
    )
    if found is None or "x-options" in found.schema:
        raise NotFound
    return jsonify(live.choices(current(), None, found, request.args.get("q", "")[:100]))


@route(blueprint, "/<key>/sums", permission=may_read)
def sums(key: str) -> Response:
    """The totals over all rows, not only the page in sight."""
    asked, locale = _asked(current(), key), viewer.locale()
    found = asked.reading.sums(asked.query, _summed(asked))
    shown = {
        field.key: field.type.show(field, found[field.key], locale)
        for field in asked.fields
        if field.key in found
    }
    cells = [(f.title(locale), shown.get(f.key, ""), f.key in shown) for f in asked.fields]
    cells += [("", "", False) for _ in drawing.last_columns(asked.dataset)]
    return page.render_part("datasets/_sums.html", cells=cells)


@route(blueprint, "/<key>/export", permission=may_read, endpoint="export_choice")
def export_choice(key: str) -> Response:
    """Choose the kind of file for the rows whose address arguments these are."""
    dataset = get_dataset(key)
    query, given = read_address(dataset, request.args)
    args = to_address(query, given)
    return page.render(
        "forms/export.html",
        title=dataset.title(viewer.locale()),
        back_url=url_for("datasets.rows_page", key=key, **args),
        action=url_for("datasets.export", key=key),
        pairs=[(k, one) for k, v in args.items() for one in (v if isinstance(v, list) else [v])],
        job=None,
        chosen=True,
        left_out="",
    )


@route(blueprint, "/<key>/export", permission=may_read, methods=["POST"])
def export(key: str) -> Response:
    """Begin an export of the rows as they stand."""
    query, given = read_address(get_dataset(key), request.form)
    kind = request.form.get("kind", "xlsx")
    job = exporting.start(current(), key, to_address(query, given), kind, viewer.locale())
    return page.redirect(url_for("datasets.export_page", key=key, job=job))


@route(blueprint, "/<key>/export/<int:job>", permission=may_read)
def export_page(key: str, job: int) -> Response:
    """How far an export is, then its file."""
    found = jobs.get_job(job, current())
    values: dict[str, Any] = {
        "title": get_dataset(key).title(viewer.locale()),
        "job": found,
        "waiting": waiting(found),
        "back_url": url_for("datasets.rows_page", key=key),
        "progress_url": url_for("datasets.export_page", key=key, job=job, poll=1),
        "file_url": url_for("datasets.export_file", key=key, job=job),
    }
    if request.args.get("poll"):
        return page.render_progress("forms/_export.html", finished=found.over, **values)
    return page.render("forms/export.html", **values)


@route(blueprint, "/<key>/export/<int:job>/file", permission=may_read)
def export_file(key: str, job: int) -> Response:
    """The file that an export made, for the person who asked for it."""
    found = jobs.get_job(job, current())
    if found.kind != exporting.JOB or found.payload["dataset"] != key or "file" not in found.result:
        raise NotFound
    return sent(files.get_file(found.result["file"]))
