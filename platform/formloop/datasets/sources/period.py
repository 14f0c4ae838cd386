"""Through which day the periods of a ledger are closed: one row, none while nothing is."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, FromClause, false, literal

from formloop.access import gate
from formloop.core.definitions.envelope import KEY_PATTERN
from formloop.core.errors import Invalid, Problem
from formloop.core.expression import DATE, Path, SqlNames, Type
from formloop.core.text import M
from formloop.datasets.spec import Element, Find, Origin, Read, Rows, SourceKind, View
from formloop.forms.spec import Field, no_such_field
from formloop.ledgers.spec import LedgerSpec
from formloop.ledgers.tables import calendar

CLOSED = "closed_through"


class FromPeriod(SourceKind):
    """The day through which a ledger is closed, as `closed_through`; no row while everything is open."""

    name = "period"
    schema: ClassVar[Mapping[str, Any]] = {
        "period": {
            "type": "string",
            "pattern": KEY_PATTERN,
            "x-picked": True,
            "title": "Periods of the ledger",
            "x-title": {"zh-CN": "账的期间"},
        }
    }

    def references(self, said: Mapping[str, Any]) -> set[tuple[str, str]]:
        """The ledger."""
        return {("ledger", said["period"])}

    def open(
        self, said: Mapping[str, Any], find: Find, parameters: Mapping[str, Type]
    ) -> tuple[Origin | None, list[Problem]]:
        """The calendar of the ledger."""
        ledger = find("ledger", said["period"])
        if not isinstance(ledger, LedgerSpec):
            text = M("There is no ledger “{ledger}”.", ledger=said["period"])
            return None, [Problem("no_ledger", "period", text)]
        return PeriodOrigin(ledger), []


class PeriodOrigin:
    """The calendar of one ledger."""

    names: Mapping[str, Type] = {CLOSED: DATE}
    identified = True
    tables = 1

    def __init__(self, ledger: LedgerSpec) -> None:
        self.ledger = ledger

    def find_field(self, path: Path) -> Field | None:
        """It is shown as the dataset says."""
        return None

    def reads(self, path: Path) -> Iterator[Read]:
        """Of the ledger, through which day it is closed."""
        yield self.ledger.resource, CLOSED

    def rows(self, view: View) -> Rows:
        """Its row for one person."""
        return PeriodRows(view, self.ledger)

    def whole(self, view: View) -> bool:
        """A calendar is seen by all who see something of its ledger."""
        return True

    def closed(self, view: View, path: Path) -> bool:
        """The day is seen by all who see something of its ledger."""
        return False

    def require(self, view: View) -> None:
        """Forbidden without any grant on the ledger."""
        for action in view.actions:
            gate.require(view.actor, action, self.ledger.resource)


class PeriodRows:
    """The calendar's row, for those who may see its ledger."""

    record: Element | None = None

    def __init__(self, view: View, ledger: LedgerSpec) -> None:
        self.table = calendar.alias()
        self.source: FromClause = self.table
        self.keys: list[Element] = [literal(0)]  # there is one row; keys are numbers, as everywhere
        self.where: list[ColumnElement[bool]] = [
            self.table.c.name == ledger.calendar,
            self.table.c.closed_through.is_not(None),
        ]
        if not all(gate.allows(view.actor, action, ledger.resource) for action in view.actions):
            self.where.append(false())

    def column(self, path: Path) -> Element:
        """The day."""
        return self.table.c[path[0]]

    def aggregate(self, path: Path, build: Callable[[SqlNames], Element]) -> Element:
        """A calendar has no lines."""
        raise Invalid([no_such_field(".".join(path))])
