"""The rows of a list as HTML, by a template made once for each list.

A page has hundreds of cells; what is the same in every row (classes, labels, addresses, badges) is escaped
and put together once here, which is several times faster than a general template that asks for each cell.
"""

import html
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

from formloop.forms import screen
from formloop.forms.spec import Field, Values


class RowTemplate:
    """Makes rows of one list: `columns` are key, field and label; the first leads to the record at `address`, if
    there is one, columns in `addresses` to where their value is; `choose_label` begins each row with a check box,
    `state_label` ends it with the state. A column `state` without a field shows the state, too."""

    def __init__(
        self,
        columns: Sequence[tuple[str, Field | None, str]],
        address: str | None,
        badges: Mapping[str, Markup],
        state_label: str | None,
        choose_label: str | None,
        locale: str,
        addresses: Mapping[str, Callable[[Any], str | None]] | None = None,
    ) -> None:
        self._columns = [
            (key, field, field.type.source(field) if field else None) for key, field, _ in columns
        ]
        self._named = next((place for place, each in enumerate(columns) if each[1] is not None), None)
        self._address = address
        self._addresses = addresses or {}
        self._badges = badges
        self._locale = locale
        self._cells = [self._opening(field, label) for _, field, label in columns]
        self._state = None if state_label is None else f'<td data-label="{escape(state_label)}">'
        self._choose = None if choose_label is None else str(escape(choose_label))

    @staticmethod
    def _opening(field: Field | None, label: str) -> str:
        kind = ""
        if field is not None and (field.type.numeric or field.type.name == "datetime"):
            kind = ' class="fl-right fl-num"' if field.type.numeric else ' class="fl-day"'
        return f'<td{kind} data-label="{escape(label)}">'

    def row(self, values: Values, names: screen.Names, ending: Markup | str = "") -> Markup:
        """One row, `ending` its last cells; every value is escaped."""
        texts: list[str] = [
            html.escape(self._text(field, source, values.get(key), names))
            if field
            else self._badges.get(values[key], "")
            if key == "state"
            else ""
            for key, field, source in self._columns
        ]
        record = values.get("id")
        parts = ["<tr>"]
        if self._choose is not None:
            stated = self._badges.get(values["state"], Markup()).striptags()
            name = escape(stated) if self._named is None else texts[self._named]
            parts.append(
                f'<td class="fl-choose"><input class="form-check-input" type="checkbox" name="id" '
                f'value="{record}:{values["revision"]}" aria-label="{self._choose} {name}"></td>'
            )
        for place, (opening, text) in enumerate(zip(self._cells, texts, strict=True)):
            linked = place == 0 and self._address is not None and record is not None
            shown = f'<a href="{self._address}{record}">{text or "—"}</a>' if linked else text
            if text and (find := self._addresses.get(self._columns[place][0])):
                to = find(values.get(self._columns[place][0]))
                shown = f'<a href="{escape(to)}">{text}</a>' if to else text
            parts.append(f"{opening}{shown}</td>")
        if self._state is not None:
            parts.append(f"{self._state}{self._badges.get(values['state'], '')}</td>")
        parts.append(f"{ending}</tr>")
        return Markup("".join(parts))  # noqa: S704  every value above is escaped

    def _text(self, field: Field, source: str | None, value: Any, names: screen.Names) -> str:
        if source is None:  # most columns point nowhere
            return field.type.show(field, value, self._locale)
        return screen.shown_text(field, value, self._locale, names)


def badge(colour: str, word: str) -> Markup:
    """A state as a coloured word."""
    return Markup('<span class="badge fl-badge fl-{}">{}</span>').format(colour, word)
