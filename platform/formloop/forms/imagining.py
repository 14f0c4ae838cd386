"""Records that are only said, not stored: what an example gives, related records included, without any database.

Where a record points to another one, an example has an object with what is read of that one, so that it means the
same on every site.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from formloop.access.actor import SYSTEM, Actor
from formloop.core.expression import Linked
from formloop.forms.linkages import Linkages
from formloop.forms.links import Fetched, Links
from formloop.forms.spec import Field, FormSpec, Unreadable, Values

FindForm = Callable[[str], FormSpec | None]


class Imagined(Links):
    """What imagined records point to: nothing is fetched, and what other forms would add is not looked up."""

    def __init__(self, spec: FormSpec, records: Fetched) -> None:
        self.actor: Actor = SYSTEM
        self.records = records
        self.linkages = Linkages(SYSTEM, spec)
        self.linkages.fields = ()

    def add(self, spec: FormSpec, rows: Iterable[Mapping[str, Any]]) -> None:
        """Everything is there already."""


class Imagination:
    """Turns what an example gives into raw values; each related record gets a small number for an id."""

    def __init__(self, spec: FormSpec, find_form: FindForm) -> None:
        self.spec, self.find_form = spec, find_form
        self.records: Fetched = {}
        self.said: dict[tuple[str, int], Mapping[str, Any]] = {}

    def raw(self, given: Mapping[str, Any]) -> Values:
        """Raw values of a record as the form reads them."""
        return self._raw(self.spec.fields, given)

    def _raw(self, fields: Mapping[str, Field], given: Mapping[str, Any]) -> Values:
        made: Values = {}
        for key, value in given.items():
            field = fields.get(key)
            if field is not None and field.relation and isinstance(value, Mapping):
                made[key] = self._record(field.relation.form, value)
            elif field is not None and field.children and isinstance(value, list):
                columns = {each.key: each for each in field.children}
                made[key] = [self._raw(columns, e) if isinstance(e, Mapping) else e for e in value]
            else:
                made[key] = value
        return made

    def _record(self, form: str, said: Mapping[str, Any]) -> int:
        number = len(self.said) + 1
        self.said[form, number] = said
        target = self.find_form(form)
        fields = target.fields if target else {}
        record: Values = {"_seen": True, "id": number}
        for key, value in said.items():
            field = fields.get(key)
            if field is not None and field.relation and isinstance(value, Mapping):
                other = field.relation.form
                inner = self._record(other, value)
                record[key] = Linked(inner, self.records[other, inner])
            else:
                record[key] = _read(field, value)
        self.records[form, number] = record
        return number

    def names(self) -> dict[tuple[str, Any], str]:
        """What the related records are called."""
        found: dict[tuple[str, Any], str] = {}
        for (form, number), said in self.said.items():
            target = self.find_form(form)
            texts = (each for each in said.values() if isinstance(each, str))
            name = (said.get(target.title_field) if target else None) or next(texts, None)
            found[form, number] = str(name or f"#{number}")
        return found


def _read(field: Field | None, value: Any) -> Any:
    if field is None or value is None:
        return value
    try:
        return field.type.read(field, value)
    except Unreadable:
        return None
