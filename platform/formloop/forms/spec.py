"""What runs of a published form: fields, lines, formulas, checks; and the contract of a field type."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

from sqlalchemy import Table, Text
from sqlalchemy.types import TypeEngine

from formloop.core.errors import Problem
from formloop.core.expression import TEXT, Expression, Type
from formloop.core.text import M, Message, Titled, localized
from formloop.definitions import drafts, library
from formloop.forms.layout import Mark, Row

Values = dict[str, Any]

SYSTEM_COLUMNS = (
    "id", "form_version", "revision", "state", "owner", "department",
    "created_at", "created_by", "updated_at", "updated_by", "deleted_at",
)  # fmt: skip
LINE_COLUMNS = ("id", "record", "position")
OF_TEXT = ("minLength", "maxLength", "pattern", "x-scan")  # settings of what is typed as text
# and of what is filled in
OF_INPUT = (
    "required",
    "default",
    "x-default",
    "readOnly",
    "x-unique",
    "x-index",
    "x-required",
    "x-readonly",
)

DEFAULT_STATES: dict[str, Any] = {
    "draft": {"title": "Draft", "x-title": {"zh-CN": "草稿"}, "color": "secondary"},
    "review": {"title": "In approval", "x-title": {"zh-CN": "审批中"}, "color": "orange"},
    "confirmed": {"title": "Confirmed", "x-title": {"zh-CN": "已生效"}, "color": "green"},
    "rejected": {"title": "Rejected", "x-title": {"zh-CN": "已拒绝"}, "color": "red"},
    "cancelled": {"title": "Cancelled", "x-title": {"zh-CN": "已取消"}, "color": "secondary"},
}


class Unreadable(Exception):
    """A value that a field type cannot read, with the sentence that tells what to do."""

    def __init__(self, message: Message) -> None:
        super().__init__(str(message))
        self.message = message


class FieldType:
    """The contract of a field type: one subclass a file in `fields/`, made once and added to `fields.types`.

    Values in Python: text, Decimal, date, datetime (aware), bool, int (an id), or plain lists and mappings of
    these; None is empty. Only `name`, `title`, `icon` and `group` must be said; the rest has a default.
    """

    name: ClassVar[str]
    title: ClassVar[Message]
    icon: ClassVar[str] = "forms"
    group: ClassVar[str] = "basic"
    json_type: ClassVar[str] = "string"  # what JSON Schema calls its values
    widget: ClassVar[str] = "text"  # the macro in forms/_fields.html that draws it
    operators: ClassVar[tuple[str, ...]] = ("contains", "is", "is_not", "starts", "empty", "filled")
    options: ClassVar[Mapping[str, Any]] = {}  # its own x- keys, as JSON Schema properties
    sample: ClassVar[Mapping[str, Any]] = {}  # what the schema of a new field has besides type and title
    # settings of every field, or of its JSON type, that mean nothing here
    unused: ClassVar[tuple[str, ...]] = ()
    stored: ClassVar[bool] = True
    sortable: ClassVar[bool] = True
    searchable: ClassVar[bool] = False
    numeric: ClassVar[bool] = False
    multiple: ClassVar[bool] = False  # the posted form carries several values of one name
    parts: ClassVar[Mapping[str, Message]] = {}  # the posted form carries `name:part` for each of these

    def column(self, field: "Field") -> TypeEngine[Any]:
        """The type of its column."""
        return Text()

    def expression_type(self, field: "Field") -> Type:
        """What expressions see."""
        return TEXT

    def read(self, field: "Field", raw: Any) -> Any:
        """A value from what a form post, JSON or a spreadsheet cell gives; raises Unreadable."""
        text = str(raw).strip()
        return text or None

    def read_filter(self, field: "Field", raw: Any) -> Any:
        """What a filter compares with, from what was typed there."""
        return self.read(field, raw)

    def check(self, field: "Field", value: Any) -> Message | None:
        """What is wrong with a value that could be read, from the schema's own keywords."""
        return None

    def show(self, field: "Field", value: Any, locale: str, names: Mapping[Any, str] | None = None) -> str:
        """The value as people read it; `names` gives names for ids where the type needs them."""
        return "" if value is None else str(value)

    def input_text(self, field: "Field", value: Any) -> str:
        """The value as it stands in its input element."""
        return "" if value is None else str(value)

    def note(self, field: "Field", value: Any, env: Mapping[str, Any], locale: str) -> str:
        """What stands below the value, such as an amount in words."""
        return ""

    def source(self, field: "Field") -> str | None:
        """Where `show` gets its names from: a form, @person, @department or @file."""
        return None

    def variant(self, schema: Mapping[str, Any]) -> "FieldType":
        """The type for this schema, where a setting changes what a value is."""
        return self


