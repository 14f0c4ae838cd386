"""Whose rights on the forms of an application do not go along with it, and which of its forms nobody may look at."""

from collections.abc import Iterable
from dataclasses import dataclass

from flask import url_for

from formloop.access import roles
from formloop.core.definitions import Doc
from formloop.core.text import M, Titled, join_words, titled
from formloop.definitions import library


@dataclass(frozen=True, slots=True)
class Behind:
    """A role of elsewhere with rights on forms of an application: neither a copy nor a pack has it."""

    role: Titled
    forms: tuple[Titled, ...]

    def said(self, locale: str) -> str:
        """It in a few words: the role, then its forms."""
        names = join_words((each.render(locale) for each in self.forms), locale)
        return M("{role}: {forms}", role=self.role, forms=names).render(locale)


def list_behind(docs: Iterable[Doc]) -> list[Behind]:
    """The roles that have rights on these forms and are not among these definitions."""
    docs = list(docs)
    taken = {doc["x-key"] for doc in docs if doc["x-kind"] == "role"}
    forms = {f"form:{doc['x-key']}": Titled(doc) for doc in docs if doc["x-kind"] == "form"}
    found = []
    for role in roles.list_roles():
        about = dict.fromkeys(grant.resource for grant in role.grants if grant.resource in forms)
        if about and role.key not in taken:
            name = Titled(titled(role.title, role.title_zh), role.key)
            found.append(Behind(name, tuple(forms[each] for each in about)))
    return found


def list_unseen(docs: Iterable[Doc], beside: Iterable[Doc] = ()) -> list[tuple[Titled, str]]:
    """The forms of these that no role lets anybody look at, with where rights on them are given once they are here.

    Roles are those of this site, of these definitions and of those that are installed `beside` them.
    """
    docs = list(docs)
    here = (grant for role in roles.list_roles() for grant in role.grants)
    seen = {grant.resource for grant in here if "view" in grant.actions}
    for doc in (*docs, *beside):
        grants = doc.get("grants", ()) if doc["x-kind"] == "role" else ()
        seen |= {f"form:{each['form']}" for each in grants if "form" in each and "view" in each["may"]}
    forms = (doc for doc in docs if doc["x-kind"] == "form" and f"form:{doc['x-key']}" not in seen)
    return [(Titled(doc), _rights_page(doc)) for doc in forms]


def _rights_page(form: Doc) -> str:
    entry = library.find_entry("form", form["x-key"])
    if entry is None or entry.id != form["x-id"]:
        return ""
    return url_for("studio_rights.show", definition_id=entry.id)
