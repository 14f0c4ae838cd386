"""The balances of a ledger as they stand, or with `of` its entries."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, FromClause, false, func, type_coerce

from formloop.access import gate
from formloop.core.definitions.envelope import KEY_PATTERN
from formloop.core.errors import Invalid, Problem
from formloop.core.expression import BOOL, DATE, NUMBER, Path, RecordType, SqlNames, Type
from formloop.core.text import M
from formloop.datasets.sight import through
from formloop.datasets.sources.form import steps
from formloop.datasets.spec import Element, Find, Origin, Read, Rows, SourceKind, View
from formloop.forms.fields import types
from formloop.forms.kind import get_form
from formloop.forms.spec import Field, FormSpec, Relation, no_such_field
from formloop.ledgers.kind import Reader
from formloop.ledgers.permits import find_permit
from formloop.ledgers.spec import LedgerSpec

_PENDING = {"reserved": "r_", "expected": "e_"}  # of a balance: what is promised to leave and to come
_OF_ENTRIES: Mapping[str, Type] = {"date": DATE, "due": DATE, "pending": BOOL}


class FromLedger(SourceKind):
    """Balances of a ledger (`per` says over which of its dimensions), or its entries."""

    name = "ledger"
    schema: ClassVar[Mapping[str, Any]] = {
        "ledger": {"type": "string", "pattern": KEY_PATTERN, "title": "Ledger", "x-title": {"zh-CN": "账"}},
        "of": {"enum": ["balances", "entries"], "title": "Of it", "x-title": {"zh-CN": "余额或分录"}},
        "per": {
            "type": "array",
            "minItems": 1,
            "maxItems": 20,
            "uniqueItems": True,
            "items": {"type": "string"},
            "title": "Balances per",
            "x-title": {"zh-CN": "余额维度"},
        },
    }

    def references(self, said: Mapping[str, Any]) -> set[tuple[str, str]]:
        """The ledger."""
        return {("ledger", said["ledger"])}

    def open(
        self, said: Mapping[str, Any], find: Find, parameters: Mapping[str, Type]
    ) -> tuple[Origin | None, list[Problem]]:
        """The balances over these dimensions, or the entries."""
        ledger = find("ledger", said["ledger"])
        if not isinstance(ledger, LedgerSpec):
            text = M("There is no ledger “{ledger}”.", ledger=said["ledger"])
            return None, [Problem("no_ledger", "ledger", text)]

        def find_form(key: str) -> FormSpec | None:
            found = find("form", key)
            return found if isinstance(found, FormSpec) else None

        kinds = Reader(dict(ledger.document), find_form).names()
        if said.get("of") == "entries":
            return LedgerOrigin(ledger, kinds, None), []
        wanted = set(said.get("per", ledger.sets[0]))
        number = next((i for i, each in enumerate(ledger.sets) if set(each) == wanted), None)
        if number is None:
            known = "; ".join(", ".join(each) for each in ledger.sets)
            text = M("The ledger “{ledger}” has balances per: {known}.", ledger=ledger.key, known=known)
            return None, [Problem("no_balances", "per", text)]
        return LedgerOrigin(ledger, kinds, number), []


class LedgerOrigin:
    """A ledger as a source: dimensions and measures are named bare; of balances `reserved.<measure>` and
    `expected.<measure>` too, of entries their dates. `number` is the set of dimensions of the balances."""

    identified = True
    tables = 1

    def __init__(self, ledger: LedgerSpec, kinds: Mapping[str, Type], number: int | None) -> None:
        self.ledger, self.number = ledger, number
        measures: dict[str, Type] = dict.fromkeys(ledger.amounts, NUMBER)
        pending: dict[str, Type] = dict.fromkeys(ledger.measures, NUMBER)
        shown = ledger.sets[number or 0]
        names = {**{key: kinds[key] for key in shown}, **measures}
        if number is None:
            names |= _OF_ENTRIES
        else:
            names |= {word: RecordType(word, lambda: pending) for word in _PENDING}
        self.names: Mapping[str, Type] = names

    def find_field(self, path: Path) -> Field | None:
        """A dimension as a relation, a measure as a number, or a field of what a dimension points to."""
        key, kind = path[0], self.names[path[0]]
        if key in _PENDING:
            return None
        if len(path) > 1:
            found = list(self.reads(path))
            return get_form(found[-1][0]).find(found[-1][1])
        if key in self.ledger.dimensions:
            document = self.ledger.dimensions[key].document
            if isinstance(kind, RecordType):
                return Field(
                    key, key, types.get("relation"), _titles(document, key), relation=Relation(kind.name)
                )
            return Field(key, key, types.get("text"), _titles(document, key))
        measure = self.ledger.measures.get(key)
        return Field(key, key, types.get("number"), _titles(measure.document, key)) if measure else None

    def reads(self, path: Path) -> Iterator[Read]:
        """What is read of the ledger, and of the forms behind its dimensions."""
        kind = self.names[path[0]]
        yield self.ledger.resource, path[1] if path[0] in _PENDING and len(path) > 1 else path[0]
        if isinstance(kind, RecordType) and path[0] not in _PENDING and len(path) > 1:
            for form, at, _ in steps(get_form(kind.name), path[1:]):
                yield form, at

    def rows(self, view: View) -> Rows:
        """Its rows for one person."""
        return LedgerRows(view, self)

    def require(self, view: View) -> None:
        """Forbidden without any grant on the ledger."""
        gate.require(view.actor, "view", self.ledger.resource)


def _titles(document: Mapping[str, Any], key: str) -> dict[str, Any]:
    own = {word: document[word] for word in ("title", "x-title") if word in document}
    return own or {"title": key.replace("_", " ").capitalize()}


class LedgerRows:
    """Balances or entries as one person may see them. Seeing a ledger is all it takes to export of it too."""

    def __init__(self, view: View, origin: LedgerOrigin) -> None:
        ledger, self.view, self.origin = origin.ledger, view, origin
        balances = origin.number is not None
        self.source: FromClause = (ledger.tables.balance if balances else ledger.tables.entry).alias()
        self.permit = find_permit(view.actor, ledger)
        self.keys: list[Element] = [self.source.c.key if balances else self.source.c.id]
        self.record: Element | None = None
        given = self.permit.where(self.source) if self.permit else false()
        self.where: list[ColumnElement[bool]] = [] if given is None else [given]
        if balances:
            self.where.append(self.source.c.per == origin.number)

    def column(self, path: Path) -> Element:
        """The column at `path`; an empty dimension is empty."""
        key = path[0]
        if key in _PENDING and len(path) > 1:
            column = self._seen(self.source.c[f"{_PENDING[key]}{path[1]}"], path[1])
            return type_coerce(-column, column.type) if key == "reserved" else column
        if key in _OF_ENTRIES:
            return self.source.c[key]
        dimension = self.origin.ledger.dimensions.get(key)
        if dimension is None:
            return self._seen(self.source.c[f"m_{key}"], key)
        held = self.source.c[dimension.column]
        found = self._seen(func.nullif(held, dimension.empty, type_=held.type), key)
        if len(path) == 1:
            return found
        return through(self.view, dimension.forms[0], found, path[1:], (self.source,))

    def _seen(self, column: Element, name: str) -> Element:
        return self.permit.seen(column, name, self.source) if self.permit else column

    def aggregate(self, path: Path, build: Callable[[SqlNames], Element]) -> Element:
        """A ledger has no lines."""
        raise Invalid([no_such_field(".".join(path))])