@dataclass(frozen=True, slots=True)
class Relation:
    """Where a relation field points: form, which of its records, what to fill in, what to show.

    `new` is not None where a new one can be made from here: what it gets of this record or line, by its field.
    `reads` are the fields of this record, or of its line, that `where` names as `this` and `new` takes.
    """

    form: str
    where: str | None = None
    fill: Mapping[str, str] = field(default_factory=dict)
    show: tuple[str, ...] = ()
    new: Mapping[str, str] | None = None
    reads: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Field:
    """One field of a form or of its lines. `path` is `customer` or `lines.quantity`."""

    key: str
    path: str
    type: FieldType
    schema: Mapping[str, Any]
    required: bool = False
    readonly: bool = False
    unique: bool = False
    indexed: bool = False  # often looked for, though no list filters by it
    formula: Expression | None = None
    visible: Expression | None = None
    required_when: Expression | None = None
    readonly_when: Expression | None = None
    default: Any = None
    default_expression: Expression | None = None
    relation: Relation | None = None
    scale: int = 0
    choices: tuple[str, ...] = ()
    children: "tuple[Field, ...]" = ()

    def title(self, locale: str) -> str:
        """Its label in `locale`."""
        return localized(self.schema, "title", locale) or self.key

    @cached_property
    def subform(self) -> str | None:
        """The key of the subform it is a column of, if any."""
        head, dot, _ = self.path.rpartition(".")
        return head if dot else None

    @cached_property
    def columns(self) -> "Mapping[str, Field]":
        """The fields of its lines by key."""
        return {each.key: each for each in self.children}

    @cached_property
    def pointing(self) -> "tuple[Field, ...]":
        """The fields of its lines that point to a record."""
        return tuple(each for each in self.children if each.relation is not None)

    @property
    def computed(self) -> bool:
        """Whether people cannot give it a value: a formula does, or the program."""
        return self.formula is not None or self.type.name in ("serial", "query")


@dataclass(frozen=True, slots=True, eq=False)
class Check:
    """A rule over the whole record, or over `each` line: when it is false, `says` is the problem at `at`.

    `tells` are values that stand in `says` by their names in braces, beside the number of the line.
    """

    id: str
    holds: Expression
    at: str
    document: Mapping[str, Any]
    each: str | None = None
    tells: Mapping[str, Expression] = field(default_factory=dict)

    def problem(self, index: int | None = None, told: Mapping[str, Any] | None = None) -> Problem:
        """The problem of a record that breaks the rule, in the line `index` if it is one over lines."""
        at, places = self.at, dict(told or {})
        if index is not None:
            at = ".".join((str(self.each), str(index), *self.at.split(".")[1:]))
            places["line"] = index + 1
        return Problem(f"check:{self.id}", at, Said(self.document, "says", places))


