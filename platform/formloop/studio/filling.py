"""What was posted of a panel's section, as operations on the document."""

from typing import Any

from werkzeug.datastructures import MultiDict

from formloop.core.definitions import Path
from formloop.core.text import LOCALES, Message
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
    for name, value in given.values.items():
        path, each = section.inputs[name]
        message = (
            None if value is None else section.spec.fields[name].type.check(section.spec.fields[name], value)
        )
        if message is not None:
            found[name] = message
        if name in found:
            continue
        if each.whole:
            for key, new in each.kept(value, panel.value).items():
                made += _written((*panel.at, key), new, mapping(panel.value).get(key))
            continue
        new, old = each.kept(value), find(panel.value, path, {})
        if isinstance(new, list) and each.field["type"] == "array":  # a choice says nothing of the order
            there = texts(old)
            new = [one for one in there if one in new] + [one for one in new if one not in there]
        made += _written((*panel.at, *path), new, old)
    return _as_meant(made, panel), found


def _as_meant(made: list[Operation], panel: Panel) -> list[Operation]:
    """What is typed as translation by a reader of another language than English is the English.

    Until then the only name there was stood in its place, whatever its language; it becomes the reader's own.
    """
    locale, new = panel.around.locale, {each.at: each.value for each in made if each.do == "set"}
    for at, translation in list(new.items()):
        if locale == LOCALES[0] or at[-1] != locale or not at[-2].startswith("x-"):
            continue
        plain, within = (*at[:-2], at[-2].removeprefix("x-")), len(panel.at)
        own = new.get(plain) or find(panel.value, plain[within:], {})
        if own and find(panel.value, at[within:], {}) is None:
            made = [each for each in made if each.at not in (at, plain)]
            made += [Operation("set", plain, translation), Operation("set", at, own)]
    return made


def _written(at: Path, new: Any, old: Any) -> list[Operation]:
    """What makes the new value of the old one."""
    if new == old or (new is None and old in (None, False, "")):
        return []
    return [Operation("remove", at) if new is None else Operation("set", at, new)]
