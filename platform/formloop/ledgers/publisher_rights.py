"""Nobody enters into a ledger, or changes one, of which they may see nothing."""

from collections.abc import Iterator

from formloop.access.actor import Actor
from formloop.core.errors import Problem
from formloop.core.text import M
from formloop.definitions import library, rights
from formloop.definitions import service as definitions
from formloop.ledgers.kind import get_ledger
from formloop.ledgers.permits import find_permit
from formloop.ledgers.spec import LedgerSpec, PostingSpec


def enroll() -> None:
    """Take part in publishing."""
    if "posting" not in definitions.judges:
        definitions.judges.add("posting", check_posting)
        definitions.judges.add("ledger", check_ledger)


def check_posting(actor: Actor, posting: PostingSpec) -> Iterator[Problem]:
    """The ledgers into which a posting enters, and of which the actor may see nothing."""
    for key in sorted(posting.ledgers):
        ledger = get_ledger(key)
        if find_permit(actor, ledger) is None:
            text = M(
                "This posting enters into “{ledger}”, of which you may see nothing.", ledger=ledger.title
            )
            yield Problem(rights.DOES, "", text)


def check_ledger(actor: Actor, ledger: LedgerSpec) -> Iterator[Problem]:
    """A ledger that is there already is changed by who sees something of it."""
    if not library.is_new("ledger", ledger.key) and find_permit(actor, ledger) is None:
        text = M(
            "You may see nothing of “{ledger}”, so its rules are not yours to change.", ledger=ledger.title
        )
        yield Problem(rights.DOES, "", text)
