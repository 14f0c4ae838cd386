"""What a posting makes of a record, pure: which entries, over which dimensions, of what amounts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any

from formloop.core.errors import Invalid, Problem
from formloop.core.expression import Context, EvaluationError, Expression, Linked, Path
from formloop.core.text import M
from formloop.db.types import DIGITS
from formloop.forms.spec import Said
from formloop.ledgers.spec import ZERO, Amounts, EntryRule, LedgerSpec, PostingSpec, Share
from formloop.ledgers.valuations.spec import Layer

# how an entry comes by its value
GIVEN, FREE, CARRIED, RETURNED, ADDED = "given", "free", "carried", "returned", "added"
REVALUED, REVERSED, RELEASED, RENEWED, PLAIN = "revalued", "reversed", "released", "renewed", "plain"
OWN = (GIVEN, FREE, CARRIED, RETURNED, PLAIN)  # of movements; the others change or undo one
OUTER, PLACE = "outer__", "place__"  # in lines of what a line names: that line, and which one it is


@dataclass(slots=True, eq=False)
class Slot:
    """One entry of a group, from the rule that asks for it until it is written."""

    rule: EntryRule
    ledger: LedgerSpec
    place: int | None  # which line
    line: int  # the line's id, 0 for the whole record
    dims: dict[str, Any]
    amounts: Amounts
    way: str = PLAIN
    given: Decimal | None = None
    entry: int = 0
    source: int | None = None
    reverses: int | None = None
    pool: str | None = None
    method: str | None = None
    rate: Decimal | None = None
    due: date | None = None
    expires: date | None = None
    uses: int | None = None
    settles: int | None = None
    day: date | None = None  # when it differs from the group's
    late: bool = False  # entered on the first open day, because its own is closed
    layers: tuple[Layer, ...] = ()
    apart: bool = False  # the sum of entries that are written apart
    at: str = ""  # where the record says it
    undone: Amounts = field(default_factory=dict)  # what of an addition is taken off: value and variance

    @property
    def pending(self) -> bool:
        """Whether it only reserves."""
        return self.rule.pending

    @property
    def is_nothing(self) -> bool:
        """Whether it says nothing and never will."""
        return (
            not self.rule.dependent
            and self.way in (PLAIN, ADDED, GIVEN, FREE)
            and not any(self.amounts.values())
        )


@dataclass(slots=True, eq=False)
class Sheet:
    """The entries of one record under one posting, calculated step by step as values become known."""

    posting: PostingSpec
    env: Mapping[str, Any]
    context: Context
    day: date
    slots: list[Slot] = field(default_factory=list)
    settings: Mapping[str, Any] = field(default_factory=dict)
    before: Mapping[int, Mapping[str, Decimal]] = field(default_factory=dict)  # by slot's place in `slots`
    _by_rule: dict[int, dict[int | None, Slot]] = field(default_factory=dict)

    def add(self, slot: Slot) -> None:
        """Take a slot in, after those of earlier rules."""
        self.slots.append(slot)
        self._by_rule.setdefault(slot.rule.index, {})[slot.place] = slot

    def scope(self, rule: EntryRule, place: int | None) -> dict[str, Any]:
        """What expressions of a rule can name for one line."""
        found = {**self.env, "record": self.env, "settings": self.settings}
        if rule.each is not None and place is not None:
            lines = self.env.get(rule.each) or ()
            line = lines[place] if place < len(lines) else {}
            found |= {"line": line, "outer": line.get(OUTER, {})}
        return found

    def fill(self, slot: Slot) -> None:
        """Calculate what of a slot follows from earlier entries; `given` where that is its value."""
        if not slot.rule.dependent:
            return
        names = {**self.scope(slot.rule, slot.place), "entries": self._seen_by(slot)}
        for key in slot.rule.dependent:
            written = slot.rule.measures[key]
            if isinstance(written, Share):
                continue
            self._put(slot, key, self.evaluate(slot.rule, key, written, names, slot.place))

    def fill_shares(self, rule: EntryRule, dependent: bool) -> None:
        """Share totals over the slots of a rule, of each outer line apart: those that follow from entries, or the others."""
        together: dict[int, list[Slot]] = {}
        for slot in self._by_rule.get(rule.index, {}).values():
            outer = self.scope(rule, slot.place).get("outer") or {}
            together.setdefault(int(outer.get("id") or 0), []).append(slot)
        for slots in together.values():
            self._share(rule, slots, dependent)

    def _share(self, rule: EntryRule, slots: list[Slot], dependent: bool) -> None:
        for key, written in rule.measures.items():
            if not isinstance(written, Share) or (key in rule.dependent) != dependent:
                continue
            scopes = [{**self.scope(rule, s.place), "entries": self._seen_by(s)} for s in slots]
            total = self.evaluate(rule, key, written.total, scopes[0], None) or ZERO
            weights = [
                self.evaluate(rule, key, written.weight, scope, slot.place) or ZERO
                for scope, slot in zip(scopes, slots, strict=True)
            ]
            scale = slots[0].ledger.scale(key)
            for slot, part in zip(slots, shared(rounded(total, scale), weights, scale), strict=True):
                self._put(slot, key, part)

    def _put(self, slot: Slot, key: str, value: Any) -> None:
        amount = fitting(slot.ledger, key, value)
        valuation = slot.ledger.valuation
        if valuation and key == valuation.value and slot.method is not None:
            slot.given = amount
        else:
            slot.amounts[key] = amount

    def _seen_by(self, slot: Slot) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for rule in self.posting.rules[: slot.rule.index]:
            there = self._by_rule.get(rule.index, {})
            if rule.each is None or rule.each == slot.rule.each:
                mine = there.get(slot.place if rule.each is not None else None)
                found[rule.id] = mine.amounts if mine else _NOTHING
            else:
                found[rule.id] = [each.amounts for each in there.values()]
        return found

    def evaluate(
        self, rule: EntryRule, key: str, expression: Expression, names: Mapping[str, Any], place: int | None
    ) -> Any:
        """The value of a part of a rule; Invalid says rule, part and line."""
        try:
            return expression.evaluate(names, self.context)
        except EvaluationError as error:
            raise Invalid([self.problem("posting", rule, place, key, error.message)]) from error

    def problem(self, code: str, rule: EntryRule, place: int | None, key: str, reason: Any) -> Problem:
        """A problem of one entry, told where the record says it."""
        at = place_at(self.env, rule, place)
        if at:
            line = int(at.rpartition(".")[2]) + 1
            text = M(
                "“{posting}”, line {line}: {reason}", posting=self.posting.title, line=line, reason=reason
            )
        else:
            text = M("“{posting}”: {reason}", posting=self.posting.title, reason=reason)
        return Problem(code, at, text)


class _Nothing(dict[str, Decimal]):
    def __missing__(self, key: str) -> Decimal:
        return ZERO

    def get(self, key: str, default: Any = None) -> Any:
        return ZERO


_NOTHING = _Nothing()


def draft(sheet: Sheet, ledgers: Mapping[str, LedgerSpec]) -> None:
    """Make the slots: dimensions and everything that does not depend on the values of other entries."""
    for rule in sheet.posting.rules:
        seen = set[int]()
        for place, line in _places(sheet.env, rule):
            names = sheet.scope(rule, place)
            if rule.when is not None and sheet.evaluate(rule, "when", rule.when, names, place) is not True:
                continue
            if line in seen and line:
                text = M("An earlier line names the same record; name it in one line only.")
                raise Invalid([sheet.problem("named_twice", rule, place, "each", text)])
            seen.add(line)
            slot = _slot(sheet, rule, ledgers[rule.ledger], place, line, names)
            sheet.add(slot)
            for key, written in rule.measures.items():
                if not isinstance(written, Share) and key not in rule.dependent and not reads_before(written):
                    value = sheet.evaluate(rule, key, written, names, place)
                    slot.amounts[key] = fitting(slot.ledger, key, value)
        sheet.fill_shares(rule, dependent=False)


def fill_before(sheet: Sheet, slot: Slot, before: Mapping[str, Decimal]) -> list[Problem]:
    """Calculate what of a slot follows from the balance before it; the problem when the rule's check refuses it."""
    rule, names = slot.rule, {**sheet.scope(slot.rule, slot.place), "before": before}
    for key, written in rule.measures.items():
        if reads_before(written) and not isinstance(written, Share) and key not in rule.dependent:
            value = sheet.evaluate(rule, key, written, names, slot.place)
            slot.amounts[key] = fitting(slot.ledger, key, value)
    if rule.check is None or sheet.evaluate(rule, "check", rule.check, names, slot.place) is True:
        return []
    told = {key: sheet.evaluate(rule, key, each, names, slot.place) for key, each in rule.tells.items()}
    return [sheet.problem("refused", rule, slot.place, "check", Said(rule.says or {}, "says", told))]


