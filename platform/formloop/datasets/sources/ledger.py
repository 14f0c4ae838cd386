"""The balances of a ledger as they stand, or with `of` its entries or its open items."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, FromClause, Text, case, cast, false, func, literal, select, type_coerce

from formloop.access import gate
from formloop.core.definitions.envelope import KEY_PATTERN
from formloop.core.errors import Invalid, Problem
from formloop.core.expression import BOOL, DATE, NUMBER, TEXT, Expression, Path, RecordType, SqlNames, Type
from formloop.core.expression import check as check_expression
from formloop.core.text import LOCALES, M, Message
from formloop.datasets.document import DOCUMENT
from formloop.datasets.keeping_back import sees_all_of, shows_nowhere
from formloop.datasets.sight import through
from formloop.datasets.sources.form import steps
from formloop.datasets.spec import PARAMETERS, Element, Find, Origin, Part, Read, Rows, SourceKind, View
from formloop.datasets.summing import Summing, find_summing
from formloop.forms.fields import types
from formloop.forms.kind import get_form
from formloop.forms.spec import Field, FormSpec, Relation, no_such_field
from formloop.ledgers.engine import ADDED, RETURNED, REVALUED
from formloop.ledgers.kind import Reader
from formloop.ledgers.permits import find_permit
from formloop.ledgers.reading import is_open, left_of
from formloop.ledgers.snapshots import summed_entries
from formloop.ledgers.spec import LedgerSpec
from formloop.ledgers.tables import posted

BALANCES, ENTRIES, OPEN = "balances", "entries", "open"
_PENDING = {"reserved": "r_", "expected": "e_"}  # of a balance: what is promised to leave and to come
_ORIGIN: Mapping[str, Type] = {"document": TEXT, "form": TEXT, "record": NUMBER, "line": NUMBER}
_MOVEMENT: Mapping[str, Type] = {"movement": TEXT, "moved": NUMBER}  # of what an entry values again: that
_OWN: Mapping[str, Mapping[str, Type]] = {
    BALANCES: {},
    ENTRIES: {"date": DATE, "due": DATE, "pending": BOOL, "goes_back": BOOL, **_MOVEMENT, **_ORIGIN},
    OPEN: {"date": DATE, "due": DATE, "total": NUMBER, "left": NUMBER, **_ORIGIN},
}


class FromLedger(SourceKind):
    """Balances of a ledger (`per` says over which of its dimensions), its entries, or its open items as of a day."""

    name = "ledger"
    schema: ClassVar[Mapping[str, Any]] = {
        "ledger": {
            "type": "string",
            "pattern": KEY_PATTERN,
            "x-picked": True,
            "title": "Ledger",
            "x-title": {"zh-CN": "账"},
        },
        "of": {
            "enum": [BALANCES, ENTRIES, OPEN],
            "x-picked": True,
            "title": "Of it",
            "x-title": {"zh-CN": "余额、分录或未清项"},
        },
        "per": {
            "type": "array",
            "minItems": 1,
            "maxItems": 20,
            "uniqueItems": True,
            "items": {"type": "string"},
            "x-picked": True,
            "title": "Balances per",
            "x-title": {"zh-CN": "余额维度"},
        },
        "as_of": {
            "type": "string",
            "minLength": 1,
            "maxLength": 4096,
            "x-pick": "expression",
            "x-only-beside": "of",
            "x-only-with": {"of": ["open"]},
            "title": "Open as of",
            "x-title": {"zh-CN": "未清截止日期"},
        },
    }

    def references(self, said: Mapping[str, Any]) -> set[tuple[str, str]]:
        """The ledger."""
        return {("ledger", said["ledger"])}

    def open(
        self, said: Mapping[str, Any], find: Find, parameters: Mapping[str, Type]
    ) -> tuple[Origin | None, list[Problem]]:
        """The balances over these dimensions, the entries, or the open items."""
        ledger, of = find("ledger", said["ledger"]), said.get("of", BALANCES)
        if not isinstance(ledger, LedgerSpec):
            text = M("There is no ledger “{ledger}”.", ledger=said["ledger"])
            return None, [Problem("no_ledger", "ledger", text)]
        as_of, problems = _as_of(said, parameters)
        if of == OPEN and ledger.open is None:
            text = M("The ledger “{ledger}” keeps no open items.", ledger=ledger.key)
            return None, [Problem("no_open_items", "of", text)]

        def find_form(key: str) -> FormSpec | None:
            found = find("form", key)
            return found if isinstance(found, FormSpec) else None

        kinds = Reader(dict(ledger.document), find_form).names()
        number = 0
        if of == BALANCES:
            wanted = set(said.get("per", ledger.sets[0]))
            found = next((i for i, each in enumerate(ledger.sets) if set(each) == wanted), None)
            if found is None:
                known = "; ".join(", ".join(each) for each in ledger.sets)
                text = M("The ledger “{ledger}” has balances per: {known}.", ledger=ledger.key, known=known)
                return None, [Problem("no_balances", "per", text)]
            number = found
        return LedgerOrigin(ledger, kinds, of, number, as_of), problems


def _as_of(
    said: Mapping[str, Any], parameters: Mapping[str, Type]
) -> tuple[Expression | None, list[Problem]]:
    if "as_of" not in said:
        return None, []
    if said.get("of") != OPEN:
        text = M("Only open items are taken as of a day; of entries say which dates are meant.")
        return None, [Problem("as_of", "as_of", text)]
    names = {PARAMETERS: RecordType(PARAMETERS, lambda: parameters)}
    parsed, wrong = check_expression(said["as_of"], names, DATE)
    return parsed, [Problem(p.code, "as_of", p.message, p.line, p.column) for p in wrong]


class LedgerOrigin:
    """A ledger as a source: dimensions and measures are named bare; of balances `reserved.<measure>` and
    `expected.<measure>` too, of entries and open items their dates and the document they came from. `number` is the
    set of dimensions of the balances."""

    identified = True

    def __init__(
        self, ledger: LedgerSpec, kinds: Mapping[str, Type], of: str, number: int, as_of: Expression | None
    ) -> None:
        self.ledger, self.of, self.number, self.as_of = ledger, of, number, as_of
        self.tables = 2 if of == OPEN else 1
        self.summing: Summing | None = None  # where entries are only added up
        shown = {key: kinds[key] for key in ledger.sets[number]}
        measures: dict[str, Type] = dict.fromkeys(ledger.amounts, NUMBER)
        pending: dict[str, Type] = dict.fromkeys(ledger.measures, NUMBER)
        own: dict[str, Type] = dict(_OWN[of])
        if of == BALANCES:
            own = {word: RecordType(word, lambda: pending) for word in _PENDING}
        self.names: Mapping[str, Type] = {**own, **shown, **({} if of == OPEN else measures)}
        self.own = own.keys() - shown.keys() - (set() if of == OPEN else measures.keys())

    def find_field(self, path: Path) -> Field | None:
        """A dimension as a relation, a measure as a number, or a field of what a dimension points to."""
        key, kind = path[0], self.names[path[0]]
        if key in self.own:
            documents = ("document", "movement")
            return Field(key, key, DOCUMENT, dict(DOCUMENT.titles)) if key in documents else None
        if len(path) > 1:
            found = list(self.reads(path))
            return get_form(found[-1][0]).find(found[-1][1])
        if key in self.ledger.dimensions:
            schema = _titles(self.ledger.dimensions[key].title)
            if isinstance(kind, RecordType):
                return Field(key, key, types.get("relation"), schema, relation=Relation(kind.name))
            return Field(key, key, types.get("text"), schema)
        measure = self.ledger.measures.get(key)
        if measure is None:
            return None
        schema = _titles(measure.title)
        kind_of_field = types.get("amount" if 0 < measure.scale < 3 else "number")
        return Field(key, key, kind_of_field, schema, scale=measure.scale)

    def reads(self, path: Path) -> Iterator[Read]:
        """What is read of the ledger, and of the forms behind its dimensions."""
        key, kind = path[0], self.names[path[0]]
        if key in self.own:
            for name in self._behind(path):
                yield self.ledger.resource, name
            return
        yield self.ledger.resource, key
        if isinstance(kind, RecordType) and len(path) > 1:
            for form, at, _ in steps(get_form(kind.name), path[1:]):
                yield form, at

    def closed(self, view: View, path: Path) -> bool:
        """Whether what stands at a path is hidden from the person in every row."""
        names = self._behind(path) if path[0] in self.own else path[:1]
        permits = [find_permit(view.actor, self.ledger, action) for action in view.actions]
        if any(not permit.covers(name) for permit in permits if permit for name in names):
            return True
        beyond = [read for read in self.reads(path) if read[0] != self.ledger.resource]
        return any(shows_nowhere(view, read) for read in beyond)

    def whole(self, view: View) -> bool:
        """Whether the person may see every row of it."""
        return sees_all_of(view, (self.ledger.resource, ""))

    def _behind(self, path: Path) -> tuple[str, ...]:
        """The measures that a word of ours tells."""
        if path[0] in _PENDING:
            return path[1:2] or path[:1]
        if path[0] == "moved":
            return (_quantity(self.ledger),)
        return weighed(self.ledger) if path[0] in ("total", "left") else ()

    def rows(self, view: View) -> Rows:
        """Its rows for one person."""
        return LedgerRows(view, self)

    def sum_up(self, part: Part, group: Sequence[str], measures: Sequence[Expression]) -> None:
        """Let balances stand for older entries, where these groups and measures allow it."""
        if self.of == ENTRIES and self.own.issuperset(("date", "pending")):
            ledger = self.ledger
            self.summing = find_summing(part, tuple(ledger.dimensions), ledger.amounts, group, measures)

    def require(self, view: View) -> None:
        """Forbidden without any grant on the ledger."""
        for action in view.actions:
            gate.require(view.actor, action, self.ledger.resource)


def _quantity(ledger: LedgerSpec) -> str:
    """The measure that tells how much moved."""
    return ledger.valuation.quantity if ledger.valuation else next(iter(ledger.measures))


def weighed(ledger: LedgerSpec) -> tuple[str, ...]:
    """The measures that open items are made of."""
    return tuple(ledger.open.sum) if ledger.open else ()


def _titles(name: Message) -> dict[str, Any]:
    title, chinese = (name.render(locale) for locale in LOCALES)
    return {"title": title[:1].upper() + title[1:], "x-title": {LOCALES[1]: chinese}}


class LedgerRows:
    """Balances, entries or open items as one person may see them, and export them where that is asked."""

    def __init__(self, view: View, origin: LedgerOrigin) -> None:
        ledger, self.view, self.origin = origin.ledger, view, origin
        balances = origin.of == BALANCES
        self.permits = [find_permit(view.actor, ledger, action) for action in view.actions]
        self.table: FromClause = ledger.tables.balance.alias() if balances else self._entries()
        self.source: FromClause = self.table
        self.keys: list[Element] = [self.table.c.key if balances else self.table.c.id]
        self.record: Element | None = None
        given = [permit.where(self.table) if permit else false() for permit in self.permits]
        self.where: list[ColumnElement[bool]] = [each for each in given if each is not None]
        if balances:
            self.where.append(self.table.c.per == origin.number)
        if origin.of == OPEN:
            self._open_items()

    def _entries(self) -> FromClause:
        """The entries, or fewer rows that add up to them."""
        ledger, summing = self.origin.ledger, self.origin.summing
        days = summing.days(self.view) if summing else None
        if summing is None or days is None:
            return ledger.tables.entry.alias()
        asked = {path[0] for permit in self.permits if permit for path in permit.reads}
        wanted = summing.dimensions | asked
        fits = [number for number, names in enumerate(ledger.sets) if wanted <= set(names)]
        if not fits:
            return ledger.tables.entry.alias()
        edges, single = days
        return summed_entries(ledger, min(fits, key=lambda n: len(ledger.sets[n])), edges, single)

    def _open_items(self) -> None:
        """Beside each entry its open item, where something is left of it."""
        ledger, as_of = self.origin.ledger, self.origin.as_of
        self.item = ledger.tables.open.alias()
        day = as_of.evaluate({PARAMETERS: self.view.parameters}, self.view.context) if as_of else None
        self.left = left_of(ledger, self.item, day)
        self.source = self.table.join(self.item, self.item.c.entry == self.table.c.id)
        self.where += [self.item.c.pending.is_(False), is_open(ledger, self.item, day)]
        if day is not None:
            self.where.append(self.item.c.date <= day)

    def column(self, path: Path) -> Element:
        """The column at `path`; an empty dimension is empty."""
        key = path[0]
        if key in self.origin.own:
            return self._own(path)
        dimension = self.origin.ledger.dimensions.get(key)
        if dimension is None:
            return self._seen(self.table.c[f"m_{key}"], key)
        held = self.table.c[dimension.column]
        found = self._seen(func.nullif(held, dimension.empty, type_=held.type), key)
        if len(path) == 1:
            return found
        return through(self.view, dimension.forms[0], found, path[1:], (self.table,))

    def _own(self, path: Path) -> Element:
        key = path[0]
        if key in _PENDING:
            column = self._seen(self.table.c[f"{_PENDING[key]}{path[-1]}"], path[-1])
            return type_coerce(-column, column.type) if key == "reserved" else column
        if key in ("total", "left"):
            amount: Element = self.left if key == "left" else self.item.c.total
            for name in weighed(self.origin.ledger):
                amount = self._seen(amount, name)
            return amount
        if key == "goes_back":
            return self._of_movement("way") == RETURNED
        if key == "moved":
            quantity = _quantity(self.origin.ledger)
            return self._seen(self._of_movement(f"m_{quantity}"), quantity)
        if key == "movement":
            its = select(_document()).where(posted.c.id == self._of_movement("posted"))
            return its.correlate(self.table).scalar_subquery()
        if key in ("document", "form", "record"):
            found: Element = posted.c[key] if key != "document" else _document()
            of_entry = select(found).where(posted.c.id == self.table.c.posted)
            return of_entry.correlate(self.table).scalar_subquery()
        return self.table.c[key]

    def _of_movement(self, name: str) -> Element:
        """A column of the movement that an entry is, or whose value it changes."""
        own, other = self.table.c, self.origin.ledger.tables.entry.alias()
        its = select(other.c[name]).where(other.c.id == own.source).correlate(self.table).scalar_subquery()
        return case((own.way.in_((ADDED, REVALUED)), its), else_=own[name])

    def _seen(self, column: Element, name: str) -> Element:
        for permit in self.permits:
            column = permit.seen(column, name, self.table) if permit else column
        return column

    def aggregate(self, path: Path, build: Callable[[SqlNames], Element]) -> Element:
        """A ledger has no lines."""
        raise Invalid([no_such_field(".".join(path))])


def _document() -> Element:
    """The id and the form of a record as one text, as `datasets.document` reads it; in it they stand in the order of
    their ids."""
    return cast(posted.c.record, Text) + literal(":", Text()) + func.nullif(posted.c.form, "", type_=Text())
