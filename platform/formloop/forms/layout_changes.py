"""What changed in the layout of a form, as people see it: which field went where, which section or tab came, went or
is called otherwise."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from formloop.core.definitions import ABSENT, Change, Doc, Label, Shape
from formloop.core.text import M, Message, localized
from formloop.forms.layout import marks

AT = "x-layout"
TITLES = ("title", "x-title")
Say = Callable[[str], Message]  # a sentence whose names are in a language


@dataclass(frozen=True, slots=True)
class Look:
    """A layout as it looks: what stands in which section or tab, in which order, beside what."""

    doc: Doc
    marks: Mapping[str, Mapping[str, Any]]  # by id
    holder: Mapping[str, str]  # of each field the section or tab it belongs to; "" before the first
    order: Sequence[str]  # of fields
    beside: Mapping[str, frozenset[str]]

    @staticmethod
    def of(doc: Doc) -> "Look":
        """The look of a form; fields that are placed nowhere stand at the end."""
        found, holder = dict[str, Mapping[str, Any]](), dict[str, str]()
        order, beside = list[str](), dict[str, frozenset[str]]()
        fields, now = doc.get("properties", {}), ""
        rows: list[Any] = list(doc.get(AT, ()))
        placed = {key for row in rows if isinstance(row, list) for key in row}
        for row in [*rows, *([key] for key in fields if key not in placed)]:
            if isinstance(row, Mapping):
                kind, id = marks.find(str(row.get("is"))), str(row.get("id"))
                found[id] = row
                now = id if kind is not None and kind.holds else now
                continue
            here = [key for key in row if key in fields]
            order += here
            holder |= dict.fromkeys(here, now)
            beside |= {key: frozenset(here) for key in here}
        return Look(doc, found, holder, order, beside)

    def called(self, key: str, locale: str) -> str:
        """What a field is called."""
        return localized(self.doc["properties"][key], "title", locale) or key

    def holds(self, id: str, locale: str) -> Message | str:
        """What a section or tab is called."""
        mark = self.marks.get(id)
        return M("the beginning of the form") if mark is None else f"“{_title(mark, locale)}”"

    def after(self, key: str) -> str:
        """The field that stands before another one in its section or tab; nothing where that is the first."""
        before = [
            each for each in self.order[: self.order.index(key)] if self.holder[each] == self.holder[key]
        ]
        return before[-1] if before else ""


def tell(old: Doc, new: Doc, shape: Shape) -> Iterator[Change]:
    """Every difference of two layouts, but for fields that came or went; where none is to be seen, that the text differs."""
    was, now = Look.of(old), Look.of(new)
    told = [*_marks(was, now, shape), *_fields(was, now)]
    if told or set(was.order) != set(now.order):
        yield from told
        return
    one, other = old.get(AT, ABSENT), new.get(AT, ABSENT)
    what = "added" if one is ABSENT else "removed" if other is ABSENT else "changed"
    yield Change((AT,), what, one, other, (Label(AT, None, shape),))


def _marks(was: Look, now: Look, shape: Shape) -> Iterator[Change]:
    for id, mark in now.marks.items():
        if id not in was.marks:
            yield Change((AT, id), "added", ABSENT, mark, said=_added(now, id))
        else:
            yield from _inside(was.marks[id], mark, id, shape)
    for id, mark in was.marks.items():
        if id not in now.marks:
            yield Change((AT, id), "removed", mark, ABSENT, said=_removed(was, now, id))
    stayed = [id for id in was.marks if id in now.marks]
    for id, before in _moved(stayed, [id for id in now.marks if id in was.marks]):
        yield Change((AT, f"@{id}"), "moved", None, None, said=_mark_moved(now, id, before))


def _inside(old: Mapping[str, Any], new: Mapping[str, Any], id: str, shape: Shape) -> Iterator[Change]:
    """What a mark says otherwise than before."""
    if any(_title(old, each) != _title(new, each) for each in ("en", "zh-CN")):
        yield Change(
            (AT, id, "title"), "changed", old.get("title"), new.get("title"), said=_renamed(old, new)
        )
    for key in {**old, **new}:
        one, other = old.get(key, ABSENT), new.get(key, ABSENT)
        if key in TITLES or one == other:
            continue
        what = "added" if one is ABSENT else "removed" if other is ABSENT else "changed"
        item = shape.item()
        labels = (Label(AT, None, shape), Label(id, new, item), Label(key, other, item.property(key)))
        yield Change((AT, id, key), what, one, other, labels)


def _fields(was: Look, now: Look) -> Iterator[Change]:
    stayed = [key for key in was.order if key in now.holder]
    moved = set[str]()
    for key in stayed:
        old, new = was.holder[key], now.holder[key]
        came_or_went = (old in was.marks and old not in now.marks) or (
            new in now.marks and new not in was.marks
        )
        if old != new and not came_or_went:  # which is told with the section
            moved.add(key)
            yield Change((AT, key), "placed", old, new, said=_field_moved(was, now, key))
    for holder in dict.fromkeys(now.holder.values()):
        same = [key for key in stayed if key not in moved and now.holder[key] == holder]
        for key, _ in _moved(same, [key for key in now.order if key in same]):
            moved.add(key)
            yield Change((AT, key), "placed", None, None, said=_field_moved(was, now, key))
    rows = set[frozenset[str]]()
    for key in stayed:
        old_row, new_row = ((look.beside[key] & set(stayed)) - moved for look in (was, now))
        if key not in moved and old_row != new_row and new_row not in rows:
            rows.add(new_row)
            yield Change((AT, key), "placed", None, None, said=_row(now, new_row))


def _moved(was: Sequence[str], now: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The fewest things that were put elsewhere, each with what stands before it now."""
    places = {name: place for place, name in enumerate(was)}
    ends, length = list[int](), dict[str, int]()
    for name in now:
        length[name] = at = bisect_left(ends, places[name])
        ends[at : at + 1] = [places[name]]
    kept, wanted = set[str](), len(ends) - 1
    last = len(was)
    for name in reversed(now):
        if length[name] == wanted and places[name] < last:
            kept.add(name)
            wanted, last = wanted - 1, places[name]
    for place, name in enumerate(now):
        if name not in kept:
            yield name, now[place - 1] if place else ""


