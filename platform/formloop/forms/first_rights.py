"""Whoever publishes a new form may use it at once: a role with all rights on it is made and given to them.

Without it a builder would meet "you may not do this" on the form just published, since a form is denied to
everybody until a grant allows it. The role is a definition like any other: it can be changed or given to others.
"""

from formloop.access import gate, people
from formloop.access.actor import SYSTEM, Actor
from formloop.core import clock
from formloop.core.keys import MOST_LETTERS, suggest_key
from formloop.core.text import M, localized
from formloop.definitions import library
from formloop.definitions import service as definitions


def enroll() -> None:
    """Take part in publishing."""
    if "first_rights" not in definitions.listeners:
        definitions.listeners.add("first_rights", _give)


def _give(actor: Actor, published: definitions.Published) -> None:
    # an installed pack brings its own roles, and nothing else is made beside it
    if published.kind == "form" and published.version == 1 and not published.from_pack:
        give(actor, published.key)


def give(actor: Actor, form_key: str, called: str = "all") -> None:
    """Give a person all rights on a new form that they may not even look at, by a new role."""
    if actor.person_id is None or actor.administrator or gate.allows(actor, "view", f"form:{form_key}"):
        return
    form = library.find_document("form", form_key) or {}
    taken = {each.key for each in definitions.list_definitions("role")}
    key = suggest_key(f"{form_key[: MOST_LETTERS - len(called) - 1]}_{called}", taken, "role")
    role = {
        "x-kind": "role",
        "x-id": clock.new_key(),
        "x-key": key,
        "title": f"{localized(form, 'title', 'en')}: all rights",
        "x-title": {"zh-CN": f"{localized(form, 'title', 'zh-CN')}：全部权限"},
        "grants": [{"id": "all", "form": form_key, "may": list(gate.RECORD_ACTIONS)}],
    }
    definitions.publish_many(SYSTEM, [role], M("for whoever published the form").render(actor.locale))
    people.add_role(SYSTEM, actor.person_id, key)
