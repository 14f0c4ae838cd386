"""The interface as an OpenAPI 3.1 document, made from the published forms that a person may see."""

from collections.abc import Iterable, Mapping
from typing import Any

from formloop.access import gate
from formloop.access.actor import Actor
from formloop.core.text import M
from formloop.datasets import service as datasets
from formloop.datasets.kind import get_dataset
from formloop.datasets.spec import DatasetSpec
from formloop.definitions import library
from formloop.forms import listing, permits
from formloop.forms.filters import operators
from formloop.forms.spec import Field, FormSpec
from formloop.workflows.kind import find_amending

_KEPT = (
    "type", "format", "enum", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength",
    "pattern", "minItems", "maxItems", "description",
)  # fmt: skip
_ID = {"type": "integer", "minimum": 0}
_MOMENT = {"type": "string", "format": "date-time"}
_SYSTEM: Mapping[str, Any] = {
    "id": _ID,
    "revision": {"type": "integer", "minimum": 1},
    "state": {"type": "string"},
    "owner": {"type": ["integer", "null"]},
    "department": {"type": ["integer", "null"]},
    "created_at": _MOMENT,
    "updated_at": _MOMENT,
}
_ERROR = {
    "type": "object",
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "problems", "request_id"],
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "problems": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {k: {"type": "string"} for k in ("code", "at", "message")},
                    },
                },
                "request_id": {"type": "string"},
            },
        }
    },
}
_RECORD = {"name": "record", "in": "path", "required": True, "schema": _ID}
_MATCH = {"name": "If-Match", "in": "header", "required": True, "schema": {"type": "string"}}
_PROPOSED = {
    "type": "object",
    "properties": {"amendments": {"type": "array", "items": {"type": "object"}}},
}
_EVEN_IF_USED = {"name": "even_if_used", "in": "query", "schema": {"enum": ["0", "1"]}}
_QUERY: Mapping[str, Any] = {
    "q": {"type": "string"},
    "sort": {"type": "string"},
    "limit": {"type": "integer", "minimum": 1, "maximum": 200},
    "after": {"type": "string"},
    "lines": {"enum": ["0", "1"]},
    "total": {"enum": ["0", "1"]},
}
_KEY = {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "maxLength": 200}}


