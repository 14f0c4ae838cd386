"""Nobody publishes what tells them, or does for them, more than they may: each room judges its own kind."""

from collections.abc import Callable, Iterable
from typing import Any

from formloop.access import granting, role_kind
from formloop.access.actor import Actor
from formloop.core.errors import Problem
from formloop.core.registry import Registry
from formloop.definitions import library
from formloop.definitions.checking import Candidate
from formloop.definitions.drafts import get_definition

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


def without_known(now: Any, earlier: Any, problems_of: Callable[[Any], Iterable[Problem]]) -> list[Problem]:
    """The problems of one version that an `earlier` one, if there is any, did not have already."""
    known = {(p.code, p.message) for p in problems_of(earlier)} if earlier is not None else set()
    return [p for p in problems_of(now) if (p.code, p.message) not in known]
