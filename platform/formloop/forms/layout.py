"""How the fields of a form stand on a page: rows, and among them the marks that begin a tab or a section.

`x-layout` is one list: a row is a list of field keys, a mark is an object. What follows a tab or a section belongs
to it until the next one; a divider and a text only stand there.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from formloop.core.definitions import Doc
from formloop.core.errors import Problem
from formloop.core.registry import Registry
from formloop.core.text import M, Message, localized


@dataclass(frozen=True, slots=True)
class MarkType:
    """One kind of mark: its name in documents and words, its icon, and whether what follows belongs to it."""

    name: str
    title: Message
    icon: str
    holds: bool = False


marks: Registry[MarkType] = Registry("part of a layout")
for _each in (
    MarkType("section", M("Section"), "layout-rows", holds=True),
    MarkType("tab", M("Tab"), "layout-navbar", holds=True),
    MarkType("divider", M("Divider"), "separator-horizontal"),
    MarkType("text", M("Explanation"), "text-caption"),
):
    marks.add(_each.name, _each)


@dataclass(frozen=True, slots=True, eq=False)
class Mark:
    """A mark in a layout."""

    id: str
    kind: str
    document: Mapping[str, Any]

    def title(self, locale: str) -> str:
        """What it says, in `locale`."""
        return localized(self.document, "title", locale)

    @property
    def closed(self) -> bool:
        """Whether a section is folded when the page opens."""
        return self.document.get("closed") is True


Row = tuple[str, ...]


def read_layout(doc: Doc, fields: Mapping[str, Any]) -> tuple[Row | Mark, ...]:
    """Rows and marks in order; fields that are placed nowhere have rows of their own at the end."""
    parts: list[Row | Mark] = []
    for each in doc.get("x-layout", ()):
        if isinstance(each, Mapping):
            parts.append(Mark(str(each.get("id", "")), str(each.get("is", "")), each))
        elif row := tuple(key for key in each if key in fields):
            parts.append(row)
    placed = {key for part in parts if isinstance(part, tuple) for key in part}
    return (*parts, *((key,) for key in fields if key not in placed))


def check_layout(doc: Doc, fields: Mapping[str, Any]) -> Iterator[Problem]:
    """Fields that are not there or stand twice, and marks of the same id."""
    seen: set[str] = set()
    for number, part in enumerate(doc.get("x-layout", ())):
        is_mark = isinstance(part, Mapping)
        named = [("id", f"@{part.get('id')}")] if is_mark else [(str(n), key) for n, key in enumerate(part)]
        for place, key in named:
            at = f"x-layout.{number}.{place}"
            if not is_mark and key not in fields:
                yield Problem("no_field", at, M("There is no field “{key}”.", key=key))
            elif key in seen:
                yield Problem(
                    "twice", at, M("“{key}” stands in the layout a second time.", key=key.lstrip("@"))
                )
            seen.add(key)


@dataclass(slots=True)
class Section:
    """Rows of cells and what stands between them, below a heading that folds them, or without one."""

    mark: Mark | None
    title: str
    blocks: list[Any]  # a list of cells, or a Mark

    @property
    def cells(self) -> list[Any]:
        """All cells."""
        return [cell for block in self.blocks if isinstance(block, list) for cell in block]

    @property
    def shown(self) -> bool:
        """Whether anything in it is shown by the form's rules."""
        return self.mark is None or any(cell.shown for cell in self.cells)

    @property
    def wrong(self) -> int:
        """In how many of its cells something is wrong, lines included."""
        rows = self.cells + [c for top in self.cells for line in top.lines for c in line.cells]
        return sum(1 for cell in rows if cell.problem)

    @property
    def open(self) -> bool:
        """Whether the page shows it unfolded: also where something in it is wrong."""
        return self.mark is None or not self.mark.closed or self.wrong > 0


@dataclass(slots=True)
class Tab:
    """Sections that are shown together; the first one has no title where a form has no tabs."""

    title: str
    sections: list[Section]

    @property
    def shown(self) -> bool:
        """Whether anything in it is shown by the form's rules."""
        return any(cell.shown for section in self.sections for cell in section.cells)

    @property
    def wrong(self) -> int:
        """In how many of its cells something is wrong."""
        return sum(section.wrong for section in self.sections)


def arrange(layout: tuple[Row | Mark, ...], made: Mapping[str, Any], locale: str) -> list[Tab]:
    """The cells of a page in their tabs and sections; what would be empty for this reader is left out."""
    tabs = [Tab("", [Section(None, "", [])])]
    for part in layout:
        section = tabs[-1].sections[-1]
        if isinstance(part, tuple):
            if cells := [made[key] for key in part if key in made]:
                section.blocks.append(cells)
        elif part.kind == "tab":
            tabs.append(Tab(part.title(locale), [Section(None, "", [])]))
        elif part.kind == "section":
            tabs[-1].sections.append(Section(part, part.title(locale), []))
        else:
            section.blocks.append(part)
    for tab in tabs:
        tab.sections = [each for each in tab.sections if each.cells or (each.mark is None and each.blocks)]
    return [tab for tab in tabs if any(section.cells for section in tab.sections)]
