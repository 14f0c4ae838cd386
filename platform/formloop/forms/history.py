"""The history of a record as people read it: who changed what, from what to what."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, literal, select, tuple_

from formloop.access import people
from formloop.access.actor import Actor
from formloop.core.text import M
from formloop.db import UtcTime, reading
from formloop.definitions import library
from formloop.forms import screen
from formloop.forms.spec import Field, FormSpec, Unreadable, Values
from formloop.forms.tables import change

POSITION = M("Position")


@dataclass(frozen=True, slots=True)
class Difference:
    """One changed value in a history: what it is called, and both values as people read them."""

    label: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a record's history."""

    id: int
    revision: int
    action: str
    person: str
    at: Any
    differences: list[Difference]
    through: (
        str  # what made the change for the person: a link, or the title of a bridge or workflow; else empty
    )


def describe_changes(
    actor: Actor,
    spec: FormSpec,
    record: int,
    visible: frozenset[str],
    locale: str,
    since: int = 0,
    limit: int = 100,
) -> list[Entry]:
    """The history of a record, newest first, of fields in `visible` only; `since` leaves out older revisions."""
    with reading() as conn:
        query = select(change).where(
            change.c.form == spec.key, change.c.record == record, change.c.revision > since
        )
        found = list(conn.execute(query.order_by(change.c.id.desc()).limit(limit)))
    people_names = people.names_of(row.person for row in found)
    sides = [side for row in found if row.action != "created" for side in (row.old, row.new) if side]
    teller = _Teller(actor, spec, visible, locale, sides)
    return [
        Entry(
            row.id,
            row.revision,
            row.action,
            people_names.get(row.person, "Formloop"),
            row.at,
            [] if row.action == "created" else teller.differences(row.old or {}, row.new or {}),
            _through((row.cause or {}).get("chain") or [""], locale),
        )
        for row in found
    ]


_WAYS = {"link": M("by link"), "api": M("by a program"), "import": M("by import")}


def _through(chain: Sequence[str], locale: str) -> str:
    kind, _, key = chain[-1].partition(":")
    if kind in _WAYS:
        return _WAYS[kind].render(locale)
    entry = library.find_entry(kind, key)
    if entry is None:
        return ""
    title = entry.title_zh if locale == "zh-CN" and entry.title_zh else entry.title
    return M("through “{title}”", title=title).render(locale)


def describe_difference(
    actor: Actor,
    spec: FormSpec,
    old: Values,
    new: Values,
    visible: frozenset[str],
    locale: str,
    places: Mapping[str, int] | None = None,
) -> list[Difference]:
    """Old and new values of one difference, of fields in `visible` only and in the order of the form.

    `places` says which line is which.
    """
    old, new = ({key: side[key] for key in spec.fields if key in side} for side in (old, new))
    return _Teller(actor, spec, visible, locale, [old, new]).differences(old, new, places or {})


def was_after(moment: Any, id: int) -> ColumnElement[bool]:
    """Changes after a moment, and within it after an id: by ids alone those of two processes do not tell which was first."""
    at = literal(moment, UtcTime()) if isinstance(moment, datetime) else moment
    return tuple_(change.c.at, change.c.id) > tuple_(at, id)


def describe_since(
    actor: Actor,
    spec: FormSpec,
    record: int,
    after: tuple[datetime, int],
    visible: frozenset[str],
    locale: str,
    places: Mapping[str, int],
) -> list[Difference]:
    """What has become of a record since `after`, a moment and the id that was given then: each value once, as it was
    then and as it is, of fields in `visible` only. `places` as for `describe_difference`."""
    query = select(change.c.old, change.c.new).where(
        change.c.form == spec.key, change.c.record == record, change.c.old.is_not(None), was_after(*after)
    )
    with reading() as conn:
        found = conn.execute(query.order_by(change.c.revision)).all()
    old: Values = {}
    new: Values = {}
    for row in found:
        for key in set(row.old) & set(spec.fields):
            if spec.fields[key].children:
                _lay_lines(old.setdefault(key, {}), new.setdefault(key, {}), row.old[key], row.new[key])
            else:
                old.setdefault(key, row.old[key])
                new[key] = row.new[key]
    same = {key for key in old if old[key] == new[key]}
    old, new = ({key: side[key] for key in side if key not in same} for side in (old, new))
    return describe_difference(actor, spec, old, new, visible, locale, places)


def _lay_lines(old: Values, new: Values, was: Values, now: Values) -> None:
    """Lay one more change of some lines over what is known of them; a line that is not there is None."""
    for line in was:
        before = {**was[line], **(old.get(line) or {})} if was[line] is not None else None
        old[line] = old[line] if line in old and old[line] is None else before
        new[line] = {**(new.get(line) or {}), **now[line]} if now[line] is not None else None
        if new[line] is not None and old[line] is not None:
            same = [key for key in old[line] if old[line][key] == new[line].get(key)]
            for side in (old, new):
                side[line] = {key: value for key, value in side[line].items() if key not in same}


class _Teller:
    """Puts changes into words; what they point to is named by one query for each form."""

    def __init__(
        self,
        actor: Actor,
        spec: FormSpec,
        visible: frozenset[str],
        locale: str,
        sides: Sequence[Values],
    ) -> None:
        self.spec, self.visible, self.locale = spec, visible, locale
        self.names = screen.names_for(actor, spec, [self._as_record(side) for side in sides])

    def _as_record(self, side: Values) -> Values:
        """One side of a change in the shape of a record: lines are kept by their ids there."""
        lines = {
            s.key: [each for each in (side.get(s.key) or {}).values() if each] for s in self.spec.subforms
        }
        return {**side, **lines}

    def differences(
        self, old: Values, new: Values, places: Mapping[str, int] | None = None
    ) -> list[Difference]:
        """What one change did to the fields that may be seen."""
        found: list[Difference] = []
        for key in {**old, **new}:
            each = self.spec.fields.get(key)
            if each is None:
                continue
            if each.children:
                found += self._in_lines(each, old.get(key) or {}, new.get(key) or {}, places or {})
            elif each.path in self.visible:
                found.append(self._one(each.title(self.locale), each, old.get(key), new.get(key)))
        return found

    def _in_lines(
        self, subform: Field, old: Values, new: Values, places: Mapping[str, int]
    ) -> list[Difference]:
        columns = {c.key: c for c in subform.children if c.path in self.visible}
        found = []
        for line in {**old, **new}:
            one, other = old.get(line) or {}, new.get(line) or {}
            name = (
                f"{subform.title(self.locale)} {places[line]}"
                if line in places
                else subform.title(self.locale)
            )
            for key in {**one, **other}:
                if key == "position" and columns:
                    stood = (str(each[key] + 1) for each in (one, other))
                    found.append(Difference(f"{name} · {POSITION.render(self.locale)}", *stood))
                elif key in columns and one.get(key) != other.get(key):
                    label = f"{name} · {columns[key].title(self.locale)}"
                    found.append(self._one(label, columns[key], one.get(key), other.get(key)))
        return found

    def _one(self, label: str, each: Field, old: Any, new: Any) -> Difference:
        return Difference(label, self._text(each, old), self._text(each, new))

    def _text(self, each: Field, kept: Any) -> str:
        """A value of the change log as people read it; it may be of an earlier type of the field."""
        if kept is None:
            return ""
        try:
            value = kept if isinstance(kept, list | dict | bool) else each.type.read(each, kept)
        except Unreadable:
            return str(kept)
        return screen.shown_text(each, value, self.locale, self.names)
