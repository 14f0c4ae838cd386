"""The designer of applications: name, start, icon and colour as a panel, the menu as a list to order."""

from collections.abc import Mapping
from typing import Any

from formloop.core.definitions import Doc
from formloop.core.text import localized
from formloop.definitions import apps, library
from formloop.studio.designer import FIXED, Act, Designer, Gesture, Made, designers
from formloop.studio.pickers import Around, Option, pickers
from formloop.studio.shapes import listing

PAGES = ("form", "dataset")  # what can stand in a menu


class AppDesigner(Designer):
    """Draws applications."""

    canvas = "studio/_app_canvas.html"
    without = FIXED | {"menu"}

    def shown(self, around: Around) -> Mapping[str, Any]:
        """The panel, and the menu in its order."""
        return {**super().shown(around), "menu": menu_of(around.doc, around.locale)}

    def gestures(self) -> Mapping[str, Act]:
        """Moving in the menu, besides what every designer can."""
        return {**super().gestures(), "menu-up": _move(-1), "menu-down": _move(1)}


def menu_of(doc: Doc, locale: str) -> list[Option]:
    """What stands in the menu of an application: in its order, then the forms and the datasets by name."""
    said = [each for each in listing(doc.get("menu")) if isinstance(each, str)]
    found = []
    for kind in PAGES:
        for entry in library.list_entries(kind):
            document = library.find_document(kind, entry.key) or {}
            if entry.app == doc.get("x-key") and (kind == "form" or document.get("menu")):
                found.append((f"{kind}:{entry.key}", localized(document, "title", locale)))

    def place(each: Option) -> tuple[int, int, str]:
        name, title = each
        return said.index(name) if name in said else len(said), PAGES.index(name.partition(":")[0]), title

    return sorted(found, key=place)


def _move(by: int) -> Act:
    def act(gesture: Gesture) -> Made:
        names = [name for name, _ in menu_of(gesture.around.doc, gesture.around.locale)]
        moved = gesture.text("value")
        place = names.index(moved) if moved in names else -1
        if place >= 0 and 0 <= place + by < len(names):
            names.insert(place + by, names.pop(place))
        return {**gesture.around.doc, "menu": names}, ()

    return act


def _pages(around: Around) -> list[Option]:
    """The lists and datasets that an application may open with."""
    return [
        (f"{kind}:{key}", name)
        for kind in PAGES
        for key, name in apps.names_apart(library.list_entries(kind), around.locale).items()
    ]


pickers.add("app_page", _pages)
designers.add("app", AppDesigner())
