"""The options of a field in rows: what is stored, and what it is called in each language."""

from collections.abc import Mapping
from typing import Any

from formloop.core.text import LOCALES, M, Message
from formloop.studio.inputs import Input
from formloop.studio.places import Schema
from formloop.studio.shapes import listing, mapping, texts

WORDS = "x-titles"  # what options are called, beside the options
_STORED = M("Stored as")
_CALLED: Mapping[str, tuple[Message, Message]] = {
    "en": (M("Called"), M("Called in English")),
    "zh-CN": (M("Called"), M("Called in Chinese")),
}


def choices_input(key: str, named: Schema, locale: str) -> Input:
    """Rows of the options under `key`, the reader's language first; it writes the options and their words."""
    others = [each for each in LOCALES if each != locale]
    columns = {"value": _titled(_STORED), locale: _titled(_CALLED[locale][0])}
    columns |= {each: _titled(_CALLED[each][1]) for each in others}
    lines = {"type": "object", "properties": {_column(each): said for each, said in columns.items()}}
    field = {**named, "type": "array", "x-type": "subform", "items": lines, "x-rows": True}
    return Input(
        field, lambda said: _shown(key, mapping(said)), lambda rows, said: _kept(key, rows, said), True
    )


def _column(locale: str) -> str:
    return locale.replace("-", "_").lower()


def _titled(said: Message) -> dict[str, Any]:
    title, *_ = (said.render(each) for each in LOCALES)
    return {"type": "string", "title": title, "x-title": {each: said.render(each) for each in LOCALES[1:]}}


def _values(key: str, said: Mapping[str, Any]) -> list[str]:
    """The options: those of one value, or of each of several."""
    found = said.get(key)
    return texts(mapping(found).get("enum") if key == "items" else found)


def _shown(key: str, said: Mapping[str, Any]) -> list[dict[str, Any]]:
    words = mapping(said.get(WORDS))
    rows = []
    for value in _values(key, said):
        told = mapping(words.get(value))
        called = {"en": told.get("title"), **mapping(told.get("x-title"))}
        words_of = {each: name for each, name in called.items() if isinstance(name, str)}
        rows.append({"value": value} | {_column(each): words_of.get(each, "") for each in LOCALES})
    return [*rows, {}]


def _kept(key: str, rows: Any, said: Mapping[str, Any]) -> dict[str, Any]:
    """The options and their words; a row without what is stored is stored as it is called."""
    words, kept = mapping(said.get(WORDS)), dict[str, dict[str, Any]]()
    for row in listing(rows):
        called = {each: name for each in LOCALES if (name := str(row.get(_column(each)) or "").strip())}
        value = str(row.get("value") or "").strip() or next(iter(called.values()), "")
        if value and value not in kept:
            kept[value] = _told(value, called, mapping(words.get(value)))
    values = list(kept) or None
    held = {**mapping(said.get("items")), "enum": values} if key == "items" else values
    if key == "items" and values is None:
        held = {each: one for each, one in mapping(said.get("items")).items() if each != "enum"}
    return {key: held, WORDS: {value: told for value, told in kept.items() if told} or None}


def _told(value: str, called: Mapping[str, str], before: Mapping[str, Any]) -> dict[str, Any]:
    """What an option says of itself beside its value: names that are not the value, and its colour."""
    rest = {each: one for each, one in before.items() if each not in ("title", "x-title")}
    translated = {each: name for each, name in called.items() if each != "en"}
    if "x-title" not in before and list(translated.values()) == [value]:
        translated = {}  # called like it is stored
    known = "en" in called and ("title" in before or called["en"] != value)
    title = {"title": called["en"]} if known else {}
    return {**title, **({"x-title": translated} if translated else {}), **rest}
