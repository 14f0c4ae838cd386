"""Nobody enters into a ledger, or changes one, of which they may see nothing; nor shows by one what they may not see."""

from collections.abc import Collection, Iterable, Iterator

from formloop.access.actor import Actor
from formloop.core.errors import Problem
from formloop.core.expression import Path
from formloop.core.text import M, Titled
from formloop.definitions import library, rights
from formloop.definitions import service as definitions
from formloop.forms.kind import get_form
from formloop.forms.publisher_rights import in_words, may_read, read_elsewhere
from formloop.forms.spec import FormSpec
from formloop.ledgers.kind import get_ledger
from formloop.ledgers.permits import find_permit
from formloop.ledgers.spec import EntryRule, LedgerSpec, PostingSpec, from_record


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
    yield from _reads_hidden(actor, posting)


def _reads_hidden(actor: Actor, posting: PostingSpec) -> Iterator[Problem]:
    """What its entries and refusals would show, to those who see these, of what the actor may not see."""
    for index, rule in enumerate(posting.rules):
        told = {path for each in rule.tells.values() for path in each.reads}
        at = f"entries.{index}.check.tells"
        if any(path[0] == "before" for path in told) and not _sees_all(actor, rule.ledger):
            text = M(
                "This message tells what stands in “{ledger}”, of which you do not see everything.",
                ledger=get_ledger(rule.ledger).title,
            )
            yield Problem("reads_hidden", at, text)
        spec = get_form(posting.form)
        for form, key in _hidden(actor, spec, {from_record(path, rule.each) for path in told}):
            text = M(
                "This message tells {field} of {form}, which you may not see yourself.",
                **in_words(form, key),
            )
            yield Problem("reads_hidden", at, text)
        entered = {path for _, each in rule.expressions for path in each.reads} - told
        yield from _enters_hidden(actor, posting, rule, entered)
    for name, own in (("when", posting.when), ("date", posting.date)):
        if own:
            yield from _shows(_hidden(actor, get_form(posting.form), set(own.reads)), name)
    if posting.settings is not None:
        books = _hidden(actor, get_form(posting.settings), posting.setting_reads)
        yield from _shows(books, "settings")


def _enters_hidden(
    actor: Actor, posting: PostingSpec, rule: EntryRule, read: Collection[Path]
) -> Iterator[Problem]:
    """Fields and amounts that come to be seen by another name: as an amount, or by whether there is an entry."""
    at, homes = f"entries.{rule.index}", {each.id: each.ledger for each in posting.rules}
    record = {from_record(path, rule.each) for path in read}
    yield from _shows(_hidden(actor, get_form(posting.form), record), at)
    before = {(rule.ledger, path[1]) for path in read if path[0] == "before"}
    others = {(homes[path[1]], path[2]) for path in read if path[0] == "entries"}
    for key, name in sorted(before | others):
        if not _sees_everywhere(actor, key, (name,)):
            ledger = get_ledger(key)
            text = M(
                "This posting reads “{measure}” of “{ledger}”, which you may not see in every entry.",
                measure=Titled(ledger.measures[name].document, name) if name in ledger.measures else name,
                ledger=ledger.title,
            )
            yield Problem("reads_hidden", at, text)


def _shows(hidden: Iterable[tuple[str, str]], at: str) -> Iterator[Problem]:
    for form, key in hidden:
        text = M(
            "This posting reads {field} of {form}, which you may not see yourself.", **in_words(form, key)
        )
        yield Problem("reads_hidden", at, text)


def _hidden(actor: Actor, spec: FormSpec, read: Collection[Path]) -> Iterator[tuple[str, str]]:
    """The fields behind some paths of a record, by form, that the actor may not see."""
    record = {path for path in read if path[0] in spec.fields}
    own = {(spec.key, ".".join(path[: 1 + bool(spec.fields[path[0]].children)])) for path in record}
    found = own | {(form, key) for _, form, key in read_elsewhere(spec, record)}
    yield from (each for each in sorted(found) if not may_read(actor, *each))


def _sees_all(actor: Actor, key: str) -> bool:
    """Whether somebody sees every entry of a ledger, whole."""
    ledger = get_ledger(key)
    return _sees_everywhere(actor, key, (*ledger.dimensions, *ledger.measures))


def _sees_everywhere(actor: Actor, key: str, names: Collection[str]) -> bool:
    permit = find_permit(actor, get_ledger(key))
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
