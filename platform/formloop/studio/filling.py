"""What was posted of a panel's section, as operations on the document."""

from collections.abc import Mapping
from typing import Any

from werkzeug.datastructures import MultiDict

from formloop.core.definitions import Path
from formloop.core.text import Message, kept_as, said_in
from formloop.forms import engine, posted
from formloop.studio.operations import Operation, find
from formloop.studio.panel import Panel
from formloop.studio.shapes import mapping, texts


def read_section(panel: Panel, form: "MultiDict[str, str]") -> tuple[list[Operation], dict[str, Message]]:
    """What was posted of a section as operations for what changed, and problems by input."""
    section = panel.section()
    given = engine.read_given(section.spec, posted.raw_values(section.spec, form))
    found = {each.at: each.message for each in given.problems}
    made = list[Operation]()
    texts_in: dict[str, dict[str, str]] = {}
    for name, value in given.values.items():
        path, each = section.inputs[name]
        message = (
            None if value is None else section.spec.fields[name].type.check(section.spec.fields[name], value)
        )
        if message is not None:
            found[name] = message
        if name in found:
            continue
        if each.language:
            texts_in.setdefault(path[0].removeprefix("x-"), {})[each.language] = each.kept(value) or ""
            continue
        if each.whole:
            made += _all_written(panel, each.kept(value, panel.value))
            continue
        new, old = each.kept(value), find(panel.value, path, {})
        if isinstance(new, list) and each.field["type"] == "array":  # a choice says nothing of the order
            there = texts(old)
            new = [one for one in there if one in new] + [one for one in new if one not in there]
        made += _written((*panel.at, *path), new, old)
    for key, typed in texts_in.items():
        made += _all_written(panel, kept_as(key, {**said_in(mapping(panel.value), key), **typed}))
    return made, found


def _all_written(panel: Panel, kept: Mapping[str, Any]) -> list[Operation]:
    """What makes these keys of the panel's place what they are to be."""
    before = mapping(panel.value)
    return [one for key, new in kept.items() for one in _written((*panel.at, key), new, before.get(key))]


def _written(at: Path, new: Any, old: Any) -> list[Operation]:
    """What makes the new value of the old one."""
    if new == old or (new is None and old in (None, False, "")):
        return []
    return [Operation("remove", at) if new is None else Operation("set", at, new)]