def asks_before(rule: EntryRule) -> bool:
    """Whether a rule asks for the balance before its entry."""
    return any(map(reads_before, (rule.check, *rule.tells.values(), *rule.measures.values())))


def reads_before(written: Expression | Share | None) -> bool:
    """Whether an amount, or a check, follows from the balance before its entry."""
    return isinstance(written, Expression) and any(path[0] == "before" for path in written.reads)


def _places(env: Mapping[str, Any], rule: EntryRule) -> Iterable[tuple[int | None, int]]:
    if rule.each is None:
        return [(None, 0)]
    return [(place, int(line.get("id") or 0)) for place, line in enumerate(env.get(rule.each) or ())]


def place_at(env: Mapping[str, Any], rule: EntryRule, place: int | None) -> str:
    """Where the record says what an entry is made of: the line, or the line that leads to it."""
    if rule.each is None or place is None:
        return ""
    own, *way = rule.each.split(".")
    if not way:
        return f"{own}.{place}"
    lines = env.get(rule.each) or ()
    return f"{own}.{lines[place].get(PLACE, 0)}" if len(way) == 2 and place < len(lines) else own


def _slot(
    sheet: Sheet, rule: EntryRule, ledger: LedgerSpec, place: int | None, line: int, names: Mapping[str, Any]
) -> Slot:
    dims = {}
    for key, dimension in ledger.dimensions.items():
        value = sheet.evaluate(rule, key, rule.dims[key], names, place) if key in rule.dims else None
        if isinstance(value, Linked | Decimal) and dimension.forms:
            value = int(value)
        dims[key] = dimension.empty if value is None else value
    at = place_at(sheet.env, rule, place)
    slot = Slot(rule, ledger, place, line, dims, dict.fromkeys(ledger.amounts, ZERO), at=at)
    for key in ("uses", "settles", "returns", "adds_to"):
        expression = getattr(rule, key)
        if expression is not None:
            value = sheet.evaluate(rule, key, expression, names, place)
            found = int(value) if isinstance(value, int | Decimal) else None
            if key in ("uses", "settles"):
                setattr(slot, key, found)
            else:
                slot.source = found or 0
    for key in ("due", "expires"):
        expression = getattr(rule, key)
        if expression is not None:
            value = sheet.evaluate(rule, key, expression, names, place)
            setattr(slot, key, value.date() if isinstance(value, datetime) else value)
    return slot


