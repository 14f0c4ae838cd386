"""Where in a definition something is, in the words of its kind's schema: “Head of sales › Who decides 2 › People”."""

from collections.abc import Mapping

from formloop.core.definitions import Path
from formloop.core.text import localized
from formloop.studio.operations import find
from formloop.studio.pickers import Around, called
from formloop.studio.places import below, resolve
from formloop.studio.shapes import mapping


def place_in_words(around: Around, path: Path) -> str:
    """A path as people call it: parts by their title, what has none by its list's and its number."""
    root, value = around.kind.schema, around.doc
    schema, said, of_list = resolve(root, root, value), list[str](), ""
    for name in path:
        inner = below(schema, name)
        in_list = isinstance(value, list)
        value = find(value, (name,), {})
        schema = resolve(inner, root, value) if isinstance(inner, Mapping) else {}
        if in_list or not schema.get("title"):
            number = str(int(name) + 1) if in_list and name.isdecimal() else name
            said.append(called(mapping(value), f"{of_list} {number}".strip(), around.locale))
            of_list = ""
            continue
        title = localized(schema, "title", around.locale)
        of_list = title if isinstance(value, list | Mapping) and "items" in schema else ""
        if not of_list:
            said.append(title)
    return " › ".join([*said, of_list] if of_list else said)