class Said(Message):
    """A text that a definition brings with its translation, to stand alone or in a sentence of ours."""

    __slots__ = ("document",)

    def __init__(
        self, document: Mapping[str, Any], word: str = "title", places: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(word, places or {})
        object.__setattr__(self, "document", document)

    def render(self, locale: str = "en") -> str:
        """The text in `locale`; of what stands in braces only the names of `places` are replaced."""
        document: Mapping[str, Any] = object.__getattribute__(self, "document")
        text = localized(document, self.msgid, locale)
        if not self.params:
            return text
        return filled_in(
            text, {k: v.render(locale) if isinstance(v, Message) else v for k, v in self.params.items()}
        )

    def bare(self) -> Message:
        """The text with “…” in its places."""
        document: Mapping[str, Any] = object.__getattribute__(self, "document")
        return Said(document, self.msgid, dict.fromkeys(self.params, "…"))


_PLACE = re.compile(r"\{(\w+)\}")


def filled_in(text: str, places: Mapping[str, Any]) -> str:
    """A definition's text with these values for their names in braces; all else in braces stays."""
    return _PLACE.sub(lambda found: str(places.get(found[1], found[0])), text)


@dataclass(frozen=True, slots=True)
class ListSpec:
    """The default list of a form: columns, sort (`-order_date` falls), filters offered, what it begins with, buttons."""

    columns: tuple[str, ...]
    sort: tuple[str, ...]
    filters: tuple[str, ...]
    begins: Mapping[str, str]  # field → what it is, until somebody chooses otherwise
    buttons: frozenset[str]


@dataclass(frozen=True, slots=True)
class State:
    """One state of a record: its key, titles and colour."""

    key: str
    document: Mapping[str, Any]

    def title(self, locale: str) -> str:
        """Its name in `locale`."""
        return localized(self.document, "title", locale) or self.key

    @property
    def color(self) -> str:
        """green, orange, red, yellow, blue or secondary."""
        return str(self.document.get("color", "secondary"))


@dataclass(frozen=True, eq=False)
class FormSpec:
    """A published form, prepared once: everything a request needs without reading the definition again."""

    id: str
    key: str
    version: int
    document: Mapping[str, Any]
    fields: Mapping[str, Field]
    table: Table
    line_tables: Mapping[str, Table]
    formulas: tuple[Field, ...]
    checks: tuple[Check, ...]
    layout: tuple[Row | Mark, ...]
    list: ListSpec
    states: Mapping[str, State]
    names: Mapping[str, Type]
    reads: frozenset[tuple[str, ...]]

    def title(self, locale: str) -> str:
        """Its name in `locale`."""
        return localized(self.document, "title", locale) or self.key

    @property
    def called(self) -> Message:
        """Its name, for the place of a sentence."""
        return Titled(self.document, self.key)

    @property
    def resource(self) -> str:
        """Its name at the gate."""
        return f"form:{self.key}"

    @property
    def is_there(self) -> bool:
        """Whether it may have records: what is only seen as if it were published has not even a table."""
        return self.version > 0 or not library.is_new("form", self.key)

    @cached_property
    def initial_state(self) -> str:
        """The state of a new record."""
        return next(iter(self.states))

    @cached_property
    def subforms(self) -> tuple[Field, ...]:
        """The fields that hold lines."""
        return tuple(f for f in self.fields.values() if f.children)

    @cached_property
    def relations(self) -> tuple[Field, ...]:
        """The fields that point to a record, without those of lines."""
        return tuple(f for f in self.fields.values() if f.relation is not None)

    @cached_property
    def stored(self) -> tuple[Field, ...]:
        """The fields with a column in the form's own table."""
        return tuple(f for f in self.fields.values() if f.type.stored)

    def find(self, path: str) -> Field | None:
        """The field at `path`, also within lines (`lines.quantity`)."""
        head, _, rest = path.partition(".")
        found = self.fields.get(head)
        if found is None or not rest:
            return found
        return found.columns.get(rest)

    @property
    def title_field(self) -> str:
        """The field that names a record: `x-list.title`, else a serial, else the first text, else its id."""
        said = self.document.get("x-list", {}).get("title")
        if said:
            return str(said)
        for wanted in ("serial", "text"):
            for each in self.fields.values():
                if each.type.name == wanted:
                    return each.key
        return next((each.key for each in self.stored), "id")


def no_such_field(path: str) -> Problem:
    """The problem of a value for a field that the form does not have."""
    return Problem("unknown_field", path, M("The form has no field “{path}”.", path=path))


def no_form(at: str, key: object) -> Problem:
    """The problem of a definition or value that names a form which is not there, or not yet."""
    if (draft := drafts.find_unpublished("form", str(key))) is not None:
        name = Titled({"title": draft.title, "x-title": {"zh-CN": draft.title_zh}})
        text = M("The form “{form}” has not been published yet. Publish it first.", form=name)
        return Problem("no_form", at, text)
    return Problem("no_form", at, M("There is no form “{form}”.", form=key))
