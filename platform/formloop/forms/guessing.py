"""What the columns of a file seem to mean, by their names."""

import re
from collections.abc import Iterable, Sequence

from formloop.core.text import LOCALES
from formloop.forms.sheets import normal
from formloop.forms.spec import Field, FormSpec

_POINTS = re.compile(r"(?:[\s_\-]+(?:id|code|no\.?|number|key)|编号|编码|代码)$", re.IGNORECASE)
_FIRST_WORD = re.compile(r"^[^\s_\-]+[\s_\-]+")


def target_fields(spec: FormSpec) -> list[Field]:
    """The fields that a column may go into."""
    every = [c for top in spec.fields.values() for c in (top.children or (top,))]
    return [f for f in every if f.type.stored and f.formula is None]


def known_names(spec: FormSpec) -> frozenset[str]:
    """What a column may be called, normalised; helps to find the row of column names."""
    return frozenset(normal(name) for f in target_fields(spec) for name in _names(spec, f))


def guess(
    spec: FormSpec, columns: Sequence[str], subform: str | None = None, apart: bool = False
) -> dict[str, str]:
    """Columns and the paths that they seem to mean, each path once; with `subform`, of a file of its lines.

    A field of the record goes before one of a line, what is called exactly so before what resembles it. With
    `apart` the lines have a file of their own and these columns are the record's.
    """
    fields = target_fields(spec)
    own = [f for f in fields if f.subform is None]
    inner = [f for f in fields if f.subform and subform in (None, f.subform)]
    groups = [inner] if subform else [own] if apart else [own, inner]
    found: dict[str, str] = {}
    for wanted in (_exactly, _resembling):
        for group in groups:
            for column in columns:
                path = wanted(spec, group, column)
                if path and column not in found and path not in found.values():
                    found[column] = path
    return found


def _exactly(spec: FormSpec, fields: Iterable[Field], column: str) -> str | None:
    called = normal(column)
    return next((f.path for f in fields if called in map(normal, _names(spec, f))), None)


def _resembling(spec: FormSpec, fields: Iterable[Field], column: str) -> str | None:
    """`customer_id` names a customer; `unit_price` is a price."""
    pointing, last = normal(_POINTS.sub("", column)), normal(_FIRST_WORD.sub("", column))
    return next(
        (f.path for f in fields if pointing in map(normal, _names(spec, f)) or last in map(normal, _keys(f))),
        None,
    )


def _keys(field: Field) -> list[str]:
    return [field.key, *field.schema.get("x-aliases", ())]


def _names(spec: FormSpec, field: Field) -> list[str]:
    """Key, path, labels and further names; a column of lines is also called `Lines · Item`."""
    labels = [field.title(locale) for locale in LOCALES]
    if field.subform:
        top = spec.fields[field.subform]
        labels += [f"{top.title(a)}{field.title(b)}" for a in LOCALES for b in LOCALES]
    return [field.path, *_keys(field), *labels]
