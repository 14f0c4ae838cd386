"""What changed of the entries of a posting, entry by entry: which one, and which of its words."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from functools import partial
from itertools import zip_longest
from typing import Any

from formloop.core.definitions import Change, Doc
from formloop.core.definitions.parts import ABSENT
from formloop.core.definitions.shape import Shape
from formloop.core.json_text import dumps
from formloop.core.text import M, Message
from formloop.definitions import library
from formloop.ledgers.spec import LedgerSpec

AT = "entries"
Entry = Mapping[str, Any]


def tell(old: Doc, new: Doc, shape: Shape) -> Iterator[Change]:
    """Every entry that came, went or says something else.

    What stands at its old place can be taken back by itself; a single change of another kind with the whole list.
    """
    was, now = list(old.get(AT, ())), list(new.get(AT, ()))
    told = list(_sentences(was, now, shape))
    for said, place, key in told:
        if len(was) == len(now) and place is not None:
            one, other = was[place].get(key, ABSENT), now[place].get(key, ABSENT)
            what = "added" if one is ABSENT else "removed" if other is ABSENT else "changed"
            yield Change((AT, str(place), key), what, one, other, said=said)
        else:
            whole = old.get(AT, ABSENT), new.get(AT, ABSENT)
            yield Change((AT,), "changed" if len(told) == 1 else "moved", *whole, said=said)


def _sentences(
    was: Sequence[Entry], now: Sequence[Entry], shape: Shape
) -> Iterator[tuple[Callable[[str], Message], int | None, str]]:
    """What is told of each difference; of a word that changed also where it stands."""
    for one, other in _pairs(was, now):
        if other is None and one is not None:
            yield partial(_gone, was, one), None, ""
        elif one is None and other is not None:
            yield partial(_come, now, other), None, ""
        elif one is not None and other is not None:
            before, after = was[one], now[other]
            for key in dict.fromkeys([*before, *after]):
                if before.get(key) != after.get(key):
                    said = partial(_inside, now, other, key, before.get(key), after.get(key), shape)
                    yield said, other if one == other else None, key


def _pairs(was: Sequence[Entry], now: Sequence[Entry]) -> Iterator[tuple[int | None, int | None]]:
    """Which entry became which: the same ones in order, between them those of one ledger and name, then by place."""
    for what, (a, b), (c, d) in _blocks([_mark(each) for each in was], [_mark(each) for each in now]):
        if what == "equal":
            yield from zip(range(a, b), range(c, d), strict=True)
            continue
        names = [[f"{each['ledger']} {each.get('id', '')}" for each in side] for side in (was[a:b], now[c:d])]
        for _, (e, f), (g, h) in _blocks(*names):
            yield from zip_longest(range(a + e, a + f), range(c + g, c + h))


def _blocks(was: list[str], now: list[str]) -> Iterator[tuple[str, tuple[int, int], tuple[int, int]]]:
    for what, a, b, c, d in SequenceMatcher(a=was, b=now, autojunk=False).get_opcodes():
        yield what, (a, b), (c, d)


def _mark(entry: Entry) -> str:
    return dumps(dict(entry))


def _called(entries: Sequence[Entry], place: int, locale: str) -> str:
    """How people call an entry: its number, its ledger and the name it has for others."""
    entry = entries[place]
    ledger = library.find_published("ledger", str(entry.get("ledger", "")))
    named = ledger.title.render(locale) if isinstance(ledger, LedgerSpec) else str(entry.get("ledger", ""))
    name = " · ".join(filter(None, (named, str(entry.get("id", "")))))
    return M("Entry {number} ({name})", number=place + 1, name=name).render(locale)


def _gone(entries: Sequence[Entry], place: int, locale: str) -> Message:
    return M("{place} was removed.", place=_called(entries, place, locale))


def _come(entries: Sequence[Entry], place: int, locale: str) -> Message:
    return M("{place} was added.", place=_called(entries, place, locale))


def _inside(
    entries: Sequence[Entry], place: int, key: str, old: Any, new: Any, shape: Shape, locale: str
) -> Message:
    """One word of an entry that says something else."""
    called = f"{_called(entries, place, locale)} › {_word(entries[place], key, shape, locale)}"
    return M(
        "{place} changed from {old} to {new}.",
        place=called,
        old=_shown(old, locale),
        new=_shown(new, locale),
    )


def _word(entry: Entry, key: str, shape: Shape, locale: str) -> str:
    """What a word of an entry is called: a dimension or measure of its ledger as that calls it."""
    ledger = library.find_published("ledger", str(entry.get("ledger", "")))
    known = isinstance(ledger, LedgerSpec) and (ledger.dimensions.get(key) or ledger.measures.get(key))
    return (known.title.render(locale) if known else shape.item().property(key).title(locale)) or key


def _shown(value: Any, locale: str) -> str:
    if value is None:
        return M("nothing").render(locale)
    text = value if isinstance(value, str) else dumps(value)
    return f"“{text}”"
