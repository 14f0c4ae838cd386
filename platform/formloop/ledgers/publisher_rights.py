"""Nobody enters into a ledger, or changes one, of which they may see nothing; nor tells others what they may not see."""

from collections.abc import Iterator

from formloop.access.actor import Actor
from formloop.core.errors import Problem
from formloop.core.text import M
from formloop.definitions import library, rights
from formloop.definitions import service as definitions
from formloop.forms.kind import get_form
from formloop.forms.publisher_rights import in_words, may_read, read_elsewhere
from formloop.ledgers.kind import get_ledger
from formloop.ledgers.permits import find_permit
from formloop.ledgers.spec import LedgerSpec, PostingSpec, from_record


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
    yield from _tells_hidden(actor, posting)


def _tells_hidden(actor: Actor, posting: PostingSpec) -> Iterator[Problem]:
    """The figures in refusals, which are read by whoever submits a record."""
    spec = get_form(posting.form)
    for index, rule in enumerate(posting.rules):
        told = {path for each in rule.tells.values() for path in each.reads}
        at = f"entries.{index}.check.tells"
        if any(path[0] == "before" for path in told) and not _sees_all(actor, rule.ledger):
            text = M(
                "This message tells what stands in “{ledger}”, of which you do not see everything.",
                ledger=get_ledger(rule.ledger).title,
            )
            yield Problem("reads_hidden", at, text)
        record = {path for path in (from_record(path, rule.each) for path in told) if path[0] in spec.fields}
        own = {(spec.key, ".".join(path[: 1 + bool(spec.fields[path[0]].children)])) for path in record}
        read = own | {(form, key) for _, form, key in read_elsewhere(spec, record)}
        for form, key in sorted(read):
            if not may_read(actor, form, key):
                text = M(
                    "This message tells {field} of {form}, which you may not see yourself.",
                    **in_words(form, key),
                )
                yield Problem("reads_hidden", at, text)


def _sees_all(actor: Actor, key: str) -> bool:
    """Whether somebody sees every entry of a ledger, whole."""
    ledger = get_ledger(key)
    permit = find_permit(actor, ledger)
    names = (*ledger.dimensions, *ledger.measures)
    return permit is not None and any(
        condition is None and all(map(grant.covers, names))
        for grant, condition in zip(permit.grants, permit.conditions, strict=True)
    )


def check_ledger(actor: Actor, ledger: LedgerSpec) -> Iterator[Problem]:
    """A ledger that is there already is changed by who sees something of it."""
    if not library.is_new("ledger", ledger.key) and find_permit(actor, ledger) is None:
        text = M(
            "You may see nothing of “{ledger}”, so its rules are not yours to change.", ledger=ledger.title
        )
        yield Problem(rights.DOES, "", text)
