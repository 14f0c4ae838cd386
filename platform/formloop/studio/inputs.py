"""How one property of a definition becomes an input of the form engine, and its value a value again.

The schema of the property decides: nothing here knows a kind of definition.
"""

import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from formloop.core.definitions import parse
from formloop.core.text import LOCALES, M, localized
from formloop.studio.places import Schema
from formloop.studio.shapes import listing, mapping, texts

FACES = ("icon", "color")  # chosen by what they look like
_WRITTEN = ("expression", "picture", "duration", "numbering", *FACES)
BESIDE = ("parameters", "as_of")  # of a source, what is not its choice
IN_ORDER = ("columns", "field", "listed", "person", "sorting")  # what is chosen of these stands in an order
LONG = 300  # characters from which a text has several lines
Offer = Callable[[str, Any], list[tuple[str, str]]]
_ISO = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?")
_SPOKEN = re.compile(r"(\d+)\s*(days?|d|天|日|hours?|h|小时|时|minutes?|min|m|分钟|分)", re.IGNORECASE)
_LETTERS = {"d": "D", "天": "D", "日": "D", "h": "H", "小": "H", "时": "H", "m": "M", "分": "M"}
_NAMES = ("title", "x-title", "description", "x-description")
_LIMITS = ("minimum", "maximum", "minLength", "maxLength", "pattern")


@dataclass(frozen=True, slots=True)
class Input:
    """One input: the schema of its field in the panel, and how values go to and fro.

    Of a `whole` part it is shown all that is said and keeps several keys at once: `kept` also has what was said.
    A text in one `language` is shown all that is said, too; what it keeps belongs to that language.
    """

    field: dict[str, Any]
    shown: Callable[[Any], Any]
    kept: Callable[..., Any]
    whole: bool = False
    language: str = ""


def input_for(schema: Schema, value: Any, offer: Offer) -> Input | None:
    """The input for a property, None where its value is no single thing."""
    said, word, kind = labelled(schema), schema.get("x-pick"), schema.get("type")
    if "const" in schema and schema["const"] is not True:  # which can be ticked, or left
        return None
    if word == "source":
        return _source(said, offer(word, value), value)
    if word == "filters":
        return Input(
            {**said, "type": "string", "x-type": "multiline", "x-condition": True}, _json_shown, _json_kept
        )
    if "x-names" in schema or (word and kind == "object"):
        return None
    if word in _WRITTEN:
        return _written(word, said, schema, value, offer)
    if word and kind == "array":
        made = _several(said, _chosen_first(offer(word, value), texts(value)))
        return replace(made, field={**made.field, "x-in-order": word in IN_ORDER})
    if word:
        return _one(said, [(each, said) for each, said in offer(word, value)], {})
    return _typed(said, schema, value, offer)


def _written(word: str, said: dict[str, Any], schema: Schema, value: Any, offer: Offer) -> Input:
    """What has an input of its own, and is kept as text."""
    made = {**said, "type": "string"}
    if word == "duration":
        return Input(made, _duration_shown, _duration_kept)
    if word in FACES:
        more: dict[str, Any] = {"x-faces": word, "x-offered": offer(word, value)}
    elif word == "picture":
        more = {"maxLength": schema["maxLength"], "x-picture": True}
    elif word == "numbering":
        more = {"x-numbering": True}
    else:
        more = {"x-type": "multiline", "x-expression": True}
    return Input({**made, **more}, _text, _same)


def _typed(said: dict[str, Any], schema: Schema, value: Any, offer: Offer) -> Input | None:
    """What is ticked, typed, or chosen among what the schema itself lists."""
    kind = schema.get("type")
    if "enum" in schema:
        words = mapping(schema.get("x-titles"))
        options = [(str(each), mapping(words.get(str(each)))) for each in schema["enum"]]
        return _one(said, options, {str(each): each for each in schema["enum"]})
    if kind == "boolean" or "const" in schema:
        return _ticked(said, schema.get("default") is True and kind == "boolean")
    if kind in ("number", "integer"):
        limits = {key: schema[key] for key in _LIMITS if key in schema}
        return Input(
            {**said, **limits, "type": kind, "x-scale": 0 if kind == "integer" else 6}, _number, _plain
        )
    if kind == "string" and schema.get("format") == "date":
        return Input({**said, "type": "string", "format": "date"}, _date_shown, _date_kept)
    if kind == "string":
        wide = {"x-type": "multiline"} if schema.get("maxLength", 0) > LONG else {}
        return Input({**said, **wide, "type": "string"}, _text, _same)
    if kind == "array":
        return _list(said, mapping(schema.get("items")))
    if "x-pairs" in schema:
        return _pairs(said, schema["x-pairs"], value, offer)
    if kind == "object" and mapping(schema.get("additionalProperties")).get("type") == "string":
        return Input({**said, "type": "string", "x-type": "multiline"}, _pairs_shown, _pairs_kept)
    return None


