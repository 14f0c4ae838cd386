"""What cells say of other records, people and departments, turned into ids; one query for each form and field."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select

from formloop.access import people
from formloop.access.actor import Actor
from formloop.core.errors import Problem
from formloop.core.text import M, Message
from formloop.db import reading
from formloop.forms import narrowing, permits
from formloop.forms.kind import get_form
from formloop.forms.names import context_of
from formloop.forms.spec import Field, FormSpec, Said, Unreadable, Values

CHUNK = 500
BETWEEN = " · "  # a record in an export: what tells it apart, then what it is called
Place = tuple[Values, str, int, str]  # the values, the key in them, the draft's place, where that is


class Resolver:
    """Remembers what it found, so that a file which names a customer a thousand times asks once."""

    def __init__(self, actor: Actor, spec: FormSpec, relations: Mapping[str, str]) -> None:
        self.actor, self.spec, self.relations = actor, spec, relations
        every = [c for top in spec.fields.values() for c in (top.children or (top,))]
        self.fields = narrowing.in_order(spec, [f for f in every if _names_somebody(f)])
        self._found: dict[tuple[str, str], int | None] = {}
        self._several: dict[tuple[str, str], narrowing.Asked] = {}
        self._behind: dict[str, Resolver] = {}

    def resolve(self, raws: Sequence[Values], problems: Sequence[list[Problem]]) -> None:
        """Replace names by ids in `raws`; what names nothing becomes a problem of its draft."""
        for field in self.fields:
            places = list(_places(field, raws))
            self._look_up(field, {_text(values[key]) for values, key, _, _ in places})
            of_row = self._of_row(field, raws, places)
            for place, (values, key, draft, at) in enumerate(places):
                text = _text(values[key])
                found = self._found[field.path, text] or of_row.get(place)
                if found is not None:
                    values[key] = [found] if field.type.multiple else found
                    continue
                problems[draft].append(Problem("unknown_record", at, self._message(field, text)))
                del values[key]

    def _of_row(self, field: Field, raws: Sequence[Values], places: Sequence[Place]) -> dict[int, int]:
        """Of several records that are called the same, the one that may be chosen in a row, by its place."""
        asking = {
            place: ({**raws[draft], **values}, several)
            for place, (values, key, draft, _) in enumerate(places)
            if (several := self._several.get((field.path, _text(values[key]))))
        }
        if not asking or not narrowing.hangs_on_row(self.spec, field):
            return {}
        return narrowing.one_each(self.actor, self.spec, field, asking)

    def _message(self, field: Field, text: str) -> Message:
        shown = text[:80]
        if field.relation is None:
            return M("“{text}” is not the name of anybody here.", text=shown)
        target = get_form(field.relation.form)
        form = Said(target.document)
        if (field.path, text) in self._several and narrowing.hangs_on_row(self.spec, field):
            return M(
                "Several “{form}” are called “{text}”, but not exactly one of them can be chosen in this row. "
                "Look at what else the row says, or name it by a field that is unique.",
                form=form,
                text=shown,
            )
        if (field.path, text) in self._several:
            return M(
                "More than one “{form}” is called “{text}”. Name it by a field that is unique.",
                form=form,
                text=shown,
            )
        by = target.fields.get(self.relations.get(field.path, ""))
        if by:
            return M(
                "There is no “{form}” with {field} “{text}”.", form=form, field=Said(by.schema), text=shown
            )
        return M("There is no “{form}” called “{text}”.", form=form, text=shown)

    def _look_up(self, field: Field, texts: set[str]) -> None:
        texts = {t for t in texts if (field.path, t) not in self._found}
        if not texts:
            return
        if field.relation is None:
            known = _people() if field.type.name == "member" else _departments()
            self._found |= {(field.path, t): known.get(t.casefold()) for t in texts}
            return
        self._found |= {(field.path, t): None for t in texts}
        target = get_form(field.relation.form)
        for key in self._keys(field, target):
            missing = {t for t in texts if self._found[field.path, t] is None}
            for text, record in self._query(field, target, target.fields[key], missing).items():
                self._found[field.path, text] = record

    def _keys(self, field: Field, target: FormSpec) -> list[str]:
        """The fields by which records of `target` are found: the one said, else what is unique, else its title.

        Last comes, where the rest of the row tells which record is meant, what tells it apart there.
        """
        said = self.relations.get(field.path)
        if said:
            return [said] if said in target.fields else []
        found = dict.fromkeys([*unique_keys(target), target.title_field, *row_keys(self.spec, field)])
        return [key for key in found if key in target.fields and target.fields[key].type.stored]

    def _query(self, field: Field, target: FormSpec, by: Field, texts: set[str]) -> dict[str, int]:
        permit = permits.find_permit(self.actor, "view", target)
        if permit is None or not texts or by.key not in permit.anywhere:
            return {}
        values = self._values(target, by, texts)
        where = permit.where(context_of(self.actor))
        column, found = target.table.c[by.key], dict[str, int]()
        keys = sorted(values, key=str)
        with reading() as conn:
            for start in range(0, len(keys), CHUNK):
                query = select(column, func.min(target.table.c.id), func.count()).where(
                    column.in_(keys[start : start + CHUNK]), target.table.c.deleted_at.is_(None)
                )
                query = query if where is None else query.where(where)
                for value, record, count in conn.execute(query.group_by(column)):
                    if count == 1:
                        found |= dict.fromkeys(values[value], record)
                        continue
                    for text in values[value]:
                        self._several.setdefault((field.path, text), (by.key, value))
        return found

    def _values(self, target: FormSpec, by: Field, texts: set[str]) -> dict[Any, list[str]]:
        """What these texts say in the field `by`, each with the texts that say it."""
        found: dict[Any, list[str]] = {}
        if _names_somebody(by):
            behind = self._behind.setdefault(target.key, Resolver(self.actor, target, {}))
            for text, record in behind.find(by, texts).items():
                found.setdefault(record, []).append(text)
            return found
        for text in sorted(texts):
            for part in dict.fromkeys((text, text.partition(BETWEEN)[0])):  # the second as exports write it
                value = _read(by, part)
                if value is not None and text not in found.get(value, ()):
                    found.setdefault(value, []).append(text)
        return found

    def find(self, field: Field, texts: set[str]) -> dict[str, int]:
        """The records that these texts name in a field, whatever else a row says; those that name one."""
        self._look_up(field, texts)
        return {text: found for text in texts if (found := self._found[field.path, text]) is not None}


def _names_somebody(field: Field) -> bool:
    return field.relation is not None or field.type.name in ("member", "department")


def row_keys(spec: FormSpec, field: Field) -> list[str]:
    """What tells records apart where the rest of a row says of what they are: their field of the same name.

    The *unit* of a line is one of the units of its item, and the cell names the *unit* that this one has.
    """
    if field.relation is None or not narrowing.hangs_on_row(spec, field):
        return []
    target = get_form(field.relation.form)
    there = target.fields.get(field.key)
    if there is None or there.relation is None or narrowing.hangs_on_row(target, there):
        return []
    return [there.key]


def finding_keys(spec: FormSpec) -> list[str]:
    """The fields by which people may let the cells of a file name records of a form."""
    titled = [f.key for f in spec.stored if f.key == spec.title_field]
    texts = [f.key for f in spec.stored if f.type.name in ("text", "contact")]
    return list(dict.fromkeys([*unique_keys(spec), *titled, *texts]))


def unique_keys(spec: FormSpec) -> list[str]:
    """The fields of a form of which no two records have the same value."""
    return [f.key for f in spec.stored if f.unique or f.type.name == "serial"]


def _read(field: Field, text: str) -> Any:
    try:
        return field.type.read(field, text)
    except Unreadable:
        return None


def _text(value: Any) -> str:
    return str(value).strip()


def _places(field: Field, raws: Sequence[Values]) -> Iterator[Place]:
    for draft, raw in enumerate(raws):
        if field.subform is None:
            if field.key in raw:
                yield raw, field.key, draft, field.key
            continue
        for index, line in enumerate(raw.get(field.subform) or ()):
            if field.key in line:
                yield line, field.key, draft, f"{field.subform}.{index}.{field.key}"


def _people() -> dict[str, int]:
    found: dict[str, int] = {}
    for person in people.list_people("", limit=5_000):
        for name in (person.name, person.account, person.email):
            if name:
                found.setdefault(str(name).casefold(), person.id)
    return found


def _departments() -> dict[str, int]:
    found: dict[str, int] = {}
    for department in people.list_departments():
        for name in (department.name, department.name_zh):
            if name:
                found.setdefault(str(name).casefold(), department.id)
    return found
