"""Amounts that are sums and differences of other entries' amounts: what a change makes of them needs no record.

Nearly every voucher is of this kind, so replaying 100,000 documents need not calculate each of them again.
"""

from collections.abc import Mapping
from decimal import Decimal

from formloop.core.expression.nodes import Binary, Call, Name, Typed, Unary
from formloop.ledgers.spec import EntryRule, LedgerSpec, PostingSpec, Share

Weights = Mapping[tuple[int, str], Decimal]  # rule and measure, to how often it is added
Linear = Mapping[int, Mapping[str, Weights]]  # of each rule with dependent measures


def find_linear(posting: PostingSpec, ledgers: Mapping[str, LedgerSpec]) -> Linear | None:
    """How often each amount is added to the dependent ones; None when some of them are not such sums."""
    found: dict[int, dict[str, Weights]] = {}
    valued = {rule.index: ledgers[rule.ledger].valuation for rule in posting.rules}
    for rule in posting.rules:
        ledger = ledgers[rule.ledger]
        for key in rule.dependent:
            if (own := valued[rule.index]) is not None and key == own.value:
                continue  # the replay itself sees to it
            written = rule.measures[key]
            weights = None if isinstance(written, Share) else _weights(written.tree, posting, rule)
            if weights is None or any(
                not _is_kept(at, posting, ledgers, ledger.scale(key)) for at in weights
            ):
                return None
            found.setdefault(rule.index, {})[key] = weights
    return found


def _is_kept(
    at: tuple[int, str], posting: PostingSpec, ledgers: Mapping[str, LedgerSpec], scale: int
) -> bool:
    """Whether an amount is valued, or does not change at all, and needs no rounding where it is added."""
    rule = next(each for each in posting.rules if each.index == at[0])
    ledger = ledgers[rule.ledger]
    if ledger.valuation is not None and at[1] in (ledger.valuation.value, "variance"):
        return ledger.scale(at[1]) <= scale
    return at[1] not in rule.dependent


def _weights(node: Typed, posting: PostingSpec, rule: EntryRule) -> dict[tuple[int, str], Decimal] | None:
    if isinstance(node, Name):
        return _of_entry(node, posting, rule)
    if isinstance(node, Call) and node.name == "SUM" and len(node.arguments) == 1:
        return _weights(node.arguments[0], posting, rule)
    if isinstance(node, Unary) and node.op in ("-", "+"):
        inner = _weights(node.operand, posting, rule)
        return inner if inner is None or node.op == "+" else {k: -v for k, v in inner.items()}
    if isinstance(node, Binary) and node.op in ("+", "-"):
        left, right = _weights(node.left, posting, rule), _weights(node.right, posting, rule)
        if left is None or right is None:
            return None
        sign = 1 if node.op == "+" else -1
        return {k: left.get(k, Decimal(0)) + sign * right.get(k, Decimal(0)) for k in {*left, *right}}
    return None


def _of_entry(node: Name, posting: PostingSpec, rule: EntryRule) -> dict[tuple[int, str], Decimal] | None:
    """The amount of an earlier entry that a name means."""
    if node.path[0] != "entries" or len(node.path) != 3:
        return {} if node.path[0] != "entries" else None  # what the record says does not change
    earlier = [each for each in posting.rules[: rule.index] if each.id == node.path[1]]
    return {(earlier[-1].index, node.path[2]): Decimal(1)} if earlier else None
