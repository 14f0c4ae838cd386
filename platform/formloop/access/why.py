"""Why somebody can or cannot do something. Rooms above explain the rows and fields of their own resources."""

from dataclasses import dataclass
from typing import Any, Protocol

from formloop.access import gate
from formloop.access.actor import Actor
from formloop.access.gate import Grant
from formloop.access.words import SITE_TITLES
from formloop.core.registry import Registry
from formloop.core.text import Message


@dataclass(frozen=True, slots=True)
class Line:
    """One step of a row condition: what was written, its value (None when it may not be shown), how deep."""

    text: str
    value: Any
    depth: int


@dataclass(frozen=True, slots=True)
class Weighed:
    """A grant, whether it gives the record asked about (None without a record), and how that came about."""

    grant: Grant
    gives: bool | None
    steps: tuple[Line, ...] = ()
    remark: Message | None = None


@dataclass(frozen=True, slots=True)
class FieldSeen:
    """One field: what it is called, whether the person reaches it, and through which grants."""

    label: str
    reached: bool
    grants: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer in a sentence, and what it rests on."""

    allowed: bool
    sentence: Message
    grants: tuple[Weighed, ...] = ()
    fields: tuple[FieldSeen, ...] = ()
    record: str = ""
    remarks: tuple[Message, ...] = ()


class Explainer(Protocol):
    """What a room tells about resources named `<its prefix>:<key>`."""

    def list_resources(self, locale: str) -> list[tuple[str, str]]:
        """Each resource with its title."""
        ...

    def find_title(self, resource: str, locale: str) -> str | None:
        """What a resource is called."""
        ...

    def field_title(self, resource: str, path: str, locale: str) -> str:
        """What a field of a resource is called."""
        ...

    def explain(
        self, asker: Actor, actor: Actor, action: str, resource: str, record: str, locale: str
    ) -> Explanation:
        """The whole answer; values that `asker` may not see are left out."""
        ...


explainers: Registry[Explainer] = Registry("explainer")


def explainer_of(resource: str) -> Explainer | None:
    """Who explains `resource`."""
    prefix, colon, _ = resource.partition(":")
    return explainers.find(prefix) if colon else None


def explain(
    asker: Actor, actor: Actor, action: str, resource: str, record: str = "", locale: str = "en"
) -> Explanation:
    """Why `actor` may or may not do `action` on `resource`, and on one `record` of it."""
    room = explainer_of(resource)
    if room is not None:
        return room.explain(asker, actor, action, resource, record, locale)
    decision = gate.decide(actor, action, resource)
    return Explanation(
        decision.allowed, decision.reason, tuple(Weighed(grant, None) for grant in decision.grants)
    )


def title_of(resource: str, locale: str) -> str:
    """What a resource is called; its code when nobody knows a name."""
    if resource in SITE_TITLES:
        return SITE_TITLES[resource].render(locale)
    room = explainer_of(resource)
    return (room.find_title(resource, locale) if room else None) or resource


def field_title(resource: str, path: str, locale: str) -> str:
    """What a field of a resource is called; its path when nobody knows a name."""
    room = explainer_of(resource)
    return room.field_title(resource, path, locale) if room else path
