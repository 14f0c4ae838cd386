"""Pages of lists: search, filters on every field, sort, columns, saved views, totals, changing many at once."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from flask import Blueprint, Response, request, url_for
from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from formloop.access import gate
from formloop.access.actor import Actor
from formloop.access.signing import current
from formloop.core import clock
from formloop.core.errors import FormloopError, Invalid
from formloop.core.text import M
from formloop.definitions import views as definition_views
from formloop.forms import filter_bar, listing, numbering, permits, saved_views, screen, states
from formloop.forms.beginnings import beginning
from formloop.forms.fields.cascade import branches
from formloop.forms.filter_words import list_without, say_filter
from formloop.forms.filters import Filter, operators
from formloop.forms.kind import BUTTONS, get_form
from formloop.forms.list_query import address_args, read_query
from formloop.forms.row_html import RowTemplate, badge
from formloop.forms.spec import Field, FormSpec, Values
from formloop.forms.system_fields import SYSTEM_TITLES, system_field
from formloop.web import page, viewer
from formloop.web.routes import route

blueprint = Blueprint("lists", __name__)


def list_url(form: str) -> str | None:
    """The list of a form, for whoever may look at it."""
    return url_for("lists.list_page", form=form) if gate.allows(current(), "view", f"form:{form}") else None


definition_views.openers.add("form", list_url)


@route(blueprint, "/f/<form>", permission=("view", "form:{form}"))
def list_page(form: str) -> Response:
    """The list of a form, a page at a time."""
    actor, spec, locale = current(), get_form(form), viewer.locale()
    query = read_query(spec, _asked(spec))
    try:
        found = listing.list_records(actor, spec, query)
    except Invalid as error:  # a sort or a page mark that is not possible: the plain list, and why
        query = listing.Query(search=query.search, filters=query.filters, deleted=query.deleted)
        found = listing.list_records(actor, spec, query)
        found.problems.extend(error.problems)
    permit = permits.require_permit(actor, "view", spec)
    keys, stated = _shown(spec, permit, query)
    names = _names_chosen(actor, spec, query) | screen.names_for(actor, spec, found.rows)
    args, drawn = address_args(query), _drawn(spec, permit, spec.list.filters)
    in_bar, besides = filter_bar.split(query, drawn, filter_bar.in_box)
    may = {a: a in spec.list.buttons and gate.allows(actor, a, spec.resource) for a in BUTTONS}
    part = bool(query.after and request.headers.get("HX-Request"))  # more rows for a list that stands there
    return page.render(
        "forms/list.html",
        "forms/_rows.html" if query.after else "forms/_list.html",
        spec=spec,
        title=spec.title(locale),
        columns=[_column(spec, key, query, locale) for key in keys],
        rows=_rows(spec, found.rows, keys, stated, locale, names, may["edit"] or may["delete"]),
        query=query,
        args=args,
        filters=[_filter(spec, in_bar, key, field, locale, names) for key, field in drawn.items()],
        besides=besides,
        chips=list(_chips(spec, permit, query, locale, names)),
        problems=found.problems,
        total=0 if part else listing.count_records(actor, spec, query),
        next_url=url_for("lists.list_page", form=form, **args, after=found.next) if found.next else None,
        stated=stated,
        sums_url=url_for("lists.sums", form=form, **args) if _summed(spec, keys) else None,
        views=[] if part else saved_views.list_for(actor, form),
        may=may,
        numbers=numbering.has_numbers(spec) and gate.allows(actor, "design", "definition"),
    )


def _shown(spec: FormSpec, permit: permits.Permit, query: listing.Query) -> tuple[list[str], bool]:
    """The columns that this person sees, and whether the state, as its word, is shown behind them: it tells
    something and is none of them."""
    wanted = query.columns or spec.list.columns
    keys = [k for k in wanted if k in permit.anywhere or k not in spec.fields]
    return keys, states.are_telling(spec) and ("state" not in wanted or "state" in spec.fields)


def _asked(spec: FormSpec) -> "MultiDict[str, str]":
    """The query in the address, or that of the saved view it names: a long one may not fit into an address.

    An address that says nothing asks for what the form's list begins with.
    """
    view = request.args.get("view")
    if view is None:
        choices = partial(_choices_at, spec)
        return request.args or beginning(spec.list.begins, spec.fields, choices, current().person_id)
    return MultiDict(saved_views.get_args(current(), spec.key, clock.find_id(view)))


@route(blueprint, "/f/<form>/numbers", permission="signed-in")
def numbers(form: str) -> Response:
    """The last number of every series, and the gaps with what took them: for who builds a form and may see it."""
    actor, spec = current(), get_form(form)
    gate.require(actor, "design", "definition")
    return page.render(
        "forms/numbers.html",
        spec=spec,
        title=spec.title(viewer.locale()),
        series=numbering.list_numbers(actor, spec),
    )


@route(blueprint, "/f/<form>/panel", permission=("view", "form:{form}"))
def panel(form: str) -> Response:
    """Every filter, column and sort of a list; loaded when somebody opens the panel."""
    actor, spec, locale = current(), get_form(form), viewer.locale()
    query = read_query(spec, request.args)
    permit = permits.require_permit(actor, "view", spec)
    keys = query.columns or spec.list.columns
    names, drawn = _names_chosen(actor, spec, query), _drawn(spec, permit, _filterable(spec))
    in_panel, besides = filter_bar.split(query, drawn, filter_bar.in_panel)
    return page.render(
        "forms/panel.html",
        "forms/_panel.html",
        spec=spec,
        title=spec.title(locale),
        query=query,
        args=address_args(query),
        panel=[_filter(spec, in_panel, key, field, locale, names) for key, field in drawn.items()],
        besides=besides,
        choosable=[(k, _title(spec, k, locale), k in keys) for k in _choosable(spec, permit)],
        sortable=[(k, _title(spec, k, locale)) for k in _sortable(spec, permit)],
        views=saved_views.list_for(actor, form),
        may_share=gate.allows(actor, "design", "definition"),
    )


def _title(spec: FormSpec, key: str, locale: str) -> str:
    field = spec.fields.get(key)
    return field.title(locale) if field else SYSTEM_TITLES[key].render(locale)


def _filterable(spec: FormSpec) -> list[str]:
    return [f.key for f in spec.stored] + ["state", "owner", "created_at", "updated_at"]


def _choosable(spec: FormSpec, permit: permits.Permit) -> list[str]:
    return [f.key for f in spec.stored if f.key in permit.anywhere] + ["owner", "created_at", "updated_at"]


def _sortable(spec: FormSpec, permit: permits.Permit) -> list[str]:
    own = [f.key for f in spec.stored if f.type.sortable and f.key in permit.anywhere]
    return [*own, "state", "created_at", "updated_at"]


def _column(spec: FormSpec, key: str, query: listing.Query, locale: str) -> dict[str, Any]:
    field = spec.fields.get(key)
    sort = query.sort or spec.list.sort
    way = {key: "up", f"-{key}": "down"}.get(sort[0]) if sort else None
    args = {**address_args(query), "sort": f"-{key}" if way == "up" else key}
    target = url_for("lists.list_page", form=spec.key, **args)
    sortable = field.type.sortable and field.type.stored if field else True
    return {
        "key": key,
        "label": _title(spec, key, locale),
        "number": bool(field and field.type.numeric),
        "sort": target if sortable else None,
        "sorted": way,
        "attrs": {"hx-get": target, "hx-target": "#list", "hx-swap": "outerHTML", "hx-push-url": "true"},
    }


def _rows(
    spec: FormSpec,
    rows: list[Values],
    keys: list[str],
    stated: bool,
    locale: str,
    names: screen.Names,
    choose: bool,
) -> list[Markup]:
    template = RowTemplate(
        [(key, _drawn_by(spec, key), _title(spec, key, locale)) for key in keys],
        url_for("forms.record_page", form=spec.key, record=0).removesuffix("0"),
        {state.key: badge(state.color, state.title(locale)) for state in spec.states.values()},
        SYSTEM_TITLES["state"].render(locale) if stated else None,
        M("Choose").render(locale) if choose else None,
        locale,
    )
    return [template.row(row, names) for row in rows]


def _drawn_by(spec: FormSpec, key: str) -> Field | None:
    """The field that draws a column; nothing for the state, which is drawn as its word."""
    return spec.fields.get(key) or (None if key == "state" else system_field(key))


def _names_chosen(actor: Actor, spec: FormSpec, query: listing.Query) -> screen.Names:
    """What the records that filters name are called, so that their inputs can say it."""
    chosen = [
        {f.field: found}
        for f in query.filters
        if (found := clock.find_id(f.value)) is not None and _names_one(spec, f.field)
    ]
    return screen.names_for(actor, spec, chosen, asked=True)


def _names_one(spec: FormSpec, key: str) -> bool:
    """Whether a value of this field may name a record or a person; lines never do."""
    return not spec.fields[key].children if key in spec.fields else key == "owner"


def _drawn(spec: FormSpec, permit: permits.Permit, keys: Sequence[str]) -> dict[str, Field]:
    """Those fields that this person may filter by."""
    found = {key: field for key in keys if (field := spec.fields.get(key) or system_field(key)) is not None}
    return {
        key: field
        for key, field in found.items()
        if field.type.operators
        and (key in permit.anywhere or key not in spec.fields)
        and (key != "state" or states.are_telling(spec))
    }


def _filter(
    spec: FormSpec, query: listing.Query, key: str, field: Field, locale: str, names: screen.Names
) -> dict[str, Any]:
    search = url_for("forms.choices", form=spec.key, path=key)
    choices, used = _choices(spec, field, key, locale), _used(query, key)
    text = _picked(field, used.value if used else None, locale, names)
    return filter_box(field, key, _title(spec, key, locale), query, choices, text, search)


def _chips(
    spec: FormSpec, permit: permits.Permit, query: listing.Query, locale: str, names: screen.Names
) -> Iterator[tuple[str, str]]:
    """Each filter that is on as a sentence, with the list without it."""
    for each, args in list_without(query, bool(spec.list.begins)):
        field = spec.fields.get(each.field) or system_field(each.field)
        if field is None or each.operator not in operators:
            continue  # which is told above the list
        if each.field in spec.fields and each.field not in permit.anywhere:
            continue
        words: dict[Any, str] = dict(_choices(spec, field, each.field, locale))
        if isinstance(each.value, str) and (picked := _picked(field, each.value, locale, names)):
            words[each.value] = picked
        said = say_filter(_title(spec, each.field, locale), each, words, locale)
        yield said, url_for("lists.list_page", form=spec.key, **args)


def _used(query: listing.Query, key: str) -> Filter | None:
    return next((f for f in query.filters if f.field == key), None)


def filter_box(
    field: Field,
    key: str,
    label: str,
    query: listing.Query,
    choices: list[tuple[str, str]],
    text: str,
    search: str,
) -> dict[str, Any]:
    """What the input of a filter is drawn from: `text` names what is chosen, `search` finds more to choose."""
    mine = {f.operator: f for f in query.filters if f.field == key}
    natural = filter_bar.natural_of(field)
    used = next(iter(mine.values()), Filter(key, natural))
    low, high = mine.get("at_least"), mine.get("at_most")
    return {
        "key": key,
        "label": label,
        "widget": _widget(field),
        "operators": [(name, operators[name].title) for name in field.type.operators],
        "natural": natural,
        "operator": used.operator if mine else "",
        "value": used.value if used.operator != "at_most" or low else "",
        "other": used.other or (high.value if high and not low else high.value if high else ""),
        "choices": choices,
        "text": text,
        "search": search,
    }


def _picked(field: Field, value: Any, locale: str, names: screen.Names) -> str:
    """What the chosen one is called, where a filter offers a search instead of a list."""
    if not value or _widget(field) != "pick":
        return ""
    if "x-options" in field.schema:
        return str(value)
    found = clock.find_id(value)
    return "" if found is None else screen.shown_text(field, found, locale, names)


def _widget(field: Field) -> str:
    if (
        field.relation is not None
        or field.type.name in ("member", "department")
        or "x-options" in field.schema
    ):
        return "pick"
    if field.type.name == "datetime":
        return "date"
    return "number" if field.type.numeric else "switch" if field.type.name == "switch" else "text"


def _choices(spec: FormSpec, field: Field, key: str, locale: str) -> list[tuple[str, str]]:
    if key == "state" and key not in spec.fields:
        return [(state.key, state.title(locale)) for state in spec.states.values()]
    if field.type.name == "cascade":
        return [(branch, branch) for branch in branches(field)]
    return screen.choices_of(field, locale)


def _choices_at(spec: FormSpec, key: str, locale: str) -> list[tuple[str, str]]:
    field = spec.fields.get(key) or system_field(key)
    return _choices(spec, field, key, locale) if field else []


def _summed(spec: FormSpec, keys: list[str]) -> list[str]:
    """The columns with a total: only where the form says that a sum means something."""
    return [k for k in keys if k in spec.fields and spec.fields[k].schema.get("x-total")]


@route(blueprint, "/f/<form>/sums", permission=("view", "form:{form}"))
def sums(form: str) -> Response:
    """The totals row: sums over all records of the list, not only the page in sight."""
    actor, spec, locale = current(), get_form(form), viewer.locale()
    query = read_query(spec, request.args)
    keys, stated = _shown(spec, permits.require_permit(actor, "view", spec), query)
    found = listing.sum_records(actor, spec, query, _summed(spec, keys))
    cells = [
        (spec.fields[k].type.show(spec.fields[k], found[k], locale), spec.fields[k].title(locale))
        if k in found
        else ("", "")
        for k in keys
    ]
    return page.render_part("forms/_sums.html", cells=cells, stated=stated)


@route(blueprint, "/f/<form>/views", permission=("view", "form:{form}"), methods=["POST"])
def save_view(form: str) -> Response:
    """Keep the list as it stands under a name."""
    spec = get_form(form)
    args = address_args(read_query(spec, request.form))
    try:
        view = saved_views.save(
            current(), form, request.form.get("name", ""), args, bool(request.form.get("shared"))
        )
    except FormloopError as error:
        return page.redirect(url_for("lists.list_page", form=form, **args), error.message, "danger")
    return page.redirect(url_for("lists.list_page", form=form, view=view), M("View saved."))


@route(blueprint, "/f/<form>/views/<int:view>/remove", permission=("view", "form:{form}"), methods=["POST"])
def remove_view(form: str, view: int) -> Response:
    """Forget a saved view."""
    saved_views.remove(current(), view)
    return page.redirect(url_for("lists.list_page", form=form), M("View removed."))