def _ticked(said: dict[str, Any], otherwise: bool) -> Input:
    """A box; what holds without a word is not kept."""
    field = {**said, "type": "boolean"}
    if otherwise:
        return Input(field, lambda each: each is not False, lambda each: None if each else False)
    return Input(field, lambda each: each is True, lambda each: each or None)


def labelled(schema: Schema) -> dict[str, Any]:
    """What the field says of itself; what holds where it is left empty is said with it."""
    named = {key: schema[key] for key in _NAMES if key in schema}
    default = schema.get("default")
    if default is None or isinstance(default, bool):
        return named
    said = {
        each: M("Left empty: {value}.", value=_default(schema, default, each)).render(each)
        for each in LOCALES
    }
    told = {
        each: " ".join(filter(None, (localized(schema, "description", each), said[each]))) for each in LOCALES
    }
    return {**named, "description": told["en"], "x-description": {each: told[each] for each in LOCALES[1:]}}


def _default(schema: Schema, default: Any, locale: str) -> str:
    """The value that holds, in words."""
    if isinstance(default, list):
        return (", " if locale == "en" else "、").join(
            _default(mapping(schema.get("items")), each, locale) for each in default
        )
    choices = [schema, *(mapping(each) for each in listing(schema.get("anyOf")))]
    words = (mapping(mapping(each.get("x-titles")).get(str(default))) for each in choices)
    return next((localized(each, "title", locale) for each in words if each), str(default))


def _one(named: dict[str, Any], options: list[tuple[str, Any]], values: dict[str, Any]) -> Input:
    words = {each: said if isinstance(said, dict) else {"title": said} for each, said in options}
    field = {**named, "type": "string", "x-type": "dropdown", "enum": [each for each, _ in options]}

    def kept(each: Any) -> Any:
        return values.get(each, each)

    return Input({**field, "x-titles": words}, lambda each: None if each is None else str(each), kept)


def _source(named: dict[str, Any], options: list[tuple[str, str]], value: Any) -> Input:
    """Where rows come from: a key, or an object that the picker writes in JSON; chosen again, it stays as it is."""
    made, now = _one(named, options, {}), written_source(value)
    if now and now not in made.field["enum"]:
        made = _one(named, [*options, (now, now)], {})

    def kept(each: Any) -> Any:
        if each is None or each == now:
            return value if each else None
        return json.loads(each) if each.startswith("{") else each

    return Input(made.field, lambda _: now or None, kept)


def written_source(said: Any) -> str:
    """A source as the picker names it; what is said beside its choice is left out."""
    if not isinstance(said, dict):
        return said if isinstance(said, str) else ""
    return json.dumps({key: said[key] for key in sorted(said) if key not in BESIDE}, default=str)


def _chosen_first(options: list[tuple[str, str]], chosen: list[str]) -> list[tuple[str, str]]:
    """What is chosen in its order, then what else there is: a select keeps to the order of its options."""
    words = dict(options)
    return [(each, words[each]) for each in chosen if each in words] + [
        each for each in options if each[0] not in chosen
    ]


def _several(named: dict[str, Any], options: list[tuple[str, Any]], kind: str = "multi_select") -> Input:
    words = {each: said if isinstance(said, dict) else {"title": said} for each, said in options}
    items = {"type": "string", "enum": [each for each, _ in options]}
    return Input({**named, "type": "array", "x-type": kind, "items": items, "x-titles": words}, texts, _same)