def _title(mark: Mapping[str, Any], locale: str) -> str:
    kind = marks.find(str(mark.get("is")))
    return localized(mark, "title", locale) or (kind.title.render(locale) if kind else "")


def _kind(mark: Mapping[str, Any]) -> Message | str:
    kind = marks.find(str(mark.get("is")))
    return kind.title if kind else ""


def _added(now: Look, id: str) -> Say:
    mark, inside = now.marks[id], [key for key in now.order if now.holder[key] == id]

    def say(locale: str) -> Message:
        named = {"kind": _kind(mark), "title": _title(mark, locale)}
        if not inside:
            return M("{kind} “{title}” was added.", **named)
        return M("{kind} “{title}” was added, with {fields}.", **named, fields=_list(now, inside, locale))

    return say


def _removed(was: Look, now: Look, id: str) -> Say:
    mark, known = was.marks[id], {"", *was.marks}
    inside = [key for key in was.order if was.holder[key] == id and now.holder.get(key) in known]

    def say(locale: str) -> Message:
        named = {"kind": _kind(mark), "title": _title(mark, locale)}
        places = dict.fromkeys(now.holder[key] for key in inside)
        if len(places) != 1 or not any(now.holder.values()):  # there is but one place
            return M("{kind} “{title}” was removed.", **named)
        place, fields = now.holds(next(iter(places)), locale), _list(now, inside, locale)
        return M(
            "{kind} “{title}” was removed; {fields} now in {place}.", **named, fields=fields, place=place
        )

    return say


def _renamed(old: Mapping[str, Any], new: Mapping[str, Any]) -> Say:
    return lambda locale: M(
        "{kind} “{old}” is now called “{new}”.",
        kind=_kind(new), old=_title(old, locale), new=_title(new, locale),
    )  # fmt: skip


def _mark_moved(now: Look, id: str, before: str) -> Say:
    def say(locale: str) -> Message:
        mark = now.marks[id]
        named = {"kind": _kind(mark), "title": _title(mark, locale)}
        if not before:
            return M("{kind} “{title}” now stands first.", **named)
        return M("{kind} “{title}” now stands after {place}.", **named, place=now.holds(before, locale))

    return say


def _field_moved(was: Look, now: Look, key: str) -> Say:
    def say(locale: str) -> Message:
        after, here, there = now.after(key), was.holder[key], now.holder[key]
        named: dict[str, Any] = {"field": now.called(key, locale), "place": now.holds(there, locale)}
        if after:
            named["after"] = now.called(after, locale)
        if here == there or here not in ("", *now.marks) or there not in ("", *was.marks):
            # of a section that came or went its own sentence tells what is in it
            first = M("“{field}” now stands first in {place}.", **named)
            if not any(now.holder.values()):  # there is but one place
                first = M("“{field}” now stands first.", **named)
            return M("“{field}” now stands after “{after}”.", **named) if after else first
        named["from"] = was.holds(here, locale)
        first = M("“{field}” moved from {from} to {place}, in front.", **named)
        return M("“{field}” moved from {from} to {place}, after “{after}”.", **named) if after else first

    return say


def _row(now: Look, row: frozenset[str]) -> Say:
    def say(locale: str) -> Message:
        together = [key for key in now.order if key in row]
        if len(together) == 1:
            return M("“{field}” now has a row of its own.", field=now.called(together[0], locale))
        return M("{fields} now stand in one row.", fields=_list(now, together, locale))

    return say


def _list(look: Look, keys: Sequence[str], locale: str) -> str:
    words = [f"“{look.called(key, locale)}”" for key in keys]
    return ("、" if locale.startswith("zh") else ", ").join(words)
