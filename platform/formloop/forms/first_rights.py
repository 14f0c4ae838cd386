"""Whoever publishes a new form may use it at once: a role with all rights on it is made and given to them.

Without it a builder would meet "you may not do this" on the form just published, since a form is denied to
everybody until a grant allows it. The role is a definition like any other: it can be changed or given to others.
"""

from formloop.access import gate, people
from formloop.access.actor import SYSTEM, Actor
from formloop.core import clock
from formloop.core.text import localized
from formloop.definitions import library
from formloop.definitions import service as definitions


def enroll() -> None:
    """Take part in publishing."""
    if "first_rights" not in definitions.listeners:
        definitions.listeners.add("first_rights", _give)


def _give(actor: Actor, published: definitions.Published) -> None:
    first = published.kind == "form" and published.version == 1
    if not first or actor.person_id is None or _from_pack(definitions.get_definition(published.id).app):
        return  # not new, or part of a pack, which brings its own roles
    if actor.administrator or gate.allows(actor, "view", f"form:{published.key}"):
        return
    form = library.find_document("form", published.key) or {}
    key = f"{published.key[:36]}_all"
    role = {
        "x-kind": "role",
        "x-id": clock.new_key(),
        "x-key": key,
        "title": f"{localized(form, 'title', 'en')}: all rights",
        "x-title": {"zh-CN": f"{localized(form, 'title', 'zh-CN')}：全部权限"},
        "grants": [{"id": "all", "form": published.key, "may": list(gate.RECORD_ACTIONS)}],
    }
    definitions.publish_many(SYSTEM, [role], "for whoever published the form")
    people.add_role(SYSTEM, actor.person_id, key)


def _from_pack(app: str) -> bool:
    """Whether an application came along with a pack: one that was made here has a definition."""
    return bool(app) and library.find_document("app", app) is None
