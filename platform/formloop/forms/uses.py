"""Where a record is used: which others point to it, so that nobody takes it away unaware."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, or_, select

from formloop.access.actor import Actor
from formloop.core.errors import Conflict
from formloop.core.text import M, Message
from formloop.db import reading
from formloop.db.counting import count_up_to
from formloop.definitions import library
from formloop.forms.reads import list_titles
from formloop.forms.spec import FormSpec

MOST_NAMES = 5
COUNTED = 1_000  # more are "1,000+"


@dataclass(frozen=True, slots=True)
class Use:
    """The records of one form that point to a record: how many, and what some are called that may be seen."""

    form: FormSpec
    count: int
    names: dict[int, str]

    @property
    def shown_count(self) -> str:
        """The count as people read it."""
        return f"{COUNTED:,}+" if self.count > COUNTED else str(self.count)


class InUse(Conflict):
    """Other records point to what should be deleted; `uses` says which."""

    code = "in_use"

    def __init__(self, uses: list[Use]) -> None:
        super().__init__(M("This is used by others: {uses}.", uses=_Listed(uses)))
        self.uses = uses


class _Listed(Message):
    """“3 × Sales order, 1 × Invoice” in the reader's language."""

    __slots__ = ("uses",)

    def __init__(self, uses: list[Use]) -> None:
        super().__init__("")
        object.__setattr__(self, "uses", uses)

    def render(self, locale: str = "en") -> str:
        uses: list[Use] = object.__getattribute__(self, "uses")
        return ("，" if locale == "zh-CN" else ", ").join(
            f"{each.shown_count} × {each.form.title(locale)}" for each in uses
        )


def list_uses(actor: Actor, spec: FormSpec, record: int, in_bin_too: bool = False) -> list[Use]:
    """Every form whose records point to this one; all are counted, named are only those that the actor may see."""
    found = []
    for entry in library.list_entries("form"):
        other: FormSpec = library.published("form", entry.key)
        found_by = pointing(other, spec.key, record)
        if found_by is not None:
            live = other.table.c.deleted_at.is_(None)
            use = _use(actor, other, found_by if in_bin_too else and_(found_by, live))
            if use.count:
                found.append(use)
    return found


def pointing(other: FormSpec, key: str, record: int) -> ColumnElement[bool] | None:
    """The records of `other`, this one itself left out, that point to `record` in a field or in a line."""
    ways: list[ColumnElement[bool]] = []
    for top in other.fields.values():
        if top.relation is not None and top.relation.form == key:
            ways.append(other.table.c[top.key] == record)
        for column in top.children:
            if column.relation is not None and column.relation.form == key:
                lines = other.line_tables[top.key]
                ways.append(other.table.c.id.in_(select(lines.c.record).where(lines.c[column.key] == record)))
    if not ways:
        return None
    return and_(or_(*ways), other.table.c.id != record) if other.key == key else or_(*ways)


def _use(actor: Actor, other: FormSpec, condition: ColumnElement[bool]) -> Use:
    with reading() as conn:
        count = conn.execute(count_up_to(other.table, condition, most=COUNTED + 1)).scalar_one()
    return Use(other, count, list_titles(actor, other, condition, MOST_NAMES) if count else {})
