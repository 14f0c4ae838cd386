"""Why a play is refused, as far as whoever looks at it may know: the refusal itself may tell what others see.

A ledger says what would be left, a rule of a form what its fields hold. Entries and notices are kept back alike.
"""

from formloop.access import gate
from formloop.access.actor import Actor
from formloop.core.errors import FormloopError, Invalid, Problem
from formloop.core.text import M, Message
from formloop.forms.kind import get_form
from formloop.forms.spec import FormSpec
from formloop.ledgers.kind import list_ledgers
from formloop.workflows import publisher_rights


def said(actor: Actor, error: FormloopError) -> list[Message]:
    """The refusal in words; what is kept back says only whose it is, once."""
    found: list[Message] = []
    for text in _texts(actor, error):
        if text not in found:
            found.append(text)
    return found


def _texts(actor: Actor, error: FormloopError) -> list[Message]:
    problems = error.problems if isinstance(error, Invalid) else []
    return [_text(actor, each) for each in problems] or [error.message]


def _text(actor: Actor, problem: Problem) -> Message:
    """A problem's own words only where all that they tell may be seen."""
    for ledger in list_ledgers():
        if ledger.resource in problem.tells and not sees_whole(actor, ledger.resource):
            return M(
                "“{ledger}” refuses it. What it says of that is kept back, since you may not see all of it.",
                ledger=ledger.title,
            )
    for key in problem.tells:
        kind, _, form = key.partition(":")
        if kind == "form" and _rule_hides(actor, get_form(form), problem.code):
            return M(
                "A rule of “{form}” refuses it. What it says is kept back, since it reads what you may not see.",
                form=get_form(form).called,
            )
    return problem.message


def sees_whole(actor: Actor, resource: str) -> bool:
    """Whether a person may see all of it, not only some rows."""
    return any(grant.whole for grant in gate.list_grants(actor, "view", resource))


def _rule_hides(actor: Actor, spec: FormSpec, code: str) -> bool:
    rule = next((each for each in spec.checks if code == f"check:{each.id}"), None)
    if rule is None:
        return False
    reads = rule.holds.reads.union(*(each.reads for each in rule.tells.values()))
    columns = {each.key for each in spec.fields[rule.each].children} if rule.each else set()
    paths = [(str(rule.each), *path) if path[0] in columns else path for path in reads]
    return publisher_rights.are_hidden(actor, spec, paths)
