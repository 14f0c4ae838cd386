"""What expressions of ledgers and postings see: the records behind dimensions, and the site's settings."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, Table, select

from formloop.access.actor import SYSTEM
from formloop.core.errors import Invalid, Problem
from formloop.core.expression import Context, EvaluationError, Expression, Linked, Path
from formloop.core.text import M, Titled
from formloop.db import counter, glance, kept_standing, raise_counter, read_counter, reading, remembered_by
from formloop.definitions import library
from formloop.events import Event
from formloop.forms import rows
from formloop.forms.kind import get_form
from formloop.forms.links import Links
from formloop.forms.spec import FormSpec
from formloop.ledgers.kind import list_ledgers
from formloop.ledgers.spec import Dims, LedgerSpec, PostingSpec

SETTINGS = "ledgers.settings"
glance(SETTINGS, counter(SETTINGS))


class Scope:
    """The dimensions of some entries of one ledger with the records they name, one query for each form."""

    def __init__(self, ledger: LedgerSpec, all_dims: Iterable[Dims], context: Context) -> None:
        self.ledger, self.context = ledger, context
        self._known: dict[tuple[int, str], Any] = {}
        self._wanted = _read_through(ledger)
        form = next((f for d in ledger.dimensions.values() for f in d.forms), None)
        self._links = Links(SYSTEM, get_form(form), ()) if form and self._wanted else None
        self.fetch(all_dims)

    def fetch(self, all_dims: Iterable[Dims]) -> None:
        """Fetch the records behind dimensions that are not here yet."""
        if self._links is None:
            return
        everything = list(all_dims)
        for key, paths in self._wanted.items():
            for name in self.ledger.dimensions[key].forms:
                ids = {int(dims[key]) for dims in everything if dims[key]}
                missing = {each for each in ids if (name, each) not in self._links.records}
                if missing:
                    self._links.fetch(name, missing, paths)

    def env(self, dims: Dims) -> dict[str, Any]:
        """What expressions of the ledger can name for one entry."""
        self.fetch([dims])
        records, found = self._links.records if self._links is not None else {}, {}
        for key, dimension in self.ledger.dimensions.items():
            value: Any = dims[key] or None
            if value is not None and len(dimension.forms) == 1:
                record = records.get((dimension.forms[0], int(value)))
                value = Linked(int(value), record) if record is not None else int(value)
            found[key] = value
        return found

    def ask(self, expression: Expression | None, dims: Dims, otherwise: Any = None) -> Any:
        """The value of an expression of the ledger for one entry; asked once for each set of dimensions."""
        if expression is None:
            return otherwise
        mark = (id(expression), self.ledger.key_of(dims))
        if mark not in self._known:
            try:
                self._known[mark] = expression.evaluate(self.env(dims), self.context)
            except EvaluationError as error:
                text = M("Ledger “{ledger}”: {reason}", ledger=self.ledger.title, reason=error.message)
                raise Invalid([Problem("ledger", "", text)]) from error
        return self._known[mark]

    def missing(self, dims: Dims) -> list[str]:
        """The dimensions that must be named and are not."""
        return [
            key
            for key, dimension in self.ledger.dimensions.items()
            if dims[key] == dimension.empty
            and self.ask(dimension.required, dims, not dimension.optional) is True
        ]

    def pool(self, dims: Dims) -> str | None:
        """Under which name the cost of these dimensions is kept; None where they have none."""
        valuation = self.ledger.valuation
        if valuation is None or self.ask(valuation.when, dims, True) is not True:
            return None
        return self.ledger.key_of(
            dims, None if self.ask(valuation.method, dims) == "specific" else valuation.per
        )


def _read_through(ledger: LedgerSpec) -> dict[str, frozenset[Path]]:
    """For each dimension what is read of its records; other ledgers may read of them, so until the next publication."""
    known = library.until_published("ledgers.read_through")
    if ledger not in known:
        known[ledger] = _find_read(ledger)
    found: dict[str, frozenset[Path]] = known[ledger]
    return found


def _find_read(ledger: LedgerSpec) -> dict[str, frozenset[Path]]:
    said = [d.required for d in ledger.dimensions.values()] + [n.unless for n in ledger.never]
    if ledger.valuation:
        said += [ledger.valuation.method, ledger.valuation.standard, ledger.valuation.when]
    if ledger.open:
        said.append(ledger.open.when)
    found: dict[str, set[Path]] = {}
    for expression in (*said, *_asked_by_others(ledger)):
        for path in expression.reads if expression else ():
            if len(path) > 1 and path[0] in ledger.dimensions:
                found.setdefault(path[0], set()).add(path[1:])
    return {key: frozenset(paths) for key, paths in found.items()}


def _asked_by_others(ledger: LedgerSpec) -> list[Expression]:
    return [
        rule.where
        for other in list_ledgers()
        for rule in other.agrees
        if rule.ledger == ledger.key and rule.where
    ]


def settings_of(posting: PostingSpec) -> Mapping[str, Any]:
    """The newest record of the settings form with its lines, and what the posting reads behind it."""
    if posting.settings is None:
        return {}
    if _is_own(get_form(posting.settings), posting.setting_reads):
        return _remember_settings(posting.settings, read_counter("definitions"))
    known: dict[tuple[str, int], Mapping[str, Any]] = kept_standing("ledgers.settings", dict)
    mark = (posting.id, posting.version)
    if mark not in known:
        known[mark] = _read_settings(posting.settings, posting.setting_reads)
    return known[mark]


def _is_own(form: FormSpec, reads: frozenset[Path]) -> bool:
    """Whether all that is read stands in the record itself and its lines."""
    lines = {each.key for each in form.subforms}
    return all(len(path) == 1 or (len(path) == 2 and path[0] in lines) for path in reads)


def note_settings(events: Sequence[Event]) -> None:
    """Forget what was remembered of the settings when a record of them is written."""
    if any(event.form in _settings_forms() for event in events):
        raise_counter(SETTINGS)


@remembered_by("definitions")
def _settings_forms() -> frozenset[str]:
    return frozenset(each.settings for each in library.all_published("ledger") if each.settings)


@remembered_by(SETTINGS)
def _remember_settings(form: str, _definitions: int) -> Mapping[str, Any]:
    return _read_settings(form, frozenset())


def _read_settings(form: str, reads: frozenset[Path]) -> Mapping[str, Any]:
    spec = get_form(form)
    with reading() as conn:
        found = conn.execute(_newest(spec.table)).mappings().first()
        if found is None:
            text = M("Fill in “{form}” first: the postings read it.", form=Titled(spec.document))
            raise Invalid([Problem("settings", "", text)])
        record = dict(found)
        rows.add_lines(conn, spec, {record["id"]: record})
    return Links(SYSTEM, spec, [record], reads=reads).environment(spec, record)


@lru_cache(maxsize=100)
def _newest(table: Table) -> Select[Any]:
    """The newest live record; prepared once, since every posting asks it."""
    return select(table).where(table.c.deleted_at.is_(None)).order_by(table.c.id.desc()).limit(1)