def describe(actor: Actor, locale: str) -> dict[str, Any]:
    """The whole document for `actor`, with labels in `locale`."""
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {"error": _ERROR}
    for entry in library.list_entries("form"):
        if not gate.allows(actor, "view", f"form:{entry.key}"):
            continue
        spec: FormSpec = library.published("form", entry.key)
        permit = permits.require_permit(actor, "view", spec)
        schemas[spec.key] = _record(spec, permit.anywhere, locale)
        schemas[f"{spec.key}_given"] = _given(spec, locale)
        paths[f"/{spec.key}"] = _collection(actor, spec, permit.anywhere, locale)
        paths[f"/{spec.key}/{{record}}"] = _single(actor, spec, locale)
        if find_amending(spec.key) is not None:
            paths[f"/{spec.key}/{{record}}/amendments"] = _amendments(actor, spec, locale)
    for entry in datasets.list_datasets(actor):
        dataset = get_dataset(entry.key)
        schemas[f"dataset.{dataset.key}"] = _row(dataset, locale)
        paths[f"/datasets/{dataset.key}"] = {"get": _rows(dataset, locale)}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Formloop", "version": "1"},
        "servers": [{"url": "/api/v1"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _record(spec: FormSpec, visible: frozenset[str], locale: str) -> dict[str, Any]:
    fields = {
        f.key: _field(f, locale, visible)
        for f in spec.fields.values()
        if f.path in visible or any(c.path in visible for c in f.children)
    }
    return {
        "type": "object",
        "title": spec.title(locale),
        "properties": {**_SYSTEM, "state": {"type": "string", "enum": list(spec.states)}, **fields},
    }


def _given(spec: FormSpec, locale: str) -> dict[str, Any]:
    writable = {
        f.key: _field(f, locale, None) for f in spec.fields.values() if not f.computed and not f.readonly
    }
    return {
        "type": "object",
        "title": spec.title(locale),
        "additionalProperties": False,
        "properties": writable,
    }


def _field(field: Field, locale: str, visible: frozenset[str] | None) -> dict[str, Any]:
    schema = {key: field.schema[key] for key in _KEPT if key in field.schema}
    schema["title"] = field.title(locale)
    if field.children:
        lines = {
            c.key: _field(c, locale, visible)
            for c in field.children
            if (visible is None and not c.computed and not c.readonly)
            or (visible is not None and c.path in visible)
        }
        own = {"id": _ID} if visible is None else {"id": _ID, "position": _ID}
        return {**schema, "items": {"type": "object", "properties": {**own, **lines}}}
    if field.choices and schema.get("type") == "array":
        schema["items"] = {"type": "string", "enum": list(field.choices)}
    if field.computed or field.readonly:
        schema["readOnly"] = True
    if isinstance(schema.get("type"), str) and not field.required:
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
    return schema


def _row(dataset: DatasetSpec, locale: str) -> dict[str, Any]:
    columns = {key: _column(field, locale) for key, field in dataset.fields.items()}
    return {"type": "object", "title": dataset.title(locale), "properties": columns}


def _column(field: Field, locale: str) -> dict[str, Any]:
    """A column as a field that may always be empty; what a form allows to be written says nothing here."""
    found = _field(field, locale, None)
    own: dict[str, Any] = {
        word: found[word] for word in ("type", "format", "title", "items") if word in found
    }
    if isinstance(own.get("type"), str):
        own["type"] = [own["type"], "null"]
    return own


def _rows(dataset: DatasetSpec, locale: str) -> dict[str, Any]:
    query = _list_query(("q", "sort", "limit", "after", "total"), dataset.fields.values(), locale)
    query += [
        {"name": f"p.{key}", "in": "query", "schema": {"type": "string"}, "description": field.title(locale)}
        for key, field in dataset.parameters.items()
    ]
    page = _page("rows", f"dataset.{dataset.key}")
    return _operation(f"list_dataset_{dataset.key}", M("List"), locale, {"200": page}, query)


def _list_query(names: Iterable[str], fields: Iterable[Field], locale: str) -> list[dict[str, Any]]:
    found = [{"name": name, "in": "query", "schema": _QUERY[name]} for name in names]
    return found + [
        {
            "name": f"f.{f.key}.{operator}",
            "in": "query",
            "schema": {"type": "string"},
            "description": f"{f.title(locale)} {operators[operator].title.render(locale)}",
        }
        for f in fields
        for operator in f.type.operators
    ]


def _page(name: str, member: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            name: {"type": "array", "items": _ref(member)},
            "next": {"type": ["string", "null"]},
            "total": {"type": "integer", "minimum": 0, "maximum": listing.EXACT_TOTAL},
            "total_exact": {"type": "boolean"},
        },
    }


def _collection(actor: Actor, spec: FormSpec, visible: frozenset[str], locale: str) -> dict[str, Any]:
    query = _list_query(_QUERY, (f for f in spec.stored if f.path in visible), locale)
    page = _page("records", spec.key)
    found = {"get": _operation(f"list_{spec.key}", M("List"), locale, {"200": page}, query)}
    if gate.allows(actor, "create", spec.resource):
        found["post"] = _operation(
            f"create_{spec.key}", M("Create"), locale, {"201": _ref(spec.key)}, [_KEY], f"{spec.key}_given"
        )
    return found


def _single(actor: Actor, spec: FormSpec, locale: str) -> dict[str, Any]:
    answer = {"200": _ref(spec.key)}
    found: dict[str, Any] = {
        "parameters": [_RECORD],
        "get": _operation(f"read_{spec.key}", M("Read"), locale, answer),
    }
    if gate.allows(actor, "edit", spec.resource):
        found["patch"] = _operation(
            f"change_{spec.key}", M("Change"), locale, answer, [_MATCH, _KEY], f"{spec.key}_given"
        )
    if gate.allows(actor, "delete", spec.resource):
        optional = {**_MATCH, "required": False}
        found["delete"] = _operation(
            f"delete_{spec.key}", M("Delete"), locale, {"204": None}, [optional, _KEY, _EVEN_IF_USED]
        )
    return found


def _amendments(actor: Actor, spec: FormSpec, locale: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "parameters": [_RECORD],
        "get": _operation(f"list_amendments_{spec.key}", M("Amendments"), locale, {"200": _PROPOSED}),
    }
    if gate.allows(actor, "amend", spec.resource):
        body = {
            "type": "object",
            "additionalProperties": False,
            "required": ["reason"],
            "properties": {
                "values": _ref(f"{spec.key}_given"),
                "cancel": {"type": "boolean"},
                "reason": {"type": "string", "maxLength": 2000},
            },
        }
        made = {"type": "object", "properties": {"id": _ID, "status": {"type": "string"}}}
        title = M("Propose a change")
        found["post"] = _operation(f"amend_{spec.key}", title, locale, {"201": made}, [_MATCH, _KEY], body)
    return found


def _operation(
    name: str,
    title: Any,
    locale: str,
    answers: Mapping[str, Any],
    parameters: list[Any] | None = None,
    body: str | Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    responses = {
        status: {"description": "OK", **({"content": _content(schema)} if schema else {})}
        for status, schema in answers.items()
    }
    responses["default"] = {"description": "Error", "content": _content(_ref("error"))}
    found = {"operationId": name, "summary": title.render(locale), "responses": responses}
    if parameters:
        found["parameters"] = parameters
    if body:
        found["requestBody"] = {
            "required": True,
            "content": _content(_ref(body) if isinstance(body, str) else body),
        }
    return found


def _content(schema: Any) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}
