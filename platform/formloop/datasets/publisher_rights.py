"""Nobody publishes a dataset that reads what they may not see themselves.

Its readers see only what their own rights give; but plans and other engines read datasets as a whole. So a builder
may only let one read fields they see in every row they see.
"""

from collections.abc import Iterable, Iterator

from formloop.access.actor import Actor
from formloop.core.errors import Problem
from formloop.core.text import M, Message, Titled
from formloop.datasets.kind import get_dataset, references
from formloop.datasets.sources.period import CLOSED
from formloop.datasets.spec import Read
from formloop.definitions import service as definitions
from formloop.forms.publisher_rights import in_words, sees
from formloop.ledgers.kind import get_ledger
from formloop.ledgers.permits import find_permit


def enroll() -> None:
    """Take part in publishing."""
    if "dataset" not in definitions.judges:
        definitions.judges.add("dataset", lambda actor, dataset: hidden(actor, dataset.reads, "columns"))


def hidden(actor: Actor, reads: Iterable[Read], at: str) -> Iterator[Problem]:
    """One problem for each field that is read and that the person may not see."""
    for form, path in sorted(reads):
        if not _sees(actor, form, path):
            text = M(
                "This dataset reads {field} of {form}, which you may not see yourself.", **_named(form, path)
            )
            yield Problem("reads_hidden", at, text)


def with_inner(key: str) -> list[str]:
    """A dataset and those it reads itself, however deep."""
    found, waiting = [key], [key]
    while waiting:
        for kind, inner in references(dict(get_dataset(waiting.pop()).document)):
            if kind == "dataset" and inner not in found:
                found.append(inner)
                waiting.append(inner)
    return found


def _named(name: str, path: str) -> dict[str, Message]:
    """What a field and its form are called; of a ledger its dimension or measure."""
    kind, _, key = name.rpartition(":")
    if kind != "ledger":
        return in_words(name, path)
    ledger = get_ledger(key)
    named = ledger.dimensions.get(path) or ledger.measures.get(path)
    return {"field": named.title if named else Titled({}, path), "form": ledger.title}


def _sees(actor: Actor, name: str, path: str) -> bool:
    """Whether a field of a form, or a dimension or measure of a ledger, is seen in every row."""
    kind, _, key = name.rpartition(":")
    if kind != "ledger":
        return sees(actor, name, path)
    permit = find_permit(actor, get_ledger(key))
    if permit is None or path == CLOSED:  # that is no field of it: who sees anything of a ledger sees it
        return permit is not None
    return all(grant.covers(path) for grant in permit.grants)
