"""Nobody publishes what tells them, or does for them, more than they may: each room judges its own kind."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from formloop.access import granting, role_kind
from formloop.access.actor import Actor
from formloop.core.errors import Invalid, Problem
from formloop.core.json_text import dumps
from formloop.core.registry import Registry
from formloop.definitions import library
from formloop.definitions.checking import Candidate
from formloop.definitions.drafts import get_definition

DOES = "writes_forbidden"  # the code of what is done beyond somebody's rights
CALLED = ("title", "x-title", "description", "x-description", "icon", "color")
Judge = Callable[[Actor, Any], Iterable[Problem]]
judges: Registry[Judge] = Registry("judge")  # kind → what one reads or does beyond somebody's rights


def check_rights(actor: Actor, candidate: Candidate) -> list[Problem]:
    """What a sound candidate, which lies in the overlay, would do beyond the rights of whoever publishes it.

    Whoever changes a definition of an application answers for what is new in it, not for what stood there.
    """
    kind, key = candidate.name
    if candidate.kind is role_kind.ROLE:
        return granting.check_role(actor, candidate.old, candidate.doc)
    judge = judges.find(kind)
    if actor.administrator or judge is None:
        return []
    earlier = None
    if candidate.version and get_definition(candidate.doc["x-id"]).app:
        earlier = library.at_version(kind, key, candidate.version)
    now = library.published(kind, key)
    return without_known(now, earlier, lambda each: judge(actor, each))


def require_rights(actor: Actor, kind: str, key: str, beyond: str = "") -> None:
    """Refuse to put what is published into use, or (`beyond`: a code) out of it, beyond somebody's rights."""
    judge = judges.find(kind)
    found = list(judge(actor, library.published(kind, key))) if judge and not actor.administrator else []
    if problems := [each for each in found if beyond in ("", each.code)]:
        raise Invalid(problems)


def without_known(now: Any, earlier: Any, problems_of: Callable[[Any], Iterable[Problem]]) -> list[Problem]:
    """The problems of one version that an `earlier` one, if there is any, did not have already.

    What is done or read beyond somebody's rights is known only as it stood there, to the word.
    """

    def marked(each: Any) -> list[tuple[Any, Problem]]:
        found = [(p, _part(each.document, p.at)) for p in problems_of(each)]
        return [((p.code, p.message, part), p) for p, part in found]

    known = [mark for mark, _ in marked(earlier)] if earlier is not None else []
    return [p for mark, p in marked(now) if mark not in known]


def _part(document: Mapping[str, Any], at: str) -> str:
    """What stands at a place, as text; of the whole document without what it is called."""
    found: Any = {key: each for key, each in document.items() if key not in CALLED}
    for part in filter(None, at.split(".")):
        if isinstance(found, Mapping) and part in found:
            found = found[part]
        elif isinstance(found, list) and part.isdigit() and int(part) < len(found):
            found = found[int(part)]
    return dumps(found)
