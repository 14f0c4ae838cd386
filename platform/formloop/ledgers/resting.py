"""Entries that rest on the balance before them (a count, a revaluation) are corrected when that balance changes.

What each was calculated from is kept. What is entered for an earlier day, or undone there, is added to it, and the
difference that this makes is entered for the same document on the same day: what was counted stands.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from formloop.access.actor import Actor
from formloop.core import clock
from formloop.core.errors import Invalid, Problem
from formloop.core.text import M, Titled
from formloop.db import connection, remembered_by
from formloop.definitions import library
from formloop.forms import rows
from formloop.forms.kind import get_form
from formloop.forms.listing import titles_of
from formloop.ledgers import engine, resting_places
from formloop.ledgers.adjusting import find_version
from formloop.ledgers.drafting import Seen, draft_sheets
from formloop.ledgers.engine import Sheet, Slot
from formloop.ledgers.groups import Group
from formloop.ledgers.pools import CHUNK, Place
from formloop.ledgers.replay import Change
from formloop.ledgers.resting_kept import (
    FIRST,
    LAST,
    Moved,
    Moves,
    Rest,
    asks_value,
    keep_changed,
    key_of,
    list_resting,
    measures_read,
    set_of,
)
from formloop.ledgers.spec import ZERO, EntryRule, LedgerSpec
from formloop.ledgers.tables import resting

if TYPE_CHECKING:
    from formloop.ledgers.book import Book


def corrections(book: Book) -> list[Group]:
    """The groups by which counts of quantities in ledgers with values follow what this book changes before them.

    Before anything is valued: so one judgement of the limits sees both. New ones are calculated again in their place.
    """
    own = _list_own(book)
    moves = _moves(book, valued=False)
    found = [*own, *(each for each in _list_earlier(book, moves) if _is_due(book, each, valued=False))]
    sheets = draft_earlier(book.actor, [each for each in found if each.new is None])
    made = [_follow(book, mine, moves, sheets.get(number)) for number, mine in _by_group(found).items()]
    keep_changed([rest for rest in found if rest.now and rest.new is None])
    return [group for group in made if group is not None]


def corrections_valued(book: Book, changes: Mapping[int, Change]) -> tuple[list[Group], Moves]:
    """The same for whatever rests on values, or on ledgers without any, when all amounts are known.

    What rests on one balance is corrected one after the other, since the second sees what the first comes to: with the
    groups of the first ones comes what those behind them have not seen yet.
    """
    moves = _moves(book, valued=True)
    found = [each for each in _list_earlier(book, moves) if _is_due(book, each, valued=True)]
    _place_exactly(book, found, moves, changes)
    sheets, made, held = draft_earlier(book.actor, found), list[Group](), dict[tuple[str, str], Place]()
    for number, mine in _by_group(found).items():
        free = [rest for rest in mine if (rest.ledger, rest.key) not in held]
        if group := _follow(book, free, moves, sheets.get(number)):
            made.append(group)
            held |= {(rest.ledger, rest.key): rest.place for rest in free if rest.now}
    keep_changed([rest for rest in found if rest.now])
    return made, {
        mark: [each._replace(after=max(each.after, place), valued_again=False) for each in moves[mark]]
        for mark, place in held.items()
    }


def _by_group(rests: Sequence[Rest]) -> dict[int, list[Rest]]:
    groups: dict[int, list[Rest]] = {}
    for rest in sorted(rests, key=lambda each: (each.place, each.rule, each.line)):
        groups.setdefault(rest.place[1], []).append(rest)
    return groups


def _list_own(book: Book) -> list[Rest]:
    """The new entries that rest on a balance; what stands before them in the same book was not in it."""
    found = []
    for number, (group, slot, before) in enumerate(book.resting):
        group.id = group.id or clock.new_id()
        place = (book.day_of(group, slot), group.id)
        key = key_of(slot.ledger, slot.rule, slot.dims)
        read = {name: before[name] for name in measures_read(slot.rule)}
        found.append(
            Rest(slot.ledger.key, key, place, slot.rule.index, slot.line, number, read, new=(group, slot))
        )
    return found


def _moves(book: Book, valued: bool) -> Moves:
    """What is entered before something else of the same balance, of the balances on which anything can rest."""
    found: Moves = {mark: list(moved) for mark, moved in book.unseen.items()} if valued else {}
    new = {
        (slot.ledger.key, key_of(slot.ledger, slot.rule, slot.dims)) for _, slot, _ in book.resting
    }  # here all may come before something
    asked, roots = _asked_sets(), _roots(book.undone)
    for key, ledger in book.ledgers.items():
        sets = asked.get(key)
        if not sets or (ledger.valuation is None and not valued) or key not in book.balances:
            continue
        held = book.balances[key].rows
        for group, slot in book.slots():
            if slot.ledger is not ledger or slot.pending:
                continue
            place = _place(book, group, slot, roots)
            for per in sets:
                row = held.get(mark := ledger.key_of(slot.dims, per))
                if row is None:
                    continue
                if (key, mark) in new or (row.last_before is not None and row.last_before > place):
                    number = group.root or group.id
                    moved = Moved(
                        place, number, ledger.key_of(slot.dims), slot.amounts, slot.apart and not slot.late
                    )
                    found.setdefault((key, mark), []).append(moved)
    return found


def _place(book: Book, group: Group, slot: Slot, roots: Mapping[int, int]) -> Place:
    """What undoes or corrects something counts where that stands, what comes from a closed day before all others."""
    day = book.day_of(group, slot)
    if slot.late or slot.apart:
        return day, FIRST
    root = group.root or roots.get(group.reverses or 0)
    return day, root or slot.reverses or slot.entry or group.id or LAST


def _place_exactly(book: Book, rests: Sequence[Rest], moves: Moves, changes: Mapping[int, Change]) -> None:
    """What is valued again of the day on which something rests may stand before or behind it."""
    resting_on = {(rest.ledger, rest.key, rest.place[0]) for rest in rests}
    wanted: dict[str, set[tuple[str, date]]] = {}
    for (key, mark), mine in moves.items():
        these = {(mark, m.place[0]) for m in mine if m.valued_again and (key, mark, m.place[0]) in resting_on}
        if these:
            wanted.setdefault(key, set()).update(these)
            mine[:] = [m for m in mine if not (m.valued_again and (mark, m.place[0]) in these)]
    for key, these in wanted.items():
        ledger, sets = book.ledgers[key], _asked_sets()[key]
        for mark, moved in resting_places.one_by_one(ledger, sets, these, changes):
            moves[key, mark].append(moved)


def _roots(undone: Sequence[Any]) -> dict[int, int]:
    """For each correction that is undone the group that it corrects: that is undone with it."""
    first: dict[Any, int] = {}
    for head in undone:
        mark = (head.posting, head.form, head.record)
        first[mark] = min(first.get(mark, head.id), head.id)
    return {h.id: first[h.posting, h.form, h.record] for h in undone if h.because is not None}


@remembered_by("definitions")
def _asked_sets() -> Mapping[str, frozenset[tuple[str, ...]]]:
    """The sets of dimensions, by ledger, on whose balances entries rest."""
    found: dict[str, set[tuple[str, ...]]] = {}
    ledgers = {each.key: each for each in library.all_published("ledger")}
    for posting in library.all_published("posting"):
        for rule in posting.rules:
            if measures_read(rule) and (ledger := ledgers.get(rule.ledger)):
                found.setdefault(rule.ledger, set()).add(set_of(ledger, rule))
    return {key: frozenset(sets) for key, sets in found.items()}


def _list_earlier(book: Book, moves: Moves) -> list[Rest]:
    """What rests on these balances later than the first change; what is undone rests on nothing."""
    gone, found = {head.id for head in book.undone}, list[Rest]()
    for ledger in sorted({ledger for ledger, _ in moves}):
        keys = [key for of, key in moves if of == ledger]
        first = min(each.place[0] for (of, _), mine in moves.items() if of == ledger for each in mine)
        for part in (keys[at : at + CHUNK] for at in range(0, len(keys), CHUNK)):
            these = (resting.c.ledger == ledger, resting.c.key.in_(part), resting.c.date >= first)
            found += [rest for rest in list_resting(*these) if rest.place[1] not in gone]
    return found


def draft_earlier(actor: Actor, rests: Sequence[Rest]) -> dict[int, Sheet]:
    """The documents as their postings, in the versions that entered them, read them today; by group.

    Each of what rests then knows its own balance.
    """
    found, versions = dict[int, Sheet](), dict[Any, dict[int, int]]()
    for rest in rests:
        version = (rest.head.form, rest.head.posting, rest.head.version)
        versions.setdefault(version, {})[rest.place[1]] = rest.head.record
    for (form, key, version), mine in versions.items():
        posting, there = (
            find_version(key, version),
            rows.load(connection(), get_form(form), set(mine.values())),
        )
        numbers = [number for number, record in mine.items() if record in there]
        records = [there[mine[number]] for number in numbers]
        seen = Seen([posting], [(form, record) for record in records])
        found |= dict(zip(numbers, draft_sheets(posting, actor, records, seen), strict=True))
    for rest in rests:
        sheet = found.get(rest.place[1])
        for slot in sheet.slots if sheet else ():
            if (slot.rule.index, slot.line) == (rest.rule, rest.line):
                rest.note_own(slot)
    return found


def _follow(book: Book, mine: Sequence[Rest], moves: Moves, sheet: Sheet | None) -> Group | None:
    """Bring what rests in one group to the balances that are before it now: a group that enters the difference.

    One that is new itself is calculated again in its place.
    """
    changed = [rest for rest in mine if _has_changed(rest, moves)]
    for rest in changed:
        if rest.new is not None:
            _recalculate(book, rest, *rest.new)
    if sheet is None or not changed or changed[0].new is not None:
        return None
    head, rests = changed[0].head, {(rest.rule, rest.line): rest for rest in changed}
    targets = {slot: rests[at] for slot in sheet.slots if (at := (slot.rule.index, slot.line)) in rests}
    more = Sheet(sheet.posting, sheet.env, sheet.context, changed[0].place[0], settings=sheet.settings)
    for slot, rest in targets.items():
        if slot.rule.stays:
            book.doubted.add(rest.place[1])
        _differ(sheet, slot, rest, moves)
    for slot in _with_followers(sheet, targets):
        more.add(slot)
    if not any(any(slot.amounts.values()) for slot in targets):
        return None
    cause, number = book.groups[0], clock.new_id()
    cause.id = cause.id or clock.new_id()
    source = f"{head.form}:{head.record}:{head.posting}:again:{number}"
    inputs = engine.inputs_of(sheet.posting, sheet.env, sheet.settings)
    return Group(
        more, source, "post", head.form, head.record,
        because=cause.id, inputs=inputs, root=head.posted, id=number,
    )  # fmt: skip


def _recalculate(book: Book, rest: Rest, group: Group, slot: Slot) -> None:
    if slot.ledger.valuation is None or asks_value(slot.ledger, slot.rule):
        return  # its balance is not known yet: it follows when all amounts are
    problems = engine.fill_before(group.sheet, slot, rest.now)
    if problems:
        raise Invalid(problems)
    book.resting[rest.head] = (group, slot, rest.now)


def _is_due(book: Book, rest: Rest, valued: bool) -> bool:
    """Whether the amounts that it reads are known by now."""
    rule, ledger = rule_of(rest), book.ledgers.get(rest.ledger)
    if rule is None or ledger is None:
        return False
    rest.stays = rule.stays
    return (ledger.valuation is None or asks_value(ledger, rule)) == valued


def rule_of(rest: Rest) -> EntryRule | None:
    """The rule that entered it, in its version."""
    posting = find_version(rest.head.posting, rest.head.version)
    return next((each for each in posting.rules if each.index == rest.rule), None)


def _has_changed(rest: Rest, moves: Moves) -> bool:
    """Add to what is before it whatever came in there; to what stays as it was also what came later that day."""
    rest.now = dict(rest.before)
    for moved in moves.get((rest.ledger, rest.key), ()):
        if moved.after < rest.place and rest.sees(moved):
            rest.add(moved)
    if rest.now == rest.before:
        rest.now = {}
    return bool(rest.now)


def require_still(book: Book) -> None:
    """What must stay as it was still holds, now that all postings of the change are carried out."""
    if not book.doubted:
        return
    rests = list_resting(resting.c.posted.in_(sorted(book.doubted)))
    sheets = draft_earlier(book.actor, rests)
    for rest in rests:
        sheet = sheets.get(rest.place[1])
        for slot in sheet.slots if sheet else ():
            mine = (slot.rule.index, slot.line) == (rest.rule, rest.line) and slot.rule.stays
            if sheet and mine and engine.fill_before(sheet, slot, rest.before):
                raise Invalid([_rested_on(book, rest, slot.ledger)])


def _rested_on(book: Book, rest: Rest, ledger: LedgerSpec) -> Problem:
    spec, record = get_form(rest.head.form), rest.head.record
    text = M(
        "“{document}” ({form}) of {day} rests on what “{ledger}” says of that day. Take it back first, or give a later date.",
        document=titles_of(connection(), spec, {record}, book.actor).get(record, f"#{record}"),
        form=Titled(spec.document, spec.key),
        day=rest.place[0].isoformat(),
        ledger=ledger.title,
    )
    return Problem("rested_on_balance", "", text)


def _differ(sheet: Sheet, slot: Slot, rest: Rest, moves: Moves) -> None:
    """Leave in a slot what its amounts differ by; what rests on the same balance later sees that, too."""
    read = [name for name, written in slot.rule.measures.items() if engine.reads_before(written)]
    engine.fill_before(sheet, slot, rest.before)
    was = {name: slot.amounts[name] for name in read}
    engine.fill_before(sheet, slot, rest.now)
    delta = {name: slot.amounts[name] - was[name] for name in read}
    slot.amounts = dict.fromkeys(slot.ledger.amounts, ZERO) | delta
    if slot.ledger.valuation is not None and not asks_value(slot.ledger, slot.rule):
        moved = Moved(rest.place, rest.place[1], slot.ledger.key_of(slot.dims), delta)
        moves.setdefault((rest.ledger, rest.key), []).append(moved)


def _with_followers(sheet: Sheet, targets: Collection[Slot]) -> Iterator[Slot]:
    """These entries, and those whose amounts follow from them; the others of their document stay as they are."""
    places = {(slot.rule.each, slot.place) for slot in targets}
    whole = any(each is None for each, _ in places)
    for slot in sheet.slots:
        if slot in targets:
            yield slot
        elif slot.rule.dependent and (
            whole or slot.rule.each is None or (slot.rule.each, slot.place) in places
        ):
            slot.amounts = dict.fromkeys(slot.ledger.amounts, ZERO)
            yield slot