def fitting(ledger: LedgerSpec, key: str, value: Any) -> Decimal:
    """A calculated amount with the digits of its measure, rounded half up."""
    scale = ledger.scale(key)
    amount = rounded(Decimal(value or 0), scale)
    if abs(amount) >= Decimal(10) ** (DIGITS - 2 - scale):
        text = M(
            "The number {value} is too large for “{field}”.", value=value, field=ledger.measures[key].title
        )
        raise Invalid([Problem("too_large", "", text)])
    return amount


def rounded(value: Decimal, scale: int) -> Decimal:
    """`value` with `scale` digits after the point, half up as in every document."""
    return value.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP)


def shared(total: Decimal, weights: Sequence[Decimal], scale: int) -> list[Decimal]:
    """`total` in parts by weight, to the last digit: the largest remainders get what rounding left over."""
    whole = sum(weights, ZERO)
    if not whole:
        return [ZERO for _ in weights]
    unit = Decimal(1).scaleb(-scale)
    exact = [total * weight / whole for weight in weights]
    parts = [value.quantize(unit, "ROUND_DOWN") for value in exact]
    left = int(((total - sum(parts, ZERO)) / unit).to_integral_value(ROUND_HALF_EVEN))
    order = sorted(range(len(parts)), key=lambda i: (-abs(exact[i] - parts[i]), i))
    for index in order[: abs(left)]:
        parts[index] += unit if left > 0 else -unit
    return parts


def inputs_of(
    posting: PostingSpec, env: Mapping[str, Any], settings: Mapping[str, Any]
) -> dict[str, Any] | None:
    """What dependent amounts read besides the entries: kept, so that they can be calculated again later."""
    reads: set[Path] = set()
    for rule in posting.rules:
        for key in rule.dependent:
            written = rule.measures[key]
            for each in (written.total, written.weight) if isinstance(written, Share) else (written,):
                found = {path for path in each.reads if path[0] != "entries"}
                reads |= {_kept_at(path, rule.each) for path in found}
                reads |= {(rule.each, "id") for p in found if p[0] in ("line", "outer") and rule.each}
    if not reads:
        return None
    own = {path[1:] if path[0] == "record" else path for path in reads if path[0] != "settings"}
    chosen = {path[1:] for path in reads if path[0] == "settings"}
    return {"record": _picked(env, own), "settings": _picked(settings, chosen)}


def _kept_at(path: Path, each: str | None) -> Path:
    """Where among the inputs a path of a rule is kept."""
    if each is None or path[0] not in ("line", "outer"):
        return path
    return (each, *path[1:]) if path[0] == "line" else (each, OUTER, *path[1:])


def _picked(value: Any, paths: set[Path]) -> Any:
    if isinstance(value, list):
        return [_picked(each, paths) for each in value]
    record = getattr(value, "record", None) if isinstance(value, Linked) else value
    if not any(paths) or not isinstance(record, Mapping):
        return value
    heads: dict[str, set[Path]] = {}
    for path in paths:
        if path:
            heads.setdefault(path[0], set()).add(path[1:])
    return {head: _picked(record.get(head), rest) for head, rest in heads.items()}


@lru_cache(maxsize=500)
def plain_rule(ledger: str) -> EntryRule:
    """The rule of entries that no posting asks for."""
    return EntryRule(
        -1, ledger, ledger, None, None, {}, {}, frozenset(), False, None, None, None, None, None, None, None
    )


def pending_column(way: str, name: str, amount: Decimal) -> str:
    """Where a pending amount counts: what takes away is reserved, what adds is expected."""
    takes = amount > 0 if way in (RELEASED, REVERSED) else amount < 0
    return f"{'r' if takes else 'e'}_{name}"