def _pairs(named: dict[str, Any], said: Schema, value: Any, offer: Offer) -> Input:
    """Pairs that are picked or typed: a line for each, and one to begin the next; a line without its first part goes."""
    there = mapping(value)
    parts = (("name", list(there)), ("value", list(there.values())))
    columns = {
        part: (
            _one(labelled(said[part]), list(offer(said[part]["x-pick"], present)), {}).field
            if "x-pick" in said[part]
            else {**labelled(said[part]), "type": "string"}
        )
        | {"x-formula-of-pair": said[part].get("x-formula", False)}
        for part, present in parts
    }
    lines = {"type": "object", "properties": columns}

    def shown(each: Any) -> Any:
        return [*({"name": name, "value": one} for name, one in mapping(each).items()), {}]

    def kept(each: Any) -> Any:
        return {line["name"]: line.get("value") or "" for line in listing(each) if line.get("name")} or None

    return Input({**named, "type": "array", "x-type": "subform", "items": lines}, shown, kept)


def _list(named: dict[str, Any], items: Schema) -> Input | None:
    if "enum" in items:
        words = mapping(items.get("x-titles"))
        options = [(str(each), mapping(words.get(each))) for each in items["enum"]]
        return _several(named, options, "checkbox_group")
    if items.get("type") == "array":
        field = {**named, "type": "string", "x-type": "multiline"}
        return Input(field, _sets_shown, _sets_kept)
    if items.get("type") == "string":
        field = {**named, "type": "string", "x-type": "multiline"}
        return Input(field, lambda each: "\n".join(texts(each)) or None, _lines_kept)
    return None


def _text(value: Any) -> Any:
    return value if isinstance(value, str) else None


def _same(value: Any) -> Any:
    return value


def spoken_duration(value: Any) -> str:
    """A duration as people write it."""
    return str(_duration_shown(value) or "")


def _duration_shown(value: Any) -> Any:
    found = _ISO.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return _text(value)
    parts = [
        f"{int(each)} {unit}" for each, unit in zip(found.groups(), ("d", "h", "min"), strict=True) if each
    ]
    return " ".join(parts) or value


def _duration_kept(value: Any) -> Any:
    """“2 d 4 h”, “30 minutes” and “2天4小时” as an ISO duration; what is none stays, and the check says so."""
    text = str(value or "").strip()
    parts = _SPOKEN.findall(text)
    if not parts or _SPOKEN.sub("", text).strip(" ,，"):
        return text or None
    said = dict.fromkeys("DHM", 0)
    for number, unit in parts:
        said[_LETTERS[unit[0].lower()]] += int(number)
    day, clock = f"{said['D']}D" if said["D"] else "", "".join(f"{said[c]}{c}" for c in "HM" if said[c])
    return f"P{day}T{clock}" if clock else f"P{day or 'T0M'}"


def _date_shown(value: Any) -> Any:
    with suppress(ValueError):
        return date.fromisoformat(value) if isinstance(value, str) else None
    return None


def _date_kept(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else None


def _json_shown(value: Any) -> Any:
    return json.dumps(value, sort_keys=True, default=str) if value else None


def _json_kept(value: Any) -> Any:
    """What a page sends back as it was; what is no JSON stays a text, which the check refuses."""
    found = parse(value) if isinstance(value, str) and value else None
    return value or None if found is None or found.problems else found.doc


def _number(value: Any) -> Any:
    return Decimal(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else None


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, Decimal) and value == int(value) else value


def _lines_kept(value: Any) -> Any:
    found = [line.strip() for line in str(value or "").splitlines()]
    return list(dict.fromkeys(each for each in found if each)) or None


def _sets_shown(value: Any) -> Any:
    return "\n".join(", ".join(texts(each)) for each in listing(value)) or None


def _sets_kept(value: Any) -> Any:
    found = [[part.strip() for part in line.split(",")] for line in listing(_lines_kept(value))]
    return [kept for each in found if (kept := [part for part in each if part])] or None


def _pairs_shown(value: Any) -> Any:
    return "\n".join(f"{key} = {each}" for key, each in mapping(value).items()) or None


def _pairs_kept(value: Any) -> Any:
    pairs = [line.partition("=") for line in listing(_lines_kept(value))]
    return {key.strip(): each.strip() for key, _, each in pairs if key.strip()} or None
